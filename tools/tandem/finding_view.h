// Findings about a file, as a compiler shows them. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/playbook/parse.h"
#include "tandem/v1/playbooks.pb.h"
#include "tools/tandem/look.h"

namespace tandem::cli {

// Much more of a playbook than is taken, so that the refusal can name the size.
inline constexpr std::size_t kPlaybookReadMaxBytes = 64 << 20;

std::vector<v1::PlaybookFinding> ToProto(const std::vector<playbook::Finding>& findings);

// For each finding `file:line:column: error: message` (an editor can jump there), then the source
// line and a caret below the column. A line of 0 means the whole file. Ends with a count: "1 error,
// 2 warnings". Empty when there are no findings.
std::string FindingsText(std::string_view file, std::string_view source,
                         std::span<const v1::PlaybookFinding> findings, const Look& look);

}  // namespace tandem::cli
