#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "router/base/words.h"
#include "router/playbook/parse.h"
#include "tests/examples/context_file.h"

namespace tandem::playbook {
namespace {

using ::testing::ElementsAre;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A tenant of deploy/examples.
class Example {
 public:
  explicit Example(const std::string& name) {
    const std::string folder = std::string(TANDEM_EXAMPLES) + "/" + name;
    const Compiled compiled = CompilePlaybook(ReadFile(folder + "/playbook.yaml"));
    for (const Finding& finding : compiled.findings) {
      ADD_FAILURE() << name << ":" << finding.line << ":" << finding.column << ": "
                    << finding.message;
    }
    playbook_ = compiled.playbook;
    specs_ = ReadContextFile(ReadFile(folder + "/context.yaml"));
    for (const EntitySpec& spec : specs_) {
      const absl::Status status = environment_.Put(spec);
      EXPECT_TRUE(status.ok()) << name << " " << spec.kind << "/" << spec.id << ": " << status;
    }
  }

  // "rule owner handling" of an alert at a time of the zone; "gap" behind it when there is one.
  std::string Route(std::initializer_list<LabelView> alert, const std::string& local,
                    const std::string& zone) const {
    std::vector<LabelView> labels = alert;
    std::sort(labels.begin(), labels.end());
    absl::TimeZone tz;
    absl::Time now;
    std::string error;
    EXPECT_TRUE(absl::LoadTimeZone(zone, &tz));
    EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", local, tz, &now, &error)) << error;
    const Match match = playbook_->MatchRule(labels, environment_.Bind(labels), now);
    const Rule& rule = playbook_->rules()[match.rule];
    return fmt::format("{} {} {}{}", rule.name, playbook_->teams()[rule.owner].name,
                       ToText(match.handling), match.context_gap ? " gap" : "");
  }

  const Playbook& playbook() const { return *playbook_; }
  const Environment& environment() const { return environment_; }
  const std::vector<EntitySpec>& specs() const { return specs_; }

 private:
  std::shared_ptr<const Playbook> playbook_;
  std::vector<EntitySpec> specs_;
  Environment environment_;
};

class EveryExample : public ::testing::TestWithParam<const char*> {};

TEST_P(EveryExample, CompilesWithoutAFindingAndHasAContextThatHangsTogether) {
  const Example example(GetParam());

  EXPECT_GE(example.playbook().rules().size(), 10u);
  EXPECT_GE(example.specs().size(), 50u);
  EXPECT_EQ(example.environment().size(), example.specs().size()) << "an entity stands twice";
  for (const EntitySpec& spec : example.specs()) {
    EXPECT_FALSE(spec.display_name.empty()) << spec.id;
    for (const auto& [relation, target] : spec.relations) {
      const std::size_t slash = target.find('/');
      EXPECT_NE(example.environment().Find(target.substr(0, slash), target.substr(slash + 1)),
                nullptr)
          << spec.id << " " << relation << " " << target;
    }
  }
}

TEST_P(EveryExample, SendsNothingAnywhereButToPlaceholders) {
  const Example example(GetParam());
  std::set<Side> sides;
  for (const Contact& contact : example.playbook().contacts()) {
    EXPECT_EQ(contact.address.rfind("https://hooks.example/", 0), 0u) << contact.address;
    sides.insert(contact.side);
  }
  EXPECT_THAT(sides, ElementsAre(Side::kProvider, Side::kCustomer));
  EXPECT_EQ(example.playbook().contacts()[0].name, "noc-desk");
}

INSTANTIATE_TEST_SUITE_P(Tenants, EveryExample, ::testing::Values("factory", "hospital", "bank"),
                         [](const auto& tenant) { return std::string(tenant.param); });

TEST(Factory, LetsThePlantDecideAboutMesWhileTheLineRuns) {
  const Example factory("factory");
  const std::initializer_list<LabelView> alert = {
      {"service", "mes"}, {"severity", "critical"}, {"site", "plant-7"}};

  EXPECT_EQ(factory.Route(alert, "2026-06-01 14:00", "America/Chicago"),
            "mes-in-production plant-it autonomous");
  EXPECT_EQ(factory.Route(alert, "2026-06-01 23:00", "America/Chicago"),
            "mes-off-shift noc autonomous");
  EXPECT_EQ(factory.Route(alert, "2026-12-28 14:00", "America/Chicago"),
            "mes-off-shift noc autonomous")
      << "the year-end shutdown";
}

TEST(Factory, AsksTheCalendarOfTheSiteThatTheAlertIsFrom) {
  const Example factory("factory");
  const auto at = [&](std::string_view site) {
    return factory.Route({{"service", "scada"}, {"severity", "critical"}, {"site", site}},
                         "2026-06-02 05:30", "Europe/Berlin");
  };

  EXPECT_EQ(at("plant-2"), "scada-in-production controls autonomous") << "the night shift";
  EXPECT_EQ(at("plant-7"), "scada-off-shift noc needs_input") << "22:30 in Chicago";
}

TEST(Factory, EndsTheNightShiftOfFridayOnSaturdayMorning) {
  const Example factory("factory");
  const std::initializer_list<LabelView> alert = {{"instance", "plc-2-mill-1:4840"}};

  EXPECT_EQ(factory.Route(alert, "2026-06-06 05:30", "Europe/Berlin"),
            "plc-in-production controls autonomous");
  EXPECT_EQ(factory.Route(alert, "2026-06-06 06:30", "Europe/Berlin"),
            "everything-else noc autonomous");
}

TEST(Factory, LeavesTheDecisionWhereItIsWhenNobodyKnowsTheSite) {
  const Example factory("factory");

  EXPECT_EQ(factory.Route({{"service", "mes"}, {"severity", "major"}, {"site", "plant-9"}},
                          "2026-06-01 03:00", "America/Chicago"),
            "mes-in-production plant-it needs_input gap");
}

TEST(Factory, ProtectsTheEndOfTheMonth) {
  const Example factory("factory");

  EXPECT_EQ(factory.Route({{"service", "erp"}}, "2026-06-30 10:00", "America/Chicago"),
            "erp-at-month-end erp-team autonomous");
  EXPECT_EQ(factory.Route({{"service", "erp"}}, "2026-06-15 10:00", "America/Chicago"),
            "erp noc needs_decision");
}

TEST(Hospital, LeavesWhatHangsOnAPatientToBiomedicalEngineering) {
  const Example hospital("hospital");
  const auto at_night = [&](std::initializer_list<LabelView> alert) {
    return hospital.Route(alert, "2026-06-02 03:00", "Europe/Vienna");
  };

  EXPECT_EQ(at_night({{"device", "ventilator-icu-2"}}), "life-support biomed autonomous");
  EXPECT_EQ(at_night({{"device", "pump-icu-01"}}), "medical-device biomed autonomous");
  EXPECT_EQ(at_night({{"ae_title", "CT_1"}}), "medical-device biomed autonomous");
  EXPECT_EQ(at_night({{"service", "infusion-server"}}), "infusion-server biomed needs_input");
  EXPECT_EQ(at_night({{"device", "sw-icu"}}), "ward-network clinical-it autonomous");
  EXPECT_EQ(at_night({{"device", "sw-admin"}}), "everything-else noc needs_input");
}

TEST(Hospital, RoutesImagingByTheHoursOfEachHouse) {
  const Example hospital("hospital");
  const auto at = [&](std::string_view site, const std::string& time) {
    return hospital.Route({{"service", "pacs"}, {"site", site}}, time, "Europe/Vienna");
  };

  EXPECT_EQ(at("main-house", "2026-06-02 10:00"), "imaging-in-hours radiology needs_input");
  EXPECT_EQ(at("clinic-east", "2026-06-02 10:00"), "imaging-out-of-hours noc autonomous");
  EXPECT_EQ(at("main-house", "2026-10-26 10:00"), "imaging-out-of-hours noc autonomous")
      << "a holiday";
}

TEST(Hospital, AsksTheHouseBeforeTheRecordIsRestarted) {
  const Example hospital("hospital");
  const std::initializer_list<LabelView> alert = {{"service", "ehr"}, {"severity", "critical"}};

  EXPECT_EQ(hospital.Route(alert, "2026-06-02 10:00", "Europe/Vienna"),
            "ehr-in-clinic-hours clinical-it autonomous");
  EXPECT_EQ(hospital.Route(alert, "2026-06-02 22:00", "Europe/Vienna"),
            "ehr-at-night noc needs_input");
}

TEST(Bank, FreezesCoreBankingAroundTheEndOfTheMonth) {
  const Example bank("bank");
  const auto at = [&](const std::string& time) {
    return bank.Route({{"service", "core-banking"}, {"severity", "critical"}}, time,
                      "Europe/Berlin");
  };

  EXPECT_EQ(at("2026-06-29 10:00"), "core-banking-in-freeze change-control-board autonomous");
  EXPECT_EQ(at("2026-02-26 10:00"), "core-banking-in-freeze change-control-board autonomous");
  EXPECT_EQ(at("2026-06-15 10:00"), "core-banking bank-operations needs_input");
  EXPECT_EQ(at("2026-06-14 03:00"), "core-banking-in-change-window noc autonomous") << "a Sunday";
  EXPECT_EQ(at("2026-12-20 03:00"), "core-banking-in-freeze change-control-board autonomous")
      << "the freeze of the year's end is stronger than the window";
}

TEST(Bank, LetsThePaymentsDeskDecideWhileCutOffTimesRun) {
  const Example bank("bank");
  const auto at = [&](const std::string& time) {
    return bank.Route({{"service", "payments-sepa"}, {"severity", "critical"}}, time,
                      "Europe/Berlin");
  };

  EXPECT_EQ(at("2026-06-15 15:00"), "payments-on-settlement-day payments autonomous");
  EXPECT_EQ(at("2026-06-13 15:00"), "payments-at-rest noc needs_input");
}

TEST(Bank, KnowsTheOpeningHoursOfEachBranch) {
  const Example bank("bank");
  const auto at = [&](std::string_view instance, const std::string& time) {
    return bank.Route({{"instance", instance}, {"service", "branch-network"}}, time,
                      "Europe/Berlin");
  };

  EXPECT_EQ(at("rt-berlin-mitte:161", "2026-06-15 17:30"), "branch-in-hours noc needs_input");
  EXPECT_EQ(at("rt-berlin-pankow:161", "2026-06-15 17:30"), "branch-closed noc autonomous");
  EXPECT_EQ(at("rt-london-city:161", "2026-06-15 17:30"), "branch-in-hours noc needs_input");
  EXPECT_EQ(at("rt-nowhere:161", "2026-06-15 17:30"), "branch-in-hours noc needs_input gap");
}

TEST(Bank, KeepsEveryHandOffItsSecurityModules) {
  const Example bank("bank");

  EXPECT_EQ(bank.Route({{"device", "hsm-n-1"}}, "2026-06-15 15:00", "Europe/Berlin"),
            "key-material bank-security autonomous");
}

}  // namespace
}  // namespace tandem::playbook
