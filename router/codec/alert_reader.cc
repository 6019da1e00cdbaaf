#include "router/codec/alert_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/codec/wire.h"

namespace tandem::codec {
namespace {

using playbook::LabelView;

// Field tags of tandem.v1.AlertBatch, Alert, Label and google.protobuf.Timestamp.
constexpr std::uint32_t kBatchNumber = 1 << 3 | Wire::kVarint;
constexpr std::uint32_t kBatchAlert = 2 << 3 | Wire::kBytes;
constexpr std::uint32_t kAlertLabel = 1 << 3 | Wire::kBytes;
constexpr std::uint32_t kAlertAnnotation = 2 << 3 | Wire::kBytes;
constexpr std::uint32_t kAlertStarts = 3 << 3 | Wire::kBytes;
constexpr std::uint32_t kAlertEnds = 4 << 3 | Wire::kBytes;
constexpr std::uint32_t kAlertUrl = 5 << 3 | Wire::kBytes;
constexpr std::uint32_t kLabelName = 1 << 3 | Wire::kBytes;
constexpr std::uint32_t kLabelValue = 2 << 3 | Wire::kBytes;
constexpr std::uint32_t kSeconds = 1 << 3 | Wire::kVarint;
constexpr std::uint32_t kNanos = 2 << 3 | Wire::kVarint;

// 2000-01-01T00:00:00Z: nothing that still fires began before.
constexpr std::int64_t kEarliestSeconds = 946'684'800;
constexpr std::int64_t kDaySeconds = 86'400;

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsNameByte(char c) { return IsNameStart(c) || (c >= '0' && c <= '9'); }

bool IsLabelName(std::string_view name) {
  return !name.empty() && IsNameStart(name[0]) && std::all_of(name.begin(), name.end(), IsNameByte);
}

// Most text is printable ASCII; only what is not needs a closer look. Eight bytes at a time: the
// highest bit of a byte of `odd` is set when that byte is above 0x7F, below 0x20 or 0x7F. A borrow
// or carry into the next byte comes only from one that is odd itself.
bool IsPlain(std::string_view text) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  std::uint64_t odd = 0;
  const char* at = text.data();
  for (std::size_t left = text.size(); left > 0;) {
    std::uint64_t bytes = kEach * ' ';
    const std::size_t taken = std::min(left, sizeof bytes);
    std::memcpy(&bytes, at, taken);
    odd |= bytes | (bytes - kEach * 0x20) | (bytes + kEach);
    at += taken;
    left -= taken;
  }
  return (odd & (kEach << 7)) == 0;
}

struct Stamp {
  std::int64_t seconds = 0;
  std::int64_t nanos = 0;
};

bool ReadLabel(std::string_view bytes, LabelView& label) {
  Wire wire(bytes);
  label = {};
  while (const std::uint32_t tag = wire.Tag()) {
    if (tag == kLabelName) {
      label.name = wire.Bytes();
    } else if (tag == kLabelValue) {
      label.value = wire.Bytes();
    } else {
      wire.Skip(tag);
    }
  }
  return wire.ok();
}

bool ReadStamp(std::string_view bytes, std::optional<Stamp>& stamp) {
  Wire wire(bytes);
  if (!stamp) stamp.emplace();
  while (const std::uint32_t tag = wire.Tag()) {
    if (tag == kSeconds) {
      stamp->seconds = static_cast<std::int64_t>(wire.Varint());
    } else if (tag == kNanos) {
      stamp->nanos = static_cast<std::int32_t>(wire.Varint());
    } else {
      wire.Skip(tag);
    }
  }
  return wire.ok();
}

}  // namespace

class BatchReader {
 public:
  struct Options {
    const core::IdentityKey& key;
    // Unset: the batch was judged before, and no limit applies.
    std::optional<std::int64_t> now_seconds;
  };

  BatchReader(std::string_view bytes, const Options& options) : options_(options) {
    batch_.bytes_.assign(bytes.begin(), bytes.end());
    // A reference alert has 272 bytes and 10 labels and annotations.
    batch_.labels_.reserve(bytes.size() / 24);
    batch_.items.reserve(std::min(bytes.size() / 64, kBatchAlertsMax));
    ranges_.reserve(batch_.items.capacity());
  }

  // False when the framing of the batch is malformed.
  bool Read() {
    Wire wire(batch_.bytes());
    while (const std::uint32_t tag = wire.Tag()) {
      if (tag == kBatchNumber) {
        batch_.number = wire.Varint();
      } else if (tag == kBatchAlert) {
        ReadAlert(wire.Bytes());
      } else {
        wire.Skip(tag);
      }
    }
    Finish();
    return wire.ok();
  }

  ReadBatch Take() { return std::move(batch_); }

 private:
  struct Range {
    std::size_t labels = 0;
    std::size_t annotations = 0;
    std::size_t end = 0;
  };

  void Refuse(std::string_view reason, std::string field, std::string description) {
    batch_.refusals.push_back(
        {batch_.sent, std::string(reason), std::move(field), std::move(description)});
    refused_ = true;
  }

  void ReadAlert(std::string_view bytes) {
    // Such a batch is refused whole: its alerts are only counted.
    if (options_.now_seconds && batch_.sent >= kBatchAlertsMax) {
      ++batch_.sent;
      return;
    }
    refused_ = false;
    Range range{.labels = batch_.labels_.size()};
    core::AlertItem item{.index = batch_.sent};
    std::optional<Stamp> starts;
    std::optional<Stamp> ends;
    annotations_.clear();
    bool ok = true;
    Wire wire(bytes);
    while (const std::uint32_t tag = wire.Tag()) {
      switch (tag) {
        case kAlertLabel:
          ok = ReadLabel(wire.Bytes(), batch_.labels_.emplace_back()) && ok;
          break;
        case kAlertAnnotation:
          ok = ReadLabel(wire.Bytes(), annotations_.emplace_back()) && ok;
          break;
        case kAlertStarts:
          ok = ReadStamp(wire.Bytes(), starts) && ok;
          break;
        case kAlertEnds:
          ok = ReadStamp(wire.Bytes(), ends) && ok;
          break;
        case kAlertUrl:
          item.generator_url = wire.Bytes();
          break;
        default:
          wire.Skip(tag);
      }
    }
    if (!ok || !wire.ok()) {
      Refuse("MALFORMED", "", "the bytes of this alert are no tandem.v1.Alert");
    } else if (options_.now_seconds) {
      JudgeLabels(range.labels, HasShape(range.labels));
      if (!refused_) JudgeDetails(item.generator_url);
      if (!refused_) JudgeTimes(starts, ends);
    }
    if (refused_) {
      batch_.labels_.resize(range.labels);
    } else {
      Keep(item, range, starts, ends);
    }
    ++batch_.sent;
  }

  // Puts the labels in order and drops those without a value, as Alertmanager does before it
  // computes an identity.
  void Keep(core::AlertItem& item, Range range, const std::optional<Stamp>& starts,
            const std::optional<Stamp>& ends) {
    auto& labels = batch_.labels_;
    Order(range.labels);
    const auto first = labels.begin() + static_cast<std::ptrdiff_t>(range.labels);
    labels.erase(std::remove_if(first, labels.end(),
                                [](const LabelView& label) { return label.value.empty(); }),
                 labels.end());
    range.annotations = labels.size();
    labels.insert(labels.end(), annotations_.begin(), annotations_.end());
    range.end = labels.size();
    // nanoseconds below a microsecond are cut: what is stored is what was decided by.
    // A stored batch also holds the alerts that were refused, with whatever times: absl saturates.
    const auto time = [](const Stamp& s) {
      return absl::FromUnixSeconds(s.seconds) + absl::Microseconds(s.nanos / 1000);
    };
    if (starts) item.starts_at = time(*starts);
    if (ends) item.ends_at = time(*ends);
    batch_.items.push_back(item);
    ranges_.push_back(range);
  }

  // Whether the labels from `first` on have the names of the last alert that was kept, in the same
  // places: then they are as valid, and in order by the same moves. The alerts of a batch mostly
  // do.
  bool HasShape(std::size_t first) const {
    const auto& labels = batch_.labels_;
    if (labels.size() - first != shape_.size()) return false;
    for (std::size_t i = 0; i < shape_.size(); ++i) {
      if (labels[first + i].name != shape_[i]) return false;
    }
    return true;
  }

  // Puts the labels from `first` on in the order of their names.
  void Order(std::size_t first) {
    auto& labels = batch_.labels_;
    if (!HasShape(first)) {
      shape_.clear();
      order_.clear();
      for (std::size_t i = first; i < labels.size(); ++i) {
        shape_.push_back(labels[i].name);
        order_.push_back(static_cast<std::uint32_t>(i - first));
      }
      std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
        return shape_[a] != shape_[b] ? shape_[a] < shape_[b] : a < b;
      });
    }
    if (std::is_sorted(order_.begin(), order_.end())) return;
    unordered_.assign(labels.begin() + static_cast<std::ptrdiff_t>(first), labels.end());
    for (std::size_t i = 0; i < order_.size(); ++i) labels[first + i] = unordered_[order_[i]];
  }

  void JudgeLabels(std::size_t first, bool names_are_known) {
    const auto& labels = batch_.labels_;
    const std::size_t count = labels.size() - first;
    if (count > kLabelsMax) {
      return Refuse("TOO_MANY_LABELS", "labels",
                    fmt::format("{} labels; at most {} are allowed", count, kLabelsMax));
    }
    bool any_value = false;
    for (std::size_t i = 0; i < count && !refused_; ++i) {
      if (!names_are_known) JudgeName(first, i);
      if (!refused_) JudgeValue(labels[first + i], i);
      any_value = any_value || !labels[first + i].value.empty();
    }
    if (!refused_ && !any_value) {
      Refuse("NO_LABELS", "labels", "at least one label with a value is required");
    }
  }

  void JudgeName(std::size_t first, std::size_t i) {
    const LabelView& label = batch_.labels_[first + i];
    if (label.name.size() > kLabelNameMax) {
      return Refuse(
          "LABEL_NAME_TOO_LONG", fmt::format("labels[{}].name", i),
          fmt::format("{} bytes; at most {} are allowed", label.name.size(), kLabelNameMax));
    }
    if (!IsLabelName(label.name)) {
      return Refuse("LABEL_NAME_INVALID", fmt::format("labels[{}].name", i),
                    fmt::format("\"{}\" is no label name; expected [a-zA-Z_][a-zA-Z0-9_]*",
                                Shown(label.name)));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (batch_.labels_[first + j].name == label.name) {
        return Refuse("LABEL_DUPLICATE", fmt::format("labels[{}].name", i),
                      fmt::format("\"{}\" occurs twice; a name may occur once", label.name));
      }
    }
  }

  void JudgeValue(const LabelView& label, std::size_t i) {
    if (label.value.size() > kLabelValueMax) {
      Refuse("LABEL_VALUE_TOO_LONG", fmt::format("labels[{}].value", i),
             fmt::format("{} bytes in \"{}\"; at most {} are allowed", label.value.size(),
                         label.name, kLabelValueMax));
    } else if (!IsPlain(label.value)) {
      JudgeText(label.value, fmt::format("labels[{}].value", i), {});
    }
  }

  void JudgeText(std::string_view text, std::string field, ControlCharacters options) {
    if (!IsUtf8(text)) {
      Refuse("NOT_UTF8", std::move(field), "the text is not valid UTF-8");
    } else if (HasControlCharacters(text, options)) {
      Refuse("CONTROL_CHARACTER", std::move(field),
             fmt::format("control characters are not allowed: \"{}\"", Shown(text)));
    }
  }

  void JudgeDetails(std::string_view url) {
    if (annotations_.size() > kAnnotationsMax) {
      return Refuse("TOO_MANY_ANNOTATIONS", "annotations",
                    fmt::format("{} annotations; at most {} are allowed", annotations_.size(),
                                kAnnotationsMax));
    }
    for (std::size_t i = 0; i < annotations_.size() && !refused_; ++i) {
      const LabelView& annotation = annotations_[i];
      const auto field = [i] { return fmt::format("annotations[{}]", i); };
      if (annotation.name.size() > kLabelNameMax || annotation.value.size() > kAnnotationMax) {
        Refuse("ANNOTATION_TOO_LONG", field(),
               fmt::format("a name has at most {} bytes and a value at most {}", kLabelNameMax,
                           kAnnotationMax));
      } else if (!IsLabelName(annotation.name)) {
        Refuse("LABEL_NAME_INVALID", field() + ".name",
               fmt::format("\"{}\" is no annotation name; expected [a-zA-Z_][a-zA-Z0-9_]*",
                           Shown(annotation.name)));
      } else if (!IsPlain(annotation.value)) {
        JudgeText(annotation.value, field() + ".value", {.allow_newlines = true});
      }
    }
    if (refused_) return;
    if (url.size() > kUrlMax) {
      Refuse("URL_TOO_LONG", "generator_url",
             fmt::format("{} bytes; at most {} are allowed", url.size(), kUrlMax));
    } else if (!IsPlain(url)) {
      JudgeText(url, "generator_url", {});
    }
  }

  void JudgeTimes(const std::optional<Stamp>& starts, const std::optional<Stamp>& ends) {
    if (starts) JudgeTime(*starts, "starts_at", kDaySeconds, "one day");
    if (ends && !refused_) JudgeTime(*ends, "ends_at", 366 * kDaySeconds, "366 days");
    if (refused_ || !starts || !ends) return;
    if (starts->seconds > ends->seconds ||
        (starts->seconds == ends->seconds && starts->nanos > ends->nanos)) {
      Refuse("ENDS_BEFORE_START", "ends_at", "the alert would end before it starts");
    }
  }

  void JudgeTime(const Stamp& stamp, const char* field, std::int64_t ahead,
                 const char* ahead_text) {
    if (stamp.seconds < kEarliestSeconds || stamp.seconds > *options_.now_seconds + ahead ||
        stamp.nanos < 0 || stamp.nanos >= 1'000'000'000) {
      Refuse("TIME_OUT_OF_RANGE", field,
             fmt::format("expected a time between 2000-01-01 and {} after the time of receipt",
                         ahead_text));
    }
  }

  // The views can be made only now that the labels have stopped moving.
  void Finish() {
    const LabelView* labels = batch_.labels_.data();
    for (std::size_t i = 0; i < batch_.items.size(); ++i) {
      core::AlertItem& item = batch_.items[i];
      const Range& range = ranges_[i];
      item.labels = {labels + range.labels, range.annotations - range.labels};
      item.annotations = {labels + range.annotations, range.end - range.annotations};
      item.identity = core::IdentityOf(options_.key, item.labels);
      item.details = core::DetailsHash(item.annotations, item.generator_url);
    }
  }

  Options options_;
  ReadBatch batch_;
  std::vector<Range> ranges_;
  std::vector<LabelView> annotations_;  // of the alert at hand
  // The names of the labels of the last alert that was kept, as they came; and which of them comes
  // first, second … by name.
  std::vector<std::string_view> shape_;
  std::vector<std::uint32_t> order_;
  std::vector<LabelView> unordered_;  // scratch
  bool refused_ = false;
};

absl::StatusOr<ReadBatch> ReadAlertBatch(std::string_view bytes, const core::IdentityKey& key,
                                         absl::Time now) {
  if (bytes.size() > kBatchBytesMax) {
    return InvalidField("BATCH_TOO_LARGE", "batch",
                        fmt::format("{} bytes; at most {} are allowed: send smaller batches",
                                    bytes.size(), kBatchBytesMax));
  }
  BatchReader reader(bytes, {.key = key, .now_seconds = absl::ToUnixSeconds(now)});
  const bool well_formed = reader.Read();
  ReadBatch batch = reader.Take();
  if (!well_formed) {
    return InvalidField("MALFORMED", "batch", "the bytes are no tandem.v1.AlertBatch");
  }
  if (batch.sent > kBatchAlertsMax) {
    return InvalidField("TOO_MANY_ALERTS", "batch.alerts",
                        fmt::format("{} alerts; at most {} are allowed: send smaller batches",
                                    batch.sent, kBatchAlertsMax));
  }
  if (batch.sent == 0) {
    return InvalidField("NO_ALERTS", "batch.alerts", "at least one alert is required");
  }
  return batch;
}

ReadBatch ReadStoredBatch(std::string_view bytes, const core::IdentityKey& key) {
  BatchReader reader(bytes, {.key = key, .now_seconds = std::nullopt});
  reader.Read();
  return reader.Take();
}

absl::Status CheckClientId(std::string_view client_id, std::string_view field) {
  const auto valid = [](char c) {
    return IsNameByte(c) || c == '.' || c == ':' || c == '/' || c == '-';
  };
  if (client_id.size() > kClientIdMax || !std::all_of(client_id.begin(), client_id.end(), valid)) {
    return InvalidField("CLIENT_ID_INVALID", field,
                        fmt::format("expected at most {} bytes of [a-zA-Z0-9._:/-]", kClientIdMax));
  }
  return absl::OkStatus();
}

}  // namespace tandem::codec
