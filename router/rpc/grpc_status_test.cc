#include "router/rpc/grpc_status.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::rpc {
namespace {

using ::testing::EndsWith;

google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

template <typename Detail>
std::optional<Detail> Find(const grpc::Status& status) {
  Detail found;
  const google::rpc::Status details = DetailsOf(status);
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&found)) return found;
  }
  return std::nullopt;
}

TEST(ToGrpc, KeepsOk) { EXPECT_TRUE(ToGrpc(absl::OkStatus(), "r-1").ok()); }

TEST(ToGrpc, CarriesReasonDomainFactsAndRequestOnEveryError) {
  const grpc::Status wire =
      ToGrpc(AddFact(Error(absl::StatusCode::kNotFound, "TENANT_NOT_FOUND", "no such tenant"),
                     "tenant", "tenants/acme"),
             "r-1");

  EXPECT_EQ(wire.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(wire.error_message(), "no such tenant");
  EXPECT_EQ(DetailsOf(wire).code(), 5);
  EXPECT_EQ(DetailsOf(wire).message(), "no such tenant");
  const auto info = Find<google::rpc::ErrorInfo>(wire);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->reason(), "TENANT_NOT_FOUND");
  EXPECT_EQ(info->domain(), "tandem.v1");
  EXPECT_EQ(info->metadata().at("tenant"), "tenants/acme");
  EXPECT_EQ(Find<google::rpc::RequestInfo>(wire)->request_id(), "r-1");
  EXPECT_FALSE(Find<google::rpc::BadRequest>(wire).has_value());
  EXPECT_FALSE(Find<google::rpc::RetryInfo>(wire).has_value());
}

TEST(ToGrpc, NamesTheFieldsOfAnInvalidArgument) {
  const auto bad = Find<google::rpc::BadRequest>(
      ToGrpc(AddField(InvalidField("X", "alerts[0].labels", "is empty"), {"batch", "is 0"}), ""));

  ASSERT_EQ(bad->field_violations_size(), 2);
  EXPECT_EQ(bad->field_violations(0).field(), "alerts[0].labels");
  EXPECT_EQ(bad->field_violations(1).description(), "is 0");
}

TEST(ToGrpc, SaysWhatThePreconditionWas) {
  const auto failure = Find<google::rpc::PreconditionFailure>(ToGrpc(
      AddField(Error(absl::StatusCode::kFailedPrecondition, "INCIDENT_RESOLVED", "is resolved"),
               {"tenants/a/incidents/1", "is resolved since 12:00"}),
      ""));

  ASSERT_EQ(failure->violations_size(), 1);
  EXPECT_EQ(failure->violations(0).type(), "INCIDENT_RESOLVED");
  EXPECT_EQ(failure->violations(0).subject(), "tenants/a/incidents/1");
}

TEST(ToGrpc, SaysWhenToTryAgain) {
  const auto retry = Find<google::rpc::RetryInfo>(
      ToGrpc(AddRetry(Error(absl::StatusCode::kResourceExhausted, "MAILBOX_FULL", "full"),
                      absl::Milliseconds(1500)),
             ""));

  EXPECT_EQ(retry->retry_delay().seconds(), 1);
  EXPECT_EQ(retry->retry_delay().nanos(), 500'000'000);
}

TEST(ToGrpc, StaysBelowWhatPeersTakeAsTrailers) {
  absl::Status status = Error(absl::StatusCode::kInvalidArgument, "MANY", std::string(9000, 'm'));
  for (int i = 0; i < 1000; ++i) {
    status = AddField(std::move(status), {fmt::format("rows[{}]", i), "kind is unknown"});
  }
  status = AddFact(std::move(status), "cursor", "c-1");
  const grpc::Status wire = ToGrpc(status, "r-1");

  EXPECT_LE(wire.error_details().size(), kWireDetailsMax + 512);
  EXPECT_LE(wire.error_message().size(), kWireMessageMax);
  EXPECT_THAT(wire.error_message(), EndsWith("m…"));
  const auto info = Find<google::rpc::ErrorInfo>(wire);
  EXPECT_EQ(info->metadata().at("cursor"), "c-1");
  const int shown = Find<google::rpc::BadRequest>(wire)->field_violations_size();
  EXPECT_GT(shown, 50);
  EXPECT_EQ(info->metadata().at("fields_omitted"), fmt::format("{}", 1000 - shown));
}

TEST(ToGrpc, WritesIllFormedTextSoThatItCanBeRead) {
  const grpc::Status wire = ToGrpc(InvalidField("NOT_UTF8", "a\xff", "is not UTF-8: \xc3"), "r-1");

  EXPECT_TRUE(IsUtf8(wire.error_message()));
  EXPECT_EQ(Find<google::rpc::BadRequest>(wire)->field_violations(0).field(), "a\\xff");
}

TEST(ToGrpc, CutsBetweenCharacters) {
  std::string message = "x";
  while (message.size() < 2 * kWireMessageMax) message += "ü";

  EXPECT_TRUE(IsUtf8(ToGrpc(Error(absl::StatusCode::kInternal, "X", message), "").error_message()));
}

TEST(FromGrpc, RestoresWhatWasSent) {
  absl::Status sent = InvalidField("LABEL_INVALID", "labels[0]", "is empty");
  sent = AddRetry(std::move(sent), absl::Microseconds(1'500'001));
  sent = AddFact(std::move(sent), "cursor", "c-9");
  const grpc::Status wire = ToGrpc(sent, "r-7");
  const absl::Status back = FromGrpc(wire);

  EXPECT_EQ(back.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(MessageOf(back), MessageOf(sent));
  EXPECT_EQ(ReasonOf(back), "LABEL_INVALID");
  EXPECT_EQ(FieldsOf(back), FieldsOf(sent));
  EXPECT_EQ(RetryOf(back), RetryOf(sent));
  EXPECT_EQ(FactsOf(back), FactsOf(sent));
  EXPECT_EQ(RequestIdOf(wire), "r-7");
}

TEST(FromGrpc, RestoresEachCode) {
  for (int code = 1; code <= 16; ++code) {
    const auto absl_code = static_cast<absl::StatusCode>(code);
    EXPECT_EQ(FromGrpc(ToGrpc(Error(absl_code, "X", "y"), "")).code(), absl_code);
  }
}

TEST(FromGrpc, KeepsWhatAForeignServerSaid) {
  const absl::Status plain = FromGrpc({grpc::StatusCode::UNAVAILABLE, "connection refused"});
  const absl::Status garbage = FromGrpc({grpc::StatusCode::INTERNAL, "oops", "\x01garbage"});
  const absl::Status odd = FromGrpc({static_cast<grpc::StatusCode>(20), "odd"});

  EXPECT_EQ(plain.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(plain), "UNAVAILABLE");
  EXPECT_EQ(MessageOf(garbage), "oops");
  EXPECT_EQ(odd.code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(RequestIdOf({grpc::StatusCode::INTERNAL, "oops", "\x01garbage"}), "");
}

struct Row {
  absl::StatusCode code;
  int exit_code;
  int http;
};

TEST(ExitCodeAndHttpStatus, FollowTheirTables) {
  using C = absl::StatusCode;
  for (const Row& row : {Row{C::kOk, 0, 200},
                         {C::kCancelled, 1, 499},
                         {C::kUnknown, 1, 500},
                         {C::kInvalidArgument, 2, 400},
                         {C::kDeadlineExceeded, 3, 504},
                         {C::kNotFound, 1, 404},
                         {C::kAlreadyExists, 1, 409},
                         {C::kPermissionDenied, 1, 403},
                         {C::kResourceExhausted, 1, 429},
                         {C::kFailedPrecondition, 1, 400},
                         {C::kAborted, 1, 409},
                         {C::kOutOfRange, 1, 400},
                         {C::kUnimplemented, 1, 501},
                         {C::kInternal, 1, 500},
                         {C::kUnavailable, 3, 503},
                         {C::kDataLoss, 1, 500},
                         {C::kUnauthenticated, 1, 401}}) {
    const absl::Status status(row.code, "x");
    EXPECT_EQ(ExitCode(status), row.exit_code) << status;
    EXPECT_EQ(HttpStatus(status), row.http) << status;
  }
}

}  // namespace
}  // namespace tandem::rpc
