// A compiled playbook: the policy of a tenant, ready to be asked.
//
// A rule is tried condition by condition: matchers over labels, then those over context, then
// calendars. A fact is *missing* when no such entity is bound, or it has no such attribute or
// calendar; it neither holds nor fails. If a condition whose fact is there fails, the rule fails,
// whatever else is missing. If all those hold and something is missing, the rule's `if_missing`
// decides. A gap never weakens a handling: by default the owner gets the incident with at least
// `needs_input`, and where the rule leaves the decision to the other side, it stays there.
//
// Pure and immutable: equal arguments give equal answers. Safe to call from any thread.
#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "router/base/words.h"
#include "router/playbook/calendar.h"
#include "router/playbook/environment.h"
#include "router/playbook/matcher.h"
#include "router/playbook/schedule.h"

namespace tandem::playbook {

struct Contact {
  std::string name;
  Side side = Side::kUnspecified;
  std::string channel;                               // "webhook"
  std::string address;                               // a URL
  std::string secret_name;                           // looked up by the notifier; empty: unsigned
  std::uint32_t secret_line = 0, secret_column = 0;  // where it stands, from 1
};

struct Person {
  std::string name;          // unique among people, teams and schedules
  std::string display_name;  // as people call her; empty: the name
  Side side = Side::kUnspecified;
  std::vector<std::uint32_t> contacts;  // into Playbook::contacts(), of her side; not empty
};

struct Team {
  std::string name;
  Side side = Side::kUnspecified;
  std::vector<std::uint32_t> contacts;  // into Playbook::contacts()
  std::vector<std::uint32_t> members;   // into Playbook::people(); told by their first contact
};

// Whom it tells; one of the three lists at least is not empty.
struct Step {
  absl::Duration after;                  // from the opening (or reopening) of the incident; rises
  std::vector<std::uint32_t> teams;      // into Playbook::teams()
  std::vector<std::uint32_t> schedules;  // into Playbook::schedules(): who is on call then
  std::vector<std::uint32_t> people;     // into Playbook::people()
};

struct Escalation {
  std::string name;
  std::vector<Step> steps;   // not empty
  std::uint32_t repeat = 0;  // how often the whole ladder runs again
};

// What happens when a rule asks for a fact that the alert has not got.
enum class IfMissing : std::uint8_t {
  kNeedsInput,  // matches, with at least `needs_input`, flagged as a context gap
  kSkip,        // does not match; the gap is noted
  kMatch,       // matches as if the fact fitted; the gap is noted
};

// `in: [production, site.production]`, `not_in: [...]`.
struct CalendarCondition {
  std::string calendar;  // a name of the playbook, or `kind.name` of an entity
  bool in = true;
  // The list it stands in: a nested rule has that of each rule around it, too.
  std::uint32_t list = 0;
};

// What happens to a request that nobody has answered when it is due.
enum class Unanswered : std::uint8_t {
  kEscalate = 1,  // the next step of the escalation is due at once
  kProceed = 2,   // the owner acts alone
  kHold = 3,      // nothing is done until somebody answers
};

// Whom a rule asks, and what. The team is of the side that does not own the incident.
struct Consult {
  std::uint32_t team = 0;  // into Playbook::teams()
  std::string question;
  std::vector<std::string> options;  // empty: any text answers
  absl::Duration due;                // from the moment at which the team is told
  Unanswered unanswered = Unanswered::kEscalate;
  friend bool operator==(const Consult&, const Consult&) = default;
};

// What each decision reads stands first, in two lines of the cache: with ten thousand rules every
// line is a cold one.
struct alignas(64) Rule {
  std::string name;
  absl::InlinedVector<std::string, 1> group_by;  // label names, sorted; "..." alone: every label
  std::uint32_t owner = 0;                       // into teams()
  std::uint32_t escalation = 0;                  // into escalations()
  Handling handling = Handling::kAutonomous;
  IfMissing if_missing = IfMissing::kNeedsInput;
  std::optional<Severity> severity;  // overrides the alert's
  std::uint32_t line = 0;            // from 1
  // The rule that it is nested in; its own index when it stands alone. A nested rule comes before
  // the rule around it, has its conditions too, and takes from it what it does not say itself.
  std::uint32_t parent = 0;
  std::vector<Matcher> matchers;
  // Of each list of `in` calendars any is on; of `not_in` none is.
  std::vector<CalendarCondition> when;
  // Who is asked; nullopt when `handling` is autonomous, or there is nobody to ask.
  std::optional<Consult> consult;
  absl::Duration group_wait;
  absl::Duration resolve_wait;
  absl::Duration reopen_within;
  absl::Duration ack_expires;
  std::string reason;
  std::string runbook;
};

// A calendar that was asked while a rule was looked for, and what it said.
struct CalendarAsked {
  std::string_view calendar;  // as in the rule; lives as long as the playbook
  bool on = false;
  std::string local_time;
  friend bool operator==(const CalendarAsked&, const CalendarAsked&) = default;
};

struct Match {
  std::uint32_t rule = 0;  // into rules(), always in range: the last rule catches all
  Handling handling = Handling::kAutonomous;
  bool context_gap = false;  // the rule matched with facts missing and `needs_input` or more
  std::vector<CalendarAsked> asked;  // in the order of asking, each once
  // Facts that are missing ("site.kind"), each once, in the order of asking: of this rule and of
  // the rules before it that hold but for them. Live as long as the playbook.
  std::vector<std::string_view> gaps;
};

// Why a rule matched or not.
struct Verdict {
  std::uint32_t rule = 0;
  bool matched = false;
  // The first condition that failed: `site.kind="factory" (is "hospital")`. Of a rule that matched
  // or was skipped with a fact missing: what is missing. Else empty.
  std::string failed;
};

class RuleIndex;

class Playbook {
 public:
  ~Playbook();
  Playbook(const Playbook&) = delete;
  Playbook& operator=(const Playbook&) = delete;

  // The first rule, in the order of the playbook, that the alert meets. Finds candidates by the
  // rarest equality matcher of each rule; equal to MatchByScan on every input.
  Match MatchRule(LabelsView labels, const Binding& binding, absl::Time now) const;

  // The same by trying each rule in turn: the plain meaning, for tests and for explanations.
  Match MatchByScan(LabelsView labels, const Binding& binding, absl::Time now) const;

  // Why each rule up to and with the matching one did or did not match.
  std::vector<Verdict> Explain(LabelsView labels, const Binding& binding, absl::Time now) const;

  const std::string& tenant() const { return tenant_; }
  // SHA-256 of the source, 64 hexadecimal digits.
  const std::string& digest() const { return digest_; }
  const std::string& source() const { return source_; }
  const std::vector<Rule>& rules() const { return rules_; }
  const std::vector<Team>& teams() const { return teams_; }
  const std::vector<Contact>& contacts() const { return contacts_; }
  const std::vector<Person>& people() const { return people_; }
  const std::vector<Schedule>& schedules() const { return schedules_; }
  const std::vector<Escalation>& escalations() const { return escalations_; }
  // nullptr when there is none of that name.
  const Calendar* FindCalendar(std::string_view name) const;
  // nullopt when there is none of that name.
  std::optional<std::uint32_t> FindTeam(std::string_view name) const;
  // nullptr when there is none of that name.
  const Schedule* FindSchedule(std::string_view name) const;
  // Told after the last step of an escalation, and every 30 minutes from then on.
  std::optional<std::uint32_t> last_resort() const { return last_resort_; }

 private:
  friend class Compiler;

  Playbook();
  // Called once, when all rules are there.
  void BuildIndex();

  std::string tenant_, digest_, source_;
  std::vector<Rule> rules_;
  std::vector<Team> teams_;
  std::vector<Contact> contacts_;
  std::vector<Person> people_;
  std::vector<Schedule> schedules_;  // in the order of the file
  std::vector<Escalation> escalations_;
  std::vector<std::pair<std::string, Calendar>>
      calendars_;  // sorted by name; schedules point at them
  std::optional<std::uint32_t> last_resort_;
  std::unique_ptr<const RuleIndex> index_;
};

}  // namespace tandem::playbook
