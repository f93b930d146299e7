//===- ResizeOps.cpp - images of other sizes ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One axis at a time: the nearest elements by their indices, everything else as
// a product with the matrix of the weights, whose gradient is another product.
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include <cmath>

using namespace mlir;
using namespace takt::import;
using onnx::TensorProto;

namespace {
/// The attributes of Resize, and how one axis is resized.
struct Resize {
  std::string coordinates = "half_pixel", mode = "nearest",
              nearest = "round_prefer_floor", aspect = "stretch";
  double cubic = -0.75;
  float outside = 0; ///< value beyond the image, of tf_crop_and_resize
  bool excludeOutside = false, antialias = false;
  SmallVector<float> roi; ///< begins, then ends
};

struct Axis {
  int64_t from, to;
  double scale;
  double roiBegin = 0, roiEnd = 1;
};
} // namespace

/// The largest matrix of weights.
static constexpr int64_t kMaxWeights = int64_t(1) << 24;

/// Where the centre of an element of the result lies in the input.
static double sourceOf(const Resize &resize, const Axis &axis, int64_t i) {
  double x = static_cast<double>(i);
  StringRef c = resize.coordinates;
  if (c == "asymmetric")
    return x / axis.scale;
  if (c == "tf_half_pixel_for_nn")
    return (x + 0.5) / axis.scale;
  if (c == "align_corners")
    return axis.to == 1 ? 0 : x * (axis.from - 1) / (axis.to - 1);
  if (c == "pytorch_half_pixel" && axis.to == 1)
    return 0;
  if (c == "half_pixel_symmetric") {
    double adjust = axis.to / (axis.scale * axis.from);
    double centre = axis.from / 2.0;
    return centre * (1 - adjust) + (x + 0.5) / axis.scale - 0.5;
  }
  if (c == "tf_crop_and_resize") {
    double begin = axis.roiBegin * (axis.from - 1);
    if (axis.to == 1)
      return (axis.roiBegin + axis.roiEnd) * (axis.from - 1) / 2;
    return begin +
           x * (axis.roiEnd - axis.roiBegin) * (axis.from - 1) / (axis.to - 1);
  }
  return (x + 0.5) / axis.scale - 0.5;
}

/// The element that is nearest, which may lie beyond the image.
static int64_t nearestOf(StringRef mode, double x) {
  if (mode == "floor")
    return std::floor(x);
  if (mode == "ceil")
    return std::ceil(x);
  bool half = x - std::floor(x) == 0.5;
  if (mode == "round_prefer_ceil" || !half)
    return std::floor(x + 0.5);
  return std::floor(x);
}

/// Keys' piecewise cubic of a distance.
static double cubicWeight(double a, double distance) {
  double d = std::fabs(distance);
  if (d <= 1)
    return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2)
    return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return 0;
}

static double weightAt(const Resize &resize, double distance) {
  if (resize.mode == "cubic")
    return cubicWeight(resize.cubic, distance);
  return std::max(0.0, 1 - std::fabs(distance));
}

/// The weights of the input's elements for one element of the result. Beyond
/// the image is its border.
static void addWeights(const Resize &resize, const Axis &axis, double x,
                       MutableArrayRef<float> row) {
  // Where it is made smaller, antialiasing widens the filter.
  double stretch = resize.antialias ? std::min(1.0, axis.scale) : 1.0;
  double reach = (resize.mode == "cubic" ? 2 : 1) / stretch;
  SmallVector<std::pair<int64_t, double>> taps;
  double sum = 0;
  for (int64_t i = std::floor(x - reach), e = std::ceil(x + reach); i <= e;
       ++i) {
    double weight = weightAt(resize, (i - x) * stretch);
    bool isOutside = i < 0 || i >= axis.from;
    if (weight == 0 || (isOutside && resize.excludeOutside))
      continue;
    taps.push_back({std::clamp<int64_t>(i, 0, axis.from - 1), weight});
    sum += weight;
  }
  for (auto [i, weight] : taps)
    row[i] += static_cast<float>(weight / sum);
}

static Value resizeNearest(Emit &emit, const Resize &resize, Value x,
                           int64_t at, const Axis &axis) {
  Dims indices;
  for (int64_t i = 0; i < axis.to; ++i)
    indices.push_back(std::clamp<int64_t>(
        nearestOf(resize.nearest, sourceOf(resize, axis, i)), 0,
        axis.from - 1));
  return emit.gather(x, emit.integers(indices, axis.to), at);
}

/// The axis is brought to the end, where the product is.
static Value resizeLinear(Emit &emit, const Resize &resize, Value x, int64_t at,
                          const Axis &axis) {
  SmallVector<float> weights(axis.to * axis.from, 0);
  for (int64_t i = 0; i < axis.to; ++i)
    addWeights(resize, axis, sourceOf(resize, axis, i),
               MutableArrayRef(weights).slice(i * axis.from, axis.from));
  Dims order = axesOf(rankOf(x));
  std::swap(order[at], order.back());
  Dims dims(shapeOf(x));
  dims[at] = axis.to;
  std::swap(dims[at], dims.back());
  Value last = emit.transpose(x, order);
  Value rows =
      emit.reshape(last, {typeOf(x).getNumElements() / axis.from, axis.from});
  Value matrix = emit.floats(weights, {axis.to, axis.from}, x);
  return emit.transpose(
      emit.reshape(emit.matmul(rows, matrix, /*transposeB=*/true), dims),
      order);
}

/// Where the source of an element lies outside of the image, it is a value.
static Value fillOutside(Emit &emit, const Resize &resize, Value y, int64_t at,
                         const Axis &axis) {
  Dims outside;
  for (int64_t i = 0; i < axis.to; ++i) {
    double x = sourceOf(resize, axis, i);
    outside.push_back(x < 0 || x > axis.from - 1);
  }
  if (!y || llvm::none_of(outside, [](int64_t o) { return o != 0; }))
    return y;
  Dims along(rankOf(y) - at, 1);
  along[0] = axis.to;
  Value isOutside = emit.integers(outside, along, TensorProto::BOOL);
  return emit.where(isOutside, emit.filled(resize.outside, {}, y), y);
}

static FailureOr<Value> resizeAxis(Node &node, Emit &emit, const Resize &resize,
                                   Value x, int64_t at, const Axis &axis) {
  if (axis.to < 1 || axis.to > kMaxWeights / axis.from)
    return node.unsupported() << "resizes axis " << at << " from " << axis.from
                              << " to " << axis.to;
  Value y = resize.mode == "nearest" ? resizeNearest(emit, resize, x, at, axis)
                                     : resizeLinear(emit, resize, x, at, axis);
  if (resize.coordinates == "tf_crop_and_resize")
    y = fillOutside(emit, resize, y, at, axis);
  if (!y)
    return failure();
  return y;
}

//===----------------------------------------------------------------------===//
// Binding
//===----------------------------------------------------------------------===//

/// Numbers that are known at import; none where the input is left out or empty.
static FailureOr<SmallVector<float>>
bindFloats(Node &node, const Operand &operand, StringRef role) {
  SmallVector<float> result;
  if (!operand)
    return result;
  if (!operand.constant)
    return node.unsupported()
           << "computes " << role << " from the inputs, expected a constant";
  auto values = node.graph.reader.numbers(*operand.constant, node.subject());
  if (failed(values))
    return failure();
  for (double value : *values)
    result.push_back(static_cast<float>(value));
  return result;
}

static FailureOr<Resize> bindAttributes(Node &node, Binder &bind) {
  Resize resize;
  resize.mode = bind.text("mode", "nearest");
  if (node.since < 11) {
    resize.coordinates = "asymmetric";
    resize.nearest = "floor";
    return resize;
  }
  resize.coordinates =
      bind.text("coordinate_transformation_mode", resize.coordinates);
  resize.nearest = bind.text("nearest_mode", resize.nearest);
  resize.cubic = bind.number("cubic_coeff_a", -0.75f);
  resize.outside = bind.number("extrapolation_value", 0);
  resize.excludeOutside = bind.flag("exclude_outside", false);
  if (node.since >= 18) {
    resize.antialias = bind.flag("antialias", false);
    resize.aspect = bind.text("keep_aspect_ratio_policy", "stretch");
  }
  return resize;
}

static LogicalResult checkAttributes(const Node &node, const Resize &resize) {
  auto isOneOf = [](StringRef text, ArrayRef<StringRef> names) {
    return llvm::is_contained(names, text);
  };
  if (!isOneOf(resize.mode, {"nearest", "linear", "cubic"}))
    return node.invalid() << "has mode '" << resize.mode
                          << "', expected nearest, linear or cubic";
  if (!isOneOf(resize.coordinates,
               {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
                "align_corners", "asymmetric", "tf_half_pixel_for_nn",
                "tf_crop_and_resize"}))
    return node.invalid() << "has coordinate_transformation_mode '"
                          << resize.coordinates << "'";
  if (!isOneOf(resize.nearest,
               {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}))
    return node.invalid() << "has nearest_mode '" << resize.nearest << "'";
  if (!isOneOf(resize.aspect, {"stretch", "not_larger", "not_smaller"}))
    return node.invalid() << "has keep_aspect_ratio_policy '" << resize.aspect
                          << "'";
  return success();
}

/// The scale of all axes that keeps their ratio, where the sizes that are given
/// are the most or the least; nullopt where each axis has its own.
static std::optional<double> commonScale(const Resize &resize,
                                         ArrayRef<int64_t> from,
                                         ArrayRef<int64_t> sizes) {
  if (sizes.empty() || resize.aspect == "stretch")
    return std::nullopt;
  auto scales =
      llvm::map_to_vector(llvm::zip_equal(from, sizes), [](const auto &pair) {
        return double(std::get<1>(pair)) / std::get<0>(pair);
      });
  return resize.aspect == "not_larger" ? *llvm::min_element(scales)
                                       : *llvm::max_element(scales);
}

/// Which axes are resized, and how.
static FailureOr<SmallVector<std::pair<int64_t, Axis>>>
resolveAxes(Node &node, const Resize &resize, ArrayRef<int64_t> shape,
            ArrayRef<float> scales, ArrayRef<int64_t> sizes,
            const std::optional<Dims> &listed) {
  Dims axes = listed.value_or(axesOf(shape.size()));
  if (failed(markAxes(node, axes, shape.size())))
    return failure();
  size_t n = axes.size();
  bool hasRoi = resize.coordinates == "tf_crop_and_resize";
  if ((sizes.empty() ? scales.size() : sizes.size()) != n ||
      (hasRoi && resize.roi.size() != 2 * n))
    return node.invalid() << "has other than one scale or size per axis, and "
                             "two ends of a region where it crops, for "
                          << n << " axes";
  Dims from = llvm::map_to_vector<8>(axes, [&](int64_t axis) {
    return shape[*resolveAxis(node, axis, shape.size())];
  });
  std::optional<double> common = commonScale(resize, from, sizes);
  SmallVector<std::pair<int64_t, Axis>> result;
  for (size_t i = 0; i < n; ++i) {
    int64_t at = *resolveAxis(node, axes[i], shape.size());
    Axis axis{shape[at], 0, 1};
    if (hasRoi) {
      axis.roiBegin = resize.roi[i];
      axis.roiEnd = resize.roi[n + i];
    }
    if (common) {
      axis.scale = *common;
      axis.to = std::llround(
          std::clamp(axis.from * *common, 0.0, double(kMaxWeights)));
    } else if (!sizes.empty()) {
      axis.to = sizes[i];
      axis.scale = double(axis.to) / axis.from;
    } else {
      if (!(scales[i] > 0) || scales[i] > kMaxWeights)
        return node.invalid()
               << "has scale " << scales[i] << ", expected a positive number";
      axis.scale = scales[i];
      // In single precision, where 48 times the nearest float to 20/48 is 20.
      double extent = hasRoi ? axis.roiEnd - axis.roiBegin : 1;
      axis.to = static_cast<int64_t>(std::floor(
          std::clamp(float(axis.from * extent) * scales[i], 0.0f, 1e12f)));
    }
    bool stays = axis.to == axis.from && axis.scale == 1 && !hasRoi;
    if (!stays)
      result.push_back({at, axis});
  }
  return result;
}

static LogicalResult convertResize(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  Operand roi, scalesInput;
  if (node.since >= 11)
    roi = bind.optionalOperand();
  scalesInput = bind.optionalOperand();
  std::optional<Dims> sizes, axes;
  if (node.since >= 11 && bind.hasMoreInputs())
    sizes = bind.optionalIntegers("sizes");
  FailureOr<Resize> resize = bindAttributes(node, bind);
  if (node.since >= 18)
    axes = bind.list("axes");
  if (failed(bind.finish()) || failed(checkAttributes(node, *resize)))
    return failure();
  FailureOr<SmallVector<float>> scales =
      bindFloats(node, scalesInput, "scales");
  if (failed(scales))
    return failure();
  if (resize->coordinates == "tf_crop_and_resize") {
    FailureOr<SmallVector<float>> region = bindFloats(node, roi, "roi");
    if (failed(region))
      return failure();
    resize->roi = *region;
  }
  auto resolved = resolveAxes(node, *resize, shapeOf(x), *scales,
                              sizes.value_or(Dims()), axes);
  if (failed(resolved))
    return failure();
  Emit emit(node);
  for (auto [at, axis] : *resolved) {
    FailureOr<Value> y = resizeAxis(node, emit, *resize, x, at, axis);
    if (failed(y))
      return failure();
    x = *y;
  }
  return node.define(0, x);
}

/// What Resize was before opset 10.
static LogicalResult convertUpsample(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  Resize resize;
  SmallVector<float> scales;
  resize.coordinates = "asymmetric";
  resize.nearest = "floor";
  resize.mode = bind.text("mode", "nearest");
  Operand scalesInput;
  if (node.since >= 9)
    scalesInput = bind.operand("scales");
  else if (const auto *attribute = bind.attribute("scales"))
    scales.append(attribute->floats().begin(), attribute->floats().end());
  if (failed(bind.finish()) || failed(checkAttributes(node, resize)))
    return failure();
  if (scalesInput) {
    FailureOr<SmallVector<float>> read =
        bindFloats(node, scalesInput, "scales");
    if (failed(read))
      return failure();
    scales = *read;
  }
  auto resolved =
      resolveAxes(node, resize, shapeOf(x), scales, {}, std::nullopt);
  if (failed(resolved))
    return failure();
  Emit emit(node);
  for (auto [at, axis] : *resolved) {
    FailureOr<Value> y = resizeAxis(node, emit, resize, x, at, axis);
    if (failed(y))
      return failure();
    x = *y;
  }
  return node.define(0, x);
}

void takt::import::addResizeOps(Registry &registry) {
  registry.add("Resize", {10, 11, 13, 18, 19}, convertResize,
               "train.gather; train.matmul; scales and sizes known at import");
  registry.add("Upsample", {7, 9}, convertUpsample,
               "train.gather; train.matmul; scales known at import");
}
