// The alerts that fire, so that they can be reported again before the router's resolve timeout
// ends them.
//
// Pure: time is an argument. Not thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include <cstddef>
#include <list>
#include <string>
#include <vector>

#include "tandem/v1/alert_ingest.pb.h"

namespace tandem::client {

struct ActiveTableOptions {
  // Infinite: nothing is due.
  absl::Duration interval = absl::InfiniteDuration();
  // About 1 KiB each. An alert beyond it is sent once and not again; see `not_kept`.
  std::size_t max_alerts = 100'000;
};

class ActiveTable {
 public:
  explicit ActiveTable(ActiveTableOptions options) : options_(options) {}

  // Notes a report that was sent. An alert without an end fires, and is kept or renewed; one with
  // an end is forgotten: it is over, or its source has said when it will be.
  void Note(const v1::Alert& alert, absl::Time now);

  // Counts for the reports that were noted before, too.
  void SetInterval(absl::Duration interval) { options_.interval = interval; }

  // Forgets the alert with this key: the router refused it.
  void Forget(const std::string& key);

  // At most `max` serialised alerts whose interval has passed, those that wait longest first. They
  // count as sent at `now`.
  std::vector<std::string> TakeDue(absl::Time now, std::size_t max);

  // When TakeDue has something to give; InfiniteFuture when it will have nothing.
  absl::Time due() const;
  std::size_t size() const { return by_key_.size(); }
  // Reports of firing alerts that found the table full.
  std::uint64_t not_kept() const { return not_kept_; }

 private:
  struct Entry {
    std::string key;
    std::string element;  // as AppendAlert writes it
    absl::Time sent;
  };

  ActiveTableOptions options_;
  std::list<Entry> by_age_;  // oldest report first; every entry has the same interval
  absl::flat_hash_map<std::string, std::list<Entry>::iterator> by_key_;
  std::uint64_t not_kept_ = 0;
};

}  // namespace tandem::client
