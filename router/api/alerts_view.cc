#include "router/api/alerts_view.h"

#include <algorithm>

#include "router/base/status.h"
#include "router/codec/convert.h"
#include "router/codec/record.h"

namespace tandem::api {

void PutAlert(const core::AlertItem& item, v1::IncidentAlert* out) {
  out->set_fingerprint(core::FingerprintText(core::Fingerprint(item.labels)));
  const auto put = [](const playbook::LabelView& from, v1::Label* to) {
    to->set_name(from.name.data(), from.name.size());
    to->set_value(from.value.data(), from.value.size());
  };
  for (const playbook::LabelView& label : item.labels) put(label, out->add_labels());
  for (const playbook::LabelView& annotation : item.annotations) {
    put(annotation, out->add_annotations());
  }
  out->set_generator_url(item.generator_url.data(), item.generator_url.size());
}

absl::StatusOr<const codec::ReadBatch*> AlertsView::Batch(const TenantId& tenant, Sequence record) {
  for (auto it = kept_.begin(); it != kept_.end(); ++it) {
    if (it->record != record || it->tenant != tenant) continue;
    kept_.splice(kept_.begin(), kept_, it);
    return &kept_.front().batch;
  }
  TANDEM_ASSIGN_OR_RETURN(auto batch, ReadAgain(tenant, record));
  if (!batch) return nullptr;
  kept_.push_front({tenant, record, *std::move(batch)});
  if (kept_.size() > kBatchesMax) kept_.pop_back();
  return &kept_.front().batch;
}

// No identity is asked of these alerts, so any key will do.
absl::StatusOr<std::optional<codec::ReadBatch>> AlertsView::ReadAgain(const TenantId& tenant,
                                                                      Sequence record) const {
  if (commit_ != nullptr) {
    for (const journal::RecordRow& row : commit_->records) {
      if (row.sequence == record && row.tenant == tenant) return codec::DecodeAlerts(row.body, {});
    }
  }
  TANDEM_ASSIGN_OR_RETURN(const auto row, reader_->ReadRecord(tenant, record));
  if (!row) return std::nullopt;
  return codec::DecodeAlerts(row->body, {});
}

absl::Status AlertsView::Fill(const TenantId& tenant, Sequence record,
                              const journal::v1::AlertRef& ref, v1::IncidentAlert* out) {
  const Sequence at = ref.record() == 0 ? record : Sequence(ref.record());
  TANDEM_ASSIGN_OR_RETURN(const codec::ReadBatch* batch, Batch(tenant, at));
  if (batch != nullptr) {
    const auto item = std::lower_bound(
        batch->items.begin(), batch->items.end(), ref.index(),
        [](const core::AlertItem& a, std::uint32_t index) { return a.index < index; });
    if (item != batch->items.end() && item->index == ref.index()) PutAlert(*item, out);
  }
  out->set_state(static_cast<v1::AlertState>(ref.state()));
  if (ref.starts() != 0) codec::PutTime(ref.starts(), out->mutable_starts_at());
  if (ref.ends() != 0) codec::PutTime(ref.ends(), out->mutable_ends_at());
  return absl::OkStatus();
}

}  // namespace tandem::api
