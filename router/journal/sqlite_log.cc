// The layout is that of https://www.sqlite.org/fileformat2.html#the_write_ahead_log.
#include "router/journal/sqlite_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <vector>

#include "router/base/status.h"
#include "router/journal/file.h"

namespace tandem::journal::sqlite {
namespace {

constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kFrameHeaderBytes = 24;
constexpr std::uint32_t kMagic = 0x377f0682;  // the last bit tells the byte order of checksums

std::uint32_t BigEndian(const std::uint8_t* bytes) {
  return (std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) |
         (std::uint32_t{bytes[2]} << 8) | bytes[3];
}

std::uint32_t LittleEndian(const std::uint8_t* bytes) {
  return (std::uint32_t{bytes[3]} << 24) | (std::uint32_t{bytes[2]} << 16) |
         (std::uint32_t{bytes[1]} << 8) | bytes[0];
}

struct Checksum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  friend bool operator==(const Checksum&, const Checksum&) = default;

  static Checksum At(const std::uint8_t* bytes) { return {BigEndian(bytes), BigEndian(bytes + 4)}; }

  // REQUIRES: size is a multiple of 8.
  void Add(const std::uint8_t* bytes, std::size_t size, bool big_endian) {
    for (std::size_t at = 0; at < size; at += 8) {
      const auto read = big_endian ? BigEndian : LittleEndian;
      first += read(bytes + at) + second;
      second += read(bytes + at + 4) + first;
    }
  }
};

class Log {
 public:
  explicit Log(const std::string& path)
      : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Log() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  absl::Status Check();

 private:
  struct Frame {
    bool current = false;   // written since the log last began anew
    bool is_sound = false;  // and its checksum continues that of the frame before it
    bool is_commit = false;
  };

  // False at the end of the file.
  absl::StatusOr<bool> Read(std::uint8_t* bytes, std::size_t size);
  // False when there is no log to speak of.
  absl::StatusOr<bool> ReadHeader();
  absl::StatusOr<bool> ReadFrame(Frame* frame);
  absl::Status Damage(std::string_view what) const;

  const std::string path_;
  const int descriptor_;
  std::uint64_t offset_ = 0;
  bool big_endian_ = false;
  std::array<std::uint8_t, 8> salts_ = {};
  Checksum stored_;  // of the frame before
  std::vector<std::uint8_t> buffer_;
};

absl::StatusOr<bool> Log::Read(std::uint8_t* bytes, std::size_t size) {
  std::size_t at = 0;
  while (at < size) {
    const ssize_t got =
        ::pread(descriptor_, bytes + at, size - at, static_cast<off_t>(offset_ + at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("read", path_);
    if (got == 0) return false;
    at += static_cast<std::size_t>(got);
  }
  offset_ += size;
  return true;
}

absl::Status Log::Damage(std::string_view what) const {
  return Error(absl::StatusCode::kDataLoss, "JOURNAL_DAMAGED",
               fmt::format("journal: {}: {}. Commits behind it would be lost: restore the journal "
                           "from a copy, or move this file away to go on without them",
                           path_, what));
}

absl::StatusOr<bool> Log::ReadHeader() {
  std::array<std::uint8_t, kHeaderBytes> header;
  TANDEM_ASSIGN_OR_RETURN(const bool found, Read(header.data(), header.size()));
  // A file that was made longer before its first bytes arrived is zero there.
  if (!found || std::ranges::all_of(header, [](std::uint8_t byte) { return byte == 0; })) {
    return false;
  }
  big_endian_ = (header[3] & 1) != 0;
  Checksum checksum;
  checksum.Add(header.data(), 24, big_endian_);
  const std::uint32_t page_bytes = BigEndian(&header[8]);
  if ((BigEndian(&header[0]) & ~1u) != kMagic || checksum != Checksum::At(&header[24]) ||
      page_bytes < 512 || page_bytes > 65536) {
    return Damage("the header of the log is damaged");
  }
  std::copy_n(&header[16], salts_.size(), salts_.begin());
  stored_ = checksum;
  buffer_.resize(kFrameHeaderBytes + page_bytes);
  return true;
}

absl::StatusOr<bool> Log::ReadFrame(Frame* frame) {
  TANDEM_ASSIGN_OR_RETURN(const bool found, Read(buffer_.data(), buffer_.size()));
  if (!found) return false;
  Checksum checksum = stored_;
  checksum.Add(buffer_.data(), 8, big_endian_);
  checksum.Add(buffer_.data() + kFrameHeaderBytes, buffer_.size() - kFrameHeaderBytes, big_endian_);
  stored_ = Checksum::At(&buffer_[16]);
  frame->current = std::equal(salts_.begin(), salts_.end(), &buffer_[8]);
  frame->is_sound = frame->current && checksum == stored_;
  frame->is_commit = BigEndian(&buffer_[4]) != 0;
  return true;
}

absl::Status Log::Check() {
  if (descriptor_ < 0) return errno == ENOENT ? absl::OkStatus() : SystemError("open", path_);
  TANDEM_ASSIGN_OR_RETURN(const bool has_log, ReadHeader());
  if (!has_log) return absl::OkStatus();
  std::optional<std::uint64_t> broken_at;
  bool a_commit_follows = false;  // of the broken transaction, or it is the broken frame itself
  Frame frame;
  for (;;) {
    const std::uint64_t start = offset_;
    TANDEM_ASSIGN_OR_RETURN(const bool found, ReadFrame(&frame));
    if (!found) return absl::OkStatus();
    if (!broken_at) {
      if (frame.is_sound) continue;
      broken_at = start;
      a_commit_follows = frame.current && frame.is_commit;
    } else if (frame.is_sound) {
      if (a_commit_follows) {
        return Damage(fmt::format("the frame at byte {} is damaged", *broken_at));
      }
      a_commit_follows = frame.is_commit;
    }
  }
}

}  // namespace

absl::Status CheckLog(const std::string& path) { return Log(path).Check(); }

absl::Status MakeLogDurable(const std::string& path) { return RewriteInPlace(path); }

}  // namespace tandem::journal::sqlite
