// A text that must not be seen: whatever prints it prints ***.
//
// A value; safe from any thread.
#pragma once

#include <fmt/format.h>

#include <ostream>
#include <string>
#include <utility>

namespace tandem::runtime {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  // The text itself, for the one place that needs it.
  const std::string& Reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

  friend bool operator==(const Secret&, const Secret&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Secret&) { return out << "***"; }

 private:
  std::string text_;
};

}  // namespace tandem::runtime

template <>
struct fmt::formatter<tandem::runtime::Secret> : fmt::formatter<fmt::string_view> {
  template <typename Context>
  auto format(const tandem::runtime::Secret&, Context& context) const {
    return fmt::formatter<fmt::string_view>::format("***", context);
  }
};
