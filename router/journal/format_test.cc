// FORMAT.md is a promise: its worked example is computed anew here.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "router/journal/journal.h"
#include "router/journal/sha256.h"
#include "router/journal/sqlite_schema.h"

namespace tandem::journal {
namespace {

// "key value" lines between the marks of the example.
std::map<std::string, std::string> ReadExample() {
  std::ifstream file(TANDEM_JOURNAL_FORMAT);
  EXPECT_TRUE(file.is_open()) << TANDEM_JOURNAL_FORMAT;
  std::map<std::string, std::string> example;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "<!-- example -->") inside = !inside;
    std::istringstream words(line);
    std::string key;
    std::string value;
    if (inside && words >> key >> value) example[key] = value;
  }
  return example;
}

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

Hash HashOf(const std::string& hex) {
  Hash hash = {};
  const std::string bytes = FromHex(hex);
  EXPECT_EQ(bytes.size(), hash.size()) << hex;
  std::copy_n(bytes.begin(), std::min(bytes.size(), hash.size()), hash.begin());
  return hash;
}

TEST(FormatDocument, ItsExampleIsWhatTheProgramComputes) {
  auto example = ReadExample();
  const TenantId tenant(example["tenant"]);
  const Sequence sequence(std::stoull(example["sequence"]));
  const absl::Time time = absl::FromUnixMicros(std::stoll(example["time_us"]));
  const std::string body = FromHex(example["body"]);

  EXPECT_EQ(HexText(Sha256().Bytes(FromHex(example["hashed"])).Finish()), example["hash"]);
  EXPECT_EQ(HexText(ChainHash(HashOf(example["previous"]), tenant, sequence, time, body)),
            example["hash"]);
  EXPECT_EQ(std::to_string(sqlite::RowKey(std::stoll(example["tenant_id"]), sequence.value)),
            example["id"]);
}

}  // namespace
}  // namespace tandem::journal
