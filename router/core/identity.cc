#include "router/core/identity.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

namespace tandem::core {
namespace {

// Length-prefixed, so that no two different sequences of texts give the same bytes. Small sets are
// hashed in one pass over a buffer on the stack; larger ones are streamed.
class Bytes {
 public:
  explicit Bytes(std::string& overflow) : overflow_(overflow) {}

  void Add(std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    Append(&size, sizeof size);
    Append(text.data(), text.size());
  }

  const void* data() const { return spilled_ ? overflow_.data() : buffer_; }
  std::size_t size() const { return spilled_ ? overflow_.size() : used_; }

 private:
  void Append(const void* bytes, std::size_t size) {
    if (size == 0) return;  // an empty text may have no address
    if (!spilled_ && used_ + size <= sizeof buffer_) {
      std::memcpy(buffer_ + used_, bytes, size);
      used_ += size;
      return;
    }
    if (!spilled_) {
      overflow_.assign(buffer_, used_);
      spilled_ = true;
    }
    overflow_.append(static_cast<const char*>(bytes), size);
  }

  char buffer_[1024];
  std::size_t used_ = 0;
  bool spilled_ = false;
  std::string& overflow_;
};

Identity HashOf(const IdentityKey& key, const Bytes& bytes) {
  const XXH128_hash_t hash =
      XXH3_128bits_withSecret(bytes.data(), bytes.size(), key.data(), key.size());
  return {hash.low64, hash.high64};
}

}  // namespace

Identity IdentityOf(const IdentityKey& key, playbook::LabelsView labels) {
  std::string overflow;
  Bytes bytes(overflow);
  for (const playbook::LabelView& label : labels) {
    bytes.Add(label.name);
    bytes.Add(label.value);
  }
  return HashOf(key, bytes);
}

Identity GroupIdentityOf(const IdentityKey& key, std::string_view rule,
                         playbook::LabelsView group_labels) {
  std::string overflow;
  Bytes bytes(overflow);
  bytes.Add(rule);
  for (const playbook::LabelView& label : group_labels) {
    bytes.Add(label.name);
    bytes.Add(label.value);
  }
  return HashOf(key, bytes);
}

std::uint64_t DetailsHash(playbook::LabelsView annotations, std::string_view generator_url) {
  std::string overflow;
  Bytes bytes(overflow);
  for (const playbook::LabelView& annotation : annotations) {
    bytes.Add(annotation.name);
    bytes.Add(annotation.value);
  }
  bytes.Add(generator_url);
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::uint64_t Fingerprint(playbook::LabelsView labels) {
  std::uint64_t hash = 14695981039346656037ULL;
  const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 1099511628211ULL; };
  for (const playbook::LabelView& label : labels) {
    for (const char c : label.name) add(static_cast<unsigned char>(c));
    add(0xFF);
    for (const char c : label.value) add(static_cast<unsigned char>(c));
    add(0xFF);
  }
  return hash;
}

std::string FingerprintText(std::uint64_t fingerprint) {
  return fmt::format("{:016x}", fingerprint);
}

}  // namespace tandem::core
