#include "services/runtime/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace tandem::runtime {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

struct HealthTest : testing::Test {
  HealthTest() {
    health.Add(
        {.name = "journal", .services = {"Ingest", "Feed"}, .why_not = [this] { return journal; }});
    health.Add({.name = "context", .services = {"Context"}, .why_not = [this] { return context; }});
    readiness.Ready("process");
  }
  // What has been said of each service since the last time.
  std::map<std::string, bool> Look() {
    said.clear();
    health.Look();
    return said;
  }

  Readiness readiness;
  std::map<std::string, bool> said;
  Health health{&readiness,
                [this](const std::string& service, bool serving) { said[service] = serving; }};
  std::string journal;
  std::string context;
};

TEST_F(HealthTest, SaysOnceThatAllIsWell) {
  EXPECT_THAT(Look(), UnorderedElementsAre(Pair("", true), Pair("Ingest", true), Pair("Feed", true),
                                           Pair("Context", true)));
  EXPECT_THAT(Look(), IsEmpty());
  EXPECT_EQ(readiness.WhyNot(), "");
}

TEST_F(HealthTest, APartThatCannotWorkTakesItsServicesAndTheWholeAlong) {
  Look();
  journal = "the disk is full";
  EXPECT_THAT(Look(),
              UnorderedElementsAre(Pair("", false), Pair("Ingest", false), Pair("Feed", false)));
  EXPECT_EQ(readiness.WhyNot(), "journal: the disk is full");

  journal = "";
  EXPECT_THAT(Look(),
              UnorderedElementsAre(Pair("", true), Pair("Ingest", true), Pair("Feed", true)));
  EXPECT_EQ(readiness.WhyNot(), "");
}

TEST_F(HealthTest, TheWholeIsWellOnlyWhenEveryPartIs) {
  journal = "the disk is full";
  context = "the store failed";
  Look();
  context = "";

  EXPECT_THAT(Look(), UnorderedElementsAre(Pair("Context", true)));
  EXPECT_EQ(readiness.WhyNot(), "journal: the disk is full");
}

TEST_F(HealthTest, AnotherReasonIsPassedOn) {
  journal = "the disk is full";
  Look();
  journal = "failed";
  Look();

  EXPECT_EQ(readiness.WhyNot(), "journal: failed");
}

}  // namespace
}  // namespace tandem::runtime
