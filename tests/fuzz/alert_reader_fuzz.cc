// A batch is refused or read; what is read agrees with protobuf's own parser, and a stored batch is
// read again whatever it holds.
#include <string_view>

#include "router/codec/alert_reader.h"
#include "tandem/v1/alert_ingest.pb.h"
#include "tests/fuzz/fuzz_check.h"

using namespace tandem;

namespace {

std::string_view ValueOf(const v1::Alert& alert, std::string_view name) {
  for (const v1::Label& label : alert.labels()) {
    if (label.name() == name) return label.value();
  }
  return {};
}

void CheckAgainst(const v1::AlertBatch& parsed, const codec::ReadBatch& read) {
  FUZZ_CHECK(read.number == parsed.number());
  FUZZ_CHECK(read.sent == static_cast<std::uint32_t>(parsed.alerts_size()));
  for (const core::AlertItem& item : read.items) {
    const v1::Alert& alert = parsed.alerts(static_cast<int>(item.index));
    FUZZ_CHECK(!item.labels.empty());
    for (std::size_t i = 0; i < item.labels.size(); ++i) {
      FUZZ_CHECK(!item.labels[i].value.empty());
      FUZZ_CHECK(i == 0 || item.labels[i - 1].name < item.labels[i].name);
      FUZZ_CHECK(item.labels[i].value == ValueOf(alert, item.labels[i].name));
    }
    FUZZ_CHECK(item.annotations.size() == static_cast<std::size_t>(alert.annotations_size()));
    FUZZ_CHECK(item.generator_url == alert.generator_url());
    FUZZ_CHECK(item.starts_at.has_value() == alert.has_starts_at());
    FUZZ_CHECK(item.ends_at.has_value() == alert.has_ends_at());
    if (item.ends_at) {
      FUZZ_CHECK(absl::ToUnixSeconds(*item.ends_at) == alert.ends_at().seconds());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr core::IdentityKey kKey{};
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto read = codec::ReadAlertBatch(bytes, kKey, absl::FromUnixSeconds(1780315200));
  const codec::ReadBatch stored = codec::ReadStoredBatch(bytes, kKey);
  if (!read.ok()) return 0;
  FUZZ_CHECK(read->items.size() + read->refusals.size() == read->sent);
  FUZZ_CHECK(stored.sent == read->sent && stored.items.size() >= read->items.size());
  v1::AlertBatch parsed;
  if (parsed.ParseFromArray(data, static_cast<int>(size))) CheckAgainst(parsed, *read);
  return 0;
}
