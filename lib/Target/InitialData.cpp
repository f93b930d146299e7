//===- InitialData.cpp - initial values of parameters ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/InitialData.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace takt;

InitialData::InitialData(ArrayRef<uint8_t> bytes,
                         std::shared_ptr<const void> owner)
    : owner(std::move(owner)) {
  add(bytes);
}

InitialData::InitialData(std::vector<uint8_t> bytes) {
  auto kept = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
  add(*kept);
  owner = std::move(kept);
}

uint64_t InitialData::add(ArrayRef<uint8_t> bytes) {
  uint64_t offset = alignTo(end, kAlignment);
  if (bytes.empty())
    return offset;
  auto [it, isNew] = offsets.try_emplace({bytes.data(), bytes.size()}, offset);
  if (!isNew)
    return it->second;
  pieces.push_back({offset, bytes});
  end = offset + bytes.size();
  return offset;
}

std::optional<ArrayRef<uint8_t>> InitialData::slice(uint64_t offset,
                                                    uint64_t bytes) const {
  auto next = llvm::upper_bound(pieces, offset,
                                [](uint64_t offset, const Piece &piece) {
                                  return offset < piece.offset;
                                });
  if (next == pieces.begin())
    return std::nullopt;
  const Piece &piece = *std::prev(next);
  uint64_t begin = offset - piece.offset;
  if (begin > piece.bytes.size() || bytes > piece.bytes.size() - begin)
    return std::nullopt;
  return piece.bytes.slice(begin, bytes);
}

void InitialData::forEach(
    function_ref<void(ArrayRef<uint8_t>)> function) const {
  static constexpr uint8_t kZeros[kAlignment] = {};
  uint64_t at = 0;
  for (const Piece &piece : pieces) {
    if (piece.offset > at)
      function(ArrayRef(kZeros).take_front(piece.offset - at));
    function(piece.bytes);
    at = piece.offset + piece.bytes.size();
  }
}

bool InitialData::operator==(const InitialData &other) const {
  if (size() != other.size())
    return false;
  SmallVector<ArrayRef<uint8_t>> theirs;
  other.forEach([&](ArrayRef<uint8_t> bytes) { theirs.push_back(bytes); });
  const ArrayRef<uint8_t> *next = theirs.begin();
  ArrayRef<uint8_t> rest;
  bool same = true;
  forEach([&](ArrayRef<uint8_t> bytes) {
    while (same && !bytes.empty()) {
      if (rest.empty())
        rest = *next++;
      size_t count = std::min(rest.size(), bytes.size());
      same = rest.take_front(count) == bytes.take_front(count);
      rest = rest.drop_front(count);
      bytes = bytes.drop_front(count);
    }
  });
  return same;
}
