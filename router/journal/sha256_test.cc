#include "router/journal/sha256.h"

#include <gtest/gtest.h>

namespace tandem::journal {
namespace {

// From FIPS 180-2, appendix B.
TEST(Sha256, GivesTheDigestsOfTheStandard) {
  EXPECT_EQ(HexText(Sha256().Bytes("abc").Finish()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexText(Sha256().Finish()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, BeginsAnewAfterFinish) {
  Sha256 sha256;
  const Hash first = sha256.Bytes("abc").Finish();

  EXPECT_EQ(sha256.Bytes("a").Bytes("bc").Finish(), first);
}

TEST(Sha256, TellsNeighboursApartThatWereCutDifferently) {
  EXPECT_NE(Sha256().Sized("ab").Sized("c").Finish(), Sha256().Sized("a").Sized("bc").Finish());
}

TEST(ChainHash, DependsOnEverythingThatARecordSays) {
  const absl::Time time = absl::FromUnixMicros(1'700'000'000'000'001);
  const auto hash = [](const char* tenant, std::uint64_t sequence, absl::Time at, const char* body,
                       Hash previous = {}) {
    return ChainHash(previous, TenantId(tenant), Sequence(sequence), at, body);
  };
  const Hash base = hash("plant", 1, time, "body");

  EXPECT_EQ(hash("plant", 1, time, "body"), base);
  EXPECT_NE(hash("plan", 1, time, "body"), base);
  EXPECT_NE(hash("plant", 2, time, "body"), base);
  EXPECT_NE(hash("plant", 1, time + absl::Microseconds(1), "body"), base);
  EXPECT_NE(hash("plant", 1, time, "bodY"), base);
  EXPECT_NE(hash("plant", 1, time, "body", base), base);
}

}  // namespace
}  // namespace tandem::journal
