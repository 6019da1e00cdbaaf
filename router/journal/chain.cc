// The hash chain of a tenant: see ChainHash in journal.h and FORMAT.md.
#include "router/base/check.h"
#include "router/journal/journal.h"
#include "router/journal/sha256.h"

namespace tandem::journal {

Hash ChainHash(const Hash& previous, const TenantId& tenant, Sequence sequence, absl::Time time,
               std::string_view body) {
  TANDEM_CHECK(tenant.value.size() <= 255, "the length of a tenant id is stored in one byte");
  // One context per thread: a record of 300 bytes would pay as much for a new one as for its hash.
  thread_local Sha256 sha256;
  return sha256.Bytes(previous)
      .Byte(static_cast<std::uint8_t>(tenant.value.size()))
      .Bytes(tenant.value)
      .Number(sequence.value)
      .Number(static_cast<std::uint64_t>(absl::ToUnixMicros(time)))
      .Bytes(body)
      .Finish();
}

}  // namespace tandem::journal
