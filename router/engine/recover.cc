#include <fmt/format.h>

#include "router/base/check.h"
#include "router/base/plant.h"
#include "router/base/status.h"
#include "router/codec/record.h"
#include "router/codec/snapshot.h"
#include "router/core/decide.h"
#include "router/engine/shard.h"
#include "router/playbook/parse.h"

namespace tandem::engine {

std::shared_ptr<const playbook::Playbook> DefaultPlaybook(const TenantId& tenant) {
  const std::string source = fmt::format(
      "playbook: 1\n"
      "tenant: {}\n"
      "teams:\n"
      "  noc: {{side: provider, contacts: []}}\n"
      "escalations:\n"
      "  boards-only: {{steps: [{{after: 0s, notify: [noc]}}]}}\n"
      "rules:\n"
      "  - name: no-playbook-yet\n"
      "    owner: noc\n"
      "    handling: needs_input\n"
      "    escalation: boards-only\n"
      "    reason: This tenant has no playbook yet, so the provider leads and nobody is paged.\n",
      tenant.value);
  playbook::Compiled compiled = playbook::CompilePlaybook(source);
  TANDEM_CHECK(compiled.playbook != nullptr, "the built-in playbook compiles");
  return std::move(compiled.playbook);
}

absl::StatusOr<std::unique_ptr<core::TenantState>> RecoverTenant(
    const TenantId& tenant, const core::IdentityKey& key, journal::Reader& reader,
    const journal::SnapshotStore* snapshots) {
  const auto fresh = [&] {
    auto state = std::make_unique<core::TenantState>();
    state->tenant = tenant;
    state->key = key;
    return state;
  };
  auto state = fresh();
  // A snapshot is only a short cut: one that is not of this very history, or that this release
  // cannot read, is passed over for the one before, and without any the history itself is folded.
  std::optional<Sequence> before;
  while (snapshots != nullptr) {
    TANDEM_ASSIGN_OR_RETURN(const auto loaded, snapshots->Load(tenant, before));
    if (!loaded.snapshot) break;
    TANDEM_ASSIGN_OR_RETURN(const auto record,
                            reader.ReadRecord(tenant, loaded.snapshot->sequence));
    const bool ours = record && record->hash == loaded.snapshot->hash;
    if (ours && codec::DecodeSnapshot(loaded.snapshot->payload, *state).ok()) break;
    state = fresh();
    before = loaded.snapshot->sequence;
  }
  if (state->playbook == nullptr) state->playbook = DefaultPlaybook(tenant);

  absl::Status folded;
  const absl::Status read =
      reader.ReadRecords(tenant, state->last_sequence.Next(), [&](const journal::RecordRow& row) {
        if (row.sequence != state->last_sequence.Next()) {
          folded = Error(
              absl::StatusCode::kDataLoss, "HISTORY_PRUNED",
              fmt::format("the history of tenant {} continues at record {}, but only what led to "
                          "record {} is known: the records between were pruned, and no snapshot "
                          "behind them can be read; restore the folder snapshots/ from a backup",
                          tenant.value, row.sequence.value, state->last_sequence.value));
          return false;
        }
        auto record = codec::DecodeRecord(row.body, key);
        if (!record.ok()) {
          folded = Annotate(record.status(), fmt::format("record {} of tenant {}",
                                                         row.sequence.value, tenant.value));
          return false;
        }
        core::Replay(*state, record->input, record->facts, row.sequence, row.time);
        return true;
      });
  TANDEM_RETURN_IF_ERROR(read);
  TANDEM_RETURN_IF_ERROR(folded);
  if (IsPlanted(Plant::kForgetGroups)) state->groups.clear();
  return state;
}

}  // namespace tandem::engine
