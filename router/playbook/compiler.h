// From the tree of a playbook to the playbook: checks every value and every name.
//
// Pure; compiles one playbook.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "router/playbook/node.h"
#include "router/playbook/parse.h"
#include "router/playbook/playbook.h"
#include "router/playbook/reader.h"
#include "router/playbook/text_map.h"

namespace tandem::playbook {

// `intervals[1].times[0]` below `node`, or as far as the tree goes.
const ConfigNode& Deepest(const ConfigNode& node, std::string_view path);

// False: a notifier refuses it by default. Plain http within a machine shows nothing to anybody;
// what is no URL is an error of its own.
bool IsReached(const Contact& contact);

// Names of one sort (teams, contacts…) and where they are in their list.
class NameTable {
 public:
  // `what`: "team".
  explicit NameTable(std::string_view what) : what_(what) {}

  void Add(const std::string& name, std::uint32_t index);
  bool Has(std::string_view name) const { return index_.contains(name); }
  // nullopt when there is none.
  std::optional<std::uint32_t> Find(std::string_view name) const;
  std::size_t size() const { return names_.size(); }
  const std::vector<std::string>& names() const { return names_; }

  // The index of the name that `node` holds; nullopt with a finding that names the nearest.
  std::optional<std::uint32_t> Resolve(const ConfigNode& node, Reader& reader) const;
  // The indices of a list of names, each once.
  std::vector<std::uint32_t> ResolveList(const ConfigNode& node, std::size_t max,
                                         Reader& reader) const;

 private:
  std::string_view what_;
  std::vector<std::string> names_;  // as they were added
  TextMap<std::uint32_t> index_;
};

// A contact or a person (`what`) is named by a team, a person or a schedule (`whose`) of a side.
struct Sides {
  std::string_view what, whose;
  Side side = Side::kUnspecified;
};
// A finding at `item` when `name`, which it names, is of another side. What has no side has had a
// finding already.
void CheckSide(const ConfigNode& item, std::string_view name, Side side, const Sides& sides,
               Reader& reader);

class Compiler {
 public:
  // `root` outlives the compiler.
  Compiler(const ConfigNode& root, std::string_view source);

  Compiled Run();

 private:
  // What rules take when they say nothing.
  struct Defaults {
    std::vector<std::string> group_by = {"alertname", "site"};
    absl::Duration group_wait = absl::Seconds(10);
    absl::Duration resolve_wait = absl::Seconds(30);
    absl::Duration reopen_within = absl::Minutes(15);
    absl::Duration ack_expires = absl::Hours(1);
    IfMissing if_missing = IfMissing::kNeedsInput;
  };

  // What a nested rule takes from the one around it.
  struct Outer {
    // `consult` as it was written; what is not said is settled for each rule.
    struct Asked {
      std::optional<std::uint32_t> team;
      std::optional<std::string> question;
      std::optional<std::vector<std::string>> options;
      std::optional<absl::Duration> due;
      std::optional<Unanswered> unanswered;
    };
    bool nested = false;  // false: there is none around it
    Rule rule = {};
    Defaults values;
    Asked asked = {};
    const ConfigNode* consult_team_at = nullptr;
  };

  // compiler.cc: who is told, and when.
  void CompileHead();
  // Their content is read by whoever walks through them (router/replay), from the source.
  void AcceptScenarios();
  void CompileContacts();
  void CompileContact(const ConfigNode& node, Contact& contact);
  void CompileCalendars();
  void CompileCalendar(const ConfigNode& node);
  void CompileEscalations();
  void CompileEscalation(const ConfigNode& node, Escalation& escalation);
  void CompileLastResort();
  // The entries of a section, by name; a finding when there are more than 1,000.
  std::vector<const ConfigNode*> Section(std::string_view key);
  std::optional<Side> ReadSide(const ConfigNode& map);

  // compiler_people.cc: teams and people, and whom a step names.
  void CompilePeople();
  void CompilePerson(const ConfigNode& node, Person& person);
  void CompileTeams();
  void CompileTeam(const ConfigNode& node, Team& team);
  void CompileNotify(const ConfigNode& notify, Step& step);
  void CheckStepIsHeard(const ConfigNode& notify, const Step& step);
  template <typename Named>
  void CheckSides(const ConfigNode& list, const NameTable& names, const std::vector<Named>& all,
                  const Sides& sides);

  // Whom a step can name: teams, schedules and people have one namespace.
  struct Target {
    enum class Kind : std::uint8_t { kTeam, kSchedule, kPerson };
    Kind kind = Kind::kTeam;
    std::uint32_t index = 0;
    Mark mark;
  };
  // A finding when the name of `node` is taken by one of another kind.
  void AddTarget(const ConfigNode& node, Target target);

  // compiler_schedules.cc: who is on call.
  void CompileSchedules();
  void CompileSchedule(const ConfigNode& node);

  // compiler_rules.cc: what is done about which alert.
  void CompileRules();
  // Depth first: what is nested comes before the rule around it. Their indices.
  std::vector<std::uint32_t> CompileList(const std::vector<ConfigNode*>& items, const Outer& outer);
  std::uint32_t CompileRule(const ConfigNode& node, const Outer& outer);
  void CompileName(const ConfigNode& node, Rule& rule);
  // Who leads, how, and who is told.
  void CompileAction(const ConfigNode& node, Outer& own);
  void CheckOwnerIsTold(const ConfigNode& node, const Rule& rule);
  void CheckReachable(const std::vector<ConfigNode*>& nodes);
  void CheckCatchAll(const ConfigNode& last);

  // compiler_conditions.cc: which alerts a rule takes.
  void CompileDefaults();
  // The keys that `defaults` and rules have in common.
  void CompileCommon(const ConfigNode& map, Defaults& values);
  void CompileMatchers(const ConfigNode& node, Rule& rule);
  void CompileWhen(const ConfigNode& node, Rule& rule);
  void CompileWhenList(const ConfigNode& list, bool in, Rule& rule);
  bool IsCalendarName(const ConfigNode& node, std::string_view name);

  // compiler_consult.cc: who is asked.
  void CompileConsult(const ConfigNode& node, Outer& own);
  std::vector<std::string> ReadOptions(const ConfigNode& node);
  // Fills what nobody said, once owner, handling and escalation are known.
  void SettleConsult(const ConfigNode& node, Outer& own);

  const ConfigNode& root_;
  Reader reader_;
  std::shared_ptr<Playbook> playbook_;
  NameTable contacts_{"contact"}, people_{"person"}, teams_{"team"}, calendars_{"calendar"},
      escalations_{"escalation"}, rules_{"rule"}, told_{"team, schedule or person"};
  std::vector<Target> targets_;  // as in told_
  Defaults defaults_;
};

}  // namespace tandem::playbook
