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
// Transposed convolution
//===----------------------------------------------------------------------===//

namespace {
/// What a transposed convolution has beyond a convolution's attributes.
struct OutputSize {
  std::optional<Dims> padding, shape;
};
} // namespace

/// The spatial sizes of the output; where these are given, the pads follow.
static FailureOr<Dims> transposedSizes(const Node &node, ArrayRef<int64_t> x,
                                       WindowAttributes &window,
                                       const OutputSize &output) {
  size_t n = x.size();
  Dims padding = output.padding.value_or(Dims(n, 0));
  if (padding.size() != n || (output.shape && output.shape->size() != n))
    return node.invalid() << "has not one output_padding and one size in "
                             "output_shape per spatial axis, expected "
                          << n;
  bool sameSize = StringRef(window.autoPad).starts_with("SAME");
  Dims sizes;
  for (size_t i = 0; i < n; ++i) {
    int64_t stride = (*window.strides)[i];
    int64_t extent = (*window.dilations)[i] * ((*window.kernel)[i] - 1) + 1;
    if (padding[i] < 0 || padding[i] >= std::max(stride, extent))
      return node.invalid() << "has output_padding " << padding[i]
                            << ", expected less than stride or dilation";
    int64_t full = stride * (x[i] - 1) + padding[i] + extent;
    int64_t size = full - window.padsBegin[i] - window.padsEnd[i];
    if (output.shape || sameSize) {
      size = output.shape ? (*output.shape)[i] : x[i] * stride;
      if (size < 1 || size >= full + stride)
        return node.unsupported() << "has output size " << size
                                  << ", expected 1 to " << full + stride - 1;
      // More than the input reaches is output padding.
      int64_t total = std::max<int64_t>(0, full - size);
      int64_t less = total / 2, more = total - less;
      bool moreAtEnd = window.autoPad == "SAME_UPPER";
      window.padsBegin[i] = moreAtEnd ? less : more;
      window.padsEnd[i] = moreAtEnd ? more : less;
    }
    if (size < 1)
      return node.invalid() << "has an output of size " << size;
    sizes.push_back(size);
  }
  return sizes;
}

/// It is what a convolution's gradient computes, with the input for dy.
static LogicalResult convertConvTranspose(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X"), w = bind.tensor("W");
  Value b = bind.optionalTensor("B");
  int64_t groups = bind.integer("group", 1, 1, kMaxWindowSize);
  WindowAttributes window(bind, /*dilated=*/true);
  OutputSize output = {bind.list("output_padding"), bind.list("output_shape")};
  if (failed(bind.finish()) || failed(checkSpatialRank(node, x)))
    return failure();
  ArrayRef<int64_t> weights = shapeOf(w), input = shapeOf(x);
  if (weights.size() != input.size() || weights[0] != input[1])
    return node.invalid() << "has weights of " << shapeText(weights)
                          << " for an input of " << shapeText(input);
  Dims kernel(weights.drop_front(2));
  if (window.kernel && *window.kernel != kernel)
    return node.invalid() << "has kernel_shape " << shapeText(*window.kernel)
                          << ", but weights of " << shapeText(kernel);
  window.kernel = kernel;
  if (failed(window.resolve(node, input.drop_front(2))))
    return failure();
  FailureOr<Dims> sizes =
      transposedSizes(node, input.drop_front(2), window, output);
  if (failed(sizes))
    return failure();
  Dims dims = {input[0], weights[1] * groups};
  dims.append(*sizes);
  if (!countElements(dims))
    return node.unsupported() << "has an output of shape " << shapeText(dims)
                              << ", expected at most 2^40 elements";
  AttributeList attributes = node.attributes();
  attributes.integer("groups", groups)
      .perDimension("strides", *window.strides, 1)
      .perDimension("pads_begin", window.padsBegin, 0)
      .perDimension("pads_end", window.padsEnd, 0)
      .perDimension("dilations", *window.dilations, 1);
  auto type = cast<RankedTensorType>(x.getType()).clone(dims);
  auto y = node.createTyped<train::ConvDgradOp>(type, {x, w}, attributes);
  if (failed(y))
    return failure();
  if (!b)
    return node.define(0, y->getResult());
  Dims perChannel(dims.size() - 1, 1);
  perChannel[0] = shapeOf(b).empty() ? 1 : shapeOf(b)[0];
  if (shapeOf(b) != ArrayRef(dims[1]))
    return node.invalid() << "has a bias of " << shapeText(shapeOf(b))
                          << ", expected " << dims[1];
  FailureOr<Value> bias = node.reshape(b, perChannel);
  if (failed(bias))
    return failure();
  return node.emit<train::AddOp>({y->getResult(), *bias});
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
  WindowAttributes window(bind, /*dilated=*/node.since >= 19);
  bool countPads = node.since >= 7 && bind.flag("count_include_pad", false);
  bool ceilMode = node.since >= 10 && bind.flag("ceil_mode", false);
  if (failed(bind.finish()) || failed(checkPool(node, x, window)))
    return failure();
  if (llvm::any_of(*window.dilations, [](int64_t d) { return d != 1; }))
    return node.unsupported() << "has dilations "
                              << shapeText(*window.dilations) << ", expected 1";
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

/// The maximum of a window as large as the image.
static LogicalResult convertGlobalMaxPool(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  if (failed(bind.finish()) || failed(checkSpatialRank(node, x)))
    return failure();
  return node.emit<train::MaxPoolOp>(
      x, node.attributes().integers("kernel", shapeOf(x).drop_front(2)));
}

void takt::import::addWindowOps(Registry &registry) {
  registry.add("Conv", {1, 11, 22}, convertConv,
               "train.conv; 1 to 3 spatial dimensions");
  registry.add("ConvTranspose", {1, 11, 22}, convertConvTranspose,
               "train.conv_dgrad; train.reshape, train.add for a bias");
  registry.add("MaxPool", {1, 8, 10, 11, 12, 22}, convertMaxPool,
               "train.max_pool; without Indices");
  registry.add("AveragePool", {1, 7, 10, 11, 19, 22}, convertAveragePool,
               "train.average_pool");
  registry.add("GlobalAveragePool", {1, 22}, convertGlobalAveragePool,
               "train.global_average_pool");
  registry.add("GlobalMaxPool", {1, 22}, convertGlobalMaxPool,
               "train.max_pool");
}
