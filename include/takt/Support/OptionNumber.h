//===- OptionNumber.h - numbers that print as they were given ---*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_OPTIONNUMBER_H
#define TAKT_SUPPORT_OPTIONNUMBER_H

#include "llvm/Support/CommandLine.h"
#include <string>

namespace takt {

/// The shortest decimal number that reads back as `value`.
std::string numberText(double value);

/// A double as the option of a pass. Of a plain one MLIR prints seven digits,
/// so that a printed pipeline is not the one that ran.
struct OptionNumber {
  double value = 0;

  OptionNumber() = default;
  OptionNumber(double value) : value(value) {}
  operator double() const { return value; }
};

llvm::raw_ostream &operator<<(llvm::raw_ostream &os,
                              const OptionNumber &number);

} // namespace takt

namespace llvm::cl {

template <>
class parser<takt::OptionNumber> : public basic_parser<takt::OptionNumber> {
public:
  using basic_parser::basic_parser;

  /// True, after a message, if the argument is no number.
  bool parse(Option &option, StringRef name, StringRef argument,
             takt::OptionNumber &number);
  StringRef getValueName() const override { return "number"; }
  void printOptionDiff(const Option &option, const takt::OptionNumber &number,
                       const OptionValue<takt::OptionNumber> &otherwise,
                       size_t width) const;
};

} // namespace llvm::cl

#endif // TAKT_SUPPORT_OPTIONNUMBER_H
