//===- Nesting.cpp - text that is nested too deeply -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/Nesting.h"
#include "llvm/ADT/Twine.h"
#include <algorithm>

using namespace llvm;
using namespace takt;

/// The end of the string or comment that begins at `at`; `at` where none does.
/// A string that is open at the end of its line is an error to MLIR as well.
static size_t skip(StringRef text, size_t at) {
  if (text.substr(at).starts_with("//"))
    return std::min(text.find('\n', at), text.size());
  if (text[at] != '"')
    return at;
  size_t end = at + 1;
  while (end < text.size() && text[end] != '"' && text[end] != '\n')
    end += text[end] == '\\' ? 2 : 1;
  return std::min(end, text.size());
}

std::string takt::checkMlirNesting(MemoryBufferRef buffer) {
  StringRef text = buffer.getBuffer();
  int open = 0, line = 1;
  for (size_t at = 0; at < text.size(); ++at) {
    at = skip(text, at);
    if (at == text.size())
      break;
    line += text[at] == '\n';
    bool isArrow = text[at] == '>' && at > 0 && text[at - 1] == '-';
    if (StringRef("([{<").contains(text[at]))
      ++open;
    else if (StringRef(")]}>").contains(text[at]) && !isArrow)
      open = std::max(open - 1, 0);
    if (open > kDeepestNesting)
      return (buffer.getBufferIdentifier() + ":" + Twine(line) +
              ":1: nested more than " + Twine(kDeepestNesting) + " deep")
          .str();
  }
  return {};
}
