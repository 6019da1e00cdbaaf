// A cursor over the protobuf wire format (protobuf.dev/programming-guides/encoding): tags, varints
// and length-delimited fields. Reads never pass the end; `ok` turns false at the first malformed
// byte.
//
// Pure; the cursor points into bytes of its caller.
#pragma once

#include <cstdint>
#include <string_view>

namespace tandem::codec {

class Wire {
 public:
  explicit Wire(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  enum Type : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  // The next field's tag (number << 3 | type), or 0 at the end and after an error.
  std::uint32_t Tag() {
    if (at_ == end_) return 0;
    const std::uint64_t tag = Varint();
    // Field numbers start at 1 and have 29 bits.
    if (!ok_ || (tag >> 3) == 0 || (tag >> 32) != 0) return Fail();
    return static_cast<std::uint32_t>(tag);
  }

  std::uint64_t Varint() {
    if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) {
      return static_cast<unsigned char>(*at_++);
    }
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return Fail();
  }

  std::string_view Bytes() {
    const std::uint64_t size = Varint();
    if (!ok_ || size > static_cast<std::uint64_t>(end_ - at_)) {
      Fail();
      return {};
    }
    const std::string_view bytes(at_, static_cast<std::size_t>(size));
    at_ += size;
    return bytes;
  }

  // Passes over the value of a field that is not known. Groups (types 3 and 4) are not read: no
  // message of ours ever had one.
  void Skip(std::uint32_t tag) {
    switch (tag & 7) {
      case kVarint:
        Varint();
        return;
      case kBytes:
        Bytes();
        return;
      case kFixed64:
        Advance(8);
        return;
      case kFixed32:
        Advance(4);
        return;
      default:
        Fail();
    }
  }

  bool ok() const { return ok_; }

 private:
  std::uint32_t Fail() {
    ok_ = false;
    at_ = end_;
    return 0;
  }
  void Advance(std::ptrdiff_t by) {
    if (end_ - at_ < by) {
      Fail();
    } else {
      at_ += by;
    }
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace tandem::codec
