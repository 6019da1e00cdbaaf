#include "router/context/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "router/base/check.h"
#include "router/base/text.h"
#include "router/context/content.h"
#include "router/context/entity_key.h"
#include "router/context/limits.h"
#include "router/playbook/calendar.h"
#include "router/playbook/matcher.h"

namespace tandem::context {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// `[a-zA-Z_][a-zA-Z0-9_]*`, and with `dashes` also `-` behind the first character.
struct NameForm {
  std::size_t bytes_max = 0;
  bool dashes = false;
};
bool IsName(std::string_view text, NameForm form) {
  if (text.empty() || text.size() > form.bytes_max || IsDigit(text.front())) return false;
  return text.front() != '-' && std::all_of(text.begin(), text.end(), [&](char c) {
           return IsLetter(c) || IsDigit(c) || c == '_' || (form.dashes && c == '-');
         });
}

// What is wrong with a text of at most `bytes_max`; "" when nothing is.
std::string WrongText(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    return fmt::format("has {} bytes; expected at most {}", text.size(), bytes_max);
  }
  if (!IsUtf8(text)) return "is not UTF-8";
  if (HasControlCharacters(text)) {
    return fmt::format("\"{}\" has a control character; expected plain text on one line",
                       Shown(text));
  }
  return "";
}

class Checker {
 public:
  explicit Checker(const v1::Entity& entity) : entity_(entity) {}

  std::vector<FieldError> Run() && {
    Text("display_name", entity_.display_name(), kDisplayNameBytesMax);
    Attributes();
    Relations();
    Calendars();
    Matchers();
    Coordination();
    if (problems_.empty() && entity_.ByteSizeLong() > kEntityBytesMax) {
      Add("", fmt::format("the entity has {} bytes in all; expected at most {}",
                          entity_.ByteSizeLong(), kEntityBytesMax));
    }
    return std::move(problems_);
  }

 private:
  void Add(std::string field, std::string description) {
    if (problems_.size() < kProblemsMax) {
      problems_.push_back({std::move(field), std::move(description)});
    }
  }

  void Text(std::string field, std::string_view text, std::size_t bytes_max) {
    std::string wrong = WrongText(text, bytes_max);
    if (!wrong.empty()) Add(std::move(field), std::move(wrong));
  }

  // False, and said so, when there are more than `max`.
  bool Count(std::string_view field, std::size_t count, std::size_t max) {
    if (count <= max) return true;
    Add(std::string(field), fmt::format("has {} entries; expected at most {}", count, max));
    return false;
  }

  void Attributes() {
    const std::map<std::string, std::string> sorted(entity_.attributes().begin(),
                                                    entity_.attributes().end());
    if (!Count("attributes", sorted.size(), kAttributesMax)) return;
    for (const auto& [name, value] : sorted) {
      std::string field = fmt::format("attributes[\"{}\"]", Shown(name));
      if (!IsName(name, {.bytes_max = kAttributeNameBytesMax})) {
        Add(std::move(field), fmt::format("is no name of an attribute; expected "
                                          "[a-zA-Z_][a-zA-Z0-9_]*, at most {} bytes",
                                          kAttributeNameBytesMax));
      } else if (name == "id" || name == "name" || name == "coordination") {
        Add(std::move(field),
            "is no attribute: rules read the entity's own field by this name; use another name");
      } else if (value.empty()) {
        Add(std::move(field), "is empty; leave the attribute out instead");
      } else {
        Text(std::move(field), value, kAttributeValueBytesMax);
      }
    }
  }

  void Relations() {
    if (!Count("relations", static_cast<std::size_t>(entity_.relations_size()), kRelationsMax)) {
      return;
    }
    std::set<std::pair<std::string_view, std::string_view>> seen;
    for (int i = 0; i < entity_.relations_size(); ++i) {
      const v1::Relation& relation = entity_.relations(i);
      RelationKind(fmt::format("relations[{}].kind", i), relation.kind());
      RelationTarget(fmt::format("relations[{}].target", i), relation.target());
      if (!seen.emplace(relation.kind(), relation.target()).second) {
        Add(fmt::format("relations[{}]", i),
            fmt::format("\"{} {}\" occurs twice", Shown(relation.kind()),
                        Shown(relation.target())));
      }
    }
  }

  void RelationKind(std::string field, std::string_view kind) {
    const bool form = !kind.empty() && kind.size() <= kRelationKindBytesMax &&
                      std::all_of(kind.begin(), kind.end(),
                                  [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    if (form) return;
    Add(std::move(field), fmt::format("\"{}\" is no relation; expected 1 to {} bytes of [a-z_], "
                                      "such as runs_at",
                                      Shown(kind), kRelationKindBytesMax));
  }

  void RelationTarget(std::string field, std::string_view target) {
    const std::size_t slash = target.find('/');
    const std::string_view kind = target.substr(0, slash);
    if (slash == std::string_view::npos) {
      Add(std::move(field),
          fmt::format("\"{}\" names no entity; expected {{kind}}/{{id}}, such as site/plant-7",
                      Shown(target)));
    } else if (!ParseEntityKind(kind)) {
      Add(std::move(field), NoSuchKind(kind));
    } else if (!IsEntityId(target.substr(slash + 1))) {
      Add(std::move(field), fmt::format("\"{}\" has no id; expected {{kind}}/{{id}}, the id with 1 "
                                        "to {} bytes of [a-zA-Z0-9._-]",
                                        Shown(target), kEntityIdBytesMax));
    }
  }

  void Calendars() {
    std::map<std::string, const v1::Calendar*> sorted;
    for (const auto& [name, calendar] : entity_.calendars()) sorted.emplace(name, &calendar);
    if (!Count("calendars", sorted.size(), kCalendarsMax)) return;
    for (const auto& [name, calendar] : sorted) {
      const std::string field = fmt::format("calendars[\"{}\"]", Shown(name));
      if (!IsName(name, {.bytes_max = kCalendarNameBytesMax, .dashes = true})) {
        Add(field, fmt::format("is no name of a calendar; expected [a-zA-Z_][a-zA-Z0-9_-]*, at "
                               "most {} bytes",
                               kCalendarNameBytesMax));
        continue;
      }
      OneCalendar(field, *calendar);
    }
  }

  void OneCalendar(const std::string& field, const v1::Calendar& calendar) {
    const auto intervals = static_cast<std::size_t>(calendar.intervals_size());
    if (intervals > kCalendarIntervalsMax) {
      Add(field + ".intervals",
          fmt::format("has {} entries; expected at most {}", intervals, kCalendarIntervalsMax));
      return;
    }
    const std::size_t before = problems_.size();
    Text(field + ".location", calendar.location(), kCalendarEntryBytesMax);
    playbook::CalendarSpec spec{
        .location = calendar.location(),
        .dates = Entries(field + ".dates", calendar.dates()),
        .exceptions = Entries(field + ".exceptions", calendar.exceptions())};
    for (int i = 0; i < calendar.recurring_size(); ++i) {
      spec.recurring.push_back(
          OneRecurrence(fmt::format("{}.recurring[{}]", field, i), calendar.recurring(i)));
    }
    for (int i = 0; i < calendar.intervals_size(); ++i) {
      spec.intervals.push_back(
          OneInterval(fmt::format("{}.intervals[{}]", field, i), calendar.intervals(i)));
    }
    if (problems_.size() > before) return;
    const absl::Status compiled = playbook::Calendar::Compile(spec).status();
    if (compiled.ok()) return;
    const std::vector<FieldError> fields = FieldsOf(compiled);
    for (const FieldError& wrong : fields) {
      Add(fmt::format("{}.{}", field, wrong.field), wrong.description);
    }
    if (fields.empty()) Add(field, MessageOf(compiled));
  }

  playbook::RecurrenceSpec OneRecurrence(const std::string& field,
                                         const v1::Recurrence& recurrence) {
    Text(field + ".start", recurrence.start(), kCalendarEntryBytesMax);
    Text(field + ".duration", recurrence.duration(), kCalendarEntryBytesMax);
    Text(field + ".rule", recurrence.rule(), kCalendarRuleBytesMax);
    return {.start = recurrence.start(),
            .duration = recurrence.duration(),
            .rule = recurrence.rule(),
            .exceptions = Entries(field + ".exceptions", recurrence.exceptions())};
  }

  playbook::IntervalSpec OneInterval(const std::string& field, const v1::TimeInterval& interval) {
    return {.times = Entries(field + ".times", interval.times()),
            .weekdays = Entries(field + ".weekdays", interval.weekdays()),
            .days_of_month = Entries(field + ".days_of_month", interval.days_of_month()),
            .months = Entries(field + ".months", interval.months()),
            .years = Entries(field + ".years", interval.years())};
  }

  std::vector<std::string> Entries(const std::string& field,
                                   const google::protobuf::RepeatedPtrField<std::string>& entries) {
    for (int i = 0; i < entries.size(); ++i) {
      Text(fmt::format("{}[{}]", field, i), entries[i], kCalendarEntryBytesMax);
    }
    return {entries.begin(), entries.end()};
  }

  void Matchers() {
    if (!Count("matchers", static_cast<std::size_t>(entity_.matchers_size()), kMatchersMax)) return;
    for (int i = 0; i < entity_.matchers_size(); ++i) {
      const std::string field = fmt::format("matchers[{}]", i);
      const std::string wrong = WrongText(entity_.matchers(i), kMatcherBytesMax);
      if (!wrong.empty()) {
        Add(field, wrong);
        continue;
      }
      const auto matcher = playbook::Matcher::Parse(entity_.matchers(i));
      if (!matcher.ok()) {
        Add(field, MessageOf(matcher.status()));
      } else if (matcher->is_context()) {
        Add(field, fmt::format("\"{}\" asks the context; an entity binds by the labels of an alert "
                               "alone",
                               Shown(matcher->name())));
      }
    }
  }

  void Coordination() {
    if (!Count("coordination", static_cast<std::size_t>(entity_.coordination_size()),
               kCoordinationMax)) {
      return;
    }
    std::set<std::string_view> seen;
    for (int i = 0; i < entity_.coordination_size(); ++i) {
      const std::string& team = entity_.coordination(i);
      std::string field = fmt::format("coordination[{}]", i);
      if (team.size() > kTeamBytesMax || !IsEntityId(team)) {
        Add(std::move(field),
            fmt::format("\"{}\" is no team; expected 1 to {} bytes of [a-zA-Z0-9._-]", Shown(team),
                        kTeamBytesMax));
      } else if (!seen.insert(team).second) {
        Add(std::move(field), fmt::format("\"{}\" occurs twice", team));
      }
    }
  }

  const v1::Entity& entity_;
  std::vector<FieldError> problems_;
};

}  // namespace

std::vector<FieldError> CheckEntity(const v1::Entity& entity) { return Checker(entity).Run(); }

absl::Status Refuse(std::string_view reason, std::string_view prefix,
                    const std::vector<FieldError>& problems) {
  TANDEM_CHECK(!problems.empty(), "a refusal has a cause");
  absl::Status status;
  for (const FieldError& problem : problems) {
    std::string field = fmt::format("{}{}", prefix, problem.field);
    // A problem of the whole has no path below the prefix.
    if (problem.field.empty() && !field.empty() && field.back() == '.') field.pop_back();
    status = status.ok() ? InvalidField(reason, field, problem.description)
                         : AddField(std::move(status), {std::move(field), problem.description});
  }
  return status;
}

absl::Status CheckComment(std::string_view comment) {
  std::string wrong;
  if (comment.size() > kCommentBytesMax) {
    wrong = fmt::format("has {} bytes; expected at most {}", comment.size(), kCommentBytesMax);
  } else if (!IsUtf8(comment)) {
    wrong = "is not UTF-8";
  } else if (HasControlCharacters(comment, {.allow_newlines = true})) {
    wrong = "has a control character; expected plain text";
  }
  if (wrong.empty()) return absl::OkStatus();
  return InvalidField("COMMENT_INVALID", "comment", wrong);
}

absl::Status CheckRequestId(std::string_view request_id) {
  const bool form =
      request_id.size() <= kRequestIdBytesMax &&
      std::all_of(request_id.begin(), request_id.end(), [](char c) {
        return IsLetter(c) || IsDigit(c) || c == '-' || c == '.' || c == '_' || c == ':';
      });
  if (form) return absl::OkStatus();
  return InvalidField("REQUEST_ID_INVALID", "request_id",
                      fmt::format("\"{}\" is no request id; expected a UUID, or another text of 1 "
                                  "to {} bytes of [a-zA-Z0-9._:-]",
                                  Shown(request_id), kRequestIdBytesMax));
}

}  // namespace tandem::context
