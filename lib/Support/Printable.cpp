//===- Printable.cpp - text from files, for terminals ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/Printable.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Unicode.h"

using namespace llvm;

std::string takt::printable(StringRef text) {
  std::string result;
  while (!text.empty()) {
    size_t length = getNumBytesForUTF8(static_cast<UTF8>(text.front()));
    StringRef character = text.take_front(length);
    // Negative: not printable, or not UTF-8.
    if (sys::unicode::columnWidthUTF8(character) < 0) {
      character = character.take_front(1);
      result += "\\" + toHex(character);
    } else {
      result += character;
    }
    text = text.drop_front(character.size());
  }
  return result;
}
