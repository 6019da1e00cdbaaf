// `tandem playbook …`.
#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/playbook/parse.h"
#include "tandem/v1/playbooks.grpc.pb.h"
#include "tools/tandem/age.h"
#include "tools/tandem/commands.h"
#include "tools/tandem/failure.h"
#include "tools/tandem/files.h"
#include "tools/tandem/finding_view.h"
#include "tools/tandem/incident_view.h"
#include "tools/tandem/names.h"
#include "tools/tandem/pages.h"
#include "tools/tandem/table.h"
#include "tools/tandem/walk_files.h"
#include "tools/tandem/words.h"

namespace tandem::cli {
namespace {

using Stub = v1::Playbooks::Stub;

struct CheckOptions {
  std::string file;
  bool ask_router = false;
  bool strict = false;
};

v1::ValidatePlaybookResponse CheckHere(const std::string& source) {
  playbook::Compiled compiled = playbook::CompilePlaybook(source);
  bool valid = compiled.playbook != nullptr;
  if (valid) {
    // The router takes a playbook whatever its scenarios say; their author wants to know.
    const replay::Scenarios scenarios = ReadScenariosFor(source, *compiled.playbook);
    valid = !scenarios.has_errors;
    compiled.findings.insert(compiled.findings.end(), scenarios.findings.begin(),
                             scenarios.findings.end());
  }
  v1::ValidatePlaybookResponse response;
  for (v1::PlaybookFinding& finding : ToProto(compiled.findings)) {
    *response.add_findings() = std::move(finding);
  }
  if (valid) {
    response.set_valid(true);
    response.set_digest(compiled.playbook->digest());
    response.set_rule_count(static_cast<std::uint32_t>(compiled.playbook->rules().size()));
  }
  return response;
}

// What the router finds: it knows the tenants of the token, and perhaps the notifier's secrets.
absl::StatusOr<v1::ValidatePlaybookResponse> CheckThere(Session& session,
                                                        const std::string& source) {
  v1::ValidatePlaybookRequest request;
  // The one that the file is for; whether it is --tenant too is for the router to say.
  const playbook::Compiled compiled = playbook::CompilePlaybook(source);
  request.set_parent("tenants/" + compiled.playbook->tenant());
  request.set_source(source);
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  return client->Call("Playbooks/ValidatePlaybook", &Stub::ValidatePlaybook, request);
}

absl::StatusOr<int> Check(Session& session, const CheckOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(const std::string source, ReadFile(options.file, kPlaybookReadMaxBytes));
  v1::ValidatePlaybookResponse response = CheckHere(source);
  const bool asked = options.ask_router && response.valid();
  if (asked) {
    TANDEM_ASSIGN_OR_RETURN(response, CheckThere(session, source));
  }
  const std::vector<v1::PlaybookFinding> findings(response.findings().begin(),
                                                  response.findings().end());
  const bool passed = response.valid() && !(options.strict && !findings.empty());
  if (session.options.json) {
    session.PrintJson(response);
    return passed ? kExitOk : kExitFinding;
  }
  session.out() << FindingsText(options.file, source, findings, session.look());
  if (response.valid()) {
    session.out() << fmt::format(
        "{}: valid, {} {}, version {}\n", Printable(options.file), response.rule_count(),
        response.rule_count() == 1 ? "rule" : "rules", Printable(response.digest().substr(0, 12)));
  }
  if (asked && !response.secrets_checked()) {
    session.err() << "Whether the notifier has the secrets was not looked at: it does not run in "
                     "the router's process.\n";
  }
  return passed ? kExitOk : kExitFinding;
}

// `source:12:5` → line 12, column 5; anything else stands for the whole file.
v1::PlaybookFinding ToFinding(const FieldError& field) {
  v1::PlaybookFinding finding;
  finding.set_level(v1::PlaybookFinding::ERROR);
  finding.set_message(field.description);
  const char* at = field.field.data();
  const char* const end = at + field.field.size();
  std::uint32_t numbers[2] = {0, 0};
  if (!field.field.starts_with("source:")) return finding;
  at += 7;
  for (std::uint32_t& number : numbers) {
    at = std::from_chars(at, end, number).ptr;
    if (at != end) ++at;
  }
  finding.set_line(numbers[0]);
  finding.set_column(numbers[1]);
  return finding;
}

struct ActivateOptions {
  std::string file;
  std::string message;
  bool check = false;
};

absl::StatusOr<int> Activate(Session& session, const ActivateOptions& options) {
  v1::ActivatePlaybookRequest request;
  TANDEM_ASSIGN_OR_RETURN(*request.mutable_parent(), session.OneTenant());
  TANDEM_ASSIGN_OR_RETURN(*request.mutable_source(), ReadFile(options.file, kPlaybookReadMaxBytes));
  if (const std::string too_large = playbook::TooLarge(request.source()); !too_large.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "PLAYBOOK_TOO_LARGE",
                 fmt::format("{}: {}", Printable(options.file), too_large));
  }
  if (!IsUtf8(request.source())) {
    return UsageError(fmt::format("{}: not UTF-8 text", Printable(options.file)));
  }
  request.set_comment(options.message);
  request.set_validate_only(options.check);
  request.set_request_id(NewRequestId());
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  const absl::StatusOr<v1::Playbook> answer =
      client->Call("Playbooks/ActivatePlaybook", &Stub::ActivatePlaybook, request);
  if (!answer.ok()) {
    const std::vector<FieldError> fields = FieldsOf(answer.status());
    const bool in_source = !fields.empty() && fields[0].field.starts_with("source");
    if (!in_source) return answer.status();
    // Mistakes in the file are findings about it, not a wrong use of the command.
    if (session.options.json) {
      session.err() << FailureJson(answer.status());
      return kExitFinding;
    }
    std::vector<v1::PlaybookFinding> findings;
    findings.reserve(fields.size());
    for (const FieldError& field : fields) findings.push_back(ToFinding(field));
    session.err() << FindingsText(options.file, request.source(), findings, session.err_look());
    return kExitFinding;
  }
  if (session.options.json) {
    session.PrintJson(*answer);
  } else {
    session.out() << fmt::format("{}: version {} {}, {}\n", Printable(TenantOf(request.parent())),
                                 Printable(answer->digest().substr(0, 12)),
                                 options.check ? "would be active" : "is active",
                                 Counted(answer->rule_count(), "rule"));
  }
  return kExitOk;
}

absl::StatusOr<v1::ListPlaybooksResponse> ReadVersions(Session& session) {
  v1::ListPlaybooksRequest request;
  TANDEM_ASSIGN_OR_RETURN(*request.mutable_parent(), session.OneTenant());
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  return ReadPages<v1::ListPlaybooksResponse>(
      *client, "Playbooks/ListPlaybooks", &Stub::ListPlaybooks, request,
      [](v1::ListPlaybooksResponse& page) { return page.mutable_playbooks(); },
      {.page_size_max = 100, .limit = 10'000});
}

// A digest of which only the beginning was given, in full; anything else as it is.
absl::StatusOr<std::string> WholeDigest(Session& session, const std::string& digest) {
  if (!IsShortDigest(digest)) return digest;
  TANDEM_ASSIGN_OR_RETURN(const v1::ListPlaybooksResponse list, ReadVersions(session));
  std::vector<std::string> digests;
  for (const v1::Playbook& playbook : list.playbooks()) digests.push_back(playbook.digest());
  return FullDigest(digest, digests);
}

absl::StatusOr<int> Show(Session& session, const std::string& text) {
  v1::GetPlaybookRequest request;
  TANDEM_ASSIGN_OR_RETURN(const std::string digest, WholeDigest(session, text));
  TANDEM_ASSIGN_OR_RETURN(*request.mutable_name(), session.Name(&PlaybookName, digest));
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(const v1::Playbook playbook,
                          client->Call("Playbooks/GetPlaybook", &Stub::GetPlaybook, request));
  if (session.options.json) {
    session.PrintJson(playbook);
    return kExitOk;
  }
  const Look look = session.look();
  // The head goes to stderr: `tandem playbook show > playbook.yaml` gives the file as it was.
  session.err() << Painted(session.err_look(), Tint::kDim,
                           fmt::format("# {} {}, {} by {}: {}", playbook.digest().substr(0, 12),
                                       playbook.active() ? "active" : "not active",
                                       playbook.has_activate_time()
                                           ? AgeText(look, ToTime(playbook.activate_time()))
                                           : std::string("from the beginning"),
                                       Printable(ActorText(playbook.activated_by())),
                                       Printable(playbook.comment())))
                << "\n";
  // A terminal gets the lines one by one without what could move its cursor.
  if (!session.on_terminal()) {
    session.out() << playbook.source();
    return kExitOk;
  }
  std::string_view rest = playbook.source();
  while (!rest.empty()) {
    const std::size_t newline = rest.find('\n');
    session.out() << Printable(rest.substr(0, newline)) << "\n";
    rest.remove_prefix(newline == std::string_view::npos ? rest.size() : newline + 1);
  }
  return kExitOk;
}

absl::StatusOr<int> List(Session& session) {
  TANDEM_ASSIGN_OR_RETURN(const v1::ListPlaybooksResponse list, ReadVersions(session));
  if (session.options.json) {
    session.PrintJson(list);
    return kExitOk;
  }
  const Look look = session.look();
  Table table(
      {{"VERSION"}, {""}, {"ACTIVATED", true}, {"BY"}, {"RULES", true}, {"COMMENT", false, true}});
  for (const v1::Playbook& playbook : list.playbooks()) {
    table.Row({{session.on_terminal() ? playbook.digest().substr(0, 12) : playbook.digest()},
               {playbook.active() ? "active" : "", Tint::kGreen},
               {AgeText(look, ToTime(playbook.activate_time()))},
               {ActorText(playbook.activated_by())},
               {fmt::format("{}", playbook.rule_count())},
               {playbook.comment()}});
  }
  session.out() << (table.empty() ? "No playbook has been activated yet.\n" : table.Text(look));
  return kExitOk;
}

}  // namespace

void AddPlaybookCommands(const Command& root, Session& session) {
  const Command playbook = root.Sub("playbook", "Check, activate and read playbooks");

  auto checked = std::make_shared<CheckOptions>();
  const Command check =
      playbook.Sub("check", "Compile a playbook here, without a router; exit code 1 on errors");
  check.Add(
      {.names = "file", .help = "YAML; - is standard input", .value = "FILE", .required = true},
      checked->file);
  check.Flag({"--ask-router", "Ask the router too: it knows the tenant and the secrets"},
             checked->ask_router);
  check.Flag({"--strict", "Exit code 1 on warnings too"}, checked->strict);
  check.Runs([&session, checked] { return Check(session, *checked); });

  auto options = std::make_shared<ActivateOptions>();
  const Command activate =
      playbook.Sub("activate", "Make a version the active one; open incidents keep theirs");
  activate.Add(
      {.names = "file", .help = "YAML; - is standard input", .value = "FILE", .required = true},
      options->file);
  activate.Add({.names = "-m,--message", .help = "Why", .value = "TEXT", .required = true},
               options->message);
  activate.Flag({"--check", "Only ask the router whether it would take it"}, options->check);
  activate.Runs([&session, options] { return Activate(session, *options); });

  auto digest = std::make_shared<std::string>();
  const Command show = playbook.Sub("show", "The source of the active version, or of another one");
  show.Add({"digest", "As `playbook list` shows it, or its first 6 digits or more", "DIGEST"},
           *digest);
  show.Runs([&session, digest] { return Show(session, *digest); });

  AddPlaybookTest(playbook, session);

  playbook.Sub("list", "Versions, newest activation first").Runs([&session] {
    return List(session);
  });
}

}  // namespace tandem::cli
