#include "services/runtime/logging.h"

#include <absl/time/time.h>
#include <fmt/format.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>

#include "router/base/text.h"

namespace tandem::runtime {
namespace {

// The fields of the line that this thread is writing. The sinks are synchronous: the formatter runs
// within Log.
thread_local const LogFields* current_fields = nullptr;

spdlog::level::level_enum LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view View(spdlog::string_view_t text) { return {text.data(), text.size()}; }

void Append(spdlog::memory_buf_t& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

const char* LevelName(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
      return "trace";
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::warn:
      return "warn";
    case spdlog::level::err:
    case spdlog::level::critical:
      return "error";
    default:
      return "info";
  }
}

std::string NumberText(const LogField::Value& value) {
  if (const auto* number = std::get_if<double>(&value)) {
    return std::isfinite(*number) ? fmt::format("{}", *number) : "null";
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return fmt::format("{}", *number);
  return std::get<bool>(value) ? "true" : "false";
}

class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    Append(out,
           fmt::format(R"({{"time":"{}","level":"{}","message":{})",
                       TimeText(absl::FromChrono(
                           std::chrono::time_point_cast<std::chrono::microseconds>(line.time))),
                       LevelName(line.level), JsonString(View(line.payload))));
    if (current_fields != nullptr) {
      for (const LogField& field : *current_fields) {
        const auto* text = std::get_if<std::string_view>(&field.value());
        Append(out, fmt::format(",{}:{}", JsonString(field.name()),
                                text != nullptr ? JsonString(*text) : NumberText(field.value())));
      }
    }
    Append(out, "}\n");
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

class HumanFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    const absl::Time time = absl::FromChrono(line.time);
    Append(out, absl::FormatTime("%H:%M:%E3S ", time, absl::LocalTimeZone()));
    line.color_range_start = out.size();
    Append(out, fmt::format("{:<5}", LevelName(line.level)));
    line.color_range_end = out.size();
    Append(out, " ");
    Append(out, Printable(View(line.payload)));
    if (current_fields != nullptr) {
      for (const LogField& field : *current_fields) {
        Append(out, fmt::format("  {}={}", Printable(field.name()), Shown(field)));
      }
    }
    Append(out, "\n");
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<HumanFormatter>();
  }

 private:
  static std::string Shown(const LogField& field) {
    const auto* text = std::get_if<std::string_view>(&field.value());
    if (text == nullptr) return NumberText(field.value());
    const bool plain = !text->empty() && text->find_first_of(" \"=") == std::string_view::npos;
    if (plain) return Printable(*text);
    std::string out = "\"";
    for (const char c : Printable(*text)) {
      if (c == '"') out += '\\';
      out += c;
    }
    return out + "\"";
  }
};

// The length of the well-formed character at the start of `text`, or 0.
std::size_t CharacterLength(std::string_view text) {
  for (std::size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    if (IsUtf8(text.substr(0, length))) return length;
  }
  return 0;
}

}  // namespace

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    const std::size_t length = byte < 0x80 ? 1 : CharacterLength(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";  // U+FFFD
    } else if (byte == '"' || byte == '\\') {
      out += {'\\', text.front()};
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + "\"";
}

std::unique_ptr<spdlog::formatter> MakeHumanFormatter() {
  return std::make_unique<HumanFormatter>();
}
std::unique_ptr<spdlog::formatter> MakeJsonFormatter() { return std::make_unique<JsonFormatter>(); }

void SetUpLogging(const Config::Log& options) {
  const bool json = options.format == LogFormat::kJson ||
                    (options.format == LogFormat::kAuto && isatty(STDERR_FILENO) == 0);
  const bool no_color = std::getenv("NO_COLOR") != nullptr || json;
  auto sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(
      no_color ? spdlog::color_mode::never : spdlog::color_mode::automatic);
  auto logger = std::make_shared<spdlog::logger>("tandem", std::move(sink));
  logger->set_formatter(json ? MakeJsonFormatter() : MakeHumanFormatter());
  logger->set_level(LevelOf(options.level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

void SetLogLevel(LogLevel level) { spdlog::default_logger_raw()->set_level(LevelOf(level)); }

bool Logs(LogLevel level) { return spdlog::should_log(LevelOf(level)); }

void Log(LogLevel level, std::string_view message, LogFields fields) {
  if (!Logs(level)) return;
  current_fields = &fields;
  spdlog::default_logger_raw()->log(LevelOf(level),
                                    spdlog::string_view_t(message.data(), message.size()));
  current_fields = nullptr;
}

}  // namespace tandem::runtime
