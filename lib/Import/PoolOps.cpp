//===- PoolOps.cpp - pools ------------------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include "Windows.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace takt::import;
namespace train = takt::train;

/// A window of x whose lists are all there.
static LogicalResult resolveWindow(const Node &node, Value x,
                                   WindowAttributes &window) {
  if (failed(checkSpatialRank(node, x)))
    return failure();
  if (!window.kernel)
    return node.invalid() << "has no attribute 'kernel_shape'";
  return window.resolve(node, shapeOf(x).drop_front(2));
}

/// What all pools need beyond the attributes themselves.
static LogicalResult checkPool(const Node &node, Value x,
                               WindowAttributes &window) {
  if (failed(resolveWindow(node, x, window)))
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
      .perDimension("dilations", *window.dilations, 1)
      .flag("ceil_mode", ceilMode);
}

/// Output 1 are the positions of output 0's elements.
static LogicalResult convertMaxPool(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X", Accept::Numbers);
  WindowAttributes window(bind, /*dilated=*/node.since >= 10);
  bool columnMajor = node.since >= 8 && bind.flag("storage_order", false);
  bool ceilMode = node.since >= 10 && bind.flag("ceil_mode", false);
  if (failed(bind.finish(/*outputs=*/node.since >= 8 ? 2 : 1)) ||
      failed(checkPool(node, x, window)))
    return failure();
  AttributeList attributes = node.attributes();
  addPoolAttributes(attributes, window, ceilMode);
  if (node.isUsed(1)) {
    AttributeList ordered = attributes;
    ordered.flag("column_major", columnMajor);
    auto indices = node.create<train::MaxPoolIndicesOp>(x, ordered);
    if (failed(indices) || failed(node.define(1, indices->getIndices())))
      return failure();
  }
  return node.isUsed(0) ? node.emit<train::MaxPoolOp>(x, attributes)
                        : success();
}

static LogicalResult convertAveragePool(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  WindowAttributes window(bind, /*dilated=*/node.since >= 19);
  bool countPads = node.since >= 7 && bind.flag("count_include_pad", false);
  bool ceilMode = node.since >= 10 && bind.flag("ceil_mode", false);
  if (failed(bind.finish()) || failed(checkPool(node, x, window)))
    return failure();
  AttributeList attributes = node.attributes();
  addPoolAttributes(attributes, window, ceilMode);
  attributes.flag("count_include_pad", countPads);
  return node.emit<train::AveragePoolOp>(x, attributes);
}

/// The power of a norm: in opset 1 any number, later an integer.
static float normOf(const Node &node, Binder &bind) {
  return node.since < 2 ? bind.number("p", 2)
                        : static_cast<float>(bind.integer("p", 2));
}

static LogicalResult convertLpPool(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  float p = normOf(node, bind);
  WindowAttributes window(bind, /*dilated=*/node.since >= 18);
  bool ceilMode = node.since >= 18 && bind.flag("ceil_mode", false);
  if (failed(bind.finish()) || failed(checkPool(node, x, window)))
    return failure();
  AttributeList attributes = node.attributes();
  addPoolAttributes(attributes, window, ceilMode);
  attributes.number("p", p);
  return node.emit<train::LpPoolOp>(x, attributes);
}

static LogicalResult convertGlobalAveragePool(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  if (failed(bind.finish()))
    return failure();
  return node.emit<train::GlobalAveragePoolOp>(x);
}

/// The maximum of a window as large as the image.
static LogicalResult convertGlobalMaxPool(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  if (failed(bind.finish()) || failed(checkSpatialRank(node, x)))
    return failure();
  return node.emit<train::MaxPoolOp>(
      x, node.attributes().integers("kernel", shapeOf(x).drop_front(2)));
}

/// The norm of a window as large as the image.
static LogicalResult convertGlobalLpPool(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  float p = normOf(node, bind);
  if (failed(bind.finish()) || failed(checkSpatialRank(node, x)))
    return failure();
  return node.emit<train::LpPoolOp>(
      x, node.attributes()
             .integers("kernel", shapeOf(x).drop_front(2))
             .number("p", p));
}

//===----------------------------------------------------------------------===//
// The way back
//===----------------------------------------------------------------------===//

/// The shape of the pool's input, if it had no more than the windows need.
static Dims unpooledShape(ArrayRef<int64_t> x, const WindowAttributes &window) {
  Dims dims(x.take_front(2));
  for (size_t i = 0; i + 2 < x.size(); ++i)
    dims.push_back((*window.strides)[i] * (x[2 + i] - 1) + (*window.kernel)[i] -
                   window.padsBegin[i] - window.padsEnd[i]);
  return dims;
}

/// Each element goes where its index says, all others are 0. The indices are
/// positions in the output, as those of a pool are positions in its input.
static LogicalResult convertMaxUnpool(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X"), indices = bind.indices("I");
  std::optional<Dims> shape = bind.optionalIntegers("output_shape");
  WindowAttributes window(bind, /*dilated=*/false, /*padsItself=*/false);
  if (failed(bind.finish()) || failed(resolveWindow(node, x, window)))
    return failure();
  if (shapeOf(indices) != shapeOf(x))
    return node.invalid() << "has indices of " << shapeText(shapeOf(indices))
                          << " for an input of " << shapeText(shapeOf(x));
  Dims dims = shape.value_or(unpooledShape(shapeOf(x), window));
  if (dims.size() != shapeOf(x).size() ||
      ArrayRef(dims).take_front(2) != shapeOf(x).take_front(2))
    return node.invalid() << "has output_shape " << shapeText(dims)
                          << " for an input of " << shapeText(shapeOf(x));
  bool isEmpty = llvm::any_of(dims, [](int64_t dim) { return dim < 1; });
  if (isEmpty || !countElements(dims))
    return node.unsupported() << "has an output of shape " << shapeText(dims)
                              << ", expected 1 to 2^40 elements";
  Emit emit(node);
  int64_t count = *countElements(shapeOf(x));
  Value at = emit.reshape(indices, count), updates = emit.reshape(x, count);
  Value zeros = emit.filled(0, *countElements(dims), x);
  Value flat = emit.scatterElements(takt::ScatterMode::Replace, zeros, at,
                                    updates, /*axis=*/0);
  return emit.define(emit.reshape(flat, dims));
}

void takt::import::addPoolOps(Registry &registry) {
  registry.add("MaxPool", {1, 8, 10, 11, 12, 22}, convertMaxPool,
               "train.max_pool; Indices, which have no gradient");
  registry.add("AveragePool", {1, 7, 10, 11, 19, 22}, convertAveragePool,
               "train.average_pool");
  registry.add("LpPool", {1, 2, 11, 18, 22}, convertLpPool, "train.lp_pool");
  registry.add("GlobalAveragePool", {1, 22}, convertGlobalAveragePool,
               "train.global_average_pool");
  registry.add("GlobalMaxPool", {1, 22}, convertGlobalMaxPool,
               "train.max_pool");
  registry.add("GlobalLpPool", {1, 2, 22}, convertGlobalLpPool,
               "train.lp_pool");
  registry.add("MaxUnpool", {9, 11, 22}, convertMaxUnpool,
               "train.reshape, train.scatter_elements");
}
