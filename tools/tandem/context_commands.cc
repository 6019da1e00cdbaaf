// `tandem context …`.
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include "router/base/status.h"
#include "router/base/text.h"
#include "tandem/v1/context.grpc.pb.h"
#include "tools/tandem/alert_text.h"
#include "tools/tandem/commands.h"
#include "tools/tandem/context_export.h"
#include "tools/tandem/context_view.h"
#include "tools/tandem/failure.h"
#include "tools/tandem/files.h"
#include "tools/tandem/names.h"
#include "tools/tandem/pages.h"

namespace tandem::cli {
namespace {

using Stub = v1::Context::Stub;

constexpr std::size_t kImportMaxBytes = 16 << 20;  // as the service takes it
constexpr std::size_t kEntityMaxBytes = 1 << 20;

struct GetOptions {
  std::string name;
  std::int64_t version = 0;
};

absl::StatusOr<int> Get(Session& session, const GetOptions& options) {
  if (options.version < 0) return UsageError("--version: expected 1 or more; 0 means the newest");
  v1::GetEntityRequest request;
  TANDEM_ASSIGN_OR_RETURN(*request.mutable_name(), session.Name(&EntityName, options.name));
  request.set_version(static_cast<std::uint64_t>(options.version));
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(const v1::Entity entity,
                          client->Call("Context/GetEntity", &Stub::GetEntity, request));
  if (session.options.json) {
    session.PrintJson(entity);
  } else {
    session.out() << EntityText(entity, session.look());
  }
  return kExitOk;
}

absl::StatusOr<v1::ListEntitiesResponse> ReadEntities(Session& session, const std::string& kind) {
  v1::ListEntitiesRequest request;
  TANDEM_ASSIGN_OR_RETURN(*request.mutable_parent(), session.OneTenant());
  request.set_kind(kind);
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  return ReadPages<v1::ListEntitiesResponse>(
      *client, "Context/ListEntities", &Stub::ListEntities, request,
      [](v1::ListEntitiesResponse& page) { return page.mutable_entities(); },
      {.page_size_max = 1000});
}

absl::StatusOr<int> List(Session& session, const std::string& kind) {
  TANDEM_ASSIGN_OR_RETURN(const v1::ListEntitiesResponse list, ReadEntities(session, kind));
  if (session.options.json) {
    session.PrintJson(list);
  } else {
    session.out() << EntityTable(list, session.look());
  }
  return kExitOk;
}

struct ExportOptions {
  std::string format;
  std::string kind;
};

absl::StatusOr<int> Export(Session& session, const ExportOptions& options) {
  const std::string format =
      options.format.empty() ? session.options.json ? "json" : "yaml" : options.format;
  TANDEM_ASSIGN_OR_RETURN(const v1::ListEntitiesResponse list, ReadEntities(session, options.kind));
  if (format == "csv") {
    TANDEM_ASSIGN_OR_RETURN(const std::string csv, ExportCsv(list));
    session.out() << csv;
    const auto unsaid =
        std::count_if(list.entities().begin(), list.entities().end(), [](const v1::Entity& entity) {
          return !entity.calendars().empty() || !entity.matchers().empty();
        });
    if (unsaid > 0) {
      session.err() << fmt::format(
          "CSV leaves out calendars and matchers, which {} of the entities {}; an import of CSV "
          "keeps them\n",
          unsaid, unsaid == 1 ? "has" : "have");
    }
  } else {
    session.out() << (format == "json" ? ExportJson(list) : ExportYaml(list));
  }
  return kExitOk;
}

absl::StatusOr<int> History(Session& session, const std::string& name, std::int64_t limit) {
  if (limit < 1) return UsageError("--limit: expected 1 or more");
  v1::ListHistoryRequest request;
  if (name.empty()) {
    TANDEM_ASSIGN_OR_RETURN(*request.mutable_parent(), session.OneTenant());
  } else {
    TANDEM_ASSIGN_OR_RETURN(*request.mutable_parent(), session.Name(&EntityName, name));
  }
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(
      const v1::ListHistoryResponse history,
      ReadPages<v1::ListHistoryResponse>(
          *client, "Context/ListHistory", &Stub::ListHistory, request,
          [](v1::ListHistoryResponse& page) { return page.mutable_revisions(); },
          {.page_size_max = 500, .limit = static_cast<std::size_t>(limit)}));
  if (session.options.json) {
    session.PrintJson(history);
  } else {
    session.out() << HistoryTable(history, session.look());
  }
  return kExitOk;
}

struct ImportOptions {
  std::string file;
  std::string format;
  std::string message;
  bool replace_all = false;
  bool check = false;
};

absl::StatusOr<v1::ImportEntitiesRequest::Format> FormatOf(const ImportOptions& options) {
  std::string format = options.format;
  if (format.empty()) {
    format = options.file.substr(std::min(options.file.rfind('.'), options.file.size()));
  }
  // JSON is YAML.
  if (format == "yaml" || format == ".yaml" || format == ".yml" || format == "json" ||
      format == ".json") {
    return v1::ImportEntitiesRequest::YAML;
  }
  if (format == "csv" || format == ".csv") return v1::ImportEntitiesRequest::CSV;
  return UsageError(
      fmt::format("{}: its name does not say what it is: give --format yaml, csv or json",
                  Printable(options.file)));
}

absl::StatusOr<int> Import(Session& session, const ImportOptions& options) {
  v1::ImportEntitiesRequest request;
  TANDEM_ASSIGN_OR_RETURN(const v1::ImportEntitiesRequest::Format format, FormatOf(options));
  TANDEM_ASSIGN_OR_RETURN(*request.mutable_parent(), session.OneTenant());
  TANDEM_ASSIGN_OR_RETURN(*request.mutable_content(), ReadFile(options.file, kImportMaxBytes));
  request.set_format(format);
  request.set_validate_only(options.check);
  request.set_replace_all(options.replace_all);
  request.set_comment(options.message);
  request.set_request_id(NewRequestId());
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  const absl::StatusOr<v1::ImportEntitiesResponse> answer =
      client->Call("Context/ImportEntities", &Stub::ImportEntities, request);
  if (!answer.ok()) {
    // Bad rows are findings about the file, not a wrong use of the command.
    const std::vector<FieldError> rows = FieldsOf(answer.status());
    if (answer.status().code() != absl::StatusCode::kInvalidArgument || rows.empty()) {
      return answer.status();
    }
    if (session.options.json) {
      session.err() << FailureJson(answer.status());
      return kExitFinding;
    }
    for (const FieldError& row : rows) {
      session.err() << fmt::format("{}: {}: {}\n", Printable(options.file), Printable(row.field),
                                   Printable(row.description));
    }
    session.err() << "nothing was imported\n";
    return kExitFinding;
  }
  if (session.options.json) {
    session.PrintJson(*answer);
  } else {
    session.out() << ImportText(*answer, options.check);
    session.err() << WarningText(answer->warnings(), answer->warning_count());
  }
  return kExitOk;
}

struct PutOptions {
  std::string name;
  std::string file;
  std::string display_name;
  std::vector<std::string> attributes, relations, matchers, coordination;
  std::string message;
};

// The entity as it is, or a new one of that name, which has no version yet.
absl::StatusOr<v1::Entity> Current(Client& client, const std::string& name) {
  v1::GetEntityRequest request;
  request.set_name(name);
  absl::StatusOr<v1::Entity> entity = client.Call("Context/GetEntity", &Stub::GetEntity, request);
  if (entity.ok() || entity.status().code() != absl::StatusCode::kNotFound) return entity;
  v1::Entity fresh;
  fresh.set_name(name);
  return fresh;
}

absl::Status ChangeAttributes(const PutOptions& options, v1::PutEntityRequest& request) {
  for (const std::string& text : options.attributes) {
    TANDEM_ASSIGN_OR_RETURN(const v1::Label pair, ReadLabel("--attribute", text));
    if (pair.value().empty()) {
      request.mutable_entity()->mutable_attributes()->erase(pair.name());
    } else {
      (*request.mutable_entity()->mutable_attributes())[pair.name()] = pair.value();
    }
  }
  if (!options.attributes.empty()) request.mutable_update_mask()->add_paths("attributes");
  return absl::OkStatus();
}

absl::Status ChangeRelations(const PutOptions& options, v1::PutEntityRequest& request) {
  if (options.relations.empty()) return absl::OkStatus();
  request.mutable_entity()->clear_relations();
  for (const std::string& text : options.relations) {
    TANDEM_ASSIGN_OR_RETURN(const v1::Label pair, ReadLabel("--relation", text));
    v1::Relation& relation = *request.mutable_entity()->add_relations();
    relation.set_kind(pair.name());
    relation.set_target(pair.value());
  }
  request.mutable_update_mask()->add_paths("relations");
  return absl::OkStatus();
}

// Only the parts that the options name; the service leaves all else as it is.
absl::Status ChangeParts(const PutOptions& options, v1::PutEntityRequest& request) {
  TANDEM_RETURN_IF_ERROR(ChangeAttributes(options, request));
  TANDEM_RETURN_IF_ERROR(ChangeRelations(options, request));
  v1::Entity& entity = *request.mutable_entity();
  if (!options.display_name.empty()) {
    entity.set_display_name(options.display_name);
    request.mutable_update_mask()->add_paths("display_name");
  }
  if (!options.matchers.empty()) {
    *entity.mutable_matchers() = {options.matchers.begin(), options.matchers.end()};
    request.mutable_update_mask()->add_paths("matchers");
  }
  if (!options.coordination.empty()) {
    *entity.mutable_coordination() = {options.coordination.begin(), options.coordination.end()};
    request.mutable_update_mask()->add_paths("coordination");
  }
  if (request.update_mask().paths().empty()) {
    return UsageError(
        "nothing to change: give --file, or one of --attribute, --relation, "
        "--display-name, --matcher, --coordination");
  }
  return absl::OkStatus();
}

absl::Status ReadEntity(const std::string& file, const std::string& name, v1::Entity& entity) {
  TANDEM_ASSIGN_OR_RETURN(const std::string json, ReadFile(file, kEntityMaxBytes));
  const auto status = google::protobuf::util::JsonStringToMessage(json, &entity);
  if (!status.ok()) {
    return UsageError(fmt::format(
        "{}: not an entity in JSON (as `tandem context get --json` prints "
        "it): {}",
        Printable(file), std::string_view(status.message().data(), status.message().size())));
  }
  entity.set_name(name);
  return absl::OkStatus();
}

absl::StatusOr<int> Put(Session& session, const PutOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(const std::string name, session.Name(&EntityName, options.name));
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  v1::PutEntityRequest request;
  if (options.file.empty()) {
    TANDEM_ASSIGN_OR_RETURN(*request.mutable_entity(), Current(*client, name));
    TANDEM_RETURN_IF_ERROR(ChangeParts(options, request));
    // Parts can be changed only of what exists.
    if (request.entity().version() == 0) request.clear_update_mask();
  } else {
    TANDEM_RETURN_IF_ERROR(ReadEntity(options.file, name, *request.mutable_entity()));
  }
  request.set_comment(options.message);
  request.set_request_id(NewRequestId());
  TANDEM_ASSIGN_OR_RETURN(const v1::Entity entity,
                          client->Call("Context/PutEntity", &Stub::PutEntity, request));
  if (session.options.json) {
    session.PrintJson(entity);
  } else {
    session.out() << EntityText(entity, session.look());
    session.err() << WarningText(entity.warnings(),
                                 static_cast<std::uint32_t>(entity.warnings_size()));
  }
  return kExitOk;
}

absl::StatusOr<int> Delete(Session& session, const std::string& text, const std::string& message) {
  v1::DeleteEntityRequest request;
  TANDEM_ASSIGN_OR_RETURN(*request.mutable_name(), session.Name(&EntityName, text));
  request.set_comment(message);
  request.set_request_id(NewRequestId());
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(const v1::DeleteEntityResponse answer,
                          client->Call("Context/DeleteEntity", &Stub::DeleteEntity, request));
  if (session.options.json) {
    session.PrintJson(answer);
  } else {
    session.out() << fmt::format("{} deleted, context version {}\n", Printable(request.name()),
                                 answer.version());
    session.err() << WarningText(answer.warnings(), answer.warning_count());
  }
  return kExitOk;
}

void AddReads(const Command& context, Session& session) {
  auto get = std::make_shared<GetOptions>();
  const Command get_command = context.Sub("get", "One entity");
  get_command.Add({.names = "name", .help = "site/plant-7", .value = "KIND/ID", .required = true},
                  get->name);
  get_command.Add({"--version", "As it was in this version of the context", "N"}, get->version);
  get_command.Runs([&session, get] { return Get(session, *get); });

  auto kind = std::make_shared<std::string>();
  const Command list = context.Sub("list", "The entities of a tenant");
  list.Add({.names = "--kind",
            .help = "Only this kind",
            .value = "KIND",
            .choices = {"site", "service", "device", "application"}},
           *kind);
  list.Runs([&session, kind] { return List(session, *kind); });

  auto name = std::make_shared<std::string>();
  auto limit = std::make_shared<std::int64_t>(50);
  const Command history = context.Sub("history", "Who changed what, newest first");
  history.Add({"name", "Only this entity: site/plant-7", "KIND/ID"}, *name);
  history.Add({"--limit", "How many versions at most", "N"}, *limit);
  history.Runs([&session, name, limit] { return History(session, *name, *limit); });
}

void AddImport(const Command& context, Session& session) {
  auto options = std::make_shared<ImportOptions>();
  const Command command = context.Sub("import", "Entities from a file: all of it or nothing");
  command.Add({.names = "file",
               .help = "YAML, CSV or JSON; - is standard input",
               .value = "FILE",
               .required = true},
              options->file);
  command.Add({.names = "--format",
               .help = "When the file's name does not say it",
               .value = "FORMAT",
               .choices = {"yaml", "csv", "json"}},
              options->format);
  command.Flag({"--replace-all", "Entities that the file does not name are deleted"},
               options->replace_all);
  command.Flag({"--check", "Only say what would change"}, options->check);
  command.Add({"-m,--message", "Why", "TEXT"}, options->message);
  command.Runs([&session, options] { return Import(session, *options); });
}

void AddExport(const Command& context, Session& session) {
  auto options = std::make_shared<ExportOptions>();
  const Command command = context.Sub("export", "All of it as a file that import takes");
  command.Add({.names = "--format",
               .help = "Default yaml; csv has no calendars and matchers",
               .value = "FORMAT",
               .choices = {"yaml", "csv", "json"}},
              options->format);
  command.Add({.names = "--kind",
               .help = "Only this kind",
               .value = "KIND",
               .choices = {"site", "service", "device", "application"}},
              options->kind);
  command.Runs([&session, options] { return Export(session, *options); });
}

void AddWrites(const Command& context, Session& session) {
  auto options = std::make_shared<PutOptions>();
  const Command put = context.Sub("put", "Create an entity or change parts of it");
  put.Add({.names = "name", .help = "site/plant-7", .value = "KIND/ID", .required = true},
          options->name);
  put.Add({"--file", "The whole entity in JSON; - is standard input", "FILE"}, options->file);
  put.Add({"--attribute", "kind=factory sets one, kind= removes it", "NAME=VALUE"},
          options->attributes);
  put.Add({"--relation", "runs_at=site/plant-7; all of them anew", "KIND=TARGET"},
          options->relations);
  put.Add({"--display-name", "For people", "TEXT"}, options->display_name);
  put.Add({"--matcher", "instance=~\"plc-7-.*\"; all of them anew", "MATCHER"}, options->matchers);
  put.Add({"--coordination", "A team that must be involved; all of them anew", "TEAM"},
          options->coordination);
  put.Add({"-m,--message", "Why", "TEXT"}, options->message);
  put.Runs([&session, options] { return Put(session, *options); });

  auto name = std::make_shared<std::string>();
  auto message = std::make_shared<std::string>();
  const Command remove = context.Sub("delete", "Remove an entity");
  remove.Add({.names = "name", .help = "site/plant-7", .value = "KIND/ID", .required = true},
             *name);
  remove.Add({"-m,--message", "Why", "TEXT"}, *message);
  remove.Runs([&session, name, message] { return Delete(session, *name, *message); });
}

}  // namespace

void AddContextCommands(const Command& root, Session& session) {
  const Command context = root.Sub("context", "What the environment is made of");
  AddReads(context, session);
  AddImport(context, session);
  AddExport(context, session);
  AddWrites(context, session);
}

}  // namespace tandem::cli
