// Checks a whole journal: every hash, every link, every row of the read model.
//
// Runs beside a live router; each step is a short read, so that the router's log can begin anew in
// between. Belongs to the thread of its reader.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <vector>

#include "router/journal/journal.h"

namespace tandem::journal {

struct VerifyOptions {
  std::vector<TenantId> tenants = {};  // empty: all
  bool structure = true;               // pages and indexes too; reads everything once more
};

struct TenantReport {
  TenantId tenant = {};
  Sequence first = {};  // the oldest record that is there
  Sequence last = {};   // the newest one that was checked
  std::uint64_t records = 0;
  std::uint64_t pruned = 0;  // records that the retention has removed, before or between these
  std::uint64_t bytes = 0;   // of bodies
  Hash head = {};            // of `last`
  absl::Status status = {};  // DATA_LOSS names the first bad record or row
};

struct VerifyReport {
  absl::Status status;  // what is wrong with the journal as a whole
  std::vector<TenantReport> tenants;

  // The first error of all, or OK.
  absl::Status FirstError() const;
};

// A tenant that is asked for and has no records is NOT_FOUND in its report. That the newest records
// were cut off is seen only by comparing `head` with one that was kept elsewhere.
VerifyReport Verify(Reader& reader, const VerifyOptions& options);

}  // namespace tandem::journal
