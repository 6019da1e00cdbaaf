#include "services/notifier/message.h"

#include <gtest/gtest.h>

#include <optional>

namespace tandem::notifier {
namespace {

v1::Delivery Delivery(const std::string& id, const std::string& title) {
  v1::Delivery delivery;
  delivery.set_delivery_id(id);
  delivery.mutable_incident()->set_name("tenants/acme/incidents/7");
  delivery.mutable_incident()->set_title(title);
  return delivery;
}

TEST(IncidentPool, HoldsOneStateOfAnIncidentOnce) {
  IncidentPool pool;
  const Message first = pool.Hold(Delivery("dlv-1", "down"));
  const Message second = pool.Hold(Delivery("dlv-2", "down"));

  EXPECT_EQ(first.incident, second.incident);
  EXPECT_EQ(second.delivery.delivery_id(), "dlv-2");
  EXPECT_FALSE(second.delivery.has_incident());
}

TEST(IncidentPool, KeepsTheStateThatADeliveryWasPlannedIn) {
  IncidentPool pool;
  const Message before = pool.Hold(Delivery("dlv-1", "down"));
  const Message after = pool.Hold(Delivery("dlv-2", "down again"));

  EXPECT_EQ(before.incident->title(), "down");
  EXPECT_EQ(after.incident->title(), "down again");
}

TEST(IncidentPool, ForgetsWhatNobodyHolds) {
  IncidentPool pool;
  std::optional<Message> before = pool.Hold(Delivery("dlv-1", "down"));
  std::optional<Message> after = pool.Hold(Delivery("dlv-2", "down again"));

  before.reset();
  EXPECT_EQ(pool.size(), 1u);
  EXPECT_EQ(pool.Hold(Delivery("dlv-3", "down again")).incident, after->incident);
  after.reset();
  EXPECT_EQ(pool.size(), 0u);
}

}  // namespace
}  // namespace tandem::notifier
