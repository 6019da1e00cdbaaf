// A table for a terminal or a pipe.
//
// Every cell passes Printable(): text from the router is written by whoever can send an alert, and
// must not move the cursor, change the title or hide a line. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tools/tandem/look.h"

namespace tandem::cli {

class Table {
 public:
  struct Column {
    std::string title;
    bool right = false;  // numbers and ages
    bool gives = false;  // is cut first when the terminal is too narrow
  };
  struct Cell {
    std::string text;
    Tint tint = Tint::kPlain;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // REQUIRES: as many cells as columns.
  void Row(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }

  // The title line and the rows, each with a newline, columns parted by two blanks, no blanks at
  // the end of a line. Wider than `look.columns`: the columns that give are cut, but not below 16
  // code points; then they get a line of their own below each row, and the other words are cut
  // where even these do not fit. The first column and numbers are never cut. No rows: the titles
  // alone.
  std::string Text(const Look& look) const;

 private:
  struct Layout {
    std::vector<std::size_t> widths;
    bool below = false;  // the columns that give stand on a line of their own
    bool fits = true;
  };
  std::size_t NaturalWidth(std::size_t column) const;
  template <typename Floor>
  void Narrow(std::size_t room, Layout& layout, Floor floor) const;
  Layout Fit(const Look& look) const;
  std::string Line(const Look& look, const std::vector<Cell>& cells, const Layout& layout) const;
  std::string LineBelow(const Look& look, const std::vector<Cell>& cells) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace tandem::cli
