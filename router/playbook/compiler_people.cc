#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/base/status.h"
#include "router/base/words.h"
#include "router/playbook/compiler.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kTeamContactsMax = 100;
constexpr std::size_t kTeamMembersMax = 200;
constexpr std::size_t kPersonContactsMax = 32;
constexpr std::size_t kNotifyMax = 32;
constexpr std::size_t kDisplayNameMaxBytes = 256;

bool IsEmptyList(const ConfigNode& node) {
  return node.kind == ConfigNode::Kind::kList && node.children.empty();
}

}  // namespace

void Compiler::AddTarget(const ConfigNode& node, Target target) {
  constexpr std::string_view kKinds[] = {"team", "schedule", "person"};
  target.mark = node.key_mark;
  if (const auto taken = told_.Find(node.key)) {
    const Target& other = targets_[*taken];
    reader_.ErrorAtKey(
        node, fmt::format("{} is the name of a {} too (line {}, column {}); steps name teams, "
                          "schedules and people alike, so give one of the two another name",
                          Quoted(node.key), kKinds[static_cast<std::size_t>(other.kind)],
                          other.mark.line, other.mark.column));
    return;
  }
  told_.Add(node.key, static_cast<std::uint32_t>(targets_.size()));
  targets_.push_back(target);
}

void CheckSide(const ConfigNode& item, std::string_view name, Side side, const Sides& sides,
               Reader& reader) {
  if (side == Side::kUnspecified || sides.side == Side::kUnspecified || side == sides.side) return;
  reader.Error(
      item, fmt::format("the {} {} is of the {}, the {} of the {}; a {} is of one side", sides.what,
                        Quoted(name), ToText(side), sides.whose, ToText(sides.side), sides.whose));
}

template <typename Named>
void Compiler::CheckSides(const ConfigNode& list, const NameTable& names,
                          const std::vector<Named>& all, const Sides& sides) {
  for (const ConfigNode* item : list.children) {
    const auto found = names.Find(item->text);
    if (found) CheckSide(*item, all[*found].name, all[*found].side, sides, reader_);
  }
}

void Compiler::CompilePeople() {
  for (const ConfigNode* node : Section("people")) {
    Person person;
    person.name = node->key;
    reader_.IsName(*node, node->key);
    if (reader_.IsMap(*node)) CompilePerson(*node, person);
    const auto index = static_cast<std::uint32_t>(playbook_->people_.size());
    people_.Add(person.name, index);
    AddTarget(*node, {.kind = Target::Kind::kPerson, .index = index});
    playbook_->people_.push_back(std::move(person));
  }
}

void Compiler::CompilePerson(const ConfigNode& node, Person& person) {
  reader_.OnlyKeys(node, {"side", "name", "contacts"});
  person.side = ReadSide(node).value_or(Side::kUnspecified);
  if (const ConfigNode* name = node.Find("name")) {
    person.display_name = reader_.Text(*name, kDisplayNameMaxBytes).value_or("");
  }
  const ConfigNode* contacts =
      reader_.Required(node, "contacts", "her contacts in the order in which they are tried");
  if (contacts == nullptr) return;
  if (IsEmptyList(*contacts)) {
    reader_.Error(*contacts, "a person needs a contact, or nobody could tell her anything");
  }
  person.contacts = contacts_.ResolveList(*contacts, kPersonContactsMax, reader_);
  CheckSides(*contacts, contacts_, playbook_->contacts_, {"contact", "person", person.side});
}

void Compiler::CompileTeams() {
  for (const ConfigNode* node : Section("teams")) {
    Team team;
    team.name = node->key;
    reader_.IsName(*node, node->key);
    if (reader_.IsMap(*node)) CompileTeam(*node, team);
    const auto index = static_cast<std::uint32_t>(playbook_->teams_.size());
    teams_.Add(team.name, index);
    AddTarget(*node, {.kind = Target::Kind::kTeam, .index = index});
    playbook_->teams_.push_back(std::move(team));
  }
}

void Compiler::CompileTeam(const ConfigNode& node, Team& team) {
  reader_.OnlyKeys(node, {"side", "contacts", "members"});
  team.side = ReadSide(node).value_or(Side::kUnspecified);
  const ConfigNode* contacts = node.Find("contacts");
  const ConfigNode* members = node.Find("members");
  const auto some = [](const ConfigNode* list) {
    return list != nullptr && !list->children.empty();
  };
  if (!some(contacts) && !some(members)) {
    reader_.Warning(node,
                    "the team has neither contacts nor members: nobody is told, and steps that "
                    "name only it are passed over");
  }
  if (contacts != nullptr) {
    team.contacts = contacts_.ResolveList(*contacts, kTeamContactsMax, reader_);
    CheckSides(*contacts, contacts_, playbook_->contacts_, {"contact", "team", team.side});
  }
  if (members != nullptr) {
    team.members = people_.ResolveList(*members, kTeamMembersMax, reader_);
    CheckSides(*members, people_, playbook_->people_, {"person", "team", team.side});
  }
}

void Compiler::CompileNotify(const ConfigNode& notify, Step& step) {
  for (const std::uint32_t index : told_.ResolveList(notify, kNotifyMax, reader_)) {
    const Target& target = targets_[index];
    auto& list = target.kind == Target::Kind::kTeam       ? step.teams
                 : target.kind == Target::Kind::kSchedule ? step.schedules
                                                          : step.people;
    list.push_back(target.index);
  }
  if (IsEmptyList(notify)) {
    reader_.Error(notify, "a step tells at least one team, schedule or person");
  }
  CheckStepIsHeard(notify, step);
}

void Compiler::CheckStepIsHeard(const ConfigNode& notify, const Step& step) {
  // With mistakes about, a person may only seem to have no contact.
  if (reader_.has_errors() && !(step.schedules.empty() && step.people.empty())) return;
  if (step.teams.empty() && step.schedules.empty() && step.people.empty()) return;
  std::vector<std::uint32_t> contacts;
  const auto add_person = [&](std::uint32_t person) {
    const Person& her = playbook_->people_[person];
    if (!her.contacts.empty()) contacts.push_back(her.contacts.front());
  };
  for (const std::uint32_t index : step.teams) {
    const Team& team = playbook_->teams_[index];
    contacts.insert(contacts.end(), team.contacts.begin(), team.contacts.end());
    for (const std::uint32_t person : team.members) add_person(person);
  }
  for (const std::uint32_t index : step.schedules) {
    const ScheduleSpec& schedule = playbook_->schedules_[index].spec();
    for (const LayerSpec& layer : schedule.layers) {
      for (const std::uint32_t person : layer.people) add_person(person);
    }
    for (const OverrideSpec& override : schedule.overrides) add_person(override.person);
  }
  for (const std::uint32_t person : step.people) add_person(person);
  const auto reached = [&](std::uint32_t contact) {
    return IsReached(playbook_->contacts_[contact]);
  };
  if (std::any_of(contacts.begin(), contacts.end(), reached)) return;
  reader_.Warning(notify, contacts.empty()
                              ? "no team of this step has a contact: nobody is told, and the "
                                "next step follows at once"
                              : "every contact of this step is at plain http, which a notifier "
                                "refuses unless notifier.allow_http is set");
}

}  // namespace tandem::playbook
