#include "router/journal/export.h"

#include <fmt/format.h>

#include <fstream>
#include <optional>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/journal/errors.h"
#include "router/journal/file.h"
#include "router/journal/sha256.h"
#include "router/journal/wire.h"

namespace tandem::journal {
namespace {

constexpr std::string_view kMagic = "TNDMEXPT";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kRowHeaderBytes = 8 + 8 + 32;    // sequence, time, hash
constexpr std::uint32_t kRowBytesMax = 1'000'000'000;  // SQLite's limit of a row
constexpr std::uint32_t kStep = 1'000;                 // records a read

// Passes bytes on and hashes them.
class HashingSink {
 public:
  explicit HashingSink(ExportSink sink) : sink_(sink) {}
  absl::Status Put(std::string_view bytes) {
    sha256_.Bytes(bytes);
    return sink_(bytes);
  }
  Hash Finish() { return sha256_.Finish(); }

 private:
  ExportSink sink_;
  Sha256 sha256_;
};

std::string HeaderOf(const RecordRow& first) {
  std::string header(kMagic);
  PutNumber32(header, kVersion);
  PutTenant(header, first.tenant);
  PutHash(header, first.previous);
  return header;
}

std::string RowOf(const RecordRow& record) {
  std::string row;
  row.reserve(4 + kRowHeaderBytes + record.body.size());
  PutNumber32(row, static_cast<std::uint32_t>(kRowHeaderBytes + record.body.size()));
  PutNumber64(row, record.sequence.value);
  PutNumber64(row, static_cast<std::uint64_t>(absl::ToUnixMicros(record.time)));
  PutHash(row, record.hash);
  row.append(record.body);
  return row;
}

absl::StatusOr<TenantHead> HeadOf(Reader& reader, const TenantId& tenant) {
  TANDEM_ASSIGN_OR_RETURN(const std::vector<TenantHead> heads, reader.ReadHeads());
  for (const TenantHead& head : heads) {
    if (head.tenant == tenant) return head;
  }
  return Error(absl::StatusCode::kNotFound, "TENANT_UNKNOWN",
               fmt::format("journal: tenant {} has no records", Printable(tenant.value)));
}

// Writes the next records, up to `last`; the first of all is `first`.
absl::Status PutSomeRecords(Reader& reader, Sequence first, Sequence last, HashingSink& sink,
                            ExportSummary& summary) {
  absl::Status status;
  std::uint32_t seen = 0;
  const Sequence from = summary.records == 0 ? first : summary.last.Next();
  const absl::Status read = reader.ReadRecords(summary.tenant, from, [&](const RecordRow& row) {
    if (summary.records == 0) {
      summary.first = row.sequence;
      status = sink.Put(HeaderOf(row));
    } else if (row.sequence != summary.last.Next() || row.previous != summary.head) {
      status = DamagedRecord(summary.tenant, summary.last.Next(), "it is missing or altered");
    }
    status.Update(status.ok() ? sink.Put(RowOf(row)) : status);
    if (!status.ok()) return false;
    summary.last = row.sequence;
    summary.head = row.hash;
    ++summary.records;
    return ++seen < kStep && row.sequence < last;
  });
  TANDEM_RETURN_IF_ERROR(status);
  TANDEM_RETURN_IF_ERROR(read);
  if (seen == 0) return DamagedRecord(summary.tenant, from, "it is missing");
  return absl::OkStatus();
}

// Reads a file from front to back and hashes what it hands out.
class ExportFile {
 public:
  explicit ExportFile(const std::string& path)
      : path_(path), stream_(path, std::ios::binary | std::ios::ate) {
    if (!is_open()) return;
    size_ = static_cast<std::uint64_t>(stream_.tellg());
    stream_.seekg(0);
  }
  bool is_open() const { return stream_.is_open(); }

  absl::StatusOr<std::string> Take(std::size_t size) {
    // Before memory is taken for a length that an altered file asks for.
    if (size > size_ - at_) return Damage("it is cut off");
    std::string bytes(size, '\0');
    stream_.read(bytes.data(), static_cast<std::streamsize>(size));
    if (static_cast<std::size_t>(stream_.gcount()) != size) return Damage("it is cut off");
    sha256_.Bytes(bytes);
    at_ += size;
    return bytes;
  }
  bool IsAtEnd() const { return at_ == size_; }
  Hash Finish() { return sha256_.Finish(); }

  absl::Status Damage(std::string_view what) const {
    return Error(absl::StatusCode::kDataLoss, "EXPORT_DAMAGED",
                 fmt::format("{}: {} (at byte {}); export it again", path_, what, at_));
  }

 private:
  const std::string path_;
  std::ifstream stream_;
  std::uint64_t size_ = 0;
  std::uint64_t at_ = 0;
  Sha256 sha256_;
};

absl::Status ReadHeader(ExportFile& file, ExportSummary& summary) {
  TANDEM_ASSIGN_OR_RETURN(const std::string start, file.Take(kMagic.size() + 4));
  if (!start.starts_with(kMagic)) return file.Damage("it is not an export of a journal");
  Taker taker(std::string_view(start).substr(kMagic.size()));
  if (const std::uint32_t version = *taker.TakeNumber32(); version != kVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, "EXPORT_NEWER",
                 fmt::format("the export has format {}, this program knows {}; use the newer "
                             "program that wrote it",
                             version, kVersion));
  }
  TANDEM_ASSIGN_OR_RETURN(const std::string size, file.Take(1));
  TANDEM_ASSIGN_OR_RETURN(std::string tenant, file.Take(static_cast<std::uint8_t>(size[0])));
  summary.tenant = TenantId(std::move(tenant));
  TANDEM_ASSIGN_OR_RETURN(const std::string previous, file.Take(summary.head.size()));
  summary.head = *Taker(previous).TakeHash();
  return absl::OkStatus();
}

absl::StatusOr<RecordRow> ReadRow(ExportFile& file, std::uint32_t size,
                                  const ExportSummary& summary) {
  if (size < kRowHeaderBytes || size > kRowBytesMax) return file.Damage("a length is out of range");
  TANDEM_ASSIGN_OR_RETURN(const std::string header, file.Take(kRowHeaderBytes));
  Taker taker(header);
  RecordRow row{.tenant = summary.tenant};
  row.sequence = Sequence(*taker.TakeNumber64());
  row.time = absl::FromUnixMicros(static_cast<std::int64_t>(*taker.TakeNumber64()));
  row.hash = *taker.TakeHash();
  row.previous = summary.head;
  TANDEM_ASSIGN_OR_RETURN(row.body, file.Take(size - kRowHeaderBytes));
  if (summary.records > 0 && row.sequence != summary.last.Next()) {
    return DamagedRecord(row.tenant, summary.last.Next(), "it is missing");
  }
  if (row.hash != ChainHash(row.previous, row.tenant, row.sequence, row.time, row.body)) {
    return DamagedRecord(row.tenant, row.sequence, "its bytes do not fit its hash");
  }
  return row;
}

absl::Status ReadTrailer(ExportFile& file, const ExportSummary& summary) {
  TANDEM_ASSIGN_OR_RETURN(const std::string trailer, file.Take(8 + 8 + 32));
  Taker taker(trailer);
  if (*taker.TakeNumber64() != summary.records || *taker.TakeNumber64() != summary.last.value ||
      *taker.TakeHash() != summary.head) {
    return file.Damage("its end does not fit its records");
  }
  const Hash computed = file.Finish();
  TANDEM_ASSIGN_OR_RETURN(const std::string stored, file.Take(computed.size()));
  if (*Taker(stored).TakeHash() != computed) return file.Damage("it does not fit its checksum");
  if (!file.IsAtEnd()) return file.Damage("there is more behind its end");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ExportSummary> ExportTenant(Reader& reader, const TenantId& tenant,
                                           ExportSink sink) {
  TANDEM_ASSIGN_OR_RETURN(const TenantHead head, HeadOf(reader, tenant));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<PrunedRange> ranges, reader.ReadPruned(tenant));
  // One unbroken chain: single records that outlived what was around them are left out.
  const Sequence first = ranges.empty() ? Sequence(1) : ranges.back().last.Next();
  HashingSink hashing(sink);
  ExportSummary summary{.tenant = tenant};
  while (summary.last < head.sequence) {
    TANDEM_RETURN_IF_ERROR(PutSomeRecords(reader, first, head.sequence, hashing, summary));
  }
  std::string trailer;
  PutNumber32(trailer, 0);
  PutNumber64(trailer, summary.records);
  PutNumber64(trailer, summary.last.value);
  PutHash(trailer, summary.head);
  TANDEM_RETURN_IF_ERROR(hashing.Put(trailer));
  std::string checksum;
  PutHash(checksum, hashing.Finish());
  TANDEM_RETURN_IF_ERROR(sink(checksum));
  return summary;
}

absl::StatusOr<ExportSummary> ReadExport(const std::string& path,
                                         absl::FunctionRef<bool(const RecordRow&)> visit) {
  ExportFile file(path);
  if (!file.is_open()) return SystemError("open", path);
  ExportSummary summary;
  TANDEM_RETURN_IF_ERROR(ReadHeader(file, summary));
  for (;;) {
    TANDEM_ASSIGN_OR_RETURN(const std::string length, file.Take(4));
    const std::uint32_t size = *Taker(length).TakeNumber32();
    if (size == 0) break;
    TANDEM_ASSIGN_OR_RETURN(const RecordRow row, ReadRow(file, size, summary));
    if (summary.records == 0) summary.first = row.sequence;
    summary.last = row.sequence;
    summary.head = row.hash;
    ++summary.records;
    if (!visit(row)) return summary;
  }
  TANDEM_RETURN_IF_ERROR(ReadTrailer(file, summary));
  return summary;
}

absl::StatusOr<ExportSummary> VerifyExport(const std::string& path) {
  return ReadExport(path, [](const RecordRow&) { return true; });
}

}  // namespace tandem::journal
