#include "router/journal/wire.h"

#include <algorithm>

#include "router/base/check.h"

namespace tandem::journal {
namespace {

std::uint64_t ReadNumber(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = (number << 8) | static_cast<std::uint8_t>(c);
  return number;
}

}  // namespace

void PutNumber32(std::string& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

void PutNumber64(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

void PutHash(std::string& out, const Hash& hash) { out.append(hash.begin(), hash.end()); }

void PutTenant(std::string& out, const TenantId& tenant) {
  TANDEM_CHECK(tenant.value.size() <= 255, "the length of a tenant id is stored in one byte");
  out.push_back(static_cast<char>(tenant.value.size()));
  out.append(tenant.value);
}

std::optional<std::string_view> Taker::TakeBytes(std::size_t size) {
  if (failed_ || rest_.size() < size) {
    failed_ = true;
    return std::nullopt;
  }
  const std::string_view bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return bytes;
}

std::optional<std::uint32_t> Taker::TakeNumber32() {
  const auto bytes = TakeBytes(4);
  if (!bytes) return std::nullopt;
  return static_cast<std::uint32_t>(ReadNumber(*bytes));
}

std::optional<std::uint64_t> Taker::TakeNumber64() {
  const auto bytes = TakeBytes(8);
  if (!bytes) return std::nullopt;
  return ReadNumber(*bytes);
}

std::optional<Hash> Taker::TakeHash() {
  Hash hash;
  const auto bytes = TakeBytes(hash.size());
  if (!bytes) return std::nullopt;
  std::ranges::copy(*bytes, hash.begin());
  return hash;
}

std::optional<TenantId> Taker::TakeTenant() {
  const auto size = TakeBytes(1);
  if (!size) return std::nullopt;
  const auto bytes = TakeBytes(static_cast<std::uint8_t>(size->front()));
  if (!bytes) return std::nullopt;
  return TenantId(std::string(*bytes));
}

}  // namespace tandem::journal
