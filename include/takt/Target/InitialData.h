//===- InitialData.h - initial values of parameters -------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Weights are most of a big program, and they are in memory already when it is
// made: in the model's file, which is mapped, or in the container's. A program
// refers to them there.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_INITIALDATA_H
#define TAKT_TARGET_INITIALDATA_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace takt {

/// The bytes of a container's section 'data', in pieces that lie elsewhere.
class InitialData {
public:
  /// Pieces begin at multiples of that many bytes.
  static constexpr uint64_t kAlignment = 64;

  InitialData() = default;
  /// One piece, kept here.
  explicit InitialData(std::vector<uint8_t> bytes);
  /// One piece that `owner` keeps alive.
  InitialData(llvm::ArrayRef<uint8_t> bytes, std::shared_ptr<const void> owner);

  /// Appends a piece, which must outlive this and all its copies. Returns its
  /// offset; the same bytes in memory are appended once.
  uint64_t add(llvm::ArrayRef<uint8_t> bytes);

  uint64_t size() const { return end; }
  bool empty() const { return end == 0; }

  /// Bytes that lie in one piece; nullopt if they do not.
  std::optional<llvm::ArrayRef<uint8_t>> slice(uint64_t offset,
                                               uint64_t bytes) const;

  /// All bytes from the first to the last, the gaps between pieces as zeros.
  void
  forEach(llvm::function_ref<void(llvm::ArrayRef<uint8_t>)> function) const;

  /// The same bytes, in whatever pieces.
  bool operator==(const InitialData &other) const;

private:
  struct Piece {
    uint64_t offset;
    llvm::ArrayRef<uint8_t> bytes;
  };
  std::vector<Piece> pieces; ///< by offset
  llvm::DenseMap<std::pair<const uint8_t *, size_t>, uint64_t> offsets;
  std::shared_ptr<const void> owner; ///< of the only piece, where there is one
  uint64_t end = 0;
};

} // namespace takt

#endif // TAKT_TARGET_INITIALDATA_H
