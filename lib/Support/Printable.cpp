//===- Printable.cpp - text from files, for terminals ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/Printable.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Unicode.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

std::string takt::printable(StringRef text) {
  // Negative: not printable, or not UTF-8.
  if (sys::unicode::columnWidthUTF8(text) >= 0)
    return text.str();
  std::string escaped;
  raw_string_ostream os(escaped);
  printEscapedString(text, os);
  return escaped;
}
