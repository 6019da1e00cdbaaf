// The only reader of the clock. An object that is handed down, never a global.
#pragma once

#include <absl/time/time.h>

#include <mutex>

namespace tandem {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
};

// The machine's wall clock, cut to microseconds: what is stored is what was decided by.
class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
};

// Stands still until it is told otherwise. For tests and for replays.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(absl::Time start) : now_(start) {}
  absl::Time Now() const override;
  void Set(absl::Time now);
  void Advance(absl::Duration by);

 private:
  mutable std::mutex mutex_;
  absl::Time now_;
};

}  // namespace tandem
