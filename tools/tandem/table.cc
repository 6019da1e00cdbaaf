#include "tools/tandem/table.h"

#include <algorithm>
#include <utility>

#include "router/base/check.h"
#include "router/base/text.h"

namespace tandem::cli {
namespace {

constexpr std::size_t kGap = 2;
// A text that is cut shorter than this tells little: it gets a line of its own instead.
constexpr std::size_t kSmallestCut = 16;
// The rest is aligned, and what is cut there can be had from --json.
constexpr std::size_t kSmallestWord = 4;
constexpr std::size_t kIndent = 2;

}  // namespace

void Table::Row(std::vector<Cell> cells) {
  TANDEM_CHECK(cells.size() == columns_.size(), "a row has one cell for each column");
  for (Cell& cell : cells) cell.text = Printable(cell.text);
  rows_.push_back(std::move(cells));
}

std::size_t Table::NaturalWidth(std::size_t column) const {
  std::size_t width = CodePoints(columns_[column].title);
  for (const auto& row : rows_) width = std::max(width, CodePoints(row[column].text));
  return width;
}

// From the last column to the first: what stands further right matters less.
template <typename Floor>
void Table::Narrow(std::size_t room, Layout& layout, Floor floor) const {
  std::size_t total = 0;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (layout.below && columns_[i].gives) continue;
    total += layout.widths[i];
    ++shown;
  }
  total += kGap * (std::max<std::size_t>(shown, 1) - 1);
  for (std::size_t i = columns_.size(); i-- > 0 && total > room;) {
    if (layout.below && columns_[i].gives) continue;
    const std::size_t least = std::min(layout.widths[i], floor(i));
    const std::size_t cut = std::min(total - room, layout.widths[i] - least);
    layout.widths[i] -= cut;
    total -= cut;
  }
  layout.fits = total <= room;
}

Table::Layout Table::Fit(const Look& look) const {
  Layout layout;
  for (std::size_t i = 0; i < columns_.size(); ++i) layout.widths.push_back(NaturalWidth(i));
  if (look.columns == 0) return layout;
  const Layout natural = layout;
  Narrow(look.columns, layout, [&](std::size_t i) {
    return columns_[i].gives ? std::max(kSmallestCut, CodePoints(columns_[i].title))
                             : natural.widths[i];
  });
  if (layout.fits) return layout;
  layout = natural;
  layout.below = std::any_of(columns_.begin(), columns_.end(),
                             [](const Column& column) { return column.gives; });
  // The first column is the name that the next command asks for, and half a number is a wrong one.
  Narrow(look.columns, layout, [&](std::size_t i) {
    return i == 0 || columns_[i].right ? natural.widths[i] : kSmallestWord;
  });
  return layout;
}

std::string Table::Line(const Look& look, const std::vector<Cell>& cells,
                        const Layout& layout) const {
  std::string line;
  std::size_t owed = 0;  // blanks that are written only when something follows
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (layout.below && columns_[i].gives) continue;
    const std::size_t width = std::max<std::size_t>(layout.widths[i], 1);
    const std::string text = Cut(cells[i].text, width);
    const std::size_t padding = width - std::min(width, CodePoints(text));
    if (columns_[i].right) owed += padding;
    if (!text.empty()) {
      line.append(owed, ' ');
      owed = 0;
      line += Painted(look, cells[i].tint, text);
    }
    owed += kGap + (columns_[i].right ? 0 : padding);
  }
  return line + "\n" + (layout.below ? LineBelow(look, cells) : "");
}

// The texts that found no room beside the others; nothing when there are none.
std::string Table::LineBelow(const Look& look, const std::vector<Cell>& cells) const {
  std::string line;
  std::size_t room = look.columns - std::min(look.columns, kIndent);
  for (std::size_t i = 0; i < cells.size() && room > 0; ++i) {
    if (!columns_[i].gives || cells[i].text.empty()) continue;
    const std::string text = Cut(cells[i].text, room);
    line += std::string(line.empty() ? kIndent : kGap, ' ') + Painted(look, cells[i].tint, text);
    room -= std::min(room, CodePoints(text) + kGap);
  }
  return line.empty() ? line : line + "\n";
}

std::string Table::Text(const Look& look) const {
  const Layout layout = Fit(look);
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.push_back({column.title, Tint::kDim});
  std::string text = Line(look, titles, layout);
  for (const auto& row : rows_) text += Line(look, row, layout);
  return text;
}

}  // namespace tandem::cli
