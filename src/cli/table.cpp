#include "cli/table.hpp"

#include <algorithm>

#include "cli/words.hpp"

namespace palang {
namespace {

constexpr size_t gap = 2;
constexpr size_t narrowest = 12;

}  // namespace

void Table::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<size_t> Table::widths(unsigned width) const {
  std::vector<size_t> result;
  for (size_t at = 0; at < columns_.size(); ++at) {
    size_t widest = columns_of(columns_[at].title);
    for (const auto& row : rows_) widest = std::max(widest, columns_of(row[at]));
    result.push_back(widest);
  }
  size_t total = gap * (columns_.size() - 1);
  for (const size_t one : result) total += one;
  for (size_t at = 0; at < columns_.size() && width > 0 && total > width; ++at) {
    if (!columns_[at].may_shrink || result[at] <= narrowest) continue;
    const size_t given = std::min(total - width, result[at] - narrowest);
    result[at] -= given;
    total -= given;
  }
  return result;
}

std::string Table::line(const std::vector<std::string>& cells, const std::vector<size_t>& widths) const {
  std::string result;
  for (size_t at = 0; at < cells.size(); ++at) {
    const std::string cell = cut_to(cells[at], widths[at]);
    const std::string padding(widths[at] - columns_of(cell), ' ');
    if (at > 0) result.append(gap, ' ');
    if (columns_[at].align == Align::right)
      result.append(padding).append(cell);
    else
      result.append(cell).append(padding);
  }
  result.erase(result.find_last_not_of(' ') + 1);
  return result;
}

std::string Table::text(unsigned width, Style style) const {
  const std::vector<size_t> columns = widths(width);
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  std::string result = style.bold(line(titles, columns)) + "\n";
  for (const auto& row : rows_) result.append(line(row, columns)).append("\n");
  return result;
}

}  // namespace palang
