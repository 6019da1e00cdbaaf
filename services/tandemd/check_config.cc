#include "services/tandemd/check_config.h"

#include <fmt/format.h>

#include <cstdio>

#include "router/base/clock.h"
#include "services/runtime/check_files.h"

namespace tandem::tandemd {

int CheckConfig(const runtime::StartUp& start) {
  const runtime::FilesReport report = runtime::CheckFiles(*start.to_check, SystemClock().Now());
  std::fputs(start.err.c_str(), stderr);
  for (const std::string& warning : report.warnings) {
    std::fputs(fmt::format("warning: {}\n", warning).c_str(), stderr);
  }
  std::fputs(runtime::LinesOf(report.errors).c_str(), stderr);
  if (!report.errors.empty()) return 1;
  std::fputs(start.out.c_str(), stdout);
  return start.exit_code;
}

}  // namespace tandem::tandemd
