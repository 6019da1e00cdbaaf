#include "router/context/csv_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem::context {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<CsvRow> ReadAll(std::string_view content) {
  CsvReader reader(content);
  std::vector<CsvRow> rows;
  while (auto row = reader.Next()) rows.push_back(*std::move(row));
  return rows;
}

TEST(CsvReader, ReadsQuotesAsTheStandardHasThem) {
  const auto rows = ReadAll("a,\"b,\"\"c\"\"\r\nd\",\r\n\"\",e\r\n");
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_THAT(rows[0].cells, ElementsAre("a", "b,\"c\"\r\nd", ""));
  EXPECT_THAT(rows[1].cells, ElementsAre("", "e"));
}

TEST(CsvReader, TakesAFileWithoutALastLineEndAndWithAByteOrderMark) {
  const auto rows = ReadAll(
      "\xEF\xBB\xBF"
      "a,b\n1,2");
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_THAT(rows[0].cells, ElementsAre("a", "b"));
  EXPECT_THAT(rows[1].cells, ElementsAre("1", "2"));
}

TEST(CsvReader, KeepsAnEmptyLastCell) {
  EXPECT_THAT(ReadAll("a,").at(0).cells, ElementsAre("a", ""));
  EXPECT_THAT(ReadAll("a,\n").at(0).cells, ElementsAre("a", ""));
}

TEST(CsvReader, CountsTheLinesThatItSkips) {
  const auto rows = ReadAll("a\n\n\r\nb\n");
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[1].number, 4u);
}

TEST(CsvReader, SaysWhatIsWrongAndGoesOnWithTheNextLine) {
  const auto rows = ReadAll("a,b\"c\n\"d\"e,f\ng\rh\nok\n");
  ASSERT_THAT(rows, SizeIs(4));
  EXPECT_THAT(rows[0].mistake, HasSubstr("middle of a cell"));
  EXPECT_THAT(rows[1].mistake, HasSubstr("behind a closing quote"));
  EXPECT_THAT(rows[2].mistake, HasSubstr("carriage return"));
  EXPECT_THAT(rows[3].mistake, IsEmpty());
}

TEST(CsvReader, EndsAtAQuoteThatIsNeverClosed) {
  const auto rows = ReadAll("a\n\"b\nc\n");
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_THAT(rows[1].mistake, HasSubstr("never closed"));
}

TEST(CsvReader, KeepsNoMoreCellsThanTheLimit) {
  const auto rows = ReadAll(std::string(kCsvCellsMax, ','));
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_THAT(rows[0].cells, SizeIs(kCsvCellsMax));
  EXPECT_TRUE(rows[0].too_many_cells);
  EXPECT_FALSE(ReadAll(std::string(kCsvCellsMax - 1, ','))[0].too_many_cells);
}

}  // namespace
}  // namespace tandem::context
