// What a check or an export of the journal found, for a terminal. Pure.
#pragma once

#include <string>
#include <string_view>

#include "router/journal/export.h"
#include "router/journal/verify.h"
#include "tools/tandem/look.h"

namespace tandem::cli {

// A line for each tenant with the hash of its newest record: who keeps it elsewhere sees later
// whether the end was cut off.
std::string VerifyText(const journal::VerifyReport& report, const Look& look);
std::string VerifyJson(const journal::VerifyReport& report);

// `did` is "verified" or "exported".
std::string ExportText(std::string_view did, const journal::ExportSummary& summary,
                       const Look& look);
std::string ExportJson(const journal::ExportSummary& summary);

}  // namespace tandem::cli
