#include "services/context/worker_pool.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <vector>

namespace tandem::context {
namespace {

TEST(WorkerPool, SaysWhenItsQueueIsFullAndStillTakesWhatIsReserved) {
  std::promise<void> begun;
  std::promise<void> go;
  WorkerPool pool({.name = "test", .threads = 1, .queue_max = 1});
  ASSERT_EQ(pool.TryPost([&] {
    begun.set_value();
    go.get_future().wait();
  }),
            WorkerPool::Post::kTaken);
  begun.get_future().wait();
  std::vector<int> order;
  EXPECT_EQ(pool.TryPost([&] { order.push_back(1); }), WorkerPool::Post::kTaken);
  EXPECT_EQ(pool.TryPost([&] { order.push_back(2); }), WorkerPool::Post::kFull);
  EXPECT_EQ(pool.PostReserved([&] { order.push_back(3); }), WorkerPool::Post::kTaken);
  go.set_value();
  pool.Drain();
  EXPECT_EQ(order, (std::vector<int>{1, 3}));
}

TEST(WorkerPool, TakesNothingAfterADrain) {
  WorkerPool pool({.name = "test"});
  pool.Drain();
  pool.Drain();
  EXPECT_EQ(pool.TryPost([] {}), WorkerPool::Post::kStopped);
}

TEST(WorkerPool, LetsGoOfWhatATaskHeldBeforeTheNextOneBegins) {
  WorkerPool pool({.name = "test"});
  auto held = std::make_shared<int>(1);
  std::weak_ptr<int> weak = held;
  std::promise<bool> gone;
  pool.TryPost([held = std::move(held)] {});
  pool.TryPost([&] { gone.set_value(weak.expired()); });
  EXPECT_TRUE(gone.get_future().get());
}

}  // namespace
}  // namespace tandem::context
