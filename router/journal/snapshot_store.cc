#include "router/journal/snapshot_store.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <memory>
#include <system_error>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/journal/file.h"
#include "router/journal/sha256.h"
#include "router/journal/wire.h"

namespace tandem::journal {
namespace {

constexpr std::string_view kMagic = "TNDMSNAP";
constexpr std::uint32_t kVersion = 1;
constexpr std::string_view kSuffix = ".snap";
constexpr std::uint64_t kPayloadMax = std::uint64_t{4} << 30;
constexpr std::size_t kKept = 2;
constexpr int kLevel = 3;  // about 300 MB/s; state compresses to a fifth

bool IsTenantId(std::string_view id) {
  return !id.empty() && id.size() <= 63 && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

// Everything up to the checksum.
std::string HeaderOf(const Snapshot& snapshot, std::uint64_t stored_bytes) {
  std::string header(kMagic);
  PutNumber32(header, kVersion);
  PutTenant(header, snapshot.tenant);
  PutNumber64(header, snapshot.sequence.value);
  PutHash(header, snapshot.hash);
  PutNumber64(header, snapshot.payload.size());
  PutNumber64(header, stored_bytes);
  return header;
}

Hash ChecksumOf(std::string_view header, std::string_view payload) {
  return Sha256().Bytes(header).Bytes(payload).Finish();
}

absl::Status Damage(const std::string& path, std::string_view what) {
  return Error(absl::StatusCode::kDataLoss, "SNAPSHOT_DAMAGED",
               fmt::format("snapshot {}: {}; start-up goes back to an older one", path, what));
}

absl::StatusOr<std::string> Decompress(const std::string& path, std::string_view stored,
                                       std::uint64_t size) {
  // The length is checked before memory is taken for it.
  if (size > kPayloadMax || ZSTD_getFrameContentSize(stored.data(), stored.size()) != size) {
    return Damage(path, "its length does not fit");
  }
  std::string payload(size, '\0');
  const std::size_t result =
      ZSTD_decompress(payload.data(), payload.size(), stored.data(), stored.size());
  if (ZSTD_isError(result) != 0 || result != size) return Damage(path, "it cannot be unpacked");
  return payload;
}

absl::StatusOr<Snapshot> Read(const std::string& path, const TenantId& tenant, Sequence sequence) {
  TANDEM_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  Taker taker(bytes);
  const auto magic = taker.TakeBytes(kMagic.size());
  const auto version = taker.TakeNumber32();
  if (!version || *magic != kMagic) return Damage(path, "it is not a snapshot");
  if (*version != kVersion) return Damage(path, fmt::format("it has format {}", *version));
  Snapshot snapshot;
  const auto tenant_read = taker.TakeTenant();
  const auto sequence_read = taker.TakeNumber64();
  const auto hash = taker.TakeHash();
  const auto size = taker.TakeNumber64();
  const auto stored_size = taker.TakeNumber64();
  const std::string_view header(bytes.data(), bytes.size() - taker.rest().size());
  const auto checksum = taker.TakeHash();
  if (!checksum || taker.rest().size() != *stored_size) return Damage(path, "it is cut off");
  if (*tenant_read != tenant || *sequence_read != sequence.value) {
    return Damage(path, "its name does not fit what it says");
  }
  snapshot.tenant = tenant;
  snapshot.sequence = sequence;
  snapshot.hash = *hash;
  TANDEM_ASSIGN_OR_RETURN(snapshot.payload, Decompress(path, taker.rest(), *size));
  if (ChecksumOf(header, snapshot.payload) != *checksum) {
    return Damage(path, "its bytes do not fit its checksum");
  }
  return snapshot;
}

}  // namespace

absl::StatusOr<SnapshotStore> SnapshotStore::Open(const std::string& folder) {
  const std::string path = folder + "/snapshots";
  if (::mkdir(path.c_str(), 0750) != 0 && errno != EEXIST) return SystemError("create", path);
  TANDEM_RETURN_IF_ERROR(SyncFolder(folder));
  return SnapshotStore(path);
}

std::string SnapshotStore::PathOf(const TenantId& tenant, Sequence sequence) const {
  TANDEM_CHECK(IsTenantId(tenant.value), "a tenant id becomes a file name");
  return fmt::format("{}/{}-{}{}", folder_, tenant.value, sequence.value, kSuffix);
}

absl::Status SnapshotStore::Save(const Snapshot& snapshot) const {
  if (snapshot.payload.size() > kPayloadMax) {
    return Error(absl::StatusCode::kInvalidArgument, "SNAPSHOT_TOO_LARGE",
                 fmt::format("the state of tenant {} has {} bytes, a snapshot holds {}",
                             snapshot.tenant.value, snapshot.payload.size(), kPayloadMax));
  }
  const std::size_t bound = ZSTD_compressBound(snapshot.payload.size());
  // Not a string: that would write the whole bound with zeros first.
  const std::unique_ptr<char[]> stored(new char[bound]);
  const std::size_t size =
      ZSTD_compress(stored.get(), bound, snapshot.payload.data(), snapshot.payload.size(), kLevel);
  TANDEM_CHECK(ZSTD_isError(size) == 0, "the buffer has the size that zstd asks for");
  const std::string header = HeaderOf(snapshot, size);
  std::string checksum;
  PutHash(checksum, ChecksumOf(header, snapshot.payload));
  TANDEM_RETURN_IF_ERROR(ReplaceFile(PathOf(snapshot.tenant, snapshot.sequence),
                                     {header, checksum, std::string_view(stored.get(), size)}));

  TANDEM_ASSIGN_OR_RETURN(const std::vector<Sequence> all, List(snapshot.tenant));
  for (std::size_t i = kKept; i < all.size(); ++i) {
    std::error_code ignored;  // what stays is removed next time
    std::filesystem::remove(PathOf(snapshot.tenant, all[i]), ignored);
  }
  return absl::OkStatus();
}

// Newest first.
absl::StatusOr<std::vector<Sequence>> SnapshotStore::List(const TenantId& tenant) const {
  std::vector<Sequence> sequences;
  const std::string prefix = tenant.value + "-";
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder_, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename();
    if (!name.starts_with(prefix) || !name.ends_with(kSuffix)) continue;
    const char* const last = name.data() + name.size() - kSuffix.size();
    std::uint64_t number = 0;
    // A tenant "plant" is not "plant-2": what follows the prefix must be all digits.
    const auto parsed = std::from_chars(name.data() + prefix.size(), last, number);
    if (parsed.ec == std::errc() && parsed.ptr == last) sequences.emplace_back(number);
  }
  if (error) {
    errno = error.value();
    return SystemError("list", folder_);
  }
  std::ranges::sort(sequences, std::greater<>());
  return sequences;
}

absl::StatusOr<SnapshotStore::Loaded> SnapshotStore::Load(const TenantId& tenant,
                                                          std::optional<Sequence> before) const {
  Loaded loaded;
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Sequence> all, List(tenant));
  for (const Sequence sequence : all) {
    if (before && sequence >= *before) continue;
    absl::StatusOr<Snapshot> snapshot = Read(PathOf(tenant, sequence), tenant, sequence);
    if (snapshot.ok()) {
      loaded.snapshot = *std::move(snapshot);
      break;
    }
    loaded.skipped.push_back(snapshot.status());
  }
  return loaded;
}

}  // namespace tandem::journal
