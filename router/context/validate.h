// Whether what a caller sends may be taken: forms, sizes, characters, and whether calendars and
// matchers compile. The limits stand in limits.h.
//
// Pure; safe from any thread.
#pragma once

#include <absl/status/status.h>

#include <string_view>
#include <vector>

#include "router/base/status.h"
#include "tandem/v1/context.pb.h"

namespace tandem::context {

// Every mistake in the editable fields of `entity`, up to kProblemsMax; none when it may be taken.
// Paths are below the entity: `attributes["kind"]`, `relations[2].target`,
// `calendars["production"].intervals[0].times[1]`.
std::vector<FieldError> CheckEntity(const v1::Entity& entity);

// One refusal of them all: INVALID_ARGUMENT with `reason`, fields below `prefix` ("entity."), the
// first in the message. REQUIRES: there is one.
absl::Status Refuse(std::string_view reason, std::string_view prefix,
                    const std::vector<FieldError>& problems);

// UTF-8 without control characters but for newlines and tabs, at most kCommentBytesMax.
absl::Status CheckComment(std::string_view comment);

// Empty, or 1 to kRequestIdBytesMax of [a-zA-Z0-9._:-], such as a UUID.
absl::Status CheckRequestId(std::string_view request_id);

}  // namespace tandem::context
