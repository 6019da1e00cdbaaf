// Numbers, hashes and texts of our own files: big endian, fixed width. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "router/journal/journal.h"

namespace tandem::journal {

void PutNumber32(std::string& out, std::uint32_t number);
void PutNumber64(std::string& out, std::uint64_t number);
void PutHash(std::string& out, const Hash& hash);
// Length in one byte, then the id. REQUIRES: at most 255 bytes.
void PutTenant(std::string& out, const TenantId& tenant);

// Takes values off the front of bytes. After the first value that is not there in full, every Take
// answers nullopt.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::uint32_t> TakeNumber32();
  std::optional<std::uint64_t> TakeNumber64();
  std::optional<Hash> TakeHash();
  std::optional<TenantId> TakeTenant();
  std::optional<std::string_view> TakeBytes(std::size_t size);
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace tandem::journal
