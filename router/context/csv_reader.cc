#include "router/context/csv_reader.h"

#include <algorithm>
#include <utility>

namespace tandem::context {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

CsvReader::CsvReader(std::string_view content) : rest_(content) {
  if (rest_.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    rest_.remove_prefix(kByteOrderMark.size());
  }
}

std::optional<CsvRow> CsvReader::Next() {
  while (!rest_.empty()) {
    CsvRow row;
    row.number = ++rows_;
    if (TakeLineEnd()) continue;
    while (true) {
      const End end = ReadCell(row);
      if (end == End::kRow) return row;
      if (end == End::kMistake) {
        SkipLine();
        return row;
      }
    }
  }
  return std::nullopt;
}

CsvReader::End CsvReader::ReadCell(CsvRow& row) {
  if (!rest_.empty() && rest_.front() == '"') return ReadQuoted(row);
  return ReadPlain(row);
}

CsvReader::End CsvReader::ReadQuoted(CsvRow& row) {
  std::string_view text = rest_.substr(1);
  std::string cell;
  while (true) {
    const std::size_t quote = text.find('"');
    if (quote == std::string_view::npos) {
      row.mistake =
          "a quote is opened and never closed; expected another \" behind the cell's text";
      rest_ = {};
      return End::kMistake;
    }
    cell.append(text.substr(0, quote));
    text.remove_prefix(quote + 1);
    if (text.empty() || text.front() != '"') break;
    cell.push_back('"');
    text.remove_prefix(1);
  }
  rest_ = text;
  return EndOfCell(row, std::move(cell));
}

CsvReader::End CsvReader::ReadPlain(CsvRow& row) {
  const std::size_t end = std::min(rest_.find_first_of(",\r\n\""), rest_.size());
  std::string cell(rest_.substr(0, end));
  rest_.remove_prefix(end);
  if (!rest_.empty() && rest_.front() == '"') {
    row.mistake =
        "a quote in the middle of a cell; expected quotes around the whole cell and those inside "
        "doubled";
    return End::kMistake;
  }
  return EndOfCell(row, std::move(cell));
}

CsvReader::End CsvReader::EndOfCell(CsvRow& row, std::string cell) {
  if (row.cells.size() < kCsvCellsMax) {
    row.cells.push_back(std::move(cell));
  } else {
    row.too_many_cells = true;
  }
  if (rest_.empty() || TakeLineEnd()) return End::kRow;
  if (rest_.front() == ',') {
    rest_.remove_prefix(1);
    return End::kCell;
  }
  row.mistake = rest_.front() == '\r' ? "a carriage return that no line feed follows"
                                      : "text behind a closing quote; expected a comma or the end "
                                        "of the row";
  return End::kMistake;
}

bool CsvReader::TakeLineEnd() {
  const std::size_t size = rest_.substr(0, 2) == "\r\n" ? 2 : rest_.substr(0, 1) == "\n" ? 1 : 0;
  rest_.remove_prefix(size);
  return size > 0;
}

void CsvReader::SkipLine() {
  const std::size_t end = rest_.find('\n');
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
}

}  // namespace tandem::context
