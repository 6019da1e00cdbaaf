#include "router/playbook/ical_lines.h"

#include <algorithm>

namespace tandem::playbook {
namespace {

std::string Capitals(std::string_view text) {
  std::string capitals(text);
  for (char& c : capitals) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return capitals;
}

// The first of `ends` in `text` that is not in quotes; npos when there is none.
std::size_t EndOf(std::string_view text, std::string_view ends) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (!quoted && ends.find(text[i]) != std::string_view::npos) return i;
  }
  return std::string_view::npos;
}

}  // namespace

std::string_view ICalLine::Parameter(std::string_view key) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const auto& parameter) { return parameter.first == key; });
  return found == parameters.end() ? std::string_view() : std::string_view(found->second);
}

bool ICalLines::NextRaw(std::string_view& raw, std::uint32_t& number) {
  while (!rest_.empty()) {
    const std::size_t end = rest_.find('\n');
    raw = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    number = ++number_;
    if (raw.ends_with('\r')) raw.remove_suffix(1);
    if (!raw.empty()) return true;
  }
  return false;
}

bool ICalLines::Next(ICalLine& line) {
  std::string_view raw;
  if (!NextRaw(raw, line.number)) return false;
  std::string text(raw);
  // A line that begins with a blank goes on with the one before.
  while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) {
    std::uint32_t unused = 0;
    if (!NextRaw(raw, unused)) break;
    text += raw.substr(1);
  }
  line.parameters.clear();
  line.name.clear();
  line.value.clear();
  std::string_view left = text;
  std::size_t end = EndOf(left, ";:");
  if (end == std::string_view::npos) {
    line.value = text;
    return true;
  }
  line.name = Capitals(left.substr(0, end));
  while (left[end] == ';') {
    left.remove_prefix(end + 1);
    end = EndOf(left, ";:");
    if (end == std::string_view::npos) {
      line.name.clear();
      line.value = text;
      return true;
    }
    const std::string_view parameter = left.substr(0, end);
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) continue;
    std::string value(parameter.substr(equals + 1));
    value.erase(std::remove(value.begin(), value.end(), '"'), value.end());
    line.parameters.emplace_back(Capitals(parameter.substr(0, equals)), std::move(value));
  }
  line.value = left.substr(end + 1);
  return true;
}

}  // namespace tandem::playbook
