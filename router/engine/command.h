// What callers ask of the engine, and what it answers.
//
// A command is made on any thread, moved into the mailbox, and answered on the engine's thread once
// what it decided is durable.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "router/base/ids.h"
#include "router/codec/alert_reader.h"
#include "router/core/input.h"
#include "router/core/installation.h"
#include "tandem/v1/incidents.pb.h"

namespace tandem::engine {

// A judged batch of a client.
struct AlertsReceived {
  std::string client_id;
  codec::ReadBatch batch;
  // Set once an earlier batch of the same stream was refused: then this one is refused too, so that
  // the client's position never passes a batch that was not taken. May be null.
  std::shared_ptr<const std::atomic<bool>> abandoned;
};

// Asks up to which batch a client's alerts are durable.
struct PositionQuery {
  std::string client_id;
};

// Asks which records brought a playbook live, and which changed the context.
struct MilestonesQuery {};

using Request =
    std::variant<AlertsReceived, PositionQuery, MilestonesQuery, core::Acknowledgement, core::Note,
                 core::Resolution, core::Reopening, core::RequestAnswer, core::HandoverOffer,
                 core::HandoverReply, core::DeliveryReport, core::ContextChange,
                 core::PlaybookActivation, core::InstallationInput>;

struct Reply {
  Sequence sequence;                     // of the record that was written; 0 when nothing had to be
  bool repeated = false;                 // taken before: nothing was done again
  std::uint64_t position = 0;            // of a PositionQuery
  std::optional<v1::Incident> incident;  // after a person's action
  // Of a MilestonesQuery, ascending.
  std::vector<Sequence> activations;
  std::vector<Sequence> context_changes;
  std::uint64_t context_version = 0;
  bool delivery_open = false;  // after a DeliveryReport
  // Of an InstallationInput: what it became, now or when it first came.
  std::shared_ptr<const core::InstallationFact> installed;
};

// Must return soon and not block: it runs on the thread that serves the whole shard.
using Done = absl::AnyInvocable<void(absl::StatusOr<Reply>)>;

struct Command {
  TenantId tenant;  // core::kInstallation for InstallationInput
  Request request;
  Done done;
};

// What a command weighs in the mailbox, in bytes: about its memory.
std::size_t WeightOf(const Command& command);

}  // namespace tandem::engine
