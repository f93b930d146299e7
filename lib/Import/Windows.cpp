//===- Windows.cpp - the attributes of a sliding window -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Windows.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace takt::import;

LogicalResult WindowAttributes::checkList(const Node &node, StringRef name,
                                          std::optional<Dims> &list,
                                          size_t length, int64_t least) {
  if (!list)
    list = Dims(length, least);
  if (list->size() != length)
    return node.invalid() << "has " << list->size() << " numbers in '" << name
                          << "', expected " << length;
  for (int64_t value : *list)
    if (value < least || value > kMaxWindowSize)
      return node.invalid() << "has " << value << " in '" << name
                            << "', expected a number from " << least << " to "
                            << kMaxWindowSize;
  return success();
}

/// As many outputs as ceil(size / stride); an odd pad goes to one end.
void WindowAttributes::padToSame(ArrayRef<int64_t> sizes, bool extraAtEnd) {
  for (auto [i, size] : llvm::enumerate(sizes)) {
    int64_t stride = (*strides)[i];
    int64_t extent = (*dilations)[i] * ((*kernel)[i] - 1) + 1;
    int64_t outputs = llvm::divideCeil(size, stride);
    int64_t total =
        std::max<int64_t>(0, (outputs - 1) * stride + extent - size);
    int64_t less = total / 2, more = total - less;
    padsBegin.push_back(extraAtEnd ? less : more);
    padsEnd.push_back(extraAtEnd ? more : less);
  }
}

LogicalResult WindowAttributes::resolvePads(const Node &node,
                                            ArrayRef<int64_t> sizes) {
  size_t n = sizes.size();
  bool given = pads.has_value();
  if (given && llvm::any_of(*pads, [](int64_t pad) { return pad < 0; }))
    return node.unsupported() << "has negative pads";
  if (failed(checkList(node, "pads", pads, 2 * n, 0)))
    return failure();
  if (autoPad == "NOTSET") {
    padsBegin.assign(pads->begin(), pads->begin() + n);
    padsEnd.assign(pads->begin() + n, pads->end());
    return success();
  }
  if (llvm::any_of(*pads, [](int64_t pad) { return pad != 0; }))
    return node.invalid() << "has both pads and auto_pad '" << autoPad << "'";
  if (autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER") {
    padToSame(sizes, autoPad == "SAME_UPPER");
    return success();
  }
  if (autoPad != "VALID")
    return node.invalid() << "has auto_pad '" << autoPad
                          << "', expected NOTSET, SAME_UPPER, SAME_LOWER or "
                             "VALID";
  padsBegin.assign(n, 0);
  padsEnd.assign(n, 0);
  return success();
}

LogicalResult WindowAttributes::resolve(const Node &node,
                                        ArrayRef<int64_t> sizes) {
  size_t n = sizes.size();
  if (failed(checkList(node, "kernel_shape", kernel, n, 1)) ||
      failed(checkList(node, "strides", strides, n, 1)) ||
      failed(checkList(node, "dilations", dilations, n, 1)))
    return failure();
  return resolvePads(node, sizes);
}

LogicalResult takt::import::checkSpatialRank(const Node &node, Value x) {
  size_t rank = shapeOf(x).size();
  if (rank >= 3 && rank <= 5)
    return success();
  return node.unsupported()
         << "has an input of rank " << rank << ", expected 3 to 5";
}
