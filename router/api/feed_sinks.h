// Readers of the feed for tests: one that takes all it has room for, and one that reads when it is
// told to.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "router/api/feed_hub.h"
#include "router/base/check.h"
#include "router/engine/engine_rig.h"

namespace tandem::api::testing {

// Takes events until it is full.
class TestSink final : public FeedSink {
 public:
  explicit TestSink(std::size_t room = 1'000'000) : room_(room) {}

  Sent Send(FeedMessage message) override {
    v1::FeedEvent event = message.Parse();
    const std::lock_guard lock(mutex_);
    if (!event.heartbeat() && events_.size() >= room_) return Sent::kFull;
    cursor_ = event.cursor();
    if (event.heartbeat()) {
      ++beats_;
      beat_time_ = absl::FromUnixSeconds(event.time().seconds());
    } else {
      events_.push_back(std::move(event));
    }
    changed_.notify_all();
    return Sent::kYes;
  }
  bool HasRoom() const override { return true; }
  void CutOff(absl::Status status) override {
    const std::lock_guard lock(mutex_);
    cut_off_ = std::move(status);
    changed_.notify_all();
  }

  // "harbor-mfg 2.1": tenant, sequence and incident of each event, once there are `count`.
  std::vector<std::string> Await(std::size_t count) {
    std::unique_lock lock(mutex_);
    TANDEM_CHECK(changed_.wait_for(lock, engine::testing::kPatience,
                                   [&] { return events_.size() >= count; }),
                 "an event is missing");
    std::vector<std::string> texts;
    for (const v1::FeedEvent& event : events_) {
      const std::string& name = event.incident().name();
      texts.push_back(event.tenant() + " " + std::to_string(event.sequence()) + "." +
                      name.substr(name.rfind('/') + 1));
    }
    return texts;
  }
  absl::Status AwaitCutOff() {
    std::unique_lock lock(mutex_);
    TANDEM_CHECK(
        changed_.wait_for(lock, engine::testing::kPatience, [&] { return !cut_off_.ok(); }),
        "it was not cut off");
    return cut_off_;
  }
  std::string AwaitBeats(int count) {
    std::unique_lock lock(mutex_);
    TANDEM_CHECK(
        changed_.wait_for(lock, engine::testing::kPatience, [&] { return beats_ >= count; }),
        "no heartbeat came");
    return cursor_;
  }
  int beats() {
    const std::lock_guard lock(mutex_);
    return beats_;
  }
  absl::Time beat_time() {
    const std::lock_guard lock(mutex_);
    return beat_time_;
  }
  v1::FeedEvent event(std::size_t index) {
    const std::lock_guard lock(mutex_);
    return events_.at(index);
  }

 private:
  const std::size_t room_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::vector<v1::FeedEvent> events_;
  std::string cursor_;
  int beats_ = 0;
  absl::Time beat_time_;
  absl::Status cut_off_;
};

// A reader with a queue of its own, which it empties only when it is told to.
class SlowSink final : public FeedSink {
 public:
  struct Room {
    std::size_t events_max = 0;  // a further one is refused
    std::size_t low_water = 0;   // below it history may come
  };
  explicit SlowSink(Room room) : room_(room) {}

  Sent Send(FeedMessage message) override {
    v1::FeedEvent event = message.Parse();
    const std::lock_guard lock(mutex_);
    if (event.heartbeat()) return Sent::kYes;
    if (waiting_ >= room_.events_max) return Sent::kFull;
    most_ = std::max(most_, ++waiting_);
    incidents_.push_back(event.incident().name());
    changed_.notify_all();
    return Sent::kYes;
  }
  bool HasRoom() const override {
    const std::lock_guard lock(mutex_);
    return waiting_ < room_.low_water;
  }
  void CutOff(absl::Status status) override {
    const std::lock_guard lock(mutex_);
    cut_off_ = std::move(status);
    changed_.notify_all();
  }

  // Reads, as often as it takes, until it has `count` events or is cut off; says how many it has.
  std::size_t ReadUntil(std::size_t count, FeedHub& hub) {
    std::unique_lock lock(mutex_);
    while (incidents_.size() < count && cut_off_.ok()) {
      TANDEM_CHECK(changed_.wait_for(lock, engine::testing::kPatience,
                                     [&] { return waiting_ > 0 || !cut_off_.ok(); }),
                   "an event is missing");
      waiting_ = 0;
      lock.unlock();
      hub.Poke();
      lock.lock();
    }
    return incidents_.size();
  }
  absl::Status cut_off() const {
    const std::lock_guard lock(mutex_);
    return cut_off_;
  }
  std::size_t most_waiting() const {
    const std::lock_guard lock(mutex_);
    return most_;
  }
  std::vector<std::string> incidents() const {
    const std::lock_guard lock(mutex_);
    return incidents_;
  }

 private:
  const Room room_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::vector<std::string> incidents_;
  std::size_t waiting_ = 0;
  std::size_t most_ = 0;
  absl::Status cut_off_;
};

}  // namespace tandem::api::testing
