#include "router/replay/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace tandem::replay {
namespace {

constexpr std::size_t kNearestMax = 50;   // searched for so many missing lines of a scenario
constexpr std::size_t kContextLines = 2;  // that occurred, before and behind what did not

// Pairs (expected, line) of equal texts, rising in both, as many as there can be.
std::vector<std::optional<std::size_t>> LongestCommon(const std::vector<Line>& expected,
                                                      const std::vector<std::string>& lines) {
  std::map<std::string_view, std::vector<std::size_t>> places;
  for (std::size_t i = 0; i < lines.size(); ++i) places[lines[i]].push_back(i);
  struct Pair {
    std::size_t expected = 0, line = 0;
    std::optional<std::size_t> before;  // into `pairs`
  };
  std::vector<Pair> pairs;
  std::vector<std::size_t> tails;  // into `pairs`: the end of the best chain of each length
  for (std::size_t e = 0; e < expected.size(); ++e) {
    const auto found = places.find(expected[e].text);
    if (found == places.end()) continue;
    for (auto line = found->second.rbegin(); line != found->second.rend(); ++line) {
      const auto tail = std::lower_bound(
          tails.begin(), tails.end(), *line,
          [&pairs](std::size_t pair, std::size_t wanted) { return pairs[pair].line < wanted; });
      Pair pair{e, *line, std::nullopt};
      if (tail != tails.begin()) pair.before = *(tail - 1);
      if (tail == tails.end()) {
        tails.push_back(pairs.size());
      } else {
        *tail = pairs.size();
      }
      pairs.push_back(pair);
    }
  }
  std::vector<std::optional<std::size_t>> met(expected.size());
  std::optional<std::size_t> at;
  if (!tails.empty()) at = tails.back();
  for (; at; at = pairs[*at].before) met[pairs[*at].expected] = pairs[*at].line;
  return met;
}

std::vector<std::string> Texts(const Story& story) {
  std::vector<std::string> texts;
  texts.reserve(story.lines.size());
  for (const StoryLine& line : story.lines) texts.push_back(LineText(line));
  return texts;
}

// Words without punctuation, sorted.
std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (c == ' ') {
      if (!word.empty()) words.push_back(std::move(word));
      word.clear();
    } else if (c != '(' && c != ')' && c != ',' && c != ':') {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  std::sort(words.begin(), words.end());
  return words;
}

// 0 to 1: how many words they share (Dice's coefficient).
double Likeness(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  if (a.empty() && b.empty()) return 1;
  std::vector<std::string> shared;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(shared));
  return 2.0 * static_cast<double>(shared.size()) / static_cast<double>(a.size() + b.size());
}

// The lines of the story between the neighbours of expected line `e` that occurred.
LineRange Between(const Verdict& verdict, const Story& story, std::size_t e) {
  LineRange range{0, story.lines.size()};
  for (std::size_t i = 0; i < e; ++i) {
    if (verdict.met[i]) range.begin = *verdict.met[i] + 1;
  }
  for (std::size_t i = e + 1; i < verdict.met.size(); ++i) {
    if (!verdict.met[i]) continue;
    range.end = *verdict.met[i];
    break;
  }
  return range;
}

void DropFarOccurred(std::vector<DiffLine>& lines) {
  std::vector<bool> keep(lines.size(), false);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].kind == DiffLine::Kind::kOccurred) continue;
    const std::size_t from = i < kContextLines ? 0 : i - kContextLines;
    const std::size_t to = std::min(lines.size(), i + kContextLines + 1);
    std::fill(keep.begin() + static_cast<std::ptrdiff_t>(from),
              keep.begin() + static_cast<std::ptrdiff_t>(to), true);
  }
  std::vector<DiffLine> kept;
  std::size_t left_out = 0;
  const auto say = [&] {
    if (left_out > 0) {
      kept.push_back({DiffLine::Kind::kLeftOut, fmt::format("({} {} as expected)", left_out,
                                                            left_out == 1 ? "line" : "lines")});
    }
    left_out = 0;
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!keep[i]) {
      ++left_out;
      continue;
    }
    say();
    kept.push_back(std::move(lines[i]));
  }
  say();
  lines = std::move(kept);
}

}  // namespace

Verdict Judge(const Scenario& scenario, const Story& story) {
  Verdict verdict;
  const std::vector<std::string> texts = Texts(story);
  verdict.met = LongestCommon(scenario.expect, texts);
  verdict.missing =
      static_cast<std::size_t>(std::count(verdict.met.begin(), verdict.met.end(), std::nullopt));
  if (scenario.whole) {
    std::vector<bool> expected(texts.size(), false);
    for (const auto& line : verdict.met) {
      if (line) expected[*line] = true;
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (!expected[i]) verdict.unexpected.push_back(i);
    }
  }
  for (std::size_t n = 0; n < scenario.never.size(); ++n) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (texts[i].find(scenario.never[n].text) != std::string::npos) {
        verdict.forbidden.push_back({n, i});
        break;
      }
    }
  }
  verdict.expects_nothing = scenario.expect.empty() && scenario.never.empty() && !scenario.whole;
  return verdict;
}

std::string Summary(const Verdict& verdict) {
  std::string text;
  const auto add = [&text](std::string part) {
    text += (text.empty() ? "" : "; ") + std::move(part);
  };
  if (verdict.missing > 0) {
    add(fmt::format("{} of {} expected {} did not occur", verdict.missing, verdict.met.size(),
                    verdict.met.size() == 1 ? "line" : "lines"));
  }
  if (!verdict.unexpected.empty()) {
    add(fmt::format("{} {} not expected", verdict.unexpected.size(),
                    verdict.unexpected.size() == 1 ? "line was" : "lines were"));
  }
  if (!verdict.forbidden.empty()) {
    add(fmt::format("{} that must never occur did", verdict.forbidden.size()));
  }
  if (verdict.expects_nothing) {
    add("it expects nothing: say what under `expect` or `never`");
  }
  return text;
}

std::optional<std::size_t> Nearest(const Story& story, std::string_view text, LineRange range) {
  constexpr double kLikeEnough = 0.5;
  const std::vector<std::string> words = Words(text);
  std::optional<std::size_t> nearest;
  double best = kLikeEnough;
  for (std::size_t i = range.begin; i < std::min(range.end, story.lines.size()); ++i) {
    const double likeness = Likeness(words, Words(LineText(story.lines[i])));
    if (nearest ? likeness <= best : likeness < best) continue;
    best = likeness;
    nearest = i;
  }
  return nearest;
}

std::vector<NewLine> NewExpectation(const Scenario& scenario, const Story& story,
                                    const Verdict& verdict) {
  std::vector<NewLine> lines;
  if (scenario.whole || scenario.expect.empty()) {
    std::map<std::size_t, std::size_t> old;  // by line of the story
    for (std::size_t e = 0; e < verdict.met.size(); ++e) {
      if (verdict.met[e]) old[*verdict.met[e]] = e;
    }
    for (std::size_t i = 0; i < story.lines.size(); ++i) {
      NewLine& line = lines.emplace_back(NewLine{.text = LineText(story.lines[i])});
      const auto found = old.find(i);
      if (found == old.end()) continue;
      line.old = found->second;
      line.same = true;
    }
    return lines;
  }
  std::size_t taken = 0;  // lines of the story before this one are spoken for
  for (std::size_t e = 0; e < scenario.expect.size(); ++e) {
    if (verdict.met[e]) {
      lines.push_back({scenario.expect[e].text, e, true});
      taken = *verdict.met[e] + 1;
      continue;
    }
    LineRange range = Between(verdict, story, e);
    range.begin = std::max(range.begin, taken);
    const auto nearest = Nearest(story, scenario.expect[e].text, range);
    if (!nearest) continue;
    lines.push_back({LineText(story.lines[*nearest]), e, false});
    taken = *nearest + 1;
  }
  return lines;
}

std::vector<DiffLine> Diff(const Scenario& scenario, const Story& story, const Verdict& verdict) {
  using Kind = DiffLine::Kind;
  std::vector<DiffLine> lines;
  std::size_t next = 0;  // of `unexpected`
  std::size_t searched = 0;
  const auto unexpected_before = [&](std::size_t end) {
    for (; next < verdict.unexpected.size() && verdict.unexpected[next] < end; ++next) {
      lines.push_back({Kind::kUnexpected, LineText(story.lines[verdict.unexpected[next]])});
    }
  };
  for (std::size_t e = 0; e < scenario.expect.size(); ++e) {
    if (verdict.met[e]) {
      unexpected_before(*verdict.met[e]);
      lines.push_back({Kind::kOccurred, scenario.expect[e].text});
      continue;
    }
    lines.push_back({Kind::kMissing, scenario.expect[e].text});
    // Where the whole story is compared, what resembles it stands beside it anyhow.
    if (scenario.whole || ++searched > kNearestMax) continue;
    const auto nearest = Nearest(story, scenario.expect[e].text, LineRange{0, story.lines.size()});
    if (nearest) lines.push_back({Kind::kNearest, LineText(story.lines[*nearest])});
  }
  unexpected_before(story.lines.size());
  DropFarOccurred(lines);
  for (const Verdict::Forbidden& hit : verdict.forbidden) {
    lines.push_back(
        {Kind::kForbidden, fmt::format("{}  (never: \"{}\")", LineText(story.lines[hit.line]),
                                       scenario.never[hit.never].text)});
  }
  return lines;
}

std::string_view MarkOf(DiffLine::Kind kind) {
  switch (kind) {
    case DiffLine::Kind::kOccurred:
    case DiffLine::Kind::kLeftOut:
      return "  ";
    case DiffLine::Kind::kMissing:
      return "- ";
    case DiffLine::Kind::kNearest:
      return "~ ";
    case DiffLine::Kind::kUnexpected:
      return "+ ";
    case DiffLine::Kind::kForbidden:
      return "! ";
  }
  return "  ";
}

}  // namespace tandem::replay
