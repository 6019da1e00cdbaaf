#include "services/notifier/channel/webhook/payload.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tandem::notifier {
namespace {

v1::Delivery Example() {
  v1::Delivery delivery;
  delivery.set_tenant("acme");
  delivery.set_delivery_id("dlv-acme-7-1");
  delivery.set_contact("noc-hook");
  delivery.set_team("noc");
  delivery.set_side(v1::PROVIDER);
  delivery.set_event_type("incident.opened");
  delivery.mutable_event_time()->set_seconds(1767268800);
  delivery.set_step(1);
  v1::Incident& incident = *delivery.mutable_incident();
  incident.set_name("tenants/acme/incidents/7");
  incident.set_state(v1::OPEN);
  incident.set_severity(v1::CRITICAL);
  incident.set_title("MES is down");
  incident.set_owner_team("noc");
  incident.set_owner_side(v1::PROVIDER);
  incident.set_handling(v1::NEEDS_INPUT);
  incident.set_rule("mes-in-production");
  incident.set_playbook_digest("sha256:ab");
  v1::Label& label = *incident.add_group_labels();
  label.set_name("site");
  label.set_value("plant-7");
  incident.mutable_open_time()->set_seconds(1767268790);
  incident.set_firing_alerts(3);
  incident.set_total_alerts(4);
  return delivery;
}

std::string Body(const v1::Delivery& delivery) {
  IncidentPool pool;
  return WebhookBody(pool.Hold(delivery));
}

TEST(WebhookBody, IsThisToTheByte) {
  EXPECT_EQ(
      Body(Example()),
      R"({"type":"incident.opened","timestamp":"2026-01-01T12:00:00Z","data":{)"
      R"("delivery_id":"dlv-acme-7-1","tenant":"acme","team":"noc","side":"provider",)"
      R"("contact":"noc-hook","step":1,"incident":{"name":"tenants/acme/incidents/7","number":7,)"
      R"("state":"open","severity":"critical","title":"MES is down",)"
      R"("owner":{"team":"noc","side":"provider"},"handling":"needs_input",)"
      R"("rule":"mes-in-production","playbook_digest":"sha256:ab",)"
      R"("group_labels":{"site":"plant-7"},"open_time":"2026-01-01T11:59:50Z",)"
      R"("firing_alerts":3,"total_alerts":4,"reopen_count":0}}})");
}

TEST(WebhookBody, DoesNotDependOnTheAttempt) {
  v1::Delivery later = Example();
  later.set_attempts(5);
  later.mutable_not_before()->set_seconds(1767268900);

  EXPECT_EQ(Body(later), Body(Example()));
}

TEST(WebhookBody, CarriesHostileTextAsData) {
  v1::Delivery delivery = Example();
  const std::string hostile = "\",\"x\":1}\n<script>\xe2\x80\xae{{.}}";
  delivery.mutable_incident()->set_title(hostile);

  const auto json = nlohmann::json::parse(Body(delivery));
  EXPECT_EQ(json["data"]["incident"]["title"], hostile);
  EXPECT_FALSE(json["data"].contains("x"));
}

TEST(WebhookBody, ReplacesWhatIsNotUtf8) {
  v1::Delivery delivery = Example();
  delivery.set_contact("caf\xe9");

  EXPECT_EQ(nlohmann::json::parse(Body(delivery))["data"]["contact"], "caf\xef\xbf\xbd");
}

TEST(WebhookBody, CarriesTheQuestionItsAnswerAndTheOffer) {
  v1::Delivery delivery = Example();
  v1::Incident& incident = *delivery.mutable_incident();
  v1::Request& request = *incident.add_requests();
  request.set_name("tenants/acme/incidents/7/requests/2");
  request.set_state(v1::REQUEST_ANSWERED);
  request.set_kind(v1::NEEDS_DECISION);
  request.set_team("board");
  request.set_side(v1::CUSTOMER);
  request.set_question("Restart?");
  request.add_options("restart");
  request.add_options("wait");
  request.mutable_due_time()->set_seconds(1780315200);
  request.set_unanswered(v1::HOLD);
  request.set_answer("wait");
  request.mutable_answered_by()->set_principal("cat@customer.example");
  v1::Handover& offer = *incident.mutable_handover();
  offer.set_team("plant");
  offer.set_side(v1::CUSTOMER);
  offer.mutable_offered_by()->set_principal("ann@provider.example");
  offer.mutable_expire_time()->set_seconds(1780315200);
  const auto json = nlohmann::json::parse(Body(delivery))["data"]["incident"];
  EXPECT_EQ(json["requests"][0], nlohmann::json::parse(R"({
    "name": "tenants/acme/incidents/7/requests/2", "number": 2, "state": "answered",
    "kind": "needs_decision", "team": "board", "side": "customer", "question": "Restart?",
    "options": ["restart", "wait"], "due_time": "2026-06-01T12:00:00Z", "unanswered": "hold",
    "answer": "wait", "answered_by": "cat@customer.example"})"));
  EXPECT_EQ(json["handover"], nlohmann::json::parse(R"({
    "team": "plant", "side": "customer", "offered_by": "ann@provider.example",
    "expire_time": "2026-06-01T12:00:00Z"})"));
}

TEST(WebhookBody, SaysWhoResolvedIt) {
  v1::Delivery delivery = Example();
  v1::Incident& incident = *delivery.mutable_incident();
  incident.set_state(v1::RESOLVED);
  incident.mutable_resolve_time()->set_seconds(1767269000);
  incident.mutable_resolved_by()->set_principal("ada");

  const auto json = nlohmann::json::parse(Body(delivery))["data"]["incident"];
  EXPECT_EQ(json["state"], "resolved");
  EXPECT_EQ(json["resolve_time"], "2026-01-01T12:03:20Z");
  EXPECT_EQ(json["resolved_by"], "ada");
}

}  // namespace
}  // namespace tandem::notifier
