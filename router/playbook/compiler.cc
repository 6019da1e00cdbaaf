#include "router/playbook/compiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/base/words.h"
#include "router/playbook/digest.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kEntriesMax = 1'000;  // Of each of contacts, teams, calendars, escalations.
constexpr std::size_t kStepsMax = 64;
constexpr std::uint32_t kRepeatMax = 100;
constexpr std::size_t kTenantMaxBytes = 63;
constexpr std::size_t kTextMaxBytes = 1024;
constexpr std::size_t kIntervalsMax = 64;

}  // namespace

const ConfigNode& Deepest(const ConfigNode& node, std::string_view path) {
  const ConfigNode* at = &node;
  while (!path.empty()) {
    const ConfigNode* next = nullptr;
    if (path.front() == '[') {
      const std::size_t index = std::stoul(std::string(path.substr(1)));
      if (index < at->children.size()) next = at->children[index];
      path.remove_prefix(path.find(']') + 1);
    } else {
      const std::size_t end = std::min(path.find_first_of(".["), path.size());
      next = at->Find(path.substr(0, end));
      path.remove_prefix(end);
    }
    if (next == nullptr) return *at;
    at = next;
    if (!path.empty() && path.front() == '.') path.remove_prefix(1);
  }
  return *at;
}

bool IsReached(const Contact& contact) {
  constexpr std::string_view kPlain = "http://";
  std::string_view host = contact.address;
  if (!host.starts_with(kPlain)) return true;
  host.remove_prefix(kPlain.size());
  host = host.substr(0, host.find_first_of("/?#"));
  if (host.starts_with("[::1]")) return true;
  host = host.substr(0, host.find(':'));
  const bool digits = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || (host.starts_with("127.") && digits);
}

void NameTable::Add(const std::string& name, std::uint32_t index) {
  if (index_.emplace(name, index).second) names_.push_back(name);
}

std::optional<std::uint32_t> NameTable::Find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint32_t> NameTable::Resolve(const ConfigNode& node, Reader& reader) const {
  const auto name = reader.Text(node, kTextMaxBytes);
  if (!name) return std::nullopt;
  const auto found = index_.find(*name);
  if (found != index_.end()) return found->second;
  reader.Error(node,
               fmt::format("there is no {} {}{}", what_, Quoted(*name), DidYouMean(*name, names_)));
  return std::nullopt;
}

std::vector<std::uint32_t> NameTable::ResolveList(const ConfigNode& node, std::size_t max,
                                                  Reader& reader) const {
  std::vector<std::uint32_t> indices;
  for (const ConfigNode* item : reader.List(node, max)) {
    const auto index = Resolve(*item, reader);
    if (!index) continue;
    if (std::find(indices.begin(), indices.end(), *index) != indices.end()) {
      reader.Error(*item, fmt::format("{} stands twice in this list", Quoted(item->text)));
      continue;
    }
    indices.push_back(*index);
  }
  return indices;
}

Compiler::Compiler(const ConfigNode& root, std::string_view source)
    : root_(root), playbook_(new Playbook()) {
  playbook_->source_ = source;
  playbook_->digest_ = Sha256Hex(source);
}

Compiled Compiler::Run() {
  if (reader_.IsMap(root_)) {
    reader_.OnlyKeys(root_,
                     {"playbook", "tenant", "defaults", "contacts", "people", "teams", "calendars",
                      "schedules", "escalations", "last_resort", "rules", "scenarios"});
    CompileHead();
    CompileContacts();
    CompilePeople();
    CompileTeams();
    CompileCalendars();
    CompileSchedules();
    CompileEscalations();
    CompileLastResort();
    CompileDefaults();
    CompileRules();
    AcceptScenarios();
  }
  if (reader_.has_errors()) return {nullptr, reader_.Take()};
  playbook_->BuildIndex();
  return {std::move(playbook_), reader_.Take()};
}

void Compiler::AcceptScenarios() {
  const ConfigNode* scenarios = root_.Find("scenarios");
  if (scenarios == nullptr || scenarios->kind == ConfigNode::Kind::kNothing) return;
  for (const ConfigNode* item : reader_.List(*scenarios, kEntriesMax)) reader_.IsMap(*item);
}

void Compiler::CompileHead() {
  if (const ConfigNode* version =
          reader_.Required(root_, "playbook", "`playbook: 1`, the version of the language")) {
    const auto text = reader_.Text(*version, kTextMaxBytes);
    if (text && *text != "1") {
      reader_.Error(*version,
                    fmt::format("{} is not a version of the language that this program reads; "
                                "expected 1",
                                Quoted(*text)));
    }
  }
  if (const ConfigNode* tenant = reader_.Required(root_, "tenant", "the tenant's id")) {
    const auto text = reader_.Text(*tenant, kTextMaxBytes);
    if (!text) return;
    const bool fits =
        text->size() <= kTenantMaxBytes && std::all_of(text->begin(), text->end(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        });
    if (!fits) {
      reader_.Error(*tenant,
                    fmt::format("{} is not a tenant's id; expected a-z, 0-9 and -, at most {} "
                                "bytes",
                                Quoted(*text), kTenantMaxBytes));
    }
    playbook_->tenant_ = *text;
  }
}

std::vector<const ConfigNode*> Compiler::Section(std::string_view key) {
  const ConfigNode* section = root_.Find(key);
  if (section == nullptr || section->kind == ConfigNode::Kind::kNothing) return {};
  if (!reader_.IsMap(*section)) return {};
  if (section->children.size() > kEntriesMax) {
    reader_.ErrorAtKey(*section, fmt::format("{} entries; at most {} are taken",
                                             section->children.size(), kEntriesMax));
    return {};
  }
  return {section->children.begin(), section->children.end()};
}

std::optional<Side> Compiler::ReadSide(const ConfigNode& map) {
  const ConfigNode* node = reader_.Required(map, "side", "provider or customer");
  if (node == nullptr) return std::nullopt;
  const auto word = reader_.Word(*node, {"provider", "customer"});
  return word ? ParseSide(*word) : std::nullopt;
}

void Compiler::CompileContacts() {
  for (const ConfigNode* node : Section("contacts")) {
    Contact contact;
    contact.name = node->key;
    reader_.IsName(*node, node->key);
    if (reader_.IsMap(*node)) CompileContact(*node, contact);
    contacts_.Add(contact.name, static_cast<std::uint32_t>(playbook_->contacts_.size()));
    playbook_->contacts_.push_back(std::move(contact));
  }
}

void Compiler::CompileContact(const ConfigNode& node, Contact& contact) {
  reader_.OnlyKeys(node, {"side", "webhook"});
  contact.side = ReadSide(node).value_or(Side::kUnspecified);
  const ConfigNode* webhook =
      reader_.Required(node, "webhook", "a channel: `webhook: {url: https://…, secret: NAME}`");
  if (webhook == nullptr || !reader_.IsMap(*webhook)) return;
  contact.channel = "webhook";
  reader_.OnlyKeys(*webhook, {"url", "secret"});
  if (const ConfigNode* url = reader_.Required(*webhook, "url", "https://HOST/PATH")) {
    contact.address = reader_.Url(*url).value_or("");
    if (!IsReached(contact)) {
      reader_.Warning(*url,
                      "plain http shows incidents to whoever is on the way, and a notifier refuses "
                      "it unless notifier.allow_http is set; expected https://HOST/PATH");
    }
  }
  if (const ConfigNode* secret = webhook->Find("secret")) {
    contact.secret_name = reader_.Name(*secret).value_or("");
    contact.secret_line = secret->mark.line;
    contact.secret_column = secret->mark.column;
  }
}

void Compiler::CompileCalendars() {
  for (const ConfigNode* node : Section("calendars")) {
    reader_.IsName(*node, node->key);
    calendars_.Add(node->key, static_cast<std::uint32_t>(calendars_.size()));
    if (reader_.IsMap(*node)) CompileCalendar(*node);
  }
  std::sort(playbook_->calendars_.begin(), playbook_->calendars_.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
}

void Compiler::CompileCalendar(const ConfigNode& node) {
  reader_.OnlyKeys(node, {"location", "intervals"});
  CalendarSpec spec;
  if (const ConfigNode* location = node.Find("location")) {
    spec.location = reader_.Text(*location, kTextMaxBytes).value_or("");
  }
  const ConfigNode* intervals = reader_.Required(node, "intervals", "a list of intervals");
  if (intervals == nullptr) return;
  bool readable = intervals->kind == ConfigNode::Kind::kList;
  for (const ConfigNode* item : reader_.List(*intervals, kIntervalsMax)) {
    IntervalSpec& interval = spec.intervals.emplace_back();
    readable = reader_.IsMap(*item) && readable;
    reader_.OnlyKeys(*item, {"times", "weekdays", "days_of_month", "months", "years"});
    const auto read = [&](std::string_view key, std::vector<std::string>& entries) {
      const ConfigNode* list = item->Find(key);
      if (list == nullptr) return;
      readable = readable && list->kind == ConfigNode::Kind::kList && !list->children.empty();
      if (list->kind == ConfigNode::Kind::kList && list->children.empty()) {
        reader_.Error(*list, "an empty list would never hold; leave it out, or say when");
      }
      for (const ConfigNode* entry : reader_.List(*list, kIntervalsMax)) {
        entries.push_back(reader_.Text(*entry, kTextMaxBytes).value_or(""));
        readable = readable && !entries.back().empty();
      }
    };
    read("times", interval.times);
    read("weekdays", interval.weekdays);
    read("days_of_month", interval.days_of_month);
    read("months", interval.months);
    read("years", interval.years);
  }
  if (!readable) return;
  auto calendar = Calendar::Compile(spec);
  if (calendar.ok()) {
    playbook_->calendars_.emplace_back(node.key, *std::move(calendar));
    return;
  }
  for (const FieldError& field : FieldsOf(calendar.status())) {
    reader_.Error(Deepest(node, field.field), field.description);
  }
}

void Compiler::CompileEscalations() {
  for (const ConfigNode* node : Section("escalations")) {
    Escalation escalation;
    escalation.name = node->key;
    reader_.IsName(*node, node->key);
    if (reader_.IsMap(*node)) CompileEscalation(*node, escalation);
    escalations_.Add(escalation.name, static_cast<std::uint32_t>(playbook_->escalations_.size()));
    playbook_->escalations_.push_back(std::move(escalation));
  }
}

void Compiler::CompileEscalation(const ConfigNode& node, Escalation& escalation) {
  reader_.OnlyKeys(node, {"steps", "repeat"});
  if (const ConfigNode* repeat = node.Find("repeat")) {
    escalation.repeat = reader_.Number(*repeat, kRepeatMax).value_or(0);
  }
  const ConfigNode* steps =
      reader_.Required(node, "steps", "a list such as [{after: 0s, notify: [TEAM]}]");
  if (steps == nullptr) return;
  const auto& items = reader_.List(*steps, kStepsMax);
  if (steps->kind == ConfigNode::Kind::kList && steps->children.empty()) {
    reader_.Error(*steps, "an escalation needs a step: {after: 0s, notify: [TEAM]}");
  }
  for (const ConfigNode* item : items) {
    if (!reader_.IsMap(*item)) continue;
    reader_.OnlyKeys(*item, {"after", "notify"});
    Step step;
    if (const ConfigNode* after = reader_.Required(*item, "after", "a duration such as 10m")) {
      const auto duration = reader_.Duration(*after, {absl::ZeroDuration(), absl::Hours(24 * 30)});
      step.after = duration.value_or(absl::ZeroDuration());
      if (duration && !escalation.steps.empty() && step.after <= escalation.steps.back().after) {
        reader_.Error(*after,
                      fmt::format("steps rise in time, and the one before comes after {}; each "
                                  "counts from the opening",
                                  DurationText(escalation.steps.back().after)));
      }
    }
    if (const ConfigNode* notify =
            reader_.Required(*item, "notify", "a list of teams, schedules and people")) {
      CompileNotify(*notify, step);
    }
    escalation.steps.push_back(std::move(step));
  }
}

void Compiler::CompileLastResort() {
  if (const ConfigNode* node = root_.Find("last_resort")) {
    playbook_->last_resort_ = contacts_.Resolve(*node, reader_);
  }
}

}  // namespace tandem::playbook
