#include "tools/tandem/table.h"

#include <algorithm>
#include <utility>

#include "router/base/check.h"
#include "router/base/text.h"

namespace tandem::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kSmallestCut = 8;

}  // namespace

void Table::Row(std::vector<Cell> cells) {
  TANDEM_CHECK(cells.size() == columns_.size(), "a row has one cell for each column");
  for (Cell& cell : cells) cell.text = Printable(cell.text);
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::Widths(const Look& look) const {
  std::vector<std::size_t> widths;
  std::size_t total = columns_.empty() ? 0 : kGap * (columns_.size() - 1);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = CodePoints(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, CodePoints(row[i].text));
    widths.push_back(width);
    total += width;
  }
  // From the last column that gives to the first: what stands further right matters less.
  for (std::size_t i = columns_.size(); i-- > 0 && look.columns > 0 && total > look.columns;) {
    if (!columns_[i].gives) continue;
    const std::size_t floor = std::max(kSmallestCut, CodePoints(columns_[i].title));
    const std::size_t cut = std::min(total - look.columns, widths[i] - std::min(widths[i], floor));
    widths[i] -= cut;
    total -= cut;
  }
  return widths;
}

std::string Table::Line(const Look& look, const std::vector<Cell>& cells,
                        const std::vector<std::size_t>& widths) const {
  std::string line;
  std::size_t owed = 0;  // blanks that are written only when something follows
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string text = Cut(cells[i].text, std::max<std::size_t>(widths[i], 1));
    const std::size_t padding = widths[i] - std::min(widths[i], CodePoints(text));
    if (columns_[i].right) owed += padding;
    if (!text.empty()) {
      line.append(owed, ' ');
      owed = 0;
      line += Painted(look, cells[i].tint, text);
    }
    owed += kGap + (columns_[i].right ? 0 : padding);
  }
  return line + "\n";
}

std::string Table::Text(const Look& look) const {
  const std::vector<std::size_t> widths = Widths(look);
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.push_back({column.title, Tint::kDim});
  std::string text = Line(look, titles, widths);
  for (const auto& row : rows_) text += Line(look, row, widths);
  return text;
}

}  // namespace tandem::cli
