// CSV as RFC 4180 has it: commas, double quotes around a cell that needs them, a quote inside one
// doubled, line ends CR LF (a lone LF is taken too). A byte-order mark in front is skipped, for
// spreadsheets write one. Strict beyond that: a quote in the middle of a plain cell, text behind a
// closing quote and a quote that is never closed are mistakes.
//
// Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::context {

// How many cells of a row are kept, so that a file of commas alone costs no memory; the row says
// that it has more.
inline constexpr std::size_t kCsvCellsMax = 512;

struct CsvRow {
  std::size_t number = 0;  // from 1, as a spreadsheet counts, whatever lines its cells have
  std::vector<std::string> cells;
  bool too_many_cells = false;
  std::string mistake;  // "" when it was read; else what is wrong, and `cells` ends before it
};

// Reads row after row; a line with nothing in it is skipped, and counted. `content` must outlive
// it.
class CsvReader {
 public:
  explicit CsvReader(std::string_view content);

  // The next row; nullopt at the end. After a quote that is never closed there is no further row;
  // after another mistake it goes on with the next line.
  std::optional<CsvRow> Next();

 private:
  // Where a cell ended.
  enum class End { kCell, kRow, kMistake };

  End ReadCell(CsvRow& row);
  End ReadQuoted(CsvRow& row);
  End ReadPlain(CsvRow& row);
  End EndOfCell(CsvRow& row, std::string cell);
  bool TakeLineEnd();
  void SkipLine();

  std::string_view rest_;
  std::size_t rows_ = 0;
};

}  // namespace tandem::context
