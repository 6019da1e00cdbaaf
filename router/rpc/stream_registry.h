// The calls that are open: so that a drain can end them all, a revoked token ends its own (see
// credential_watch.h), and there is a limit to them. gRPC itself never ends a call:
// Server::Shutdown waits, even past its deadline, for a reactor that nobody finishes.
//
// Thread-safe. `End` of a stream is called without any lock held.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace tandem::rpc {

struct Call;

// A call that can be ended from outside. Held by shared_ptr (often one that the reactor keeps to
// itself until OnDone), so that it cannot go away under the registry's hands.
class DrainableStream {
 public:
  virtual ~DrainableStream() = default;

  // Ends the call with `status`, once; a call that has ended already ignores it. From any thread,
  // without blocking.
  virtual void End(absl::Status status) = 0;

  // The call whose credential is looked at again while it is open; nullptr for one that ends by
  // itself. Constant while registered, and lives as long as this.
  virtual const Call* call() const = 0;
};

class StreamRegistry {
 public:
  // More than `open_max` streams are refused.
  explicit StreamRegistry(std::size_t open_max) : open_max_(open_max) {}

  // Ends the registration when it goes; an empty one does nothing. Must not outlive the registry.
  class Registration {
   public:
    Registration() = default;
    Registration(Registration&& other) noexcept;
    Registration& operator=(Registration&& other) noexcept;
    ~Registration() { Release(); }
    void Release();

   private:
    friend class StreamRegistry;
    Registration(StreamRegistry* registry, std::uint64_t key) : registry_(registry), key_(key) {}
    StreamRegistry* registry_ = nullptr;
    std::uint64_t key_ = 0;
  };

  // RESOURCE_EXHAUSTED with reason STREAMS_EXHAUSTED and a retry delay at the limit; after EndAll
  // the status that was given there.
  absl::StatusOr<Registration> Add(std::weak_ptr<DrainableStream> stream);

  // Ends all, in the order in which they were opened, and refuses every later one with `status`.
  void EndAll(const absl::Status& status);

  // Ends those for which `judge` has a status that is not OK, with it; returns how many.
  std::size_t EndEach(const std::function<absl::Status(const DrainableStream&)>& judge);

  std::size_t open() const;

  // Blocks until none is open, or until `timeout` has passed; returns how many are left.
  std::size_t WaitUntilEmpty(absl::Duration timeout);

 private:
  std::vector<std::shared_ptr<DrainableStream>> Living() const;
  void Remove(std::uint64_t key);

  const std::size_t open_max_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable empty_;
  std::map<std::uint64_t, std::weak_ptr<DrainableStream>> streams_;  // by order of opening
  std::uint64_t next_key_ = 1;
  absl::Status closed_;  // not OK: no stream is taken any more
};

}  // namespace tandem::rpc
