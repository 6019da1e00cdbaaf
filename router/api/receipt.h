// Receipts in the words of the public API. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "router/codec/alert_reader.h"
#include "tandem/v1/alert_ingest.pb.h"

namespace tandem::api {

struct Taken {
  std::uint64_t number = 0;
  std::size_t accepted = 0;
  bool repeated = false;
};

inline void PutReceipt(const Taken& taken, const std::vector<codec::Refusal>& refusals,
                       v1::Receipt* out) {
  out->set_batch_number(taken.number);
  out->set_already_durable(taken.repeated);
  if (taken.repeated) return;
  out->set_accepted(static_cast<std::uint32_t>(taken.accepted));
  for (const codec::Refusal& refusal : refusals) {
    v1::Refusal* to = out->add_refusals();
    to->set_index(refusal.index);
    to->set_reason(refusal.reason);
    to->set_field(refusal.field);
    to->set_description(refusal.description);
  }
}

}  // namespace tandem::api
