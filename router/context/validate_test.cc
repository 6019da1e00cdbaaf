#include "router/context/validate.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "router/context/limits.h"

namespace tandem::context {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

v1::Entity Parse(const std::string& text) {
  v1::Entity entity;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &entity)) << text;
  return entity;
}

auto Problem(const std::string& field, const std::string& description) {
  return AllOf(Field(&FieldError::field, field),
               Field(&FieldError::description, HasSubstr(description)));
}

std::string OfBytes(std::size_t bytes) { return std::string(bytes, 'x'); }

TEST(CheckEntity, TakesAWholeEntity) {
  EXPECT_THAT(CheckEntity(Parse(R"pb(
                display_name: "Plant 7 – Dayton"
                attributes { key: "kind" value: "factory" }
                relations { kind: "supplied_by" target: "site/warehouse-2" }
                calendars {
                  key: "production-shift"
                  value {
                    location: "America/New_York"
                    intervals { times: "06:00-22:00" weekdays: "monday:friday" }
                  }
                }
                matchers: "instance=~\"plc-7-.*\""
                coordination: "plant-it"
              )pb")),
              IsEmpty());
}

TEST(CheckEntity, NamesEachPartThatIsWrongAndWhatWasExpected) {
  EXPECT_THAT(
      CheckEntity(Parse(R"pb(
        display_name: "a\nb"
        attributes { key: "2nd" value: "x" }
        attributes { key: "empty" value: "" }
        attributes { key: "name" value: "x" }
        relations { kind: "Runs" target: "site/a" }
        relations { kind: "runs_at" target: "sit/a" }
        relations { kind: "runs_at" target: "plant" }
        relations { kind: "runs_at" target: "site/a b" }
        calendars {
          key: "nights"
          value { intervals { times: "25:00-26:00" } }
        }
        calendars {
          key: "none"
          value {}
        }
        calendars {
          key: "zone"
          value {
            location: "Mars/Olympus"
            intervals { years: "2026" }
          }
        }
        matchers: "instance"
        matchers: "site.kind=\"x\""
        coordination: "a team"
      )pb")),
      ElementsAre(Problem("display_name", "control character"),
                  Problem("attributes[\"2nd\"]", "expected [a-zA-Z_]"),
                  Problem("attributes[\"empty\"]", "leave the attribute out"),
                  Problem("attributes[\"name\"]", "use another name"),
                  Problem("relations[0].kind", "such as runs_at"),
                  Problem("relations[1].target", "nearest: \"site\""),
                  Problem("relations[2].target", "expected {kind}/{id}"),
                  Problem("relations[3].target", "has no id"),
                  Problem("calendars[\"nights\"].intervals[0].times[0]", "25:00"),
                  Problem("calendars[\"none\"].intervals", "nothing says when"),
                  Problem("calendars[\"zone\"].location", "Mars/Olympus"),
                  Problem("matchers[0]", "no operator"), Problem("matchers[1]", "asks the context"),
                  Problem("coordination[0]", "is no team")));
}

TEST(CheckEntity, RefusesWhatOccursTwice) {
  EXPECT_THAT(CheckEntity(Parse(R"pb(
                relations { kind: "runs_at" target: "site/a" }
                relations { kind: "runs_at" target: "site/a" }
                coordination: "noc"
                coordination: "noc"
              )pb")),
              ElementsAre(Problem("relations[1]", "twice"), Problem("coordination[1]", "twice")));
}

TEST(CheckEntity, TakesWhatIsAtItsLimitAndRefusesOneMore) {
  v1::Entity entity;
  entity.set_display_name(OfBytes(kDisplayNameBytesMax));
  (*entity.mutable_attributes())[OfBytes(kAttributeNameBytesMax)] =
      OfBytes(kAttributeValueBytesMax);
  for (std::size_t i = 0; i < kMatchersMax; ++i) entity.add_matchers("a=\"b\"");
  EXPECT_THAT(CheckEntity(entity), IsEmpty());

  entity.mutable_display_name()->push_back('x');
  (*entity.mutable_attributes())["long"] = OfBytes(kAttributeValueBytesMax + 1);
  (*entity.mutable_attributes())[OfBytes(kAttributeNameBytesMax + 1)] = "x";
  entity.add_matchers("a=\"b\"");
  EXPECT_THAT(CheckEntity(entity), SizeIs(4));
}

TEST(CheckEntity, RefusesTooManyAttributesRelationsAndCalendars) {
  v1::Entity entity;
  for (std::size_t i = 0; i <= kAttributesMax; ++i) {
    const std::string n = std::to_string(i);
    (*entity.mutable_attributes())["a" + n] = "x";
    v1::Relation& relation = *entity.add_relations();
    relation.set_kind("runs_at");
    relation.set_target("site/s" + n);
    (*entity.mutable_calendars())["c" + n].add_intervals();
  }
  EXPECT_THAT(CheckEntity(entity), ElementsAre(Problem("attributes", "expected at most 64"),
                                               Problem("relations", "expected at most 64"),
                                               Problem("calendars", "expected at most 16")));
}

TEST(CheckEntity, RefusesAnEntityThatIsTooLargeInAll) {
  v1::Entity entity;
  for (int c = 0; c < 16; ++c) {
    auto& calendar = (*entity.mutable_calendars())["c" + std::to_string(c)];
    for (int i = 0; i < 64; ++i) {
      auto* interval = calendar.add_intervals();
      for (int t = 0; t < 30; ++t) interval->add_times("08:00-17:00");
    }
  }
  EXPECT_THAT(CheckEntity(entity), ElementsAre(Problem("", "expected at most 262144")));
}

TEST(Refuse, PutsTheFirstIntoTheMessageAndAllIntoTheFields) {
  const absl::Status status =
      Refuse("ENTITY_INVALID", "entity.", {{"display_name", "is wrong"}, {"", "is too large"}});
  EXPECT_EQ(MessageOf(status), "entity.display_name: is wrong");
  EXPECT_THAT(FieldsOf(status), ElementsAre(FieldError{"entity.display_name", "is wrong"},
                                            FieldError{"entity", "is too large"}));
}

TEST(CheckComment, TakesLinesAndRefusesTerminalCodes) {
  EXPECT_TRUE(CheckComment("moved to\n\tplant 8").ok());
  EXPECT_FALSE(CheckComment("\x1b[31m").ok());
  EXPECT_FALSE(CheckComment("\xff").ok());
  EXPECT_TRUE(CheckComment(OfBytes(kCommentBytesMax)).ok());
  EXPECT_FALSE(CheckComment(OfBytes(kCommentBytesMax + 1)).ok());
}

TEST(CheckRequestId, TakesAUuidAndNothingLong) {
  EXPECT_TRUE(CheckRequestId("").ok());
  EXPECT_TRUE(CheckRequestId("4fa1d1a2-4f5b-4a0e-8c1e-6a0f2f1b7d11").ok());
  EXPECT_FALSE(CheckRequestId("a b").ok());
  EXPECT_FALSE(CheckRequestId(OfBytes(kRequestIdBytesMax + 1)).ok());
}

}  // namespace
}  // namespace tandem::context
