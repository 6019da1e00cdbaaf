#include "router/engine/mailbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Command Named(std::string tenant) { return {TenantId(std::move(tenant)), PositionQuery{"a"}, {}}; }

bool Push(Mailbox& mailbox, std::string tenant) {
  Command command = Named(std::move(tenant));
  return mailbox.Push(command);
}

std::vector<std::string> Names(const std::vector<Command>& commands) {
  std::vector<std::string> names;
  names.reserve(commands.size());
  for (const Command& command : commands) names.push_back(command.tenant.value);
  return names;
}

std::vector<std::string> TakeNow(Mailbox& mailbox, std::size_t commands = 100,
                                 std::size_t bytes = 1 << 20) {
  return Names(mailbox.Take(absl::ZeroDuration(), commands, bytes));
}

TEST(MailboxTest, GivesBackInTheOrderInWhichItTook) {
  Mailbox mailbox({});
  for (const char* name : {"a", "b", "c"}) EXPECT_TRUE(Push(mailbox, name));

  EXPECT_EQ(mailbox.size(), 3U);
  EXPECT_THAT(TakeNow(mailbox), ElementsAre("a", "b", "c"));
  EXPECT_EQ(mailbox.size(), 0U);
}

TEST(MailboxTest, LeavesTheRestForTheNextTakeAtTheLimitOfCommands) {
  Mailbox mailbox({});
  for (const char* name : {"a", "b", "c"}) Push(mailbox, name);

  EXPECT_THAT(TakeNow(mailbox, 2), ElementsAre("a", "b"));
  EXPECT_THAT(TakeNow(mailbox, 2), ElementsAre("c"));
}

TEST(MailboxTest, LeavesTheRestForTheNextTakeAtTheLimitOfBytesButGivesAtLeastOne) {
  Mailbox mailbox({});
  for (const char* name : {"a", "b", "c"}) Push(mailbox, name);
  const std::size_t weight = WeightOf(Named("a"));

  EXPECT_THAT(TakeNow(mailbox, 100, 2 * weight), ElementsAre("a", "b"));
  EXPECT_THAT(TakeNow(mailbox, 100, 1), ElementsAre("c"));
}

TEST(MailboxTest, RefusesAboveItsCommandsAndLeavesTheCommandAsItWas) {
  Mailbox mailbox({.commands_max = 1});
  Push(mailbox, "a");
  Command late = Named("b");
  bool told = false;
  late.done = [&](const absl::StatusOr<Reply>&) { told = true; };

  EXPECT_FALSE(mailbox.Push(late));

  EXPECT_EQ(late.tenant.value, "b");
  late.done(absl::UnavailableError(""));
  EXPECT_TRUE(told);
}

TEST(MailboxTest, RefusesAboveItsBytesAndTakesAgainOnceThereIsRoom) {
  const std::size_t weight = WeightOf(Named("a"));
  Mailbox mailbox({.bytes_max = 2 * weight});
  EXPECT_TRUE(Push(mailbox, "a"));
  EXPECT_TRUE(Push(mailbox, "b"));
  EXPECT_FALSE(Push(mailbox, "c"));

  EXPECT_THAT(TakeNow(mailbox, 1), ElementsAre("a"));
  EXPECT_TRUE(Push(mailbox, "d"));
  EXPECT_FALSE(Push(mailbox, "e"));
}

TEST(MailboxTest, TakesWhatIsHeavierThanAllItsRoomWhenNothingElseWaits) {
  Mailbox mailbox({.bytes_max = 1});

  EXPECT_TRUE(Push(mailbox, "heavy"));
  EXPECT_FALSE(Push(mailbox, "next"));
  EXPECT_THAT(TakeNow(mailbox, 100, 1), ElementsAre("heavy"));
}

TEST(MailboxTest, RefusesWhenClosedButGivesWhatIsIn) {
  Mailbox mailbox({});
  Push(mailbox, "a");

  mailbox.Close();

  EXPECT_TRUE(mailbox.closed());
  EXPECT_FALSE(Push(mailbox, "b"));
  EXPECT_THAT(Names(mailbox.Take(absl::InfiniteDuration(), 100, 1 << 20)), ElementsAre("a"));
  EXPECT_THAT(Names(mailbox.Take(absl::InfiniteDuration(), 100, 1 << 20)), IsEmpty());
}

TEST(MailboxTest, AWaitEndsWithAPush) {
  Mailbox mailbox({});
  auto taken = std::async(std::launch::async, [&] {
    return Names(mailbox.Take(absl::InfiniteDuration(), 100, 1 << 20));
  });

  Push(mailbox, "a");

  EXPECT_THAT(taken.get(), ElementsAre("a"));
}

TEST(MailboxTest, AWaitEndsWithAWakeAlsoWhenItCameBefore) {
  Mailbox mailbox({});

  mailbox.Wake();

  EXPECT_THAT(Names(mailbox.Take(absl::InfiniteDuration(), 100, 1 << 20)), IsEmpty());
}

TEST(MailboxTest, AWaitEndsWithTheClosing) {
  Mailbox mailbox({});
  auto taken = std::async(std::launch::async, [&] {
    return Names(mailbox.Take(absl::InfiniteDuration(), 100, 1 << 20));
  });

  mailbox.Close();

  EXPECT_THAT(taken.get(), IsEmpty());
}

TEST(MailboxTest, AWaitEndsWhenItsTimeIsOver) {
  Mailbox mailbox({});

  EXPECT_THAT(Names(mailbox.Take(absl::Milliseconds(1), 100, 1 << 20)), IsEmpty());
}

}  // namespace
}  // namespace tandem::engine
