//===- Rope.h - bytes in pieces ---------------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_ROPE_H
#define TAKT_SUPPORT_ROPE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace takt {

/// Bytes in pieces: weights are most of a file, and are not copied to put
/// something in front of them.
class Rope {
public:
  /// Appends bytes that must outlive this. What goes on in memory where the
  /// last piece ends is part of it.
  void refer(llvm::StringRef bytes) {
    length += bytes.size();
    if (!pieces.empty() && pieces.back().end() == bytes.begin())
      pieces.back() = {pieces.back().data(),
                       pieces.back().size() + bytes.size()};
    else if (!bytes.empty())
      pieces.push_back(bytes);
  }
  /// Appends bytes that are kept here.
  void keep(std::string bytes) {
    owned.push_back(std::make_unique<std::string>(std::move(bytes)));
    refer(*owned.back());
  }
  void append(Rope other) {
    for (llvm::StringRef piece : other.pieces)
      refer(piece);
    std::move(other.owned.begin(), other.owned.end(),
              std::back_inserter(owned));
  }

  uint64_t size() const { return length; }
  void write(llvm::raw_ostream &os) const {
    for (llvm::StringRef piece : pieces)
      os << piece;
  }

private:
  std::vector<llvm::StringRef> pieces;
  std::vector<std::unique_ptr<std::string>> owned; ///< none of them moves
  uint64_t length = 0;
};

} // namespace takt

#endif // TAKT_SUPPORT_ROPE_H
