// What a server stream still has to say: a bounded queue in front of a reactor, with at most one
// write in flight, as gRPC demands.
//
// Thread-safe; calls the reactor without holding its lock. The owner's part: hand OnWriteDone on,
// call End from OnCancel, and offer nothing more once OnDone has come.
#pragma once

#include <grpcpp/impl/call_op_set.h>
#include <grpcpp/support/status.h>

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "router/base/check.h"

namespace tandem::rpc {

struct OutboundLimits {
  std::size_t messages_max = 0;
  std::size_t bytes_max = 0;  // serialized; one message larger than this still goes out alone
  // Below both there is room for more from where it need not be hurried, such as a journal.
  std::size_t messages_low = 0;
  std::size_t bytes_low = 0;
};

// The serialized size of a message, or of bytes that are serialized already.
template <typename Message>
std::size_t SizeOf(const Message& message) {
  if constexpr (requires { message.ByteSizeLong(); }) {
    return message.ByteSizeLong();
  } else {
    return message.Length();
  }
}

// What became of an offer.
enum class Offer {
  kTaken,
  kOverflow,  // nothing was queued: the owner decides, as a rule End(RESOURCE_EXHAUSTED, cursor)
  kEnded,     // the stream ends or has ended
};

// `Reactor` is a grpc::ServerWriteReactor<Message>, a grpc::ServerBidiReactor<…, Message>, or has
// their StartWrite and Finish.
template <typename Message, typename Reactor>
class Outbound {
 public:
  // REQUIRES: `reactor` outlives this; messages_max >= 1.
  Outbound(Reactor* reactor, OutboundLimits limits) : reactor_(reactor), limits_(limits) {
    TANDEM_CHECK(limits.messages_max >= 1, "a queue that takes nothing");
  }

  // Between Hold and Release what is pushed only queues, so that it leaves together; an end waits,
  // too. Not nested.
  void Hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void Release() {
    Do([this] { held_ = false; });
  }

  Offer Push(Message message) {
    const std::size_t bytes = SizeOf(message);
    {
      const std::lock_guard lock(mutex_);
      if (ending_) return Offer::kEnded;
      if (writing_ || held_) {
        const bool is_first = !writing_ && queue_.empty();
        if (!is_first &&
            (queue_.size() >= limits_.messages_max || queued_bytes_ + bytes > limits_.bytes_max)) {
          return Offer::kOverflow;
        }
        queue_.push_back({std::move(message), bytes});
        queued_bytes_ += bytes;
        return Offer::kTaken;
      }
      writing_ = true;
      in_flight_ = std::move(message);
    }
    reactor_->StartWrite(&in_flight_, grpc::WriteOptions());
    return Offer::kTaken;
  }

  // The stream ends with `status` as soon as the write in flight is through; what is queued is
  // dropped. The first status counts.
  void End(grpc::Status status) { Finish(std::move(status), Queued::kDrop); }

  // The same, but what is queued goes out before.
  void EndAfterQueue(grpc::Status status) { Finish(std::move(status), Queued::kSend); }

  // From the reactor's OnWriteDone.
  void OnWriteDone(bool ok) {
    Do([this, ok] {
      TANDEM_CHECK(writing_, "a write is done that was never started");
      if (!ok) {  // The peer has gone; nothing more can be written.
        queue_.clear();
        if (!ending_) ending_ = grpc::Status(grpc::StatusCode::CANCELLED, "the reader has gone");
      }
      writing_ = false;
    });
  }

  // Whether so little waits that more may be read for it. After a false MadeRoom tells when.
  bool HasRoom() const {
    const std::lock_guard lock(mutex_);
    wants_room_ = !ending_ && !IsBelow(1);  // after an end, Push says so
    return !wants_room_;
  }
  // After OnWriteDone: whether somebody who found no room has it now, told once. Half of it has
  // gone by then: a page at a time, not a message at a time.
  bool MadeRoom() {
    const std::lock_guard lock(mutex_);
    return wants_room_ && IsBelow(2) && std::exchange(wants_room_, false);
  }

  // Their bytes, as serialized.
  std::size_t queued_bytes() const {
    const std::lock_guard lock(mutex_);
    return queued_bytes_;
  }

  // Messages that wait behind the one in flight.
  std::size_t queued() const {
    const std::lock_guard lock(mutex_);
    return queue_.size();
  }

 private:
  enum class Queued { kSend, kDrop };
  struct Waiting {
    Message message;
    std::size_t bytes = 0;
  };

  // Changes something; then, unless a write is in flight or held, writes what is next, or ends when
  // that is due and all is written. What is next is chosen under the same lock: nothing that is
  // pushed in between can overtake it.
  template <typename Change>
  void Do(Change change) {
    grpc::WriteOptions options;
    std::optional<grpc::Status> finish;
    {
      const std::lock_guard lock(mutex_);
      change();
      if (writing_ || held_) return;
      if (!queue_.empty()) {
        writing_ = true;
        in_flight_ = std::move(queue_.front().message);
        queued_bytes_ -= queue_.front().bytes;
        queue_.pop_front();
        // gRPC may keep it back until the next write, which follows at once: one packet for many.
        if (!queue_.empty()) options.set_buffer_hint();
      } else if (ending_ && !std::exchange(finished_, true)) {
        finish = ending_;
      } else {
        return;
      }
    }
    if (finish) {
      reactor_->Finish(*std::move(finish));
    } else {
      reactor_->StartWrite(&in_flight_, options);
    }
  }

  // REQUIRES: mutex_ is held.
  bool IsBelow(std::size_t divisor) const {
    return queue_.size() < limits_.messages_low / divisor &&
           queued_bytes_ < limits_.bytes_low / divisor;
  }

  void Finish(grpc::Status status, Queued queued) {
    Do([&] {
      if (queued == Queued::kDrop) {
        queue_.clear();
        queued_bytes_ = 0;
      }
      if (!ending_) ending_ = std::move(status);
    });
  }

  Reactor* const reactor_;
  const OutboundLimits limits_;
  mutable std::mutex mutex_;  // guards all below; in_flight_ belongs to gRPC while writing_
  bool writing_ = false;
  bool held_ = false;
  bool finished_ = false;
  mutable bool wants_room_ = false;  // HasRoom said no
  Message in_flight_;
  std::deque<Waiting> queue_;
  std::size_t queued_bytes_ = 0;
  std::optional<grpc::Status> ending_;
};

}  // namespace tandem::rpc
