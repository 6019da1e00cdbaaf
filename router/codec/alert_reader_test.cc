#include "router/codec/alert_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <random>

#include "router/base/status.h"
#include "tandem/v1/alert_ingest.pb.h"

namespace tandem::codec {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1'780'315'200);
constexpr std::int64_t kNoonSeconds = 1'780'315'200;
constexpr core::IdentityKey kKey{};

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

struct Case {
  const char* reason;  // "" when the alert is taken
  const char* field;
  std::function<void(v1::Alert&)> change;
};

// Each limit at its last good and its first bad value.
std::vector<Case> Cases() {
  const auto label = [](std::string name, std::string value) {
    return [=](v1::Alert& alert) { AddLabel(alert, name, value); };
  };
  const auto labels = [](int count) {
    return [=](v1::Alert& alert) {
      for (int i = 1; i < count; ++i) AddLabel(alert, "l" + std::to_string(i), "v");
    };
  };
  const auto annotation = [](std::string name, std::string value) {
    return [=](v1::Alert& alert) { AddAnnotation(alert, name, value); };
  };
  const auto annotations = [](int count) {
    return [=](v1::Alert& alert) {
      for (int i = 0; i < count; ++i) AddAnnotation(alert, "a" + std::to_string(i), "v");
    };
  };
  const auto url = [](std::size_t size) {
    return [=](v1::Alert& alert) { alert.set_generator_url(std::string(size, 'u')); };
  };
  const auto starts = [](std::int64_t seconds) {
    return [=](v1::Alert& alert) { alert.mutable_starts_at()->set_seconds(seconds); };
  };
  const auto ends = [](std::int64_t seconds) {
    return [=](v1::Alert& alert) { alert.mutable_ends_at()->set_seconds(seconds); };
  };
  const std::int64_t day = 86'400;
  return {
      {"", "", labels(64)},
      {"TOO_MANY_LABELS", "labels", labels(65)},
      {"", "", label(std::string(128, 'n'), "v")},
      {"LABEL_NAME_TOO_LONG", "labels[1].name", label(std::string(129, 'n'), "v")},
      {"LABEL_NAME_INVALID", "labels[1].name", label("1a", "v")},
      {"LABEL_NAME_INVALID", "labels[1].name", label("", "v")},
      {"", "", label("n", std::string(2048, 'v'))},
      {"LABEL_VALUE_TOO_LONG", "labels[1].value", label("n", std::string(2049, 'v'))},
      {"LABEL_DUPLICATE", "labels[1].name", label("alertname", "again")},
      {"CONTROL_CHARACTER", "labels[1].value", label("n", "a\nb")},
      {"", "", label("n", "\xC3\xA9")},
      {"NO_LABELS", "labels", [](v1::Alert& alert) { alert.mutable_labels(0)->clear_value(); }},
      {"NO_LABELS", "labels", [](v1::Alert& alert) { alert.clear_labels(); }},
      {"", "", annotations(64)},
      {"TOO_MANY_ANNOTATIONS", "annotations", annotations(65)},
      {"", "", annotation("a", std::string(8192, 'v'))},
      {"ANNOTATION_TOO_LONG", "annotations[0]", annotation("a", std::string(8193, 'v'))},
      {"ANNOTATION_TOO_LONG", "annotations[0]", annotation(std::string(129, 'a'), "v")},
      {"LABEL_NAME_INVALID", "annotations[0].name", annotation("a-b", "v")},
      {"", "", annotation("a", "two\nlines")},
      {"CONTROL_CHARACTER", "annotations[0].value", annotation("a", "\x1B[31m")},
      {"", "", url(2048)},
      {"URL_TOO_LONG", "generator_url", url(2049)},
      {"", "", starts(946'684'800)},
      {"TIME_OUT_OF_RANGE", "starts_at", starts(946'684'799)},
      {"", "", starts(kNoonSeconds + day)},
      {"TIME_OUT_OF_RANGE", "starts_at", starts(kNoonSeconds + day + 1)},
      {"", "", ends(kNoonSeconds + 366 * day)},
      {"TIME_OUT_OF_RANGE", "ends_at", ends(kNoonSeconds + 366 * day + 1)},
      {"TIME_OUT_OF_RANGE", "ends_at", ends(std::numeric_limits<std::int64_t>::max())},
      {"TIME_OUT_OF_RANGE", "starts_at",
       [](v1::Alert& alert) {
         alert.mutable_starts_at()->set_seconds(kNoonSeconds);
         alert.mutable_starts_at()->set_nanos(1'000'000'000);
       }},
      {"ENDS_BEFORE_START", "ends_at",
       [](v1::Alert& alert) {
         alert.mutable_starts_at()->set_seconds(kNoonSeconds);
         alert.mutable_ends_at()->set_seconds(kNoonSeconds - 1);
       }},
  };
}

TEST(AlertReader, JudgesEachAlertAloneAtEveryLimit) {
  v1::AlertBatch message;
  message.set_number(7);
  const std::vector<Case> cases = Cases();
  for (const Case& c : cases) {
    v1::Alert* alert = message.add_alerts();
    AddLabel(*alert, "alertname", "Down");
    c.change(*alert);
  }
  const auto batch = ReadAlertBatch(message.SerializeAsString(), kKey, kNoon);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(batch->number, 7U);
  EXPECT_EQ(batch->sent, cases.size());
  std::size_t refusal = 0;
  std::size_t item = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    if (*cases[i].reason == '\0') {
      ASSERT_LT(item, batch->items.size());
      EXPECT_EQ(batch->items[item++].index, i);
      continue;
    }
    ASSERT_LT(refusal, batch->refusals.size());
    EXPECT_EQ(batch->refusals[refusal].index, i);
    EXPECT_EQ(batch->refusals[refusal].reason, cases[i].reason);
    EXPECT_EQ(batch->refusals[refusal].field, cases[i].field);
    ++refusal;
  }
  EXPECT_EQ(item, batch->items.size());
  EXPECT_EQ(refusal, batch->refusals.size());
}

// What the reader remembers of one alert must never be seen in the next.
TEST(AlertReader, ReadsEachAlertOfABatchAsIfItWereAlone) {
  std::mt19937_64 random(20'261'123);
  const std::vector<std::string> names = {"b", "a", "site", "c", "9", "a"};
  const std::vector<std::string> values = {
      "x", "", "\x7F", "höhe", "\xFF", "sixteen bytes ok", "y\ny", "eight by\t"};
  for (int round = 0; round < 200; ++round) {
    v1::AlertBatch message;
    for (int i = 0; i < 16; ++i) {
      v1::Alert alert;
      if (i > 0 && random() % 2 == 0) alert = message.alerts(i - 1);
      if (alert.labels().empty() || random() % 3 == 0) {
        alert.clear_labels();
        for (std::size_t n = random() % 4; n > 0; --n) {
          AddLabel(alert, names[random() % names.size()], "x");
        }
      }
      for (v1::Label& label : *alert.mutable_labels()) {
        if (random() % 8 == 0) label.set_value(values[random() % values.size()]);
      }
      *message.add_alerts() = std::move(alert);
    }
    const auto together = ReadAlertBatch(message.SerializeAsString(), kKey, kNoon);
    ASSERT_TRUE(together.ok());
    auto item = together->items.begin();
    auto refusal = together->refusals.begin();
    for (int i = 0; i < message.alerts_size(); ++i) {
      v1::AlertBatch single;
      *single.add_alerts() = message.alerts(i);
      const auto alone = ReadAlertBatch(single.SerializeAsString(), kKey, kNoon);
      ASSERT_TRUE(alone.ok());
      if (alone->refusals.empty()) {
        ASSERT_NE(item, together->items.end());
        EXPECT_EQ(item->identity, alone->items[0].identity);
        EXPECT_TRUE(std::is_sorted(item->labels.begin(), item->labels.end(),
                                   [](const auto& a, const auto& b) { return a.name < b.name; }));
        ++item;
      } else {
        ASSERT_NE(refusal, together->refusals.end());
        EXPECT_EQ(refusal->reason, alone->refusals[0].reason);
        EXPECT_EQ(refusal->field, alone->refusals[0].field);
        ++refusal;
      }
    }
    EXPECT_EQ(item, together->items.end());
    EXPECT_EQ(refusal, together->refusals.end());
  }
}

TEST(AlertReader, ReadsAStoredBatchWithTimesThatWereRefused) {
  v1::AlertBatch message;
  v1::Alert* alert = message.add_alerts();
  AddLabel(*alert, "alertname", "Down");
  alert->mutable_ends_at()->set_seconds(std::numeric_limits<std::int64_t>::max());
  const ReadBatch batch = ReadStoredBatch(message.SerializeAsString(), kKey);
  ASSERT_EQ(batch.items.size(), 1U);
  EXPECT_GT(batch.items[0].ends_at, absl::FromUnixSeconds(253'402'300'800));  // after the year 9999
}

TEST(AlertReader, RefusesABatchWholeWhenItIsTooManyTooLargeEmptyOrMalformed) {
  const auto reason = [](std::string_view bytes) {
    return std::string(ReasonOf(ReadAlertBatch(bytes, kKey, kNoon).status()));
  };
  v1::AlertBatch message;
  for (std::size_t i = 0; i < kBatchAlertsMax; ++i) {
    AddLabel(*message.add_alerts(), "alertname", "Down");
  }
  EXPECT_TRUE(ReadAlertBatch(message.SerializeAsString(), kKey, kNoon).ok());
  AddLabel(*message.add_alerts(), "alertname", "Down");
  EXPECT_EQ(reason(message.SerializeAsString()), "TOO_MANY_ALERTS");
  EXPECT_EQ(reason(std::string(kBatchBytesMax + 1, '\0')), "BATCH_TOO_LARGE");
  EXPECT_EQ(reason(""), "NO_ALERTS");
  EXPECT_EQ(reason("\x12\x05"), "MALFORMED");
}

}  // namespace
}  // namespace tandem::codec
