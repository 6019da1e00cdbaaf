// Who an alert is: its tenant and its label set, nothing else.
//
// Inside a process a label set is known by a 128-bit hash under a random secret of that process, so
// that nobody who sends alerts can make two sets meet. The hash is never stored: recovery computes
// it anew from the labels. For people and for other systems there is Alertmanager's fingerprint.
//
// Pure but for NewIdentityKey's argument; safe from any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "router/playbook/environment.h"

namespace tandem::core {

struct Identity {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend auto operator<=>(const Identity&, const Identity&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const Identity& id) {
    return H::combine(std::move(h), id.low);
  }
};

// XXH3's secret: at least 136 bytes of randomness.
using IdentityKey = std::array<std::uint8_t, 192>;

// The identity of a label set. REQUIRES: sorted by name, names unique, no empty value.
Identity IdentityOf(const IdentityKey& key, playbook::LabelsView labels);

// The identity of an incident's group: the rule's name and the labels it groups by.
Identity GroupIdentityOf(const IdentityKey& key, std::string_view rule,
                         playbook::LabelsView group_labels);

// Says whether an alert's annotations and generator URL have changed. Unkeyed: a sender that makes
// two of its own texts meet only fools itself.
std::uint64_t DetailsHash(playbook::LabelsView annotations, std::string_view generator_url);

// Alertmanager's: FNV-1a over name 0xFF value 0xFF of each label in order (prometheus/common,
// model/signature.go). For people to correlate by; 64 weak bits, so never used as identity.
std::uint64_t Fingerprint(playbook::LabelsView labels);
// 16 lower-case hexadecimal digits.
std::string FingerprintText(std::uint64_t fingerprint);

}  // namespace tandem::core
