// A call that only answers, read event by event. For tests; one thread at a time.
#pragma once

#include <memory>
#include <string>

#include "tests/wire/rig.h"

namespace tandem::wire {

// Ready once it has said its first word.
template <typename Event>
class Watch {
 public:
  Watch(Rig& rig, const char* method, const std::string& token, const std::string& request)
      : context_(token), channel_(rig.channel()) {
    method_ = std::make_unique<grpc::internal::RpcMethod>(
        method, grpc::internal::RpcMethod::SERVER_STREAMING, rig.channel());
    const std::string bytes = RequestBytes(method, request);
    const grpc::Slice slice(bytes);
    request_ = grpc::ByteBuffer(&slice, 1);
    reader_.reset(grpc::internal::ClientReaderFactory<Event>::Create(channel_.get(), *method_,
                                                                     context_.get(), request_));
    EXPECT_TRUE(reader_->Read(&first_));
  }
  ~Watch() { context_->TryCancel(); }

  bool Read(Event* event) { return reader_->Read(event); }
  const Event& first() const { return first_; }
  grpc::Status End() {
    Event event;
    while (reader_->Read(&event)) {
    }
    return reader_->Finish();
  }

 private:
  Context context_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::internal::RpcMethod> method_;
  grpc::ByteBuffer request_;
  std::unique_ptr<grpc::ClientReader<Event>> reader_;
  Event first_;
};

}  // namespace tandem::wire
