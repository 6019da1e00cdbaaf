#include "router/api/cursor.h"

#include <gtest/gtest.h>

#include "router/base/status.h"

namespace tandem::api {
namespace {

const Positions kPositions = {{TenantId("harbor-mfg"), {Sequence(7)}},
                              {TenantId("mill"), {Sequence(12), 3}},
                              {TenantId("new"), {}}};

TEST(CursorTest, GivesBackEveryPosition) {
  const auto read = ReadCursor(MakeCursor(kPositions));

  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, kPositions);
}

TEST(CursorTest, IsMadeOfWhatStandsInAUrlUnquoted) {
  EXPECT_EQ(MakeCursor(kPositions)
                .find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_"),
            std::string::npos);
}

TEST(CursorTest, OfNoTenantsIsStillACursor) {
  const auto read = ReadCursor(MakeCursor({}));

  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(read->empty());
}

TEST(CursorTest, IsRefusedWhenItWasCut) {
  const std::string cursor = MakeCursor(kPositions);

  for (std::size_t length = 0; length < cursor.size(); ++length) {
    EXPECT_FALSE(ReadCursor(cursor.substr(0, length)).ok()) << length;
  }
}

TEST(CursorTest, IsRefusedWhenALetterWasChanged) {
  const std::string cursor = MakeCursor(kPositions);

  for (std::size_t i = 0; i + 1 < cursor.size(); ++i) {  // the last letter has unused bits
    std::string changed = cursor;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const auto read = ReadCursor(changed);
    ASSERT_FALSE(read.ok()) << i;
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ReasonOf(read.status()), "CURSOR_INVALID");
  }
}

TEST(CursorTest, ThatIsNoneIsRefused) {
  for (const char* text : {"", "x", "not base 64!", "AAAAAAAAAAAAAAAA"}) {
    EXPECT_EQ(ReasonOf(ReadCursor(text).status()), "CURSOR_INVALID") << text;
  }
  EXPECT_FALSE(ReadCursor(std::string((1 << 20) + 4, 'A')).ok());
  EXPECT_FALSE(ReadCursor(MakePageToken("7", "incidents")).ok());
}

TEST(FeedPositionTest, AnEventOfARecordComesBeforeTheWholeRecordAndAfterTheOneBefore) {
  EXPECT_LT((FeedPosition{Sequence(6)}), (FeedPosition{Sequence(7), 1}));
  EXPECT_LT((FeedPosition{Sequence(7), 1}), (FeedPosition{Sequence(7), 2}));
  EXPECT_LT((FeedPosition{Sequence(7), 2}), (FeedPosition{Sequence(7)}));
}

TEST(PageTokenTest, GivesThePositionBackToTheSameRequest) {
  const auto position = ReadPageToken(MakePageToken("a position", "request 1"), "request 1");

  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(*position, "a position");
}

TEST(PageTokenTest, IsRefusedByAnotherRequest) {
  const auto position = ReadPageToken(MakePageToken("a position", "request 1"), "request 2");

  EXPECT_EQ(position.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(position.status()), "PAGE_TOKEN_INVALID");
  ASSERT_EQ(FieldsOf(position.status()).size(), 1U);
  EXPECT_EQ(FieldsOf(position.status()).front().field, "page_token");
}

TEST(PageTokenTest, ThatIsNoneIsRefused) {
  for (const char* text : {"", "x", "AAAAAAAAAAAAAAAA"}) {
    EXPECT_FALSE(ReadPageToken(text, "request 1").ok()) << text;
  }
}

}  // namespace
}  // namespace tandem::api
