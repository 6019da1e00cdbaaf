#include "tools/tandem/health_check.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/generic/generic_stub.h>

#include <chrono>
#include <vector>

#include "router/base/status.h"

namespace tandem::cli {
namespace {

constexpr char kMethod[] = "/grpc.health.v1.Health/Check";

// The messages are one field each, so they are written by hand; Debian ships no health.proto.
// HealthCheckRequest { string service = 1; }
grpc::ByteBuffer Request(const std::string& service) {
  std::string bytes;
  if (!service.empty()) {
    // Length-delimited field 1; a service's name is shorter than 128 bytes.
    bytes = std::string("\x0a") + static_cast<char>(service.size()) + service;
  }
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

// HealthCheckResponse { ServingStatus status = 1; }: UNKNOWN 0, SERVING 1, NOT_SERVING 2.
Health::State Read(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (buffer.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  if (bytes == std::string("\x08\x01")) return Health::State::kServing;
  if (bytes == std::string("\x08\x02")) return Health::State::kNotServing;
  return Health::State::kUnknown;
}

std::string CertificateOf(const grpc::ClientContext& context) {
  const auto peer = context.auth_context();
  if (peer == nullptr) return "";
  const auto values = peer->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  return values.empty() ? "" : std::string(values[0].data(), values[0].size());
}

}  // namespace

absl::StatusOr<Health> AskHealth(const Client& client, const std::string& service) {
  if (service.size() > 127) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE",
                 "the name of a service has at most 127 bytes");
  }
  grpc::ClientContext context;
  client.SetDeadline(context);
  grpc::GenericStub stub(client.channel());
  grpc::CompletionQueue queue;
  const auto started = std::chrono::steady_clock::now();
  const auto call = stub.PrepareUnaryCall(&context, kMethod, Request(service), &queue);
  call->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);  // the deadline of the call ends it at the latest
  if (!status.ok()) return client.Failed("grpc.health.v1.Health/Check", status);
  return Health{.state = Read(answer),
                .took = absl::FromChrono(std::chrono::steady_clock::now() - started),
                .certificate = CertificateOf(context)};
}

}  // namespace tandem::cli
