#include "router/base/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Status, CarriesReasonFieldsRetryAndFacts) {
  absl::Status status = InvalidField("LABEL_DUPLICATE", "labels[1].name", "\"site\" occurs twice");
  status = AddField(status, {"labels[2]", "empty"});
  status = AddRetry(status, absl::Milliseconds(1500));
  status = AddFact(status, "cursor", "abc");

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), "LABEL_DUPLICATE");
  EXPECT_THAT(FieldsOf(status), ElementsAre(FieldError{"labels[1].name", "\"site\" occurs twice"},
                                            FieldError{"labels[2]", "empty"}));
  EXPECT_EQ(RetryOf(status), absl::Milliseconds(1500));
  EXPECT_THAT(FactsOf(status), ElementsAre(Pair("cursor", "abc")));
}

TEST(Status, KeepsWhatWasAddedWhenItIsAnnotated) {
  const absl::Status status = Annotate(InvalidField("BAD", "name", "empty"), "playbook");

  EXPECT_EQ(MessageOf(status), "playbook: name: empty");
  EXPECT_EQ(ReasonOf(status), "BAD");
  EXPECT_TRUE(Annotate(absl::OkStatus(), "x").ok());
}

TEST(Status, NamesTheReasonOfAForeignError) {
  EXPECT_EQ(ReasonOf(absl::NotFoundError("x")), "NOT_FOUND");
  EXPECT_EQ(RetryOf(absl::NotFoundError("x")), std::nullopt);
}

}  // namespace
}  // namespace tandem
