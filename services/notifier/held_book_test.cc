#include "services/notifier/held_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem::notifier {
namespace {

class HeldBookTest : public ::testing::Test {
 protected:
  static EndpointKey Endpoint(const std::string& tenant, const std::string& name) {
    return {tenant, "webhook", "https://" + name + "/"};
  }
  bool HasRoom(const EndpointKey& endpoint) const { return book_.RoomFor(endpoint).is_there; }
  void Add(const EndpointKey& endpoint, int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(HasRoom(endpoint));
      book_.Add(endpoint, serial_, {endpoint.tenant, std::to_string(serial_)});
      ++serial_;
    }
  }
  void RemoveFirst(const EndpointKey& endpoint, int count) {
    for (int i = 0; i < count; ++i) book_.Remove(endpoint, book_.Of(endpoint).begin()->first);
  }

  HeldBook book_{{.total_max = 12, .per_tenant_max = 6, .per_endpoint_max = 4}};
  std::uint64_t serial_ = 0;
};

TEST_F(HeldBookTest, AnEndpointThatIsFullTakesNoPlaceOfAnother) {
  const EndpointKey dead = Endpoint("a", "dead");
  Add(dead, 4);
  EXPECT_FALSE(HasRoom(dead));
  EXPECT_EQ(book_.RoomFor(dead).gives_way, std::nullopt);
  EXPECT_TRUE(HasRoom(Endpoint("a", "alive")));
  EXPECT_TRUE(HasRoom(Endpoint("b", "dead")));
}

TEST_F(HeldBookTest, InAFullTenantTheLargestEndpointGivesWay) {
  Add(Endpoint("a", "x"), 4);
  Add(Endpoint("a", "y"), 2);
  EXPECT_EQ(book_.RoomFor(Endpoint("a", "z")).gives_way, Endpoint("a", "x"));
  EXPECT_EQ(book_.RoomFor(Endpoint("a", "y")).gives_way, Endpoint("a", "x"));
  RemoveFirst(Endpoint("a", "x"), 1);
  Add(Endpoint("a", "z"), 1);
  EXPECT_EQ(book_.RoomFor(Endpoint("a", "y")).gives_way, std::nullopt) << "it would hold as many";
}

TEST_F(HeldBookTest, WhenAllIsFullTheLargestTenantGivesWay) {
  Add(Endpoint("a", "x"), 4);
  Add(Endpoint("a", "y"), 2);
  Add(Endpoint("b", "x"), 4);
  Add(Endpoint("c", "x"), 2);
  EXPECT_EQ(book_.RoomFor(Endpoint("d", "x")).gives_way, Endpoint("a", "x"));
  EXPECT_EQ(book_.RoomFor(Endpoint("c", "y")).gives_way, Endpoint("a", "x"));
}

TEST_F(HeldBookTest, WhatComesAfterSomethingThatWasNotHeldIsNotHeldEither) {
  book_.NoteMore(Endpoint("a", "x"));
  EXPECT_FALSE(HasRoom(Endpoint("a", "x")));
  EXPECT_TRUE(HasRoom(Endpoint("a", "y")));
  book_.ForgetMore();
  EXPECT_TRUE(HasRoom(Endpoint("a", "x")));
}

TEST_F(HeldBookTest, AskingIsWorthItOnceAnEndpointHoldsLessThanHalfOfItsShare) {
  const EndpointKey x = Endpoint("a", "x");
  Add(x, 4);
  EXPECT_FALSE(book_.WorthAsking()) << "nothing has more";
  book_.NoteMore(x);
  RemoveFirst(x, 2);
  EXPECT_FALSE(book_.WorthAsking());
  RemoveFirst(x, 1);
  EXPECT_TRUE(book_.WorthAsking());

  Add(Endpoint("a", "y"), 4);
  EXPECT_TRUE(book_.WorthAsking()) << "a dead endpoint keeps nothing from the others";
  Add(Endpoint("a", "z"), 1);
  RemoveFirst(Endpoint("a", "y"), 2);
  EXPECT_FALSE(book_.WorthAsking()) << "the tenant is more than half full, and evenly";
}

}  // namespace
}  // namespace tandem::notifier
