// Runs journal_fault_probe under libtandem_fault.so, and checks what it said and left behind.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "router/journal/journal.h"

namespace tandem::testing {

struct ProbeRun {
  std::string path;                                  // of the journal
  std::vector<std::string> arguments = {};           // besides --path
  std::map<std::string, std::string> settings = {};  // TANDEM_FAULT…
  int kill_after_lines = 0;                          // 0: lets it end by itself
};

struct ProbeResult {
  int exit_code = -1;              // -1 when it was killed
  std::vector<std::string> lines;  // of the probe and of the fault library, in order

  std::uint64_t last_acked() const;
  bool Has(const std::string& start_of_a_line) const;
};

ProbeResult RunProbe(const ProbeRun& run);

// What must never be in the output: a record acknowledged after an fsync has failed.
std::vector<std::string> AcksAfterAFailedFsync(const std::vector<std::string>& lines);

// What must never be found by whoever opens the journal afterwards: an acknowledged record that is
// not there, or any damage. "" when all is well. Leaves the journal closed.
std::string WhatIsWrongWith(const std::string& path, std::uint64_t last_acked);

}  // namespace tandem::testing
