//===- OptionNumber.cpp - numbers that print as they were given -----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/OptionNumber.h"
#include "llvm/Support/raw_ostream.h"
#include <charconv>

using namespace llvm;
using namespace takt;

std::string takt::numberText(double value) {
  // A sign, 17 digits, a point and an exponent such as e-308.
  char text[32];
  return {text, std::to_chars(std::begin(text), std::end(text), value).ptr};
}

raw_ostream &takt::operator<<(raw_ostream &os, const OptionNumber &number) {
  return os << numberText(number.value);
}

bool cl::parser<OptionNumber>::parse(Option &option, StringRef,
                                     StringRef argument, OptionNumber &number) {
  if (argument.getAsDouble(number.value))
    return option.error("'" + argument + "' is no number");
  return false;
}

void cl::parser<OptionNumber>::printOptionDiff(
    const Option &option, const OptionNumber &number,
    const OptionValue<OptionNumber> &, size_t width) const {
  printOptionName(option, width);
  outs() << "= " << number << "\n";
}
