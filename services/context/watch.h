// What a watch sends next: the snapshot in parts, then revision after revision.
//
// It reads from the store and holds nothing but its position, so a slow watcher costs no memory and
// loses nothing, and one that comes back goes on where it was.
//
// One thread at a time; Next may block on the disk.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <vector>

#include "router/base/ids.h"
#include "services/context/store.h"
#include "tandem/v1/context.pb.h"

namespace tandem::context {

class WatchReader {
 public:
  // `store` outlives it.
  WatchReader(Store& store, TenantId tenant, Version after)
      : store_(store), tenant_(std::move(tenant)), sent_(after) {}

  // The next messages, at most kMessagesMax and about 2 × kPageBytesMax; none when there is nothing
  // new. Revisions have ascending versions, each exactly once.
  absl::StatusOr<std::vector<v1::WatchContextResponse>> Next();
  static constexpr std::size_t kMessagesMax = 64;

  // Says that all is said.
  v1::WatchContextResponse Heartbeat() const;

 private:
  // A snapshot that is being sent.
  struct Snapshot {
    Version at;
    std::optional<EntityKey> last;
  };

  absl::StatusOr<std::vector<v1::WatchContextResponse>> NextPart();
  v1::WatchContextResponse Message() const;

  Store& store_;
  const TenantId tenant_;
  bool begun_ = false;
  Version sent_;
  std::optional<Snapshot> snapshot_;
};

}  // namespace tandem::context
