#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/console.hpp"

namespace palang {

enum class Align : uint8_t { left, right };

struct Column {
  std::string title;
  Align align = Align::left;
  bool may_shrink = false;  // gives way, down to 12 columns, where the table is wider than the terminal
};

// Aligned columns, two spaces apart, without lines around them. Cells must be safe for a terminal.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // One cell for each column.
  void add(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  // With a line of titles; `width` in columns, 0: endless.
  [[nodiscard]] std::string text(unsigned width, Style style) const;

 private:
  [[nodiscard]] std::vector<size_t> widths(unsigned width) const;
  [[nodiscard]] std::string line(const std::vector<std::string>& cells, const std::vector<size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace palang
