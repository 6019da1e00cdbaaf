#include "tools/tandem/walk_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/context/entity_spec.h"
#include "router/context/import_csv.h"
#include "router/context/import_yaml.h"
#include "router/context/limits.h"
#include "router/playbook/node.h"
#include "tools/tandem/files.h"
#include "tools/tandem/finding_view.h"
#include "tools/tandem/names.h"

namespace tandem::cli {
namespace {

using playbook::Finding;

absl::StatusOr<context::ImportedFile> ReadContext(const std::string& path,
                                                  const std::string& content) {
  const std::string ending = path.substr(std::min(path.rfind('.'), path.size()));
  if (ending == ".csv") return context::ReadCsv(content);
  if (ending == ".yaml" || ending == ".yml" || ending == ".json") {
    return context::ReadYaml(content);  // JSON is YAML
  }
  return UsageError(
      fmt::format("{}: its name does not say what it is; expected .yaml, .csv or "
                  ".json",
                  Printable(path)));
}

// Puts what `path` says into the environment, as an import would.
absl::Status AddContext(const std::string& path, WalkInput& input) {
  TANDEM_ASSIGN_OR_RETURN(const std::string content, ReadFile(path, context::kImportBytesMax));
  const absl::StatusOr<context::ImportedFile> file = ReadContext(path, content);
  if (!file.ok()) {
    const std::vector<FieldError> rows = FieldsOf(file.status());
    if (rows.empty()) return file.status();
    for (const FieldError& row : rows) {
      input.problems += fmt::format("{}: {}: {}\n", Printable(path), Printable(row.field),
                                    Printable(row.description));
    }
    input.has_errors = true;
    return absl::OkStatus();
  }
  for (const context::ImportedEntity& entity : file->entities) {
    TANDEM_ASSIGN_OR_RETURN(playbook::EntitySpec spec, context::SpecOf(entity));
    const playbook::Entity* known = input.world.environment.Find(spec.kind, spec.id);
    if (!file->states_all && known != nullptr) {
      spec.calendars = known->spec.calendars;
      spec.matchers = known->spec.matchers;
    }
    TANDEM_RETURN_IF_ERROR(input.world.environment.Put(std::move(spec)));
  }
  return absl::OkStatus();
}

bool HasErrors(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.level == Finding::Level::kError;
  });
}

// False for a file that holds scenarios and no playbook.
bool HasPlaybook(std::string_view source) {
  const playbook::ConfigDocument document(source);
  const playbook::ConfigNode* root = document.root();
  return root == nullptr || root->Find("scenarios") == nullptr || root->Find("playbook") != nullptr;
}

// Errors only: warnings are for `playbook check`.
void Show(const std::string& file, const std::string& source, std::vector<Finding> findings,
          const Look& look, WalkInput& input) {
  findings.erase(std::remove_if(findings.begin(), findings.end(),
                                [](const Finding& finding) {
                                  return finding.level != Finding::Level::kError;
                                }),
                 findings.end());
  input.problems += FindingsText(file, source, ToProto(findings), look);
  input.has_errors = input.has_errors || HasErrors(findings);
}

}  // namespace

replay::Scenarios ReadScenariosFor(std::string_view source, const playbook::Playbook& playbook) {
  replay::Scenarios read = replay::ReadScenarios(source);
  for (Finding& finding : replay::CheckAgainst(read.scenarios, playbook)) {
    read.findings.push_back(std::move(finding));
  }
  read.has_errors = HasErrors(read.findings);
  return read;
}

absl::StatusOr<WalkInput> ReadWalkInput(const WalkFiles& files, const Look& look) {
  WalkInput input;
  TANDEM_ASSIGN_OR_RETURN(input.source, ReadFile(files.scenarios, kPlaybookReadMaxBytes));
  const std::string& playbook_file = files.playbook.empty() ? files.scenarios : files.playbook;
  std::string playbook_source = input.source;
  if (!files.playbook.empty()) {
    TANDEM_ASSIGN_OR_RETURN(playbook_source, ReadFile(files.playbook, kPlaybookReadMaxBytes));
  }
  if (files.playbook.empty() && !HasPlaybook(input.source)) {
    return UsageError(
        fmt::format("{}: scenarios in a file of their own need a playbook; give it "
                    "with --playbook FILE",
                    Printable(files.scenarios)));
  }
  playbook::Compiled compiled = playbook::CompilePlaybook(playbook_source);
  if (compiled.playbook == nullptr) {
    Show(playbook_file, playbook_source, std::move(compiled.findings), look, input);
    return input;
  }
  input.world.playbook = std::move(compiled.playbook);
  replay::Scenarios read = ReadScenariosFor(input.source, *input.world.playbook);
  Show(files.scenarios, input.source, std::move(read.findings), look, input);
  for (const std::string& path : files.context) {
    TANDEM_RETURN_IF_ERROR(AddContext(path, input));
  }
  if (!input.has_errors) input.scenarios = std::move(read.scenarios);
  return input;
}

absl::Status Choose(const std::vector<std::string>& names,
                    std::vector<replay::Scenario>& scenarios) {
  if (names.empty()) return absl::OkStatus();
  std::vector<std::string> known;
  known.reserve(scenarios.size());
  for (const replay::Scenario& scenario : scenarios) known.push_back(scenario.name);
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = NearestName(name, known);
    return UsageError(fmt::format(
        "--scenario: there is no scenario \"{}\"{}", Shown(name),
        nearest.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", nearest)));
  }
  const std::set<std::string> wanted(names.begin(), names.end());
  scenarios.erase(std::remove_if(scenarios.begin(), scenarios.end(),
                                 [&wanted](const replay::Scenario& scenario) {
                                   return !wanted.contains(scenario.name);
                                 }),
                  scenarios.end());
  return absl::OkStatus();
}

absl::Status ReplaceFile(const std::string& path, std::string_view content) {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto failed = [&path, &error] {
    return Error(absl::StatusCode::kFailedPrecondition, "FILE_UNWRITABLE",
                 fmt::format("{}: cannot write: {}", Printable(path), error.message()));
  };
  const fs::path target = fs::exists(path) ? fs::canonical(path, error) : fs::path(path);
  if (error) return failed();
  const auto write = [&content, &error](const fs::path& to) {
    errno = 0;
    std::ofstream file(to, std::ios::binary | std::ios::trunc);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.flush();
    if (!file.good()) error = {errno != 0 ? errno : EIO, std::generic_category()};
  };
  // A device or a pipe is written to, and stays what it is.
  if (fs::exists(target) && !fs::is_regular_file(target)) {
    write(target);
    return error ? failed() : absl::OkStatus();
  }
  const fs::path fresh = fmt::format("{}.{}.new", target.string(), ::getpid());
  write(fresh);
  if (error) {
    std::error_code ignored;
    fs::remove(fresh, ignored);
    return failed();
  }
  if (fs::exists(target)) fs::permissions(fresh, fs::status(target).permissions(), error);
  if (!error) fs::rename(fresh, target, error);
  if (!error) return absl::OkStatus();
  std::error_code ignored;
  fs::remove(fresh, ignored);
  return failed();
}

}  // namespace tandem::cli
