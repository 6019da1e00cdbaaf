// One tenant's history in one file that can be checked without the journal: see FORMAT.md.
//
// Belongs to the thread of its reader.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "router/journal/journal.h"

namespace tandem::journal {

struct ExportSummary {
  TenantId tenant = {};
  Sequence first = {};
  Sequence last = {};
  std::uint64_t records = 0;
  Hash head = {};  // of `last`: compare it with one that was kept elsewhere
};

// Takes the next bytes of the file; its error ends the export.
using ExportSink = absl::FunctionRef<absl::Status(std::string_view bytes)>;

// All records of the tenant up to its present head, in pieces of at most one record. NOT_FOUND for
// a tenant without records; DATA_LOSS for a damaged one.
absl::StatusOr<ExportSummary> ExportTenant(Reader& reader, const TenantId& tenant, ExportSink sink);

// Reads an export and calls `visit` for each record until it returns false. DATA_LOSS names the
// first bad record, or the part of the file that is cut off or altered.
absl::StatusOr<ExportSummary> ReadExport(const std::string& path,
                                         absl::FunctionRef<bool(const RecordRow&)> visit);

// As ReadExport, to the end.
absl::StatusOr<ExportSummary> VerifyExport(const std::string& path);

}  // namespace tandem::journal
