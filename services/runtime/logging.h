// Log lines with fields: `Log(LogLevel::kInfo, "incident opened", {{"tenant", id}, {"incident",
// 7}})`.
//
// On a terminal a line is for people, elsewhere it is one JSON object. Neither can be forged by
// what is logged: control characters, quotes and ill-formed UTF-8 are escaped. Payloads (labels,
// annotations, messages to people) are not logged at info or above; a Secret prints as ***.
//
// Thread-safe. SetUpLogging is called once, before the first thread starts.
#pragma once

#include <spdlog/formatter.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "services/runtime/config.h"
#include "services/runtime/secret.h"

namespace tandem::runtime {

// A name and a value. Names that have a fixed meaning: tenant, incident, sequence, request_id,
// trace_id, principal, method, peer. Refers to what it was made of: use it within the statement.
class LogField {
 public:
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  LogField(std::string_view name, std::string_view text) : name_(name), value_(text) {}
  LogField(std::string_view name, const char* text) : LogField(name, std::string_view(text)) {}
  LogField(std::string_view name, const std::string& text)
      : LogField(name, std::string_view(text)) {}
  LogField(std::string_view name, const Secret&) : LogField(name, std::string_view("***")) {}
  template <typename Number, typename = std::enable_if_t<std::is_arithmetic_v<Number>>>
  LogField(std::string_view name, Number number) : name_(name), value_(Widened(number)) {}

  std::string_view name() const { return name_; }
  const Value& value() const { return value_; }

 private:
  template <typename Number>
  static Value Widened(Number number) {
    if constexpr (std::is_same_v<Number, bool>) {
      return number;
    } else if constexpr (std::is_floating_point_v<Number>) {
      return static_cast<double>(number);
    } else if constexpr (std::is_signed_v<Number>) {
      return static_cast<std::int64_t>(number);
    } else {
      return static_cast<std::uint64_t>(number);
    }
  }

  std::string_view name_;
  Value value_;
};

using LogFields = std::initializer_list<LogField>;

// Writes to stderr from now on. `level` and `format` as in Config::Log; NO_COLOR is honoured.
void SetUpLogging(const Config::Log& options);

// Writes lines of `level` and above from now on. Thread-safe.
void SetLogLevel(LogLevel level);

// Whether lines of `level` are written at all: for fields that cost something to make.
bool Logs(LogLevel level);

void Log(LogLevel level, std::string_view message, LogFields fields = {});

// One line of each form, without its newline. Also what spdlog's own lines look like here.
std::unique_ptr<spdlog::formatter> MakeHumanFormatter();
std::unique_ptr<spdlog::formatter> MakeJsonFormatter();

// `text` as a JSON string with its quotes; ill-formed bytes become U+FFFD.
std::string JsonString(std::string_view text);

}  // namespace tandem::runtime
