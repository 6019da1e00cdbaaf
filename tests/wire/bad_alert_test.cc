// What the router says to alerts that it cannot take, and that it goes on taking those that it can.
#include <fmt/format.h>

#include <limits>

#include "router/codec/alert_reader.h"
#include "tandem/v1/incidents.pb.h"
#include "tests/wire/rig.h"

namespace tandem::wire {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kPush[] = "/tandem.v1.AlertIngest/PushAlerts";
constexpr std::int64_t kNoonSeconds = 1'780'488'000;
constexpr std::int64_t kDay = 86'400;

void AddLabel(v1::Alert& alert, const std::string& name, const std::string& value) {
  v1::Label* label = alert.add_labels();
  label->set_name(name);
  label->set_value(value);
}

void AddAnnotation(v1::Alert& alert, const std::string& name, const std::string& value) {
  v1::Label* annotation = alert.add_annotations();
  annotation->set_name(name);
  annotation->set_value(value);
}

v1::PushAlertsRequest Push(int alerts) {
  v1::PushAlertsRequest request;
  for (int i = 0; i < alerts; ++i) {
    AddLabel(*request.mutable_batch()->add_alerts(), "alertname", fmt::format("A{}", i));
  }
  return request;
}

class BadAlert : public ::testing::Test {
 protected:
  // A good batch of one alert with a name that nobody has used yet.
  void ExpectStillTakesAlerts() {
    v1::PushAlertsRequest request;
    AddLabel(*request.mutable_batch()->add_alerts(), "alertname", fmt::format("Good{}", ++good_));
    const Reply reply = rig_.CallBytes(kPush, agent_, request.SerializeAsString());
    v1::PushAlertsResponse response;
    ASSERT_TRUE(reply.status.ok()) << reply.Text();
    ASSERT_TRUE(response.ParseFromString(reply.body));
    ASSERT_EQ(response.receipt().accepted(), 1U);
    ASSERT_EQ(Incidents(), good_);
  }
  // How many incidents the tenant has.
  int Incidents() {
    return rig_
        .Must<v1::ListIncidentsResponse>("/tandem.v1.Incidents/ListIncidents", viewer_,
                                         "page_size: 500")
        .incidents_size();
  }

  Rig rig_;
  const std::string agent_ = rig_.NewToken({"agent-1", v1::AGENT, {"harbor"}});
  const std::string viewer_ = rig_.NewToken({"vera", v1::VIEWER, {"harbor"}, v1::CUSTOMER});
  int good_ = 0;
};

struct WholeBatch {
  const char* what;
  std::string bytes;
  grpc::StatusCode code;
  const char* reason;
  const char* field;
  const char* part;
};

std::vector<WholeBatch> WholeBatches() {
  const auto bytes = [](auto change) {
    v1::PushAlertsRequest request = Push(1);
    change(request);
    return request.SerializeAsString();
  };
  // 520 alerts of 2 KiB are more than a batch holds, and fewer than too many.
  v1::PushAlertsRequest large = Push(512);
  for (v1::Alert& alert : *large.mutable_batch()->mutable_alerts()) {
    AddAnnotation(alert, "summary", std::string(2100, 'x'));
  }
  const auto kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
  return {
      {"no request at all", "\x0A\x7F", kInvalid, "MALFORMED", "message", "PushAlertsRequest"},
      {"a broken batch", std::string("\x1A\x02\x12\x05", 4), kInvalid, "MALFORMED", "batch",
       "AlertBatch"},
      {"a message of 17 MiB", std::string(17 << 20, '\0'), grpc::StatusCode::RESOURCE_EXHAUSTED, "",
       "", "larger than max"},
      {"a batch of more than 1 MiB", large.SerializeAsString(), kInvalid, "BATCH_TOO_LARGE",
       "batch", "at most 1048576 are allowed"},
      {"513 alerts", Push(513).SerializeAsString(), kInvalid, "TOO_MANY_ALERTS", "batch.alerts",
       "513 alerts; at most 512"},
      {"no batch", "", kInvalid, "NO_ALERTS", "batch.alerts", "at least one"},
      {"an empty batch", Push(0).SerializeAsString(), kInvalid, "NO_ALERTS", "batch.alerts",
       "at least one"},
      {"a client id without a number", bytes([](auto& r) { r.set_client_id("agent-1"); }), kInvalid,
       "BATCH_NUMBER_MISSING", "batch.number", "1 or more"},
      {"a client id with a blank", bytes([](auto& r) { r.set_client_id("agent 1"); }), kInvalid,
       "CLIENT_ID_INVALID", "client_id", "[a-zA-Z0-9._:/-]"},
      {"a client id of 129 bytes", bytes([](auto& r) { r.set_client_id(std::string(129, 'a')); }),
       kInvalid, "CLIENT_ID_INVALID", "client_id", "at most 128 bytes"},
      {"a tenant that does not exist", bytes([](auto& r) { r.set_parent("tenants/nowhere"); }),
       grpc::StatusCode::NOT_FOUND, "TENANT_NOT_FOUND", "", "tenants/nowhere does not exist"},
      {"a tenant of somebody else", bytes([](auto& r) { r.set_parent("tenants/mill"); }),
       grpc::StatusCode::NOT_FOUND, "TENANT_NOT_FOUND", "", "tenants/mill does not exist"},
      {"a parent that is no tenant", bytes([](auto& r) { r.set_parent("harbor"); }), kInvalid,
       "TENANT_NAME_INVALID", "parent", "expected tenants/{tenant}"},
      {"a tenant with a capital", bytes([](auto& r) { r.set_parent("tenants/Harbor"); }), kInvalid,
       "TENANT_NAME_INVALID", "parent", "a letter first"},
  };
}

TEST_F(BadAlert, RefusesAWholeBatchWithReasonAndFieldAndTakesTheNext) {
  for (const WholeBatch& bad : WholeBatches()) {
    SCOPED_TRACE(bad.what);
    const Reply reply = rig_.CallBytes(kPush, agent_, bad.bytes);
    EXPECT_EQ(reply.status.error_code(), bad.code) << reply.Text();
    EXPECT_THAT(reply.status.error_message(), HasSubstr(bad.part));
    if (*bad.reason != '\0') {
      EXPECT_EQ(reply.reason(), bad.reason);
      ExpectWellFormed(reply.status);
    }
    const auto fields = FieldsOf(reply.error());
    EXPECT_EQ(fields.empty() ? "" : fields[0].field, bad.field);
    ASSERT_NO_FATAL_FAILURE(ExpectStillTakesAlerts());
  }
}

TEST_F(BadAlert, TakesABatchAtEachLimit) {
  v1::PushAlertsRequest request = Push(512);
  request.set_parent("tenants/harbor");
  request.set_client_id(std::string(128, 'a'));
  request.mutable_batch()->set_number(std::numeric_limits<std::uint64_t>::max());
  const Reply reply = rig_.CallBytes(kPush, agent_, request.SerializeAsString());
  v1::PushAlertsResponse response;
  ASSERT_TRUE(reply.status.ok()) << reply.Text();
  ASSERT_TRUE(response.ParseFromString(reply.body));
  EXPECT_EQ(response.receipt().accepted(), 512U);
  EXPECT_EQ(response.receipt().batch_number(), std::numeric_limits<std::uint64_t>::max());
}

TEST_F(BadAlert, NeverTakesAPartOfARequestThatWasCutOff) {
  v1::PushAlertsRequest request = Push(1);
  request.set_parent("tenants/harbor");
  AddAnnotation(*request.mutable_batch()->mutable_alerts(0), "summary", "text");
  const std::string whole = request.SerializeAsString();
  const std::uint64_t before = rig_.HeadOf("harbor");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Reply reply = rig_.CallBytes(kPush, agent_, whole.substr(0, size));
    EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << size << " bytes: " << reply.Text();
  }
  EXPECT_EQ(rig_.HeadOf("harbor"), before);
  ExpectStillTakesAlerts();
}

struct OneAlert {
  const char* reason;  // "" when it is taken
  const char* field;
  const char* part;
  std::function<void(v1::Alert&)> change;
};

std::vector<OneAlert> Alerts() {
  const auto label = [](std::string name, std::string value) {
    return [=](v1::Alert& alert) { AddLabel(alert, name, value); };
  };
  const auto labels = [](int count) {
    return [=](v1::Alert& alert) {
      for (int i = 1; i < count; ++i) AddLabel(alert, fmt::format("l{}", i), "v");
    };
  };
  const auto summary = [](std::string value) {
    return [=](v1::Alert& alert) { AddAnnotation(alert, "summary", value); };
  };
  const auto starts = [](std::int64_t seconds) {
    return [=](v1::Alert& alert) { alert.mutable_starts_at()->set_seconds(seconds); };
  };
  const auto ends = [](std::int64_t seconds) {
    return [=](v1::Alert& alert) { alert.mutable_ends_at()->set_seconds(seconds); };
  };
  constexpr auto kFirst = std::numeric_limits<std::int64_t>::min();
  constexpr auto kLast = std::numeric_limits<std::int64_t>::max();
  return {
      {"", "", "", labels(64)},
      {"TOO_MANY_LABELS", "labels", "65 labels; at most 64", labels(65)},
      {"", "", "", label(std::string(128, 'n'), "v")},
      {"LABEL_NAME_TOO_LONG", "labels[1].name", "129 bytes", label(std::string(129, 'n'), "v")},
      {"LABEL_NAME_INVALID", "labels[1].name", "\\x0a", label("a\nb", "v")},
      {"", "", "", label("n", std::string(2048, 'v'))},
      {"LABEL_VALUE_TOO_LONG", "labels[1].value", "2049 bytes in \"n\"",
       label("n", std::string(2049, 'v'))},
      {"NOT_UTF8", "labels[1].value", "UTF-8", label("n", "caf\xE9")},
      {"NOT_UTF8", "labels[1].value", "UTF-8", label("n", "\xC0\xAF")},
      {"CONTROL_CHARACTER", "labels[1].value", "\\x00", label("n", std::string("a\0b", 3))},
      {"CONTROL_CHARACTER", "labels[1].value", "\\x1b", label("n", "\x1B[2J")},
      {"CONTROL_CHARACTER", "labels[1].value", "not allowed", label("n", "\xE2\x80\xAE")},
      {"LABEL_DUPLICATE", "labels[1].name", "occurs twice", label("alertname", "x")},
      {"NO_LABELS", "labels", "at least one", [](v1::Alert& alert) { alert.clear_labels(); }},
      {"", "", "", summary(std::string(8192, 's'))},
      {"ANNOTATION_TOO_LONG", "annotations[0]", "at most 8192", summary(std::string(8193, 's'))},
      {"NOT_UTF8", "annotations[0].value", "UTF-8", summary("\xFF")},
      {"URL_TOO_LONG", "generator_url", "2049 bytes",
       [](v1::Alert& alert) { alert.set_generator_url(std::string(2049, 'u')); }},
      {"", "", "", starts(kNoonSeconds + kDay)},
      {"TIME_OUT_OF_RANGE", "starts_at", "one day after", starts(kNoonSeconds + kDay + 1)},
      {"TIME_OUT_OF_RANGE", "starts_at", "2000-01-01", starts(0)},
      {"TIME_OUT_OF_RANGE", "starts_at", "2000-01-01", starts(kFirst)},
      {"TIME_OUT_OF_RANGE", "starts_at", "one day after", starts(kLast)},
      {"TIME_OUT_OF_RANGE", "ends_at", "366 days after", ends(kLast)},
      {"TIME_OUT_OF_RANGE", "ends_at", "2000-01-01", ends(kFirst)},
      {"ENDS_BEFORE_START", "ends_at", "before it starts",
       [](v1::Alert& alert) {
         alert.mutable_starts_at()->set_seconds(kNoonSeconds);
         alert.mutable_ends_at()->set_seconds(kNoonSeconds - 1);
       }},
  };
}

// Before each bad alert stands a good one, so that whoever drops a neighbour is found.
TEST_F(BadAlert, TakesTheValidRestOfABatchAndNamesIndexFieldAndReasonOfTheOthers) {
  v1::PushAlertsRequest request;
  const std::vector<OneAlert> alerts = Alerts();
  std::vector<std::pair<int, const OneAlert*>> bad;
  int good = 0;
  for (const OneAlert& one : alerts) {
    AddLabel(*request.mutable_batch()->add_alerts(), "alertname", fmt::format("Good{}", ++good));
    if (*one.reason == '\0') {
      ++good;
    } else {
      bad.emplace_back(request.batch().alerts_size(), &one);
    }
    v1::Alert* alert = request.mutable_batch()->add_alerts();
    AddLabel(*alert, "alertname", fmt::format("Odd{}", request.batch().alerts_size()));
    one.change(*alert);
  }
  const Reply reply = rig_.CallBytes(kPush, agent_, request.SerializeAsString());
  ASSERT_TRUE(reply.status.ok()) << reply.Text();
  v1::PushAlertsResponse response;
  ASSERT_TRUE(response.ParseFromString(reply.body));
  const v1::Receipt& receipt = response.receipt();
  EXPECT_EQ(receipt.accepted(), static_cast<unsigned>(good));
  ASSERT_THAT(receipt.refusals(), SizeIs(bad.size()));
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const auto& [index, one] = bad[i];
    const v1::Refusal& refusal = receipt.refusals(static_cast<int>(i));
    SCOPED_TRACE(fmt::format("{} {}", index, one->reason));
    EXPECT_EQ(refusal.index(), static_cast<unsigned>(index));
    EXPECT_EQ(refusal.reason(), one->reason);
    EXPECT_EQ(refusal.field(), one->field);
    EXPECT_THAT(refusal.description(), HasSubstr(one->part));
  }
  EXPECT_EQ(Incidents(), good);
}

TEST_F(BadAlert, AnswersABatchOfBadAlertsAloneAndOpensNothing) {
  v1::PushAlertsRequest request;
  AddLabel(*request.mutable_batch()->add_alerts(), "1a", "v");
  const Reply reply = rig_.CallBytes(kPush, agent_, request.SerializeAsString());
  ASSERT_TRUE(reply.status.ok()) << reply.Text();
  v1::PushAlertsResponse response;
  ASSERT_TRUE(response.ParseFromString(reply.body));
  EXPECT_EQ(response.receipt().accepted(), 0U);
  EXPECT_EQ(response.receipt().refusals_size(), 1);
  EXPECT_EQ(Incidents(), 0);
}

}  // namespace
}  // namespace tandem::wire
