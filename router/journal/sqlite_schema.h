// What a database of ours looks like: settings, tables, keys and seals. FORMAT.md describes them.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string_view>

#include "router/base/ids.h"
#include "router/journal/journal.h"
#include "router/journal/sqlite_connection.h"

namespace tandem::journal::sqlite {

// Raised with every change that an older program would misread.
inline constexpr std::int64_t kFormatVersion = 2;
// A run is 32 neighbouring records: the key of a record shifted by so many bits. event_runs says in
// which of them an incident has events. An index over the events themselves would be written in a
// different page for each incident of a commit: half of all pages written.
inline constexpr int kRunBits = 5;
// "TNDM": `file journal.db` shows it.
inline constexpr std::int64_t kApplicationId = 0x544e444d;

// A row that belongs to a tenant has the key tenant · 2^40 + number, so that the rows of a tenant
// lie together in order, and no second index is needed to find them. 2^40 records are 34 years of
// 1,000 a second; 2^23 tenants are more than one machine holds.
inline constexpr int kNumberBits = 40;
inline constexpr std::int64_t kNumberMax = (std::int64_t{1} << kNumberBits) - 1;
inline constexpr std::int64_t kTenantMax = (std::int64_t{1} << 23) - 1;

// REQUIRES: tenant in 1…kTenantMax, number <= kNumberMax (both stop the process).
std::int64_t RowKey(std::int64_t tenant, std::uint64_t number);
inline std::int64_t FirstKey(std::int64_t tenant) { return RowKey(tenant, 0); }
inline std::int64_t LastKey(std::int64_t tenant) { return RowKey(tenant, kNumberMax); }
inline std::uint64_t NumberOf(std::int64_t key) {
  return static_cast<std::uint64_t>(key & kNumberMax);
}

// The checksum that a row of the read model carries: the first 8 bytes of a SHA-256 over all that
// it says. (Records have their hash chain instead.)
std::int64_t SealOf(const IncidentRow& row);
std::int64_t SealOf(const EventRow& row);
std::int64_t SealOf(const DeliveryRow& row);
std::int64_t SealOf(const TenantId& tenant, const PrunedRange& range);

// FAILED_PRECONDITION: JOURNAL_NEWER for a newer format, JOURNAL_FOREIGN for a database that is not
// ours. `*empty` tells a new file. Writes nothing.
absl::Status CheckFormat(const Connection& connection, bool* empty);

// Settings of each kind of connection. Those on which durability rests are read back: INTERNAL with
// reason JOURNAL_SETTINGS when SQLite did not take them.
absl::Status SetUpWriter(const Connection& connection, std::uint32_t page_bytes_of_a_new_file);
absl::Status SetUpCheckpointer(const Connection& connection);
absl::Status SetUpReader(const Connection& connection);

absl::StatusOr<std::int64_t> PageBytes(const Connection& connection);

// REQUIRES: CheckFormat found the file empty, SetUpWriter succeeded.
absl::Status CreateTables(const Connection& connection);
// Brings a database of an older format to this one, in one transaction.
// REQUIRES: CheckFormat found it to be ours and no newer, SetUpWriter succeeded.
absl::Status Upgrade(const Connection& connection);

}  // namespace tandem::journal::sqlite
