//===- WindowOps.cpp - convolution and pools ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Binder.h"
#include "Registry.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace takt::import;
namespace train = takt::train;

/// Largest kernel, stride, dilation or pad, as in the train dialect.
static constexpr int64_t kMaxWindowSize = int64_t(1) << 22;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

//===----------------------------------------------------------------------===//
// The attributes of a window
//===----------------------------------------------------------------------===//

namespace {
/// The attributes that convolutions and pools share; lists that are left out
/// have their defaults once resolve() was called.
struct WindowAttributes {
  std::string autoPad;
  std::optional<Dims> kernel, strides, pads, dilations;
  Dims padsBegin, padsEnd;

  WindowAttributes(Binder &bind, bool dilated)
      : autoPad(bind.text("auto_pad", "NOTSET")),
        kernel(bind.list("kernel_shape")), strides(bind.list("strides")),
        pads(bind.list("pads")) {
    if (dilated)
      dilations = bind.list("dilations");
  }

  /// Checks the lists and computes pads for an input of these spatial sizes.
  LogicalResult resolve(const Node &node, ArrayRef<int64_t> sizes);

private:
  LogicalResult checkList(const Node &node, StringRef name,
                          std::optional<Dims> &list, size_t length,
                          int64_t least);
  LogicalResult resolvePads(const Node &node, ArrayRef<int64_t> sizes);
  void padToSame(ArrayRef<int64_t> sizes, bool extraAtEnd);
};
} // namespace

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

/// Convolutions and pools have 1 to 3 spatial axes.
static LogicalResult checkSpatialRank(const Node &node, Value x) {
  size_t rank = shapeOf(x).size();
  if (rank >= 3 && rank <= 5)
    return success();
  return node.unsupported()
         << "has an input of rank " << rank << ", expected 3 to 5";
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

static LogicalResult convertConv(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X"), w = bind.tensor("W");
  Value b = bind.optionalTensor("B");
  int64_t groups = bind.integer("group", 1, 1);
  WindowAttributes window(bind, /*dilated=*/true);
  if (failed(bind.finish()) || failed(checkSpatialRank(node, x)))
    return failure();
  ArrayRef<int64_t> weights = shapeOf(w);
  if (weights.size() != shapeOf(x).size())
    return node.invalid() << "has weights of rank " << weights.size()
                          << ", expected " << shapeOf(x).size()
                          << " as the input has";
  Dims kernel(weights.drop_front(2));
  if (window.kernel && *window.kernel != kernel)
    return node.invalid() << "has kernel_shape " << shapeText(*window.kernel)
                          << ", but weights of " << shapeText(kernel);
  window.kernel = kernel;
  if (failed(window.resolve(node, shapeOf(x).drop_front(2))))
    return failure();
  AttributeList attributes = node.attributes();
  attributes.integer("groups", groups)
      .perDimension("strides", *window.strides, 1)
      .perDimension("pads_begin", window.padsBegin, 0)
      .perDimension("pads_end", window.padsEnd, 0)
      .perDimension("dilations", *window.dilations, 1);
  SmallVector<Value> operands = {x, w};
  if (b)
    operands.push_back(b);
  return node.emit<train::ConvOp>(operands, attributes);
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

/// What both pools need beyond the attributes themselves.
static LogicalResult checkPool(const Node &node, Value x,
                               WindowAttributes &window) {
  if (failed(checkSpatialRank(node, x)))
    return failure();
  if (!window.kernel)
    return node.invalid() << "has no attribute 'kernel_shape'";
  if (failed(window.resolve(node, shapeOf(x).drop_front(2))))
    return failure();
  for (auto [begin, end, kernel, dilation] : llvm::zip_equal(
           window.padsBegin, window.padsEnd, *window.kernel, *window.dilations))
    if (int64_t extent = dilation * (kernel - 1) + 1;
        begin >= extent || end >= extent)
      return node.unsupported()
             << "has a pad of " << std::max(begin, end)
             << ", expected less than the window's " << extent;
  return success();
}

static void addPoolAttributes(AttributeList &attributes,
                              const WindowAttributes &window, bool ceilMode) {
  attributes.integers("kernel", *window.kernel)
      .perDimension("strides", *window.strides, 1)
      .perDimension("pads_begin", window.padsBegin, 0)
      .perDimension("pads_end", window.padsEnd, 0)
      .flag("ceil_mode", ceilMode);
}

static LogicalResult convertMaxPool(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  WindowAttributes window(bind, /*dilated=*/node.since >= 10);
  // It orders the indices of output #1, which finish() rejects if it is used.
  if (node.since >= 8)
    bind.flag("storage_order", false);
  bool ceilMode = node.since >= 10 && bind.flag("ceil_mode", false);
  if (failed(bind.finish()) || failed(checkPool(node, x, window)))
    return failure();
  AttributeList attributes = node.attributes();
  addPoolAttributes(attributes, window, ceilMode);
  attributes.perDimension("dilations", *window.dilations, 1);
  return node.emit<train::MaxPoolOp>(x, attributes);
}

static LogicalResult convertAveragePool(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  WindowAttributes window(bind, /*dilated=*/false);
  bool countPads = bind.flag("count_include_pad", false);
  bool ceilMode = node.since >= 10 && bind.flag("ceil_mode", false);
  if (failed(bind.finish()) || failed(checkPool(node, x, window)))
    return failure();
  AttributeList attributes = node.attributes();
  addPoolAttributes(attributes, window, ceilMode);
  attributes.flag("count_include_pad", countPads);
  return node.emit<train::AveragePoolOp>(x, attributes);
}

static LogicalResult convertGlobalAveragePool(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  if (failed(bind.finish()))
    return failure();
  return node.emit<train::GlobalAveragePoolOp>(x);
}

/// The mean over all spatial axes is a global pool.
static LogicalResult convertReduceMean(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("data");
  std::optional<Dims> axes = bind.list("axes");
  bool keepAxes = bind.flag("keepdims", true);
  if (failed(bind.finish()))
    return failure();
  int64_t rank = shapeOf(x).size();
  SmallVector<bool> reduced(rank, !axes);
  for (int64_t axis : axes.value_or(Dims())) {
    FailureOr<int64_t> resolved = resolveAxis(node, axis, rank);
    if (failed(resolved))
      return failure();
    reduced[*resolved] = true;
  }
  SmallVector<bool> spatial(rank, true);
  for (int64_t axis = 0; axis < std::min<int64_t>(rank, 2); ++axis)
    spatial[axis] = false;
  if (rank < 3 || reduced != spatial)
    return node.unsupported()
           << "takes the mean over other axes than all spatial ones";
  auto pool = node.create<train::GlobalAveragePoolOp>(x);
  if (failed(pool))
    return failure();
  Dims dims(shapeOf(pool->getResult()));
  if (!keepAxes)
    dims.truncate(2);
  FailureOr<Value> y = node.reshape(pool->getResult(), dims);
  if (failed(y))
    return failure();
  return node.define(0, *y);
}

void takt::import::addWindowOps(Registry &registry) {
  registry.add("Conv", {1, 11}, convertConv,
               "train.conv; 1 to 3 spatial dimensions");
  registry.add("MaxPool", {1, 8, 10, 11, 12}, convertMaxPool,
               "train.max_pool; without Indices");
  registry.add("AveragePool", {7, 10, 11}, convertAveragePool,
               "train.average_pool");
  registry.add("GlobalAveragePool", {1}, convertGlobalAveragePool,
               "train.global_average_pool");
  registry.add("ReduceMean", {1, 11, 13}, convertReduceMean,
               "train.global_average_pool; over all spatial axes");
}
