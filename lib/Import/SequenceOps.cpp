//===- SequenceOps.cpp - lists of tensors ---------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PyTorch's exporters write x.split() and the lists of Python as sequences.
// Their lengths and the positions in them are known at import, so that nothing
// of a sequence is left but its elements.
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include "ShapeArithmetic.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace takt::import;
using Sequence = std::vector<Operand>;

/// Most elements of all sequences of a model: small files can split much.
static constexpr size_t kMaxSequenceElements = size_t(1) << 18;

//===----------------------------------------------------------------------===//
// What the conversions share
//===----------------------------------------------------------------------===//

/// Fails with a diagnostic if there are too many elements with `count` more.
static LogicalResult reserve(Node &node, size_t count) {
  if (count <= kMaxSequenceElements - node.graph.sequenceElements) {
    node.graph.sequenceElements += count;
    return success();
  }
  return node.unsupported()
         << "makes a sequence of " << count << " tensors, of which a model has "
         << kMaxSequenceElements << " at most";
}

static LogicalResult defineSequence(Node &node, Sequence elements) {
  Operand operand;
  operand.sequence = &node.graph.sequences.emplace_back(std::move(elements));
  return node.define(0, operand);
}

static LogicalResult expectSequence(const Node &node, const Operand &operand) {
  if (operand.sequence)
    return success();
  return node.invalid() << "has a tensor for input_sequence, expected a "
                           "sequence";
}

static LogicalResult expectTensor(const Node &node, const Operand &operand) {
  if (!operand.sequence)
    return success();
  return node.invalid() << "has a sequence for tensor, expected a tensor";
}

/// A position below `size`, of one that may count from the end; the last one if
/// none is given.
static FailureOr<size_t> resolvePosition(const Node &node,
                                         const std::optional<Dims> &position,
                                         int64_t size, int64_t length) {
  if (position && position->size() != 1)
    return node.invalid() << "has " << position->size()
                          << " positions, expected 1";
  int64_t given = position ? position->front() : size - 1;
  if (given >= size || given < -length)
    return node.invalid() << "has position " << given
                          << " in a sequence of length " << length;
  return given < 0 ? given + length : given;
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

static LogicalResult convertEmpty(Node &node) {
  Binder bind(node);
  bind.integer("dtype", onnx::TensorProto::FLOAT);
  if (failed(bind.finish()))
    return failure();
  return defineSequence(node, {});
}

static LogicalResult convertConstruct(Node &node) {
  Binder bind(node);
  Sequence elements;
  do
    elements.push_back(bind.operand("inputs"));
  while (bind.hasMoreInputs());
  if (failed(bind.finish()) || failed(reserve(node, elements.size())))
    return failure();
  return defineSequence(node, std::move(elements));
}

static LogicalResult convertInsert(Node &node) {
  Binder bind(node);
  Operand list = bind.operand("input_sequence");
  Operand tensor = bind.operand("tensor");
  std::optional<Dims> position = bind.optionalIntegers("position");
  if (failed(bind.finish()) || failed(expectSequence(node, list)) ||
      failed(expectTensor(node, tensor)))
    return failure();
  size_t length = list.sequence->size();
  auto at = resolvePosition(node, position, length + 1, length);
  if (failed(at) || failed(reserve(node, length + 1)))
    return failure();
  Sequence elements = *list.sequence;
  elements.insert(elements.begin() + *at, tensor);
  return defineSequence(node, std::move(elements));
}

static LogicalResult convertErase(Node &node) {
  Binder bind(node);
  Operand list = bind.operand("input_sequence");
  std::optional<Dims> position = bind.optionalIntegers("position");
  if (failed(bind.finish()) || failed(expectSequence(node, list)))
    return failure();
  size_t length = list.sequence->size();
  auto at = resolvePosition(node, position, length, length);
  if (failed(at) || failed(reserve(node, length - 1)))
    return failure();
  Sequence elements = *list.sequence;
  elements.erase(elements.begin() + *at);
  return defineSequence(node, std::move(elements));
}

static LogicalResult convertAt(Node &node) {
  Binder bind(node);
  Operand list = bind.operand("input_sequence");
  Dims position = bind.integers("position");
  if (failed(bind.finish()) || failed(expectSequence(node, list)))
    return failure();
  size_t length = list.sequence->size();
  auto at = resolvePosition(node, position, length, length);
  if (failed(at))
    return failure();
  return node.define(0, (*list.sequence)[*at]);
}

static LogicalResult convertLength(Node &node) {
  Binder bind(node);
  Operand list = bind.operand("input_sequence");
  if (failed(bind.finish()) || failed(expectSequence(node, list)))
    return failure();
  return node.defineIntegers(int64_t(list.sequence->size()), {},
                             onnx::TensorProto::INT64);
}

//===----------------------------------------------------------------------===//
// From a tensor to parts
//===----------------------------------------------------------------------===//

/// Sizes of the parts of an axis: as they are listed; or all the one that is
/// given, but for the last; or 1.
static FailureOr<Dims> partSizes(Node &node, const std::optional<Dims> &given,
                                 bool isList, int64_t size) {
  int64_t sum = 0;
  if (isList) {
    for (int64_t part : *given) {
      if (part < 1 || part > size)
        return node.unsupported()
               << "has a part of size " << part << ", expected 1 to " << size;
      sum += part;
    }
    if (sum != size)
      return node.invalid()
             << "splits a size of " << size << " into " << shapeText(*given);
    if (failed(reserve(node, given->size())))
      return failure();
    return *given;
  }
  int64_t step = given ? given->front() : 1;
  if (step < 1)
    return node.invalid() << "splits into parts of size " << step;
  if (failed(reserve(node, llvm::divideCeil(size, step))))
    return failure();
  Dims sizes;
  for (int64_t rest = size; rest > 0; rest -= step)
    sizes.push_back(std::min(step, rest));
  return sizes;
}

/// Integers that are known, as an element of a sequence.
static Operand known(Node &node, const IntegerTensor &tensor, int index) {
  Constant &constant = node.graph.constants.emplace_back();
  constant.type = node.operand(0).constant->type;
  constant.shape = tensor.shape;
  constant.integers.emplace(tensor.values.begin(), tensor.values.end());
  constant.fixed = true;
  constant.name = node.proto.output(0) + ".part" + std::to_string(index);
  while (node.graph.operands.contains(constant.name))
    constant.name += "_";
  return Operand{{}, &constant};
}

namespace {
/// Takes a tensor apart along an axis.
class Splitter {
public:
  Splitter(Node &node, int64_t axis, bool keepAxis)
      : node(node), emit(node), axis(axis), keepAxis(keepAxis) {}

  /// Indices begin to begin + size. A null operand with a diagnostic if that
  /// cannot be.
  Operand part(Value x, int64_t begin, int64_t size) {
    Value slice = emit.slice(x, axis, begin, size);
    return Operand{slice && !keepAxis
                       ? emit.reshape(slice, without(shapeOf(slice)))
                       : slice};
  }
  Operand part(const IntegerTensor &x, int64_t begin, int64_t size) {
    IntegerTensor part =
        take(x, axis, llvm::to_vector(llvm::seq(begin, begin + size)));
    if (!keepAxis)
      part.shape = without(part.shape);
    return known(node, part, count++);
  }

private:
  Dims without(ArrayRef<int64_t> shape) const {
    Dims rest(shape);
    rest.erase(rest.begin() + axis);
    return rest;
  }

  Node &node;
  Emit emit;
  int64_t axis;
  bool keepAxis;
  int count = 0;
};
} // namespace

template <typename Tensor>
static LogicalResult defineParts(Node &node, Splitter splitter, const Tensor &x,
                                 ArrayRef<int64_t> sizes) {
  Sequence elements;
  int64_t begin = 0;
  for (int64_t size : sizes) {
    elements.push_back(splitter.part(x, begin, size));
    if (!elements.back())
      return failure();
    begin += size;
  }
  return defineSequence(node, std::move(elements));
}

static LogicalResult convertSplitToSequence(Node &node) {
  bool isKnown = node.isShapeArithmetic();
  Binder bind(node);
  Operand input = bind.operand("input"), split = node.operand(1);
  std::optional<Dims> given = bind.optionalIntegers("split");
  int64_t axis = bind.integer("axis", 0);
  bool keepAxis = bind.flag("keepdims", true);
  if (failed(bind.finish()))
    return failure();
  ArrayRef<int64_t> shape = input.shape();
  FailureOr<int64_t> at = resolveAxis(node, axis, shape.size());
  if (failed(at))
    return failure();
  bool isList = given && split.shape().size() == 1;
  FailureOr<Dims> sizes = partSizes(node, given, isList, shape[*at]);
  if (failed(sizes))
    return failure();
  Splitter splitter(node, *at, keepAxis || given);
  if (isKnown) {
    FailureOr<IntegerTensor> integers = integerInput(node, 0);
    return failed(integers) ? failure()
                            : defineParts(node, splitter, *integers, *sizes);
  }
  FailureOr<Value> x = node.toValue(input, "input", Accept::Any);
  return failed(x) ? failure() : defineParts(node, splitter, *x, *sizes);
}

//===----------------------------------------------------------------------===//
// From parts to a tensor
//===----------------------------------------------------------------------===//

/// Known integers, joined; nullopt if an element is anything else.
static std::optional<FailureOr<IntegerTensor>>
joinIntegers(Node &node, const Sequence &elements, int64_t axis, bool isNew) {
  SmallVector<IntegerTensor> parts;
  int64_t count = 0;
  for (const Operand &element : elements) {
    if (!element.constant || !element.constant->isInteger())
      return std::nullopt;
    count += countElements(element.shape()).value_or(kMaxIntegers + 1);
    if (count > kMaxIntegers)
      return std::nullopt;
    FailureOr<IntegerTensor> part = integersOf(node, element);
    if (failed(part))
      return part;
    if (isNew) {
      FailureOr<int64_t> at = resolveAxis(node, axis, part->shape.size() + 1);
      if (failed(at))
        return FailureOr<IntegerTensor>(failure());
      part->shape.insert(part->shape.begin() + *at, 1);
    }
    parts.push_back(std::move(*part));
  }
  return join(node, parts, axis);
}

static LogicalResult convertConcatFromSequence(Node &node) {
  Binder bind(node);
  Operand list = bind.operand("input_sequence");
  int64_t axis = bind.requiredInteger("axis");
  bool isNew = bind.flag("new_axis", false);
  if (failed(bind.finish()) || failed(expectSequence(node, list)))
    return failure();
  const Sequence &elements = *list.sequence;
  if (elements.empty())
    return node.unsupported() << "joins the tensors of an empty sequence";
  if (auto all = joinIntegers(node, elements, axis, isNew))
    return failed(*all) ? failure()
                        : node.defineIntegers((*all)->values, (*all)->shape,
                                              elements.front().constant->type);
  Emit emit(node);
  SmallVector<Value> values;
  for (const Operand &element : elements) {
    FailureOr<Value> value =
        node.toValue(element, "input_sequence", Accept::Any);
    if (failed(value))
      return failure();
    values.push_back(*value);
  }
  int64_t rank = shapeOf(values.front()).size();
  FailureOr<int64_t> at = resolveAxis(node, axis, rank + isNew);
  if (failed(at))
    return failure();
  if (isNew)
    for (Value &value : values) {
      Dims shape(shapeOf(value));
      if (int64_t(shape.size()) != rank)
        return node.invalid()
               << "stacks tensors of ranks " << rank << " and " << shape.size();
      shape.insert(shape.begin() + *at, 1);
      value = emit.reshape(value, shape);
    }
  return emit.define(emit.concat(values, *at));
}

void takt::import::addSequenceOps(Registry &registry) {
  constexpr StringLiteral becomes = "nothing; positions known at import";
  registry.add("SequenceEmpty", {11}, convertEmpty, becomes);
  registry.add("SequenceConstruct", {11}, convertConstruct, becomes);
  registry.add("SequenceInsert", {11}, convertInsert, becomes);
  registry.add("SequenceErase", {11}, convertErase, becomes);
  registry.add("SequenceAt", {11}, convertAt, becomes);
  registry.add("SequenceLength", {11}, convertLength, "folded");
  registry.add("SplitToSequence", {11, 24}, convertSplitToSequence,
               "train.slice; folded on shapes");
  registry.add("ConcatFromSequence", {11}, convertConcatFromSequence,
               "train.concat; folded on shapes");
  registry.letTakeSequences({"SequenceInsert", "SequenceErase", "SequenceAt",
                             "SequenceLength", "ConcatFromSequence", "Identity",
                             "If", "Loop"});
}
