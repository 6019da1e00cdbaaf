// Alerts for people: their labels read back from the records in which they came.
//
// One thread at a time (it keeps the batches it has read).
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <list>
#include <optional>
#include <string_view>
#include <utility>

#include "router/codec/alert_reader.h"
#include "router/journal/journal.h"
#include "tandem/journal/v1/journal.pb.h"
#include "tandem/v1/incidents.pb.h"

namespace tandem::api {

class AlertsView {
 public:
  // `reader` outlives the view.
  explicit AlertsView(journal::Reader* reader) : reader_(reader) {}

  // Records that were just committed: they are read from here, until the next call. nullptr: from
  // the journal alone. REQUIRES: `commit` lives until then.
  void LookFirstIn(const journal::Commit* commit) { commit_ = commit; }
  // What was read is read again: it may have come from a commit that was never made.
  void Forget() { kept_.clear(); }

  // Fills `out` from where `ref` points; `record` is the record of the event that holds `ref`. An
  // alert whose record is no longer kept comes without labels.
  absl::Status Fill(const TenantId& tenant, Sequence record, const journal::v1::AlertRef& ref,
                    v1::IncidentAlert* out);

 private:
  // Batches that were read last, newest first: references cluster. 32 × 240 KiB ≈ 8 MiB at most.
  static constexpr std::size_t kBatchesMax = 32;
  struct Kept {
    TenantId tenant;
    Sequence record;
    codec::ReadBatch batch;
  };

  absl::StatusOr<const codec::ReadBatch*> Batch(const TenantId& tenant, Sequence record);
  absl::StatusOr<std::optional<codec::ReadBatch>> ReadAgain(const TenantId& tenant,
                                                            Sequence record) const;

  journal::Reader* reader_;
  const journal::Commit* commit_ = nullptr;
  std::list<Kept> kept_;
};

// An alert of a batch in the words of the public API.
void PutAlert(const core::AlertItem& item, v1::IncidentAlert* out);

}  // namespace tandem::api
