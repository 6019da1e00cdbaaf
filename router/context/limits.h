// Every limit of the context and of the service that keeps it, in one place; each comment says what
// a caller sees at it.
#pragma once

#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>

namespace tandem::context {

// Of a tenant: RESOURCE_EXHAUSTED with reason ENTITY_LIMIT, nothing is taken.
inline constexpr std::uint32_t kEntitiesMax = 100'000;

// Of an entity: INVALID_ARGUMENT that names the field.
inline constexpr std::size_t kEntityIdBytesMax = 128;
inline constexpr std::size_t kDisplayNameBytesMax = 256;
inline constexpr std::size_t kAttributesMax = 64;
inline constexpr std::size_t kAttributeNameBytesMax = 128;
inline constexpr std::size_t kAttributeValueBytesMax = 2 * 1024;
inline constexpr std::size_t kRelationsMax = 64;
inline constexpr std::size_t kRelationKindBytesMax = 64;
inline constexpr std::size_t kCalendarsMax = 16;
inline constexpr std::size_t kCalendarNameBytesMax = 128;
inline constexpr std::size_t kCalendarEntryBytesMax = 64;
inline constexpr std::size_t kCalendarIntervalsMax = 64;
inline constexpr std::size_t kCalendarRuleBytesMax = 512;  // Of a recurrence.
inline constexpr std::size_t kMatchersMax = 8;
inline constexpr std::size_t kMatcherBytesMax = 4 * 1024;
inline constexpr std::size_t kCoordinationMax = 16;
inline constexpr std::size_t kTeamBytesMax = 128;
// All of it, serialized. 64 attributes × (128 B + 2 KiB) ≈ 136 KiB, and as much again for the rest.
inline constexpr std::size_t kEntityBytesMax = 256 * 1024;

// Of a request: INVALID_ARGUMENT that names the field.
inline constexpr std::size_t kCommentBytesMax = 4 * 1024;
inline constexpr std::size_t kRequestIdBytesMax = 64;
inline constexpr std::size_t kUpdateMaskPathsMax = 16;
inline constexpr std::size_t kPageTokenBytesMax = 1024;
inline constexpr std::size_t kImportBytesMax = 16 * 1024 * 1024;

// How many mistakes one refusal lists; its message says how many there are. (On the wire as many of
// them as a trailer holds: see router/rpc/grpc_status.h.)
inline constexpr std::size_t kProblemsMax = 100;

// How long a request_id is remembered, and how many of a tenant at once: beyond that a change with
// one is refused with RESOURCE_EXHAUSTED, reason REQUEST_MEMORY_FULL; a change without one is
// taken.
inline constexpr absl::Duration kRequestMemory = absl::Hours(24);
inline constexpr std::uint32_t kRequestsRememberedMax = 100'000;

// How long old versions can be read: OUT_OF_RANGE with reason VERSION_TOO_OLD below that.
inline constexpr absl::Duration kHistoryKept = absl::Hours(24 * 400);

// Of one answer or one message of a watch, beside the counts of the proto: a page ends early, and
// goes on with its token. One entity more may pass it: 1 MiB + 256 KiB, well below the 4 MiB that
// gRPC clients take by default.
inline constexpr std::size_t kPageBytesMax = 1024 * 1024;
// Entities that one revision of ListHistory names; `change_count` has them all.
inline constexpr std::size_t kRevisionChangesMax = 1'000;
// A change with more entities, or more bytes than kPageBytesMax, reaches a watch as a snapshot.
inline constexpr std::size_t kWatchChangesMax = 1'000;
inline constexpr std::size_t kSnapshotEntitiesMax = 1'000;

}  // namespace tandem::context
