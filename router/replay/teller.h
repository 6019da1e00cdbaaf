// From facts to the lines of a story, in the words of the glossary.
//
// The one place that does it: each type of fact has its line, or says here that it is of no
// interest to people; a new type does not compile without. Lines are stable: scenarios compare
// them.
//
// Serves one walk; one thread.
#pragma once

#include <absl/container/btree_map.h>

#include <string>
#include <string_view>

#include "router/core/fact.h"
#include "router/core/state.h"
#include "router/replay/story.h"

namespace tandem::replay {

class Teller {
 public:
  // Both outlive the teller. `state` is what the facts have been applied to when they are told.
  Teller(const core::TenantState& state, Story& story) : state_(state), story_(story) {}

  // What the input was that the next facts are about: "LinkDown", "device/sw-7".
  void About(std::string subject) { subject_ = std::move(subject); }
  void Tell(const core::Facts& facts, absl::Duration at);

  // A line of its own.
  void Say(IncidentNumber incident, std::string text, absl::Duration at);

  // No more lines are taken.
  bool full() const { return story_.cut; }

 private:
  struct Planned {
    std::string event_type, team, contact, person, schedule;
    std::uint32_t step = 0, round = 1;
    bool last_resort = false;
    bool failed = false;  // told already that it does not arrive
  };
  struct Known {  // of an incident
    std::string acknowledged_by;
    std::uint32_t round = 1;
    bool last_resort = false;
    bool exhausted_told = false;
  };
  struct Visitor;

  // "noc-desk (noc, step 1)".
  std::string Addressee(const Planned& planned) const;
  const core::Incident& Get(IncidentNumber number) const;

  const core::TenantState& state_;
  Story& story_;
  std::string subject_;
  absl::btree_map<DeliveryNumber, Planned> planned_;  // those that are open
  absl::btree_map<AlertNumber, std::string> alerts_;  // those that fire
  absl::btree_map<IncidentNumber, Known> known_;
};

}  // namespace tandem::replay
