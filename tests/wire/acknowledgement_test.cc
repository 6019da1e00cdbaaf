// Acknowledging again: what renews, and what is a repeat.
#include <fmt/format.h>

#include "tandem/v1/incidents.pb.h"
#include "tests/wire/agent.h"

namespace tandem::wire {
namespace {

class AcknowledgementOnTheWire : public ::testing::Test {
 protected:
  AcknowledgementOnTheWire() {
    AgentStream alerts(rig_, rig_.NewToken({"agent-1", v1::AGENT, {"harbor"}}));
    alerts.Begin("spool");
    alerts.Push(1, {"Down"});
    alerts.Receipt();
  }

  // Minutes from noon to its end.
  std::int64_t Acknowledge(const std::string& rest) {
    const auto incident =
        rig_.Must<v1::Incident>("/tandem.v1.Incidents/AcknowledgeIncident", responder_,
                                "name: 'tenants/harbor/incidents/1' " + rest);
    return (incident.acknowledge_expire_time().seconds() - absl::ToUnixSeconds(kNoon)) / 60;
  }

  Rig rig_;
  const std::string responder_ = rig_.NewToken({"ann", v1::RESPONDER, {"harbor"}});
};

TEST_F(AcknowledgementOnTheWire, IsRenewedByAnotherOneWithItsOwnTime) {
  EXPECT_EQ(Acknowledge("request_id: 'a' expires_in { seconds: 1800 }"), 30);
  EXPECT_EQ(Acknowledge("request_id: 'b' expires_in { seconds: 600 }"), 10);
  rig_.clock().Advance(absl::Minutes(5));
  EXPECT_EQ(Acknowledge("expires_in { seconds: 2400 }"), 45);
}

TEST_F(AcknowledgementOnTheWire, OfARequestIdThatComesAgainIsARepeat) {
  EXPECT_EQ(Acknowledge("request_id: 'a' expires_in { seconds: 1800 }"), 30);
  rig_.clock().Advance(absl::Minutes(5));
  EXPECT_EQ(Acknowledge("request_id: 'a' expires_in { seconds: 1800 }"), 30);
}

}  // namespace
}  // namespace tandem::wire
