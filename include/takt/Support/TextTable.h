//===- TextTable.h - aligned columns of text --------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_TEXTTABLE_H
#define TAKT_SUPPORT_TEXTTABLE_H

#include "takt/Support/Printable.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace takt {

/// Rows of cells, printed in columns as wide as their widest cell. Cells of
/// columns that are numbers are flush right.
class TextTable {
public:
  struct Column {
    std::string title;
    bool isNumber = false;
  };
  explicit TextTable(std::vector<Column> columns)
      : columns(std::move(columns)) {}

  /// As many cells as there are columns.
  void add(std::vector<std::string> cells) { rows.push_back(std::move(cells)); }

  void print(llvm::raw_ostream &os) const {
    std::vector<std::string> titles;
    for (const Column &column : columns)
      titles.push_back(column.title);
    std::vector<size_t> widths = widthsOf(titles);
    printRow(titles, widths, os);
    for (const std::vector<std::string> &row : rows)
      printRow(row, widths, os);
  }

private:
  std::vector<size_t> widthsOf(const std::vector<std::string> &titles) const {
    std::vector<size_t> widths;
    for (size_t i = 0; i < columns.size(); ++i) {
      widths.push_back(titles[i].size());
      for (const std::vector<std::string> &row : rows)
        widths[i] = std::max(widths[i], printable(row[i]).size());
    }
    return widths;
  }

  void printRow(const std::vector<std::string> &cells,
                const std::vector<size_t> &widths,
                llvm::raw_ostream &os) const {
    std::string line;
    llvm::raw_string_ostream text(line);
    for (size_t i = 0; i < cells.size(); ++i) {
      unsigned width = static_cast<unsigned>(widths[i]);
      std::string cell = printable(cells[i]);
      if (columns[i].isNumber)
        text << llvm::right_justify(cell, width);
      else
        text << llvm::left_justify(cell, width);
      text << "  ";
    }
    os << llvm::StringRef(line).rtrim() << "\n";
  }

  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
};

} // namespace takt

#endif // TAKT_SUPPORT_TEXTTABLE_H
