#include "tools/tandem/fake_router.h"

#include <fmt/format.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/rpc/grpc_status.h"

namespace tandem::cli {
namespace {

grpc::Status Refuse(absl::StatusCode code, std::string_view reason, std::string_view message) {
  return rpc::ToGrpc(Error(code, reason, message), "req-1");
}

}  // namespace

class FakeRouter::Services final {
 public:
  explicit Services(FakeRouter& router)
      : admin(*this, router),
        ingest(*this, router),
        feed(*this, router),
        incidents(*this, router),
        playbooks(*this, router) {}

  void Note(const grpc::ServerContext& context) {
    const auto at = context.client_metadata().find("authorization");
    const std::lock_guard lock(mutex);
    seen.tokens.push_back(at == context.client_metadata().end()
                              ? std::string()
                              : std::string(at->second.data(), at->second.size()));
  }

  void Stop() {
    const std::lock_guard lock(mutex);
    stopping = true;
    changed.notify_all();
  }

  class Admin final : public v1::Admin::Service {
   public:
    Admin(Services& all, FakeRouter&) : all_(all) {}
    grpc::Status WhoAmI(grpc::ServerContext* context, const v1::WhoAmIRequest*,
                        v1::WhoAmIResponse* response) override {
      all_.Note(*context);
      response->set_token_id("tdm_abc");
      v1::Principal& principal = *response->mutable_principal();
      principal.set_id("ana");
      principal.set_side(v1::CUSTOMER);
      principal.set_role(v1::RESPONDER);
      principal.add_tenants("tenants/acme");
      return grpc::Status::OK;
    }

   private:
    Services& all_;
  };

  class Ingest final : public v1::AlertIngest::Service {
   public:
    Ingest(Services& all, FakeRouter& router) : all_(all), router_(router) {}

    grpc::Status PushAlerts(grpc::ServerContext* context, const v1::PushAlertsRequest* request,
                            v1::PushAlertsResponse* response) override {
      all_.Note(*context);
      *response->mutable_receipt() = Judge(request->batch());
      const std::lock_guard lock(all_.mutex);
      all_.seen.pushes.push_back(*request);
      return grpc::Status::OK;
    }

    grpc::Status StreamAlerts(grpc::ServerContext* context,
                              grpc::ServerReaderWriter<v1::StreamAlertsResponse,
                                                       v1::StreamAlertsRequest>* stream) override {
      all_.Note(*context);
      v1::StreamAlertsRequest request;
      v1::StreamAlertsResponse response;
      if (!stream->Read(&request)) return grpc::Status::OK;
      response.mutable_welcome()->set_last_durable_batch(last_);
      stream->Write(response);
      bool breaks = false;
      {
        const std::lock_guard lock(all_.mutex);
        breaks = ++all_.seen.streams == 1 && router_.break_stream_after > 0;
      }
      for (int receipts = 0; stream->Read(&request); ++receipts) {
        if (breaks && receipts == router_.break_stream_after) {
          return Refuse(absl::StatusCode::kUnavailable, "DRAINING", "the router stops");
        }
        v1::Receipt& receipt = *response.mutable_receipt();
        receipt = Judge(request.batch());
        if (request.batch().number() <= last_) {
          receipt.clear_refusals();
          receipt.set_accepted(0);
          receipt.set_already_durable(true);
        } else {
          last_ = request.batch().number();
          const std::lock_guard lock(all_.mutex);
          all_.seen.batches.push_back(request.batch());
        }
        stream->Write(response);
      }
      return grpc::Status::OK;
    }

   private:
    v1::Receipt Judge(const v1::AlertBatch& batch) const {
      v1::Receipt receipt;
      receipt.set_batch_number(batch.number());
      for (int i = 0; i < batch.alerts_size(); ++i) {
        const auto& labels = batch.alerts(i).labels();
        const bool refused = std::any_of(labels.begin(), labels.end(), [&](const v1::Label& label) {
          return label.name() == "severity" && label.value() == router_.refused_severity;
        });
        if (!refused) {
          receipt.set_accepted(receipt.accepted() + 1);
          continue;
        }
        v1::Refusal& refusal = *receipt.add_refusals();
        refusal.set_index(static_cast<std::uint32_t>(i));
        refusal.set_reason("LABEL_VALUE_TOO_LONG");
        refusal.set_field("labels[0].value");
        refusal.set_description("it is refused by this test");
      }
      return receipt;
    }

    Services& all_;
    FakeRouter& router_;
    std::atomic<std::uint64_t> last_ = 0;
  };

  class Feed final : public v1::Feed::Service {
   public:
    Feed(Services& all, FakeRouter& router) : all_(all), router_(router) {}

    grpc::Status Subscribe(grpc::ServerContext* context, const v1::SubscribeRequest* request,
                           grpc::ServerWriter<v1::FeedEvent>* writer) override {
      all_.Note(*context);
      {
        const std::lock_guard lock(all_.mutex);
        all_.seen.subscriptions.push_back(*request);
      }
      std::size_t next = 0;
      if (!request->cursor().empty()) next = std::stoul(request->cursor().substr(1));
      v1::FeedEvent hello;
      hello.set_heartbeat(true);
      hello.set_cursor(fmt::format("c{}", next));
      writer->Write(hello);
      for (std::size_t sent = 0; next < router_.events.size(); ++sent, ++next) {
        if (sent == router_.cut_after) {
          return Refuse(absl::StatusCode::kUnavailable, "DRAINING", "the router stops");
        }
        v1::FeedEvent event = router_.events[next];
        event.set_cursor(fmt::format("c{}", next + 1));
        writer->Write(event);
      }
      std::unique_lock lock(all_.mutex);
      while (!all_.stopping && !context->IsCancelled()) {
        all_.changed.wait_for(lock, std::chrono::milliseconds(20));
      }
      return grpc::Status::OK;
    }

   private:
    Services& all_;
    FakeRouter& router_;
  };

  class Incidents final : public v1::Incidents::Service {
   public:
    Incidents(Services& all, FakeRouter& router) : all_(all), router_(router) {}

    grpc::Status ListIncidents(grpc::ServerContext* context,
                               const v1::ListIncidentsRequest* request,
                               v1::ListIncidentsResponse* response) override {
      all_.Note(*context);
      const std::lock_guard lock(all_.mutex);
      all_.seen.lists.push_back(*request);
      // Two on a page, whatever is asked for: clients have to go on reading.
      const std::size_t from =
          request->page_token().empty() ? 0 : std::stoul(request->page_token());
      const std::size_t to = std::min(router_.incidents.size(), from + 2);
      for (std::size_t i = from; i < to; ++i) *response->add_incidents() = router_.incidents[i];
      if (to < router_.incidents.size()) response->set_next_page_token(fmt::format("{}", to));
      return grpc::Status::OK;
    }

    grpc::Status AcknowledgeIncident(grpc::ServerContext* context,
                                     const v1::AcknowledgeIncidentRequest* request,
                                     v1::Incident* response) override {
      all_.Note(*context);
      const std::lock_guard lock(all_.mutex);
      all_.seen.acknowledgements.push_back(*request);
      for (const v1::Incident& incident : router_.incidents) {
        if (incident.name() != request->name()) continue;
        *response = incident;
        response->set_state(v1::ACKNOWLEDGED);
        response->mutable_acknowledged_by()->set_principal("ana");
        response->mutable_acknowledged_by()->set_side(v1::CUSTOMER);
        response->mutable_acknowledge_limit()->set_seconds(3600);
        return grpc::Status::OK;
      }
      return Refuse(absl::StatusCode::kNotFound, "INCIDENT_NOT_FOUND", "no such incident");
    }

   private:
    Services& all_;
    FakeRouter& router_;
  };

  class Playbooks final : public v1::Playbooks::Service {
   public:
    Playbooks(Services& all, FakeRouter& router) : all_(all), router_(router) {}

    grpc::Status ListPlaybooks(grpc::ServerContext* context, const v1::ListPlaybooksRequest*,
                               v1::ListPlaybooksResponse* response) override {
      all_.Note(*context);
      for (const v1::Playbook& playbook : router_.playbooks) *response->add_playbooks() = playbook;
      return grpc::Status::OK;
    }

    grpc::Status GetPlaybook(grpc::ServerContext* context, const v1::GetPlaybookRequest* request,
                             v1::Playbook* response) override {
      all_.Note(*context);
      for (const v1::Playbook& playbook : router_.playbooks) {
        if (request->name() != "tenants/acme/playbooks/" + playbook.digest()) continue;
        *response = playbook;
        return grpc::Status::OK;
      }
      return Refuse(absl::StatusCode::kNotFound, "PLAYBOOK_NOT_FOUND", "no such version");
    }

   private:
    Services& all_;
    FakeRouter& router_;
  };

  Admin admin;
  Ingest ingest;
  Feed feed;
  Incidents incidents;
  Playbooks playbooks;

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  bool stopping = false;
  Seen seen;
};

FakeRouter::FakeRouter() : services_(std::make_unique<Services>(*this)) {
  grpc::EnableDefaultHealthCheckService(true);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&services_->admin);
  builder.RegisterService(&services_->ingest);
  builder.RegisterService(&services_->feed);
  builder.RegisterService(&services_->incidents);
  builder.RegisterService(&services_->playbooks);
  server_ = builder.BuildAndStart();
  TANDEM_CHECK(server_ != nullptr, "a free port of this machine");
  address_ = fmt::format("127.0.0.1:{}", port);
}

FakeRouter::~FakeRouter() {
  services_->Stop();
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
}

Seen FakeRouter::seen() const {
  const std::lock_guard lock(services_->mutex);
  return services_->seen;
}

}  // namespace tandem::cli
