//===- IndexOps.cpp - gather, scatter and order along an axis -------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include "ShapeArithmetic.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using takt::BinaryFunction;
using takt::CompareFunction;
using takt::ScatterMode;
using namespace takt::import;
namespace train = takt::train;

static int64_t product(ArrayRef<int64_t> dims) {
  return countElements(dims).value_or(kMaxElements);
}

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

/// Most slices that a gather by known indices becomes.
static constexpr size_t kMaxRuns = 8;

/// The listed indices of an axis as a slice for each run of them; null if these
/// are too many.
static Value gatherRuns(Emit &emit, Value x, int64_t axis,
                        ArrayRef<int64_t> indices) {
  SmallVector<Value> parts;
  while (!indices.empty()) {
    size_t n = 1;
    while (n < indices.size() && indices[n] == indices[n - 1] + 1)
      ++n;
    if (parts.size() == kMaxRuns)
      return {};
    parts.push_back(emit.slice(x, axis, indices.front(), n));
    indices = indices.drop_front(n);
  }
  return emit.concat(parts, axis);
}

/// Counted from 0. Fails with a diagnostic if one is out of range.
static LogicalResult resolveIndices(const Node &node, Dims &indices,
                                    int64_t size) {
  for (int64_t &index : indices) {
    if (index < -size || index >= size)
      return node.invalid()
             << "has index " << index << ", expected a number from " << -size
             << " to " << size - 1;
    index += index < 0 ? size : 0;
  }
  return success();
}

/// The indices, where they are few and known at import.
static FailureOr<std::optional<Dims>> knownIndices(const Node &node,
                                                   const Operand &indices) {
  if (!indices.constant || !indices.constant->isInteger() ||
      product(indices.shape()) > kMaxIntegers)
    return std::optional<Dims>();
  auto values = node.graph.reader.integers(*indices.constant, node.subject());
  if (failed(values))
    return failure();
  return std::optional(Dims(values->begin(), values->end()));
}

static LogicalResult foldGather(Node &node, int64_t axis,
                                ArrayRef<int64_t> indices,
                                ArrayRef<int64_t> shape) {
  FailureOr<IntegerTensor> tensor = integerInput(node, 0);
  if (failed(tensor))
    return failure();
  return defineIntegers(node,
                        {Dims(shape), take(*tensor, axis, indices).values});
}

/// The axis is replaced by those of the indices.
static LogicalResult convertGather(Node &node) {
  bool isShape = node.isShapeArithmetic();
  Binder bind(node);
  Operand data = bind.operand("data"), indices = bind.operand("indices");
  int64_t axis = bind.integer("axis", 0);
  if (failed(bind.finish()))
    return failure();
  ArrayRef<int64_t> shape = data.shape();
  FailureOr<int64_t> at = resolveAxis(node, axis, shape.size());
  FailureOr<std::optional<Dims>> known = knownIndices(node, indices);
  if (failed(at) || failed(known) ||
      (*known && failed(resolveIndices(node, **known, shape[*at]))))
    return failure();
  Dims dims(shape.take_front(*at));
  dims.append(Dims(indices.shape()));
  dims.append(Dims(shape.drop_front(*at + 1)));
  if (isShape)
    return foldGather(node, *at, **known, dims);
  if (llvm::is_contained(dims, 0))
    return node.unsupported() << "has no indices, expected at least one";
  FailureOr<Value> x = node.toValue(data, "data", Accept::Any);
  if (failed(x))
    return failure();
  Emit emit(node);
  if (*known)
    if (Value runs = gatherRuns(emit, *x, *at, **known))
      return emit.define(emit.reshape(runs, dims));
  Binder again(node);
  again.operand("data");
  return emit.define(emit.gather(*x, again.indices("indices"), *at));
}

/// Where the indices have fewer rows than x has, these are the first ones.
static Value cropTo(Emit &emit, Value x, ArrayRef<int64_t> shape,
                    int64_t except) {
  for (int64_t axis = 0; axis < int64_t(shape.size()); ++axis)
    if (axis != except)
      x = emit.slice(x, axis, 0, shape[axis]);
  return x;
}

/// Fails unless the indices have the rank of x and no more rows than it has.
static LogicalResult checkElementIndices(const Node &node, Value x,
                                         Value indices, int64_t axis) {
  ArrayRef<int64_t> from = shapeOf(x), at = shapeOf(indices);
  bool fits = from.size() == at.size();
  for (int64_t i = 0; fits && i < int64_t(at.size()); ++i)
    fits = i == axis || at[i] <= from[i];
  if (fits)
    return success();
  return node.invalid() << "has indices of " << shapeText(at)
                        << " for a tensor of " << shapeText(from);
}

static LogicalResult convertGatherElements(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("data", Accept::Any), at = bind.indices("indices");
  int64_t axis = bind.integer("axis", 0);
  if (failed(bind.finish()))
    return failure();
  FailureOr<int64_t> along = resolveAxis(node, axis, rankOf(x));
  if (failed(along) || failed(checkElementIndices(node, x, at, *along)))
    return failure();
  Emit emit(node);
  return emit.define(
      emit.gatherElements(cropTo(emit, x, shapeOf(at), *along), at, *along));
}

namespace {
/// Tuples of indices, the last axis of a tensor, as numbers of rows: `rows` of
/// them in one vector, for a tensor that is seen as rows of `row` elements.
struct LinearIndices {
  Value value; ///< rank 1
  int64_t rows, row;
  int64_t among = 1; ///< how many rows the tensor has
};
} // namespace

/// Indices below 0 count from the end, `size`.
static Value wrapOnce(Emit &emit, Value indices, Value zero, Value size) {
  Value isNegative = emit.compare(CompareFunction::Less, indices, zero);
  return emit.where(isNegative, emit.add(indices, size), indices);
}

/// Counted over all batches: `batches` leading axes that x and indices share.
static FailureOr<LinearIndices> linearIndices(Node &node, Emit &emit, Value x,
                                              Value indices, int64_t batches) {
  ArrayRef<int64_t> from = shapeOf(x), at = shapeOf(indices);
  int64_t rank = from.size();
  int64_t tuple = at.empty() ? 0 : at.back();
  if (at.empty() || batches < 0 ||
      batches >= std::min<int64_t>(rank, at.size()) || tuple < 1 ||
      tuple > rank - batches ||
      from.take_front(batches) != at.take_front(batches))
    return node.invalid() << "has indices of " << shapeText(at)
                          << " for a tensor of " << shapeText(from) << " with "
                          << batches << " batch_dims";
  LinearIndices linear;
  linear.rows = product(at.drop_back());
  linear.row = product(from.drop_front(batches + tuple));
  Value flat = emit.reshape(indices, {linear.rows, tuple});
  Value zero = emit.integers(0, {}), sum, wrong;
  for (int64_t i = 0; i < tuple; ++i) {
    Value size = emit.integers(from[batches + i], {});
    Value part = emit.reshape(emit.slice(flat, 1, i, 1), linear.rows);
    Value wrapped = wrapOnce(emit, part, zero, size);
    Value below = emit.compare(CompareFunction::Less, wrapped, zero);
    Value above = emit.compare(CompareFunction::LessOrEqual, size, wrapped);
    Value outside = emit.binary(BinaryFunction::Max, below, above);
    wrong = wrong ? emit.binary(BinaryFunction::Max, wrong, outside) : outside;
    sum = sum ? emit.add(emit.mul(sum, size), wrapped) : wrapped;
    linear.among *= from[batches + i];
  }
  // What is out of range on one axis would be another row: it becomes what is
  // out of range of all rows, which the program then reports.
  sum = emit.where(wrong,
                   emit.integers(std::numeric_limits<int64_t>::max(), {}), sum);
  int64_t outer = product(from.take_front(batches));
  if (outer > 1) {
    Value batch = emit.range(outer);
    Value offset = emit.mul(batch, emit.integers(linear.among, {}));
    Value perBatch = emit.reshape(sum, {outer, linear.rows / outer});
    sum = emit.reshape(emit.add(perBatch, emit.reshape(offset, {outer, 1})),
                       linear.rows);
    linear.among *= outer;
  }
  linear.value = sum;
  if (!sum)
    return failure();
  return linear;
}

static LogicalResult convertGatherND(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("data", Accept::Any), at = bind.indices("indices");
  int64_t batches = node.since >= 12 ? bind.integer("batch_dims", 0) : 0;
  if (failed(bind.finish()))
    return failure();
  Emit emit(node);
  FailureOr<LinearIndices> linear = linearIndices(node, emit, x, at, batches);
  if (failed(linear))
    return failure();
  Dims dims(shapeOf(at).drop_back());
  dims.append(Dims(shapeOf(x).drop_front(batches + shapeOf(at).back())));
  Value rows = emit.reshape(x, {linear->among, linear->row});
  return emit.define(emit.reshape(emit.gather(rows, linear->value, 0), dims));
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

/// What becomes of several updates of one element.
static FailureOr<ScatterMode> bindReduction(Node &node, Binder &bind,
                                            int64_t since) {
  std::string text =
      node.since >= since ? bind.text("reduction", "none") : "none";
  auto mode = llvm::StringSwitch<std::optional<ScatterMode>>(text)
                  .Case("none", ScatterMode::Replace)
                  .Case("add", ScatterMode::Add)
                  .Case("mul", ScatterMode::Mul)
                  .Case("max", ScatterMode::Max)
                  .Case("min", ScatterMode::Min)
                  .Default(std::nullopt);
  if (!mode)
    return node.invalid() << "has reduction '" << text
                          << "', expected none, add, mul, max or min";
  return *mode;
}

static LogicalResult convertScatterElements(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("data", Accept::Any), at = bind.indices("indices");
  Value updates = bind.tensor("updates", Accept::Any);
  int64_t axis = bind.integer("axis", 0);
  FailureOr<ScatterMode> mode = bindReduction(node, bind, 16);
  if (failed(mode) || failed(bind.finish()))
    return failure();
  FailureOr<int64_t> along = resolveAxis(node, axis, rankOf(x));
  if (failed(along) || failed(checkElementIndices(node, x, at, *along)))
    return failure();
  Emit emit(node);
  Dims rows(shapeOf(at));
  rows[*along] = shapeOf(x)[*along];
  if (shapeOf(x) == ArrayRef(rows))
    return emit.define(emit.scatterElements(*mode, x, at, updates, *along));
  return node.unsupported() << "has indices of " << shapeText(shapeOf(at))
                            << " for a tensor of " << shapeText(shapeOf(x))
                            << ", expected equal sizes but on axis " << *along;
}

/// Rows are updated: an index for every element of them.
static LogicalResult convertScatterND(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("data", Accept::Any), at = bind.indices("indices");
  Value updates = bind.tensor("updates", Accept::Any);
  FailureOr<ScatterMode> mode = bindReduction(node, bind, 16);
  if (failed(mode) || failed(bind.finish()))
    return failure();
  Emit emit(node);
  FailureOr<LinearIndices> linear = linearIndices(node, emit, x, at, 0);
  if (failed(linear))
    return failure();
  Dims expected(shapeOf(at).drop_back());
  expected.append(Dims(shapeOf(x).drop_front(shapeOf(at).back())));
  if (shapeOf(updates) != ArrayRef(expected))
    return node.invalid() << "has updates of " << shapeText(shapeOf(updates))
                          << ", expected " << shapeText(expected);
  Dims matrix = {linear->rows, linear->row};
  Value indices =
      emit.expand(emit.reshape(linear->value, {linear->rows, 1}), matrix);
  Value rows = emit.reshape(x, {linear->among, linear->row});
  Value y = emit.scatterElements(*mode, rows, indices,
                                 emit.reshape(updates, matrix), 0);
  return emit.define(emit.reshape(y, shapeOf(x)));
}

//===----------------------------------------------------------------------===//
// One of several
//===----------------------------------------------------------------------===//

/// Where index j of a new axis is what the index says: negative ones count from
/// the end, others that are out of range are nowhere.
static LogicalResult convertOneHot(Node &node) {
  Binder bind(node);
  Value indices = bind.tensor("indices", Accept::Numbers);
  Operand depthInput = bind.operand("depth");
  Value values = bind.tensor("values", Accept::Any);
  int64_t axis = bind.integer("axis", -1);
  if (failed(bind.finish()))
    return failure();
  if (!depthInput.constant)
    return node.unsupported()
           << "computes depth from the inputs, expected a constant";
  Dims depths;
  if (depthInput.constant->isInteger()) {
    auto read =
        node.graph.reader.integers(*depthInput.constant, node.subject());
    if (failed(read))
      return failure();
    depths.assign(read->begin(), read->end());
  } else {
    FailureOr<float> read =
        node.graph.reader.scalar(*depthInput.constant, node.subject());
    if (failed(read))
      return failure();
    if (*read >= 1 && *read <= kMaxElements)
      depths.push_back(static_cast<int64_t>(*read));
  }
  if (depths.size() != 1 || depths[0] < 1 ||
      shapeOf(values) != ArrayRef<int64_t>(2))
    return node.invalid() << "has a depth or values of other shapes than one "
                             "positive number and two values";
  int64_t rank = rankOf(indices);
  FailureOr<int64_t> at = resolveAxis(node, axis, rank + 1);
  if (failed(at))
    return failure();
  Emit emit(node);
  Type i64 = IntegerType::get(node.loc.getContext(), 64);
  Value where = emit.cast(indices, i64);
  Value zero = emit.integers(0, {}), depth = emit.integers(depths[0], {});
  where = wrapOnce(emit, where, zero, depth);
  Dims dims(shapeOf(indices)), along(rank + 1 - *at, 1);
  dims.insert(dims.begin() + *at, 1);
  along[0] = depths[0];
  Value classes = emit.reshape(emit.range(depths[0]), along);
  Value hot =
      emit.compare(CompareFunction::Equal, emit.reshape(where, dims), classes);
  Value off = emit.reshape(emit.slice(values, 0, 0, 1), {});
  Value on = emit.reshape(emit.slice(values, 0, 1, 1), {});
  return emit.define(emit.where(hot, on, off));
}

/// Largest or smallest; of integers the order of −x is that of x but for the
/// smallest number.
template <bool smallest> static LogicalResult convertArg(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("data", Accept::Numbers);
  int64_t axis = bind.integer("axis", 0);
  bool keepAxis = bind.flag("keepdims", true);
  bool last = node.since >= 12 && bind.flag("select_last_index", false);
  if (failed(bind.finish()))
    return failure();
  FailureOr<int64_t> at = resolveAxis(node, axis, rankOf(x));
  if (failed(at))
    return failure();
  Emit emit(node);
  Value y = emit.argMax(smallest ? emit.reverseOrder(x) : x, *at, last);
  Dims dims(shapeOf(x));
  if (keepAxis)
    dims[*at] = 1;
  else
    dims.erase(dims.begin() + *at);
  return emit.define(emit.reshape(y, dims));
}

/// k is an attribute before opset 10. The order is always sorted, which
/// `sorted` = 0 does not forbid.
static LogicalResult convertTopK(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X", Accept::Numbers);
  Dims k =
      node.since < 10 ? Dims{bind.requiredInteger("k")} : bind.integers("K");
  int64_t axis = bind.integer("axis", -1);
  bool largest = node.since < 11 || bind.flag("largest", true);
  if (node.since >= 11)
    bind.flag("sorted", true);
  if (failed(bind.finish(/*outputs=*/2)))
    return failure();
  FailureOr<int64_t> at = resolveAxis(node, axis, rankOf(x));
  if (failed(at))
    return failure();
  if (k.size() != 1 || k[0] < 1 || k[0] > shapeOf(x)[*at])
    return node.unsupported()
           << "takes " << (k.empty() ? 0 : k[0]) << " of an axis of size "
           << shapeOf(x)[*at] << ", expected at least one and not more";
  Dims dims(shapeOf(x));
  dims[*at] = k[0];
  auto indices =
      RankedTensorType::get(dims, IntegerType::get(node.loc.getContext(), 64));
  AttributeList attributes = node.attributes();
  attributes.integer("axis", *at).flag("largest", largest);
  auto op = node.createTyped<train::TopKOp>(
      TypeRange{typeOf(x).clone(dims), indices}, x, attributes);
  if (failed(op) || failed(node.define(0, op->getY())))
    return failure();
  return node.define(1, op->getIndices());
}

static LogicalResult convertCumSum(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("x", Accept::Numbers);
  Dims axis = bind.integers("axis");
  bool exclusive = bind.flag("exclusive", false);
  bool reverse = bind.flag("reverse", false);
  if (failed(bind.finish()))
    return failure();
  if (axis.size() != 1)
    return node.invalid() << "has " << axis.size() << " axes, expected one";
  FailureOr<int64_t> at = resolveAxis(node, axis[0], rankOf(x));
  if (failed(at))
    return failure();
  Emit emit(node);
  return emit.define(emit.cumSum(x, *at, exclusive, reverse));
}

/// 1 for the first of the largest elements, else 0. Before opset 13 all axes
/// from `axis` on are one.
static LogicalResult convertHardmax(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("input");
  bool together = node.since < 13;
  int64_t axis = bind.integer("axis", together ? 1 : -1);
  if (failed(bind.finish()))
    return failure();
  FailureOr<int64_t> at = resolveAxis(node, axis, rankOf(x));
  if (failed(at))
    return failure();
  Emit emit(node);
  ArrayRef<int64_t> shape = shapeOf(x);
  Value flat = x;
  if (together)
    flat = emit.reshape(
        x, {product(shape.take_front(*at)), product(shape.drop_front(*at))});
  if (!flat)
    return failure();
  int64_t along = together ? 1 : *at;
  Dims dims(rankOf(flat) - along, 1);
  dims[0] = shapeOf(flat)[along];
  Value largest = emit.argMax(flat, along, false);
  Value hot = emit.compare(CompareFunction::Equal, largest,
                           emit.reshape(emit.range(dims[0]), dims));
  return emit.define(emit.reshape(emit.castLike(hot, x), shape));
}

void takt::import::addIndexOps(Registry &registry) {
  registry.add("Gather", {1, 11, 13}, convertGather,
               "train.gather; train.slice, train.concat by few known indices; "
               "folded on shapes");
  registry.add("GatherElements", {11, 13}, convertGatherElements,
               "train.gather_elements");
  registry.add("GatherND", {11, 12, 13}, convertGatherND, "train.gather");
  registry.add("Scatter", {9, 11}, convertScatterElements,
               "train.scatter_elements");
  registry.add("ScatterElements", {11, 13, 16, 18}, convertScatterElements,
               "train.scatter_elements");
  registry.add("ScatterND", {11, 13, 16, 18}, convertScatterND,
               "train.scatter_elements");
  registry.add("OneHot", {9, 11}, convertOneHot, "train.compare, train.where");
  registry.add("ArgMax", {1, 11, 12, 13}, convertArg<false>, "train.arg_max");
  registry.add("ArgMin", {1, 11, 12, 13}, convertArg<true>,
               "train.scale, train.arg_max");
  registry.add("TopK", {1, 10, 11, 24}, convertTopK, "train.top_k");
  registry.add("CumSum", {11, 14}, convertCumSum, "train.cum_sum");
  registry.add("Hardmax", {1, 11, 13}, convertHardmax,
               "train.arg_max, train.compare, train.cast");
}
