//===- MicrobatchNames.cpp - names of what a microbatch has ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/MicrobatchNames.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;

/// What is before the mark and behind it; the name and nothing without one.
static std::pair<StringRef, StringRef> splitAtMark(StringRef name,
                                                   StringRef mark) {
  for (size_t end = name.size(), at;
       (at = name.take_front(end).rfind(mark)) != StringRef::npos;
       end = at + mark.size() - 1) {
    StringRef behind = name.drop_front(at + mark.size());
    if (behind.empty() || behind.front() == '.')
      return {name.take_front(at), behind};
  }
  return {name, {}};
}

static std::string markOf(int m) { return ".m" + std::to_string(m); }

std::string takt::inMicrobatch(StringRef name, int from, int to) {
  std::string mark = markOf(from);
  auto [before, behind] = splitAtMark(name, mark);
  if (before.size() == name.size())
    return name.str();
  return (before + markOf(to) + behind).str();
}

std::string takt::withoutMicrobatch(StringRef name, int m) {
  std::string mark = markOf(m);
  auto [before, behind] = splitAtMark(name, mark);
  return (before + behind).str();
}
