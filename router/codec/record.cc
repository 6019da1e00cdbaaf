#include "router/codec/record.h"

#include <fmt/format.h>
#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <variant>

#include "router/base/status.h"
#include "router/codec/convert.h"
#include "router/codec/facts.h"
#include "router/codec/wire.h"

namespace tandem::codec {
namespace {

constexpr std::uint32_t kRecordAlertBatch = 2;
constexpr std::uint32_t kBatchBytes = 15;

absl::Status Malformed(std::string_view what) {
  return Error(absl::StatusCode::kDataLoss, "RECORD_MALFORMED",
               fmt::format("the record cannot be read: {}", what));
}

template <typename From, typename To>
void PutAction(const From& from, To* to) {
  Put(from.actor, to->mutable_actor());
  to->set_incident(from.incident.value);
  to->set_request_id(from.request_id);
}

template <typename From>
void PutSender(const core::AlertBatch& from, From* to) {
  to->set_client_id(std::string(from.client_id));
  to->set_number(from.number);
  to->set_resolve_timeout_us(absl::ToInt64Microseconds(from.resolve_timeout));
  to->set_context_age_us(absl::ToInt64Microseconds(from.context_age.age));
  to->set_context_unheard(!from.context_age.heard);
}

struct InputEncoder {
  stored::Record* record;

  // With its bytes; EncodeRecord writes those behind the rest.
  void operator()(const core::AlertBatch& input) const {
    PutSender(input, record->mutable_alert_repeat());
  }
  void operator()(const core::Acknowledgement& input) const {
    auto* to = record->mutable_acknowledgement();
    PutAction(input, to);
    to->set_comment(input.comment);
    if (input.expires_in) to->set_expires_in_us(absl::ToInt64Microseconds(*input.expires_in));
  }
  void operator()(const core::Note& input) const {
    PutAction(input, record->mutable_note());
    record->mutable_note()->set_text(input.text);
  }
  void operator()(const core::Resolution& input) const {
    PutAction(input, record->mutable_resolution());
    record->mutable_resolution()->set_comment(input.comment);
  }
  void operator()(const core::Reopening& input) const {
    PutAction(input, record->mutable_reopening());
    record->mutable_reopening()->set_comment(input.comment);
  }
  void operator()(const core::RequestAnswer& input) const {
    auto* to = record->mutable_request_answer();
    PutAction(input, to);
    to->set_request(input.request);
    to->set_answer(input.answer);
    to->set_comment(input.comment);
  }
  void operator()(const core::HandoverOffer& input) const {
    auto* to = record->mutable_handover_offer();
    PutAction(input, to);
    to->set_team(input.team);
    to->set_comment(input.comment);
  }
  void operator()(const core::HandoverReply& input) const {
    auto* to = record->mutable_handover_reply();
    PutAction(input, to);
    to->set_accept(input.accept);
    to->set_team(input.team);
    to->set_comment(input.comment);
  }
  void operator()(const core::DeliveryReport& input) const {
    auto* to = record->mutable_delivery_report();
    to->set_delivery(input.delivery.value);
    to->set_outcome(static_cast<std::uint32_t>(input.outcome));
    to->set_attempt(input.attempt);
    to->set_detail(input.detail);
    if (input.not_before) to->set_not_before(absl::ToUnixMicros(*input.not_before));
    to->set_latency_us(absl::ToInt64Microseconds(input.latency));
  }
  void operator()(const core::ContextChange& input) const {
    auto* to = record->mutable_context_change();
    to->set_version(input.version);
    to->set_snapshot(input.snapshot);
    for (const playbook::EntitySpec& entity : input.put) Put(entity, to->add_put());
    for (const auto& [kind, id] : input.removed) {
      auto* name = to->add_removed();
      name->set_kind(kind);
      name->set_id(id);
    }
    Put(input.actor, to->mutable_actor());
    to->set_comment(input.comment);
  }
  void operator()(const core::PlaybookActivation& input) const {
    auto* to = record->mutable_playbook_activation();
    Put(input.actor, to->mutable_actor());
    to->set_comment(input.comment);
    to->set_source(input.playbook->source());
    to->set_request_id(input.request_id);
  }
  void operator()(const core::TimePassed&) const { record->mutable_time_passed(); }
  void operator()(const core::Resumption& input) const {
    record->mutable_resumption()->set_grace_us(absl::ToInt64Microseconds(input.grace));
  }
};

// A batch whose alerts all fired already and say nothing new is known from its facts alone.
bool OnlyRepeats(const core::Facts& facts) {
  return std::all_of(facts.begin(), facts.end(), [](const core::Fact& fact) {
    if (const auto* refreshed = std::get_if<core::AlertRefreshed>(&fact)) {
      return !refreshed->changed_index.has_value();
    }
    return std::holds_alternative<core::ClientAdvanced>(fact);
  });
}

// Appends the field alert_batch with the received bytes as its last field: one copy of the large
// part, no second message around it.
void AppendBatch(const core::AlertBatch& input, std::string_view bytes, std::string& body) {
  using google::protobuf::io::CodedOutputStream;
  stored::AlertBatch sender;
  PutSender(input, &sender);
  std::string head = sender.SerializeAsString();
  const auto append_varint = [](std::string& to, std::uint64_t value) {
    std::uint8_t buffer[10];
    const std::uint8_t* end = CodedOutputStream::WriteVarint64ToArray(value, buffer);
    to.append(reinterpret_cast<const char*>(buffer), static_cast<std::size_t>(end - buffer));
  };
  append_varint(head, kBatchBytes << 3 | Wire::kBytes);
  append_varint(head, bytes.size());
  append_varint(body, kRecordAlertBatch << 3 | Wire::kBytes);
  append_varint(body, head.size() + bytes.size());
  body.append(head).append(bytes);
}

// Without the client's id: it stands in the fact ClientAdvanced, and Decide is not asked again.
template <typename From>
core::AlertBatch GetBatch(const From& from) {
  return {.number = from.number(),
          .resolve_timeout = absl::Microseconds(from.resolve_timeout_us()),
          .context_age = {absl::Microseconds(from.context_age_us()), !from.context_unheard()}};
}

core::ContextChange GetContextChange(const stored::ContextChange& from) {
  core::ContextChange to{.version = from.version(),
                         .snapshot = from.snapshot(),
                         .actor = Get(from.actor()),
                         .comment = from.comment()};
  for (const stored::Entity& entity : from.put()) to.put.push_back(Get(entity));
  for (const stored::EntityName& name : from.removed())
    to.removed.emplace_back(name.kind(), name.id());
  return to;
}

core::DeliveryReport GetReport(const stored::DeliveryReport& from) {
  core::DeliveryReport to{.delivery = DeliveryNumber(from.delivery()),
                          .outcome = static_cast<core::DeliveryReport::Outcome>(from.outcome()),
                          .attempt = from.attempt(),
                          .detail = from.detail(),
                          .latency = absl::Microseconds(from.latency_us())};
  if (from.has_not_before()) to.not_before = absl::FromUnixMicros(from.not_before());
  return to;
}

absl::Status GetInput(const stored::Record& from, const core::IdentityKey& key, DecodedRecord& to) {
  using R = stored::Record;
  switch (from.input_case()) {
    case R::kAlertBatch: {
      to.batch = std::make_unique<ReadBatch>(ReadStoredBatch(from.alert_batch().batch(), key));
      core::AlertBatch batch = GetBatch(from.alert_batch());
      batch.alerts = to.batch->items;
      to.input = batch;
      return absl::OkStatus();
    }
    case R::kAlertRepeat:
      to.input = GetBatch(from.alert_repeat());
      return absl::OkStatus();
    case R::kAcknowledgement: {
      const auto& f = from.acknowledgement();
      core::Acknowledgement input{Get(f.actor()), IncidentNumber(f.incident()), f.comment(),
                                  f.request_id(), std::nullopt};
      if (f.has_expires_in_us()) input.expires_in = absl::Microseconds(f.expires_in_us());
      to.input = std::move(input);
      return absl::OkStatus();
    }
    case R::kNote:
      to.input = core::Note{Get(from.note().actor()), IncidentNumber(from.note().incident()),
                            from.note().text(), from.note().request_id()};
      return absl::OkStatus();
    case R::kResolution:
      to.input = core::Resolution{Get(from.resolution().actor()),
                                  IncidentNumber(from.resolution().incident()),
                                  from.resolution().comment(), from.resolution().request_id()};
      return absl::OkStatus();
    case R::kReopening:
      to.input = core::Reopening{Get(from.reopening().actor()),
                                 IncidentNumber(from.reopening().incident()),
                                 from.reopening().comment(), from.reopening().request_id()};
      return absl::OkStatus();
    case R::kRequestAnswer: {
      const auto& f = from.request_answer();
      to.input = core::RequestAnswer{Get(f.actor()), IncidentNumber(f.incident()),
                                     f.request(),    f.answer(),
                                     f.comment(),    f.request_id()};
      return absl::OkStatus();
    }
    case R::kHandoverOffer: {
      const auto& f = from.handover_offer();
      to.input = core::HandoverOffer{Get(f.actor()), IncidentNumber(f.incident()), f.team(),
                                     f.comment(), f.request_id()};
      return absl::OkStatus();
    }
    case R::kHandoverReply: {
      const auto& f = from.handover_reply();
      to.input = core::HandoverReply{Get(f.actor()), IncidentNumber(f.incident()),
                                     f.accept(),     f.comment(),
                                     f.request_id(), f.team()};
      return absl::OkStatus();
    }
    case R::kDeliveryReport:
      to.input = GetReport(from.delivery_report());
      return absl::OkStatus();
    case R::kContextChange:
      to.input = GetContextChange(from.context_change());
      return absl::OkStatus();
    case R::kPlaybookActivation: {
      const auto& f = from.playbook_activation();
      TANDEM_ASSIGN_OR_RETURN(auto playbook, CompileStored(f.source()));
      to.input = core::PlaybookActivation{Get(f.actor()), f.comment(), std::move(playbook),
                                          f.request_id()};
      return absl::OkStatus();
    }
    case R::kTimePassed:
      to.input = core::TimePassed{};
      return absl::OkStatus();
    case R::kResumption:
      to.input = core::Resumption{absl::Microseconds(from.resumption().grace_us())};
      return absl::OkStatus();
    default:
      return Error(absl::StatusCode::kUnimplemented, "INPUT_UNKNOWN",
                   "the journal holds an input that this release does not know: a newer release "
                   "has written it; start that one");
  }
}

}  // namespace

std::string EncodeRecord(const core::Input& input, std::string_view batch_bytes,
                         const core::Facts& facts) {
  google::protobuf::Arena arena;
  auto* record = google::protobuf::Arena::CreateMessage<stored::Record>(&arena);
  record->set_core_version(kCoreVersion);
  const auto* batch = std::get_if<core::AlertBatch>(&input);
  const bool with_bytes = batch != nullptr && !OnlyRepeats(facts);
  if (!with_bytes) std::visit(InputEncoder{record}, input);
  EncodeFacts(facts, record);
  std::string body;
  const std::size_t size = record->ByteSizeLong();
  body.reserve(size + (with_bytes ? batch_bytes.size() + 256 : 0));
  record->AppendToString(&body);
  if (with_bytes) AppendBatch(*batch, batch_bytes, body);
  return body;
}

absl::StatusOr<DecodedRecord> DecodeRecord(std::string_view body, const core::IdentityKey& key) {
  google::protobuf::Arena arena;
  auto* record = google::protobuf::Arena::CreateMessage<stored::Record>(&arena);
  if (!record->ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return Malformed("it is no tandem.journal.v1.Record");
  }
  DecodedRecord decoded;
  TANDEM_RETURN_IF_ERROR(GetInput(*record, key, decoded));
  TANDEM_RETURN_IF_ERROR(DecodeFacts(*record, decoded.facts));
  return decoded;
}

absl::StatusOr<ReadBatch> DecodeAlerts(std::string_view body, const core::IdentityKey& key) {
  // Only the two fields on the way to the batch: the facts before it are passed over.
  std::string_view stored_batch;
  std::string_view bytes;
  Wire record(body);
  while (const std::uint32_t tag = record.Tag()) {
    if (tag == (kRecordAlertBatch << 3 | Wire::kBytes)) {
      stored_batch = record.Bytes();
    } else {
      record.Skip(tag);
    }
  }
  Wire batch(stored_batch);
  while (const std::uint32_t tag = batch.Tag()) {
    if (tag == (kBatchBytes << 3 | Wire::kBytes)) {
      bytes = batch.Bytes();
    } else {
      batch.Skip(tag);
    }
  }
  if (!record.ok() || !batch.ok()) return Malformed("it is no tandem.journal.v1.Record");
  return ReadStoredBatch(bytes, key);
}

}  // namespace tandem::codec
