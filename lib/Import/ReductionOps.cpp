//===- ReductionOps.cpp - sums, means and maxima along axes ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include "ShapeArithmetic.h"
#include "llvm/Support/MathExtras.h"
#include <cfloat>
#include <limits>

using namespace mlir;
using takt::CompareFunction;
using takt::UnaryFunction;
using namespace takt::import;
namespace train = takt::train;

namespace {
/// What of a shape is reduced.
struct Extent {
  SmallVector<int64_t> axes; ///< in order; none: there is nothing to reduce
  bool isIdentity = false;   ///< the file says that no axes mean none
  Dims dims;                 ///< of the result
  int64_t count = 1;         ///< elements for each of the result
};

/// A reduction taken apart.
struct Reduction : Extent {
  Reduction(Extent extent, Value x, RankedTensorType type)
      : Extent(std::move(extent)), x(x), type(type) {}

  Value x;
  RankedTensorType type; ///< of the result
};
} // namespace

/// Binds what is behind the data. Axes are an attribute, and an input from
/// opset `inputSince` on.
static FailureOr<Extent> bindExtent(Node &node, Binder &bind,
                                    int64_t inputSince) {
  std::optional<Dims> axes;
  bool keepsAll = false;
  if (node.since >= inputSince) {
    axes = bind.optionalIntegers("axes");
    keepsAll = bind.flag("noop_with_empty_axes", false);
  } else {
    axes = bind.list("axes");
  }
  bool keepAxes = bind.flag("keepdims", true);
  if (failed(bind.finish()))
    return failure();
  Operand data = node.operand(0);
  ArrayRef<int64_t> shape = data.shape();
  bool hasAxes = axes && !axes->empty();
  SmallVector<bool> reduced(shape.size(), !hasAxes && !keepsAll);
  if (hasAxes) {
    FailureOr<SmallVector<bool>> marked = markAxes(node, *axes, shape.size());
    if (failed(marked))
      return failure();
    reduced = *marked;
  }
  Extent extent;
  for (auto [axis, size] : llvm::enumerate(shape)) {
    if (reduced[axis]) {
      extent.axes.push_back(axis);
      extent.count *= size;
    }
    if (!reduced[axis] || keepAxes)
      extent.dims.push_back(reduced[axis] ? 1 : size);
  }
  extent.isIdentity = !hasAxes && keepsAll;
  return extent;
}

static FailureOr<Reduction> bindReduction(Node &node, int64_t inputSince,
                                          Accept accept = Accept::Floats) {
  Binder bind(node);
  Value x = bind.tensor("data", accept);
  FailureOr<Extent> extent = bindExtent(node, bind, inputSince);
  if (failed(extent))
    return failure();
  return Reduction{*extent, x, typeOf(x).clone(extent->dims)};
}

template <typename OpTy>
static FailureOr<Value> reduce(Node &node, const Reduction &reduction,
                               Value x) {
  auto op = node.createTyped<OpTy>(
      typeOf(x).clone(reduction.type.getShape()), x,
      node.attributes().integers("axes", reduction.axes));
  if (failed(op))
    return failure();
  return Value((*op)->getResult(0));
}

static FailureOr<Value> scale(Node &node, Value x, float factor) {
  auto op = node.createTyped<train::ScaleOp>(
      x.getType(), x, node.attributes().number("value", factor));
  if (failed(op))
    return failure();
  return Value(op->getResult());
}

static FailureOr<Value> apply(Node &node, Value x, UnaryFunction function,
                              float alpha = 0) {
  AttributeList attributes = node.attributes();
  attributes.keyword("function", function).number("alpha", alpha);
  auto op = node.createTyped<train::UnaryOp>(x.getType(), x, attributes);
  if (failed(op))
    return failure();
  return Value(op->getResult());
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// Known integers, from `first` on, combined along axes. `combine` gives
/// nothing on overflow.
static LogicalResult
foldReduction(Node &node, int64_t inputSince, int64_t first,
              std::optional<int64_t> (*combine)(int64_t, int64_t)) {
  Binder bind(node);
  bind.operand("data");
  FailureOr<Extent> extent = bindExtent(node, bind, inputSince);
  if (failed(extent))
    return failure();
  FailureOr<IntegerTensor> x = integerInput(node, 0);
  if (failed(x))
    return failure();
  SmallVector<bool> reduced(x->shape.size(), false);
  int64_t count = 1;
  for (int64_t axis : extent->axes)
    reduced[axis] = true;
  for (int64_t size : extent->dims)
    count *= size;
  if (count > kMaxIntegers)
    return node.unsupported() << "computes " << count
                              << " integers, expected at most " << kMaxIntegers;
  IntegerTensor y{extent->dims, Dims(count, first)};
  for (auto [i, value] : llvm::enumerate(x->values)) {
    int64_t at = 0, stride = 1, rest = i;
    for (size_t axis = reduced.size(); axis-- > 0; rest /= x->shape[axis])
      if (!reduced[axis]) {
        at += rest % x->shape[axis] * stride;
        stride *= x->shape[axis];
      }
    std::optional<int64_t> result = combine(y.values[at], value);
    if (!result)
      return node.invalid() << "computes a number of more than 64 bits";
    y.values[at] = *result;
  }
  return defineIntegers(node, y);
}

static std::optional<int64_t> sum(int64_t a, int64_t b) {
  int64_t result;
  return llvm::AddOverflow(a, b, result) ? std::nullopt : std::optional(result);
}

static std::optional<int64_t> product(int64_t a, int64_t b) {
  int64_t result;
  return llvm::MulOverflow(a, b, result) ? std::nullopt : std::optional(result);
}

static std::optional<int64_t> larger(int64_t a, int64_t b) {
  return std::max(a, b);
}

static std::optional<int64_t> smaller(int64_t a, int64_t b) {
  return std::min(a, b);
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

static LogicalResult finish(Node &node, FailureOr<Value> y) {
  return failed(y) ? failure() : node.define(0, *y);
}

static LogicalResult convertReduceSum(Node &node) {
  if (node.isShapeArithmetic())
    return foldReduction(node, 13, 0, sum);
  FailureOr<Reduction> r = bindReduction(node, 13, Accept::Numbers);
  if (failed(r))
    return failure();
  if (r->isIdentity)
    return node.define(0, r->x);
  return finish(node, reduce<train::ReduceSumOp>(node, *r, r->x));
}

/// All spatial axes, and no others.
static bool isGlobalPool(const Reduction &reduction) {
  int64_t rank = shapeOf(reduction.x).size();
  return rank >= 3 && int64_t(reduction.axes.size()) == rank - 2 &&
         reduction.axes.front() == 2;
}

/// Over all spatial axes it is a global pool.
static LogicalResult convertReduceMean(Node &node) {
  FailureOr<Reduction> r = bindReduction(node, 18);
  if (failed(r))
    return failure();
  if (r->isIdentity)
    return node.define(0, r->x);
  if (isGlobalPool(*r)) {
    auto pool = node.create<train::GlobalAveragePoolOp>(r->x);
    if (failed(pool))
      return failure();
    return finish(node, node.reshape(pool->getResult(), r->type.getShape()));
  }
  FailureOr<Value> sum = reduce<train::ReduceSumOp>(node, *r, r->x);
  if (failed(sum))
    return failure();
  return finish(node, scale(node, *sum, 1.0f / static_cast<float>(r->count)));
}

/// Truth values as numbers, of which the largest is "or", the smallest "and".
static Value asNumbers(Emit &emit, Value x) {
  if (!elementOf(x).isInteger(1))
    return x;
  return emit.cast(x, IntegerType::get(x.getContext(), 32));
}

template <bool smallest> static LogicalResult convertReduceExtreme(Node &node) {
  using Limits = std::numeric_limits<int64_t>;
  if (node.isShapeArithmetic())
    return smallest ? foldReduction(node, 18, Limits::max(), smaller)
                    : foldReduction(node, 18, Limits::min(), larger);
  Accept accept = node.since >= 20 ? Accept::Any : Accept::Numbers;
  FailureOr<Reduction> r = bindReduction(node, 18, accept);
  if (failed(r))
    return failure();
  if (r->isIdentity)
    return node.define(0, r->x);
  Emit emit(node);
  Value x = asNumbers(emit, r->x);
  x = smallest ? emit.reverseOrder(x) : x;
  if (!x)
    return failure();
  FailureOr<Value> y = reduce<train::ReduceMaxOp>(node, *r, x);
  if (failed(y))
    return failure();
  return emit.define(
      emit.castLike(smallest ? emit.reverseOrder(*y) : *y, r->x));
}

/// Halves of the axis times each other, until one element is left: its gradient
/// is right where elements are 0.
static Value productAlong(Emit &emit, Value x, int64_t axis) {
  while (x && shapeOf(x)[axis] > 1) {
    int64_t size = shapeOf(x)[axis], half = size / 2;
    Value first = emit.slice(x, axis, 0, half);
    Value pairs = emit.mul(first, emit.slice(x, axis, half, half));
    x = size % 2 ? emit.concat({pairs, emit.slice(x, axis, 2 * half, 1)}, axis)
                 : pairs;
  }
  return x;
}

static LogicalResult convertReduceProd(Node &node) {
  if (node.isShapeArithmetic())
    return foldReduction(node, 18, 1, product);
  FailureOr<Reduction> r = bindReduction(node, 18, Accept::Numbers);
  if (failed(r))
    return failure();
  Emit emit(node);
  Value y = r->x;
  for (int64_t axis : r->axes)
    y = productAlong(emit, y, axis);
  return emit.define(emit.reshape(y, r->type.getShape()));
}

static LogicalResult convertReduceLogSum(Node &node) {
  FailureOr<Reduction> r = bindReduction(node, 18);
  if (failed(r))
    return failure();
  Emit emit(node);
  Value sum = r->isIdentity ? r->x : emit.reduceSum(r->x, r->axes);
  return emit.define(
      emit.reshape(emit.unary(UnaryFunction::Log, sum), r->type.getShape()));
}

/// The largest element is taken out of the exponents, so that nothing
/// overflows; it does not matter which number that is, so it is finite.
static LogicalResult convertReduceLogSumExp(Node &node) {
  FailureOr<Reduction> r = bindReduction(node, 18);
  if (failed(r))
    return failure();
  if (r->isIdentity)
    return node.define(0, r->x);
  Emit emit(node);
  Value most = emit.unary(UnaryFunction::Clip, emit.reduceMax(r->x, r->axes),
                          -FLT_MAX, FLT_MAX);
  Value each = emit.unary(UnaryFunction::Exp, emit.sub(r->x, most));
  Value y = emit.add(
      emit.unary(UnaryFunction::Log, emit.reduceSum(each, r->axes)), most);
  return emit.define(emit.reshape(y, r->type.getShape()));
}

/// The root of a sum of squares. Where all are 0 it has the gradient 0, as
/// PyTorch's norm, and not 0 times infinity.
static FailureOr<Value> rootOfSquares(Node &node, Value sum) {
  if (!node.training())
    return apply(node, sum, UnaryFunction::Sqrt);
  Emit emit(node);
  Value zero = emit.filled(0, {}, sum), one = emit.filled(1, {}, sum);
  Value isZero = emit.compare(CompareFunction::Equal, sum, zero);
  Value root = emit.unary(UnaryFunction::Sqrt, emit.where(isZero, one, sum));
  return orFailure(emit.where(isZero, zero, root));
}

/// A sum of absolute values, or of squares and perhaps its root.
template <bool squares, bool root>
static LogicalResult convertNorm(Node &node) {
  FailureOr<Reduction> r = bindReduction(node, 18);
  if (failed(r))
    return failure();
  FailureOr<Value> each = squares ? apply(node, r->x, UnaryFunction::Power, 2)
                                  : apply(node, r->x, UnaryFunction::Abs);
  if (failed(each))
    return failure();
  FailureOr<Value> sum =
      r->isIdentity ? each : reduce<train::ReduceSumOp>(node, *r, *each);
  if (failed(sum) || !root)
    return finish(node, sum);
  return finish(node, rootOfSquares(node, *sum));
}

void takt::import::addReductionOps(Registry &registry) {
  registry.add("ReduceSum", {1, 11, 13}, convertReduceSum,
               "train.reduce_sum; folded on shapes");
  registry.add("ReduceMean", {1, 11, 13, 18}, convertReduceMean,
               "train.global_average_pool, train.reshape; other axes "
               "train.reduce_sum, train.scale");
  registry.add("ReduceProd", {1, 11, 13, 18}, convertReduceProd,
               "train.slice, train.mul; folded on shapes");
  registry.add("ReduceLogSum", {1, 11, 13, 18}, convertReduceLogSum,
               "train.reduce_sum, train.unary log");
  registry.add("ReduceLogSumExp", {1, 11, 13, 18}, convertReduceLogSumExp,
               "train.reduce_max, train.unary exp, log, train.reduce_sum");
  registry.add("ReduceMax", {1, 11, 12, 13, 18, 20},
               convertReduceExtreme<false>,
               "train.reduce_max; folded on shapes");
  registry.add("ReduceMin", {1, 11, 12, 13, 18, 20}, convertReduceExtreme<true>,
               "train.scale, train.reduce_max; folded on shapes");
  registry.add("ReduceL1", {1, 11, 13, 18}, convertNorm<false, false>,
               "train.unary abs, train.reduce_sum");
  registry.add("ReduceL2", {1, 11, 13, 18}, convertNorm<true, true>,
               "train.unary power, sqrt, train.reduce_sum, where");
  registry.add("ReduceSumSquare", {1, 11, 13, 18}, convertNorm<true, false>,
               "train.unary power, train.reduce_sum");
}
