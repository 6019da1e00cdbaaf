#include "tests/support/fault_trace.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>

#include "router/base/check.h"

namespace tandem::testing {
namespace {

constexpr std::size_t kSectorBytes = 512;

template <typename Number>
Number Take(const std::string& bytes, std::size_t& at) {
  Number number;
  TANDEM_CHECK(at + sizeof(number) <= bytes.size(), "the trace is cut off");
  std::memcpy(&number, bytes.data() + at, sizeof(number));
  at += sizeof(number);
  return number;
}

std::string TakeText(const std::string& bytes, std::size_t& at, std::uint64_t size) {
  TANDEM_CHECK(at + size <= bytes.size(), "the trace is cut off");
  at += size;
  return bytes.substr(at - size, size);
}

void Apply(std::string& file, std::uint64_t offset, std::string_view data) {
  if (file.size() < offset + data.size()) file.resize(offset + data.size());
  std::ranges::copy(data, file.begin() + static_cast<std::ptrdiff_t>(offset));
}

// Keeps each sector of the write, or not. A third of all writes arrive whole, a third not at all.
void ApplyTorn(std::string& file, const DiskChange& write, std::mt19937_64& dice) {
  const auto fate = dice() % 3;
  if (fate == 0) return;
  std::uint64_t at = 0;
  while (at < write.data.size()) {
    const std::uint64_t sector_end = ((write.offset + at) / kSectorBytes + 1) * kSectorBytes;
    const std::uint64_t size =
        std::min<std::uint64_t>(sector_end - write.offset - at, write.data.size() - at);
    if (fate == 1 || dice() % 2 == 0) {
      Apply(file, write.offset + at, std::string_view(write.data).substr(at, size));
    }
    at += size;
  }
}

}  // namespace

std::vector<DiskChange> ReadTrace(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  std::vector<DiskChange> changes;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto kind = static_cast<DiskChange::Kind>(Take<char>(bytes, at));
    const auto path_size = Take<std::uint32_t>(bytes, at);
    const auto offset = Take<std::uint64_t>(bytes, at);
    const auto data_size = Take<std::uint64_t>(bytes, at);
    std::string name = TakeText(bytes, at, path_size);
    changes.push_back({kind, std::move(name), offset, TakeText(bytes, at, data_size)});
  }
  return changes;
}

std::map<std::string, std::string> CutPower(const std::vector<DiskChange>& changes,
                                            std::size_t count, std::mt19937_64& dice) {
  // From the end: a change is durable when a sync of its file follows, and lost to the dice when
  // the first sync that follows has failed.
  std::vector<bool> durable(count, false);
  std::map<std::string, DiskChange::Kind> next_sync;
  for (std::size_t i = count; i-- > 0;) {
    const DiskChange& change = changes[i];
    if (change.kind == DiskChange::kSync || change.kind == DiskChange::kFailedSync) {
      next_sync[change.path] = change.kind;
      continue;
    }
    const auto sync = next_sync.find(change.path);
    durable[i] = sync != next_sync.end() && sync->second == DiskChange::kSync;
  }
  std::map<std::string, std::string> files;
  for (std::size_t i = 0; i < count; ++i) {
    const DiskChange& change = changes[i];
    switch (change.kind) {
      case DiskChange::kWrite:
        if (durable[i]) {
          Apply(files[change.path], change.offset, change.data);
        } else {
          ApplyTorn(files[change.path], change, dice);
        }
        break;
      case DiskChange::kTruncate:
        if (durable[i] || dice() % 2 == 0) files[change.path].resize(change.offset);
        break;
      case DiskChange::kUnlink:
        files.erase(change.path);
        break;
      case DiskChange::kSync:
      case DiskChange::kFailedSync:
      case DiskChange::kOutput:
        break;
    }
  }
  return files;
}

}  // namespace tandem::testing
