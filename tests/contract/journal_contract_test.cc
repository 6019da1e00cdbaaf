// The journals that take part in the contract suite.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "router/base/status.h"
#include "tests/contract/journal_contract.h"
#include "tests/support/temporary_folder.h"

namespace tandem::testing {
namespace {

class MemoryStore final : public JournalStore {
 public:
  absl::StatusOr<std::unique_ptr<journal::Journal>> Open() override {
    return journal::NewMemoryJournal();
  }
  bool DamageBody(const TenantId&, Sequence, std::size_t) override { return false; }
};

class SqliteStore final : public JournalStore {
 public:
  absl::StatusOr<std::unique_ptr<journal::Journal>> Open() override {
    return journal::OpenSqliteJournal({.path = path()});
  }

  // Finds the block of 8 bytes that `offset` lies in; the bodies are made so that it is found once.
  bool DamageBody(const TenantId&, Sequence sequence, std::size_t offset) override {
    std::string block =
        DistinctBody(sequence.value, offset + 8).substr(offset & ~std::size_t{7}, 8);
    std::string file = Content();
    std::size_t at = file.find(block);
    if (at == std::string::npos) {
      block[offset & 7] = static_cast<char>(~block[offset & 7]);  // damaged before
      at = file.find(block);
    }
    if (at == std::string::npos) return false;  // cut by the end of a page
    std::fstream stream(path(), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(at + (offset & 7)));
    stream.put(static_cast<char>(~block[offset & 7]));
    return stream.good();
  }

 private:
  std::string path() const { return folder_.File("journal.db"); }
  std::string Content() const {
    std::ifstream stream(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  }

  const TemporaryFolder folder_;
};

template <typename Store>
JournalKind KindOf(std::string name) {
  return {std::move(name), [] { return std::make_unique<Store>(); }};
}

INSTANTIATE_TEST_SUITE_P(Journals, JournalContract,
                         ::testing::Values(KindOf<MemoryStore>("Memory"),
                                           KindOf<SqliteStore>("Sqlite")),
                         [](const auto& kind) { return kind.param.name; });

INSTANTIATE_TEST_SUITE_P(Journals, DurableJournalContract,
                         ::testing::Values(KindOf<SqliteStore>("Sqlite")),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace tandem::testing
