// The active alerts of one tenant, by identity and by number.
//
// Made for millions: a slot of about 100 bytes, labels as pairs of interned texts, no annotations
// (they are read from the journal, where `source` points). One thread at a time.
#pragma once

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "router/base/ids.h"
#include "router/base/words.h"
#include "router/core/alert_numbers.h"
#include "router/core/fact.h"
#include "router/core/identity.h"
#include "router/core/interner.h"

namespace tandem::core {

struct LabelId {
  TextId name = 0;
  TextId value = 0;
};

struct AlertSlot {
  Identity identity;
  AlertNumber number;  // 0: the slot is free
  IncidentNumber incident;
  Micros starts = 0;
  Micros ends = 0;
  Micros wake = 0;            // when this alert is looked at next; never after `ends` rounded up
  std::uint64_t details = 0;  // DetailsHash of what was last reported
  Sequence source;            // the record that holds its newest annotations …
  std::uint32_t source_index = 0;  // … and its index there
  std::uint16_t label_count = 0;
  Severity severity = Severity::kWarning;
  bool ends_by_timeout = false;
  std::unique_ptr<LabelId[]> labels;  // sorted by name
};

class AlertTable {
 public:
  AlertTable();
  AlertTable(const AlertTable&) = delete;
  AlertTable& operator=(const AlertTable&) = delete;

  // nullptr when there is none. The pointer holds until the next Insert or Erase.
  const AlertSlot* Find(const Identity& identity) const;
  const AlertSlot* Find(AlertNumber number) const;

  // REQUIRES: neither `slot.identity` nor `slot.number` is there yet. Takes labels from `labels`.
  void Insert(AlertSlot slot, playbook::LabelsView labels);
  // REQUIRES: it is there.
  void Erase(AlertNumber number);
  // New span and source. REQUIRES: it is there.
  void Refresh(AlertNumber number, Micros starts, Micros ends, bool ends_by_timeout);
  void SetSource(AlertNumber number, std::uint64_t details, Sequence source, std::uint32_t index);

  // Calls `visit(const AlertSlot&)` for each alert in the order of the slots: the same for the same
  // history, but otherwise without meaning.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const AlertSlot& slot : slots_) {
      if (slot.number) visit(slot);
    }
  }

  std::string_view Text(TextId id) const { return texts_.Text(id); }
  std::size_t size() const { return by_identity_.size(); }

  // The earliest time at which an alert must be looked at.
  std::optional<Micros> NextWake() const;
  // Alerts to look at by `now`: at most `limit` of the earliest moment, each once, by
  // number.
  std::vector<const AlertSlot*> Due(Micros now, std::size_t limit) const;
  // Ends a look that Due began with the same arguments: those still active are put at their new
  // end.
  void Settle(Micros now, std::size_t limit);

 private:
  using SlotIndex = std::uint32_t;
  // What the table of identities holds: a part of the identity stands beside the slot's index, so
  // that the table grows and searches without a look at slots that lie all over the memory.
  struct Place {
    std::uint32_t hash = 0;
    SlotIndex slot = 0;
  };
  struct IdentityHash {
    using is_transparent = void;
    std::size_t operator()(const Place& place) const { return SpreadHash(place.hash); }
    std::size_t operator()(const Identity& id) const { return SpreadHash(PartOf(id)); }
  };
  struct IdentityEqual {
    using is_transparent = void;
    const AlertTable* table;
    bool operator()(const Place& a, const Place& b) const { return a.slot == b.slot; }
    bool operator()(const Place& a, const Identity& b) const {
      return a.hash == PartOf(b) && table->slots_[a.slot].identity == b;
    }
  };

  static std::uint32_t PartOf(const Identity& id) { return static_cast<std::uint32_t>(id.high); }

  AlertSlot& Get(AlertNumber number);
  void WakeAt(AlertSlot& slot, Micros at);

  Interner texts_;
  std::deque<AlertSlot> slots_;
  std::vector<SlotIndex> free_;
  absl::flat_hash_set<Place, IdentityHash, IdentityEqual> by_identity_;  // order never seen
  AlertNumbers by_number_;
  std::vector<LabelId> last_labels_;  // of the alert that was inserted last: the next is like it
  // Alerts by the moment, rounded up to 100 ms, at which they are looked at. An entry counts only
  // while the slot's `wake` says the same: a report that moves the end later leaves the entry where
  // it is, which makes re-sent alerts cheap.
  absl::btree_map<Micros, std::vector<AlertNumber>> wakes_;
};

}  // namespace tandem::core
