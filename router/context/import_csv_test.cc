#include "router/context/import_csv.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/context/content.h"
#include "router/context/limits.h"

namespace tandem::context {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// "place: description" of every mistake.
std::vector<std::string> Mistakes(std::string_view content) {
  std::vector<std::string> mistakes;
  const auto file = ReadCsv(content);
  EXPECT_FALSE(file.ok());
  for (const FieldError& field : FieldsOf(file.status())) {
    mistakes.push_back(fmt::format("{}: {}", field.field, field.description));
  }
  return mistakes;
}

TEST(ReadCsv, ReadsEveryKindOfColumn) {
  const auto file = ReadCsv(
      "kind,id,name,criticality,relation:runs_at,relation:depends_on,coordination\n"
      "service,mes,\"Execution, plant 7\",high,site/plant-7,service/erp; "
      "service/ldap,plant-it;noc\n"
      "site,plant-7,,,,,\n");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_THAT(file->entities, SizeIs(2));
  EXPECT_FALSE(file->states_all);
  const v1::Entity mes = *UnpackContent(file->entities[0].content);
  EXPECT_EQ(ToText(file->entities[0].key), "service/mes");
  EXPECT_EQ(mes.display_name(), "Execution, plant 7");
  EXPECT_EQ(mes.attributes().at("criticality"), "high");
  EXPECT_THAT(mes.coordination(), ElementsAre("plant-it", "noc"));
  ASSERT_EQ(mes.relations_size(), 3);
  EXPECT_EQ(mes.relations(2).kind(), "depends_on");
  EXPECT_EQ(mes.relations(2).target(), "service/ldap");
  EXPECT_THAT(file->entities[1].content, IsEmpty());
}

TEST(ReadCsv, NamesRowAndColumnOfEveryMistakeAtOnce) {
  EXPECT_THAT(
      Mistakes("kind,id,relation:runs_at,owner\n"
               "sit,a,,\n"
               "site,a b,,\n"
               "site,c,plant,\n"
               "site,d,,ok\n"
               "site,e,\n"
               "site,d,,\n"
               "site,\"f\"x,,\n"),
      ElementsAre(HasSubstr("row 2, column \"kind\": \"sit\" is no kind"),
                  HasSubstr("row 3, column \"id\": \"a b\" is no id"),
                  HasSubstr("row 4, column \"relation:runs_at\": \"plant\" names no entity"),
                  "row 6: has 3 cells; expected 4, as the first row",
                  "row 7, column \"id\": site/d occurs twice, first in row 5",
                  HasSubstr("row 8: text behind a closing quote")));
}

TEST(ReadCsv, NamesTheColumnThatIsMissingTwiceOrWithoutName) {
  EXPECT_THAT(Mistakes("kind,name,name,\n"),
              ElementsAre("row 1, column \"name\": occurs twice",
                          HasSubstr("row 1, cell 4: a column without a name"),
                          HasSubstr("row 1, column \"id\": is missing")));
  EXPECT_THAT(Mistakes(""), ElementsAre(HasSubstr("the file is empty")));
}

TEST(ReadCsv, SaysWhichCellIsNotUtf8) {
  EXPECT_THAT(Mistakes("kind,id,name\nsite,a,Z\xFCrich\n"),
              ElementsAre("row 2, column \"name\": is not UTF-8; save the file as UTF-8"));
}

TEST(ReadCsv, RefusesAColumnThatCannotBeAnAttribute) {
  EXPECT_THAT(Mistakes("kind,id,last check\nsite,a,today\n"),
              ElementsAre(HasSubstr("row 2, column \"last check\": is no name of an attribute")));
}

TEST(ReadCsv, ListsAHundredMistakesAndCountsThemAll) {
  std::string content = "kind,id\n";
  for (int i = 0; i < 250; ++i) content += "x,y\n";
  const absl::Status status = ReadCsv(content).status();
  EXPECT_THAT(FieldsOf(status), SizeIs(kProblemsMax));
  EXPECT_THAT(MessageOf(status), HasSubstr("250 mistakes in the file, nothing was imported"));
}

TEST(ReadCsv, TakesAnAttributeWhoseNameMeansSomethingElseByItsPrefix) {
  const auto file = ReadCsv("kind,id,attribute:kind,tier\nsite,plant-7,factory,1\n");
  ASSERT_TRUE(file.ok()) << file.status();
  const auto entity = UnpackContent(file->entities.at(0).content);
  EXPECT_EQ(entity->attributes().at("kind"), "factory");
  EXPECT_EQ(entity->attributes().at("tier"), "1");
  EXPECT_EQ(ReasonOf(ReadCsv("kind,id,tier,attribute:tier\nsite,a,1,2\n").status()),
            "IMPORT_INVALID");
}

}  // namespace
}  // namespace tandem::context
