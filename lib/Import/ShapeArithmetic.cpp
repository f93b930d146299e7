//===- ShapeArithmetic.cpp - integers that are known at import ------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShapeArithmetic.h"
#include "Binder.h"
#include "Registry.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace takt;
using namespace takt::import;
using onnx::TensorProto;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// nullopt on overflow and division by zero. Division rounds towards zero.
static std::optional<int64_t> compute(IntegerOperation operation, int64_t a,
                                      int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  switch (operation) {
  case IntegerOperation::Add:
    overflow = llvm::AddOverflow(a, b, result);
    break;
  case IntegerOperation::Sub:
    overflow = llvm::SubOverflow(a, b, result);
    break;
  case IntegerOperation::Mul:
    overflow = llvm::MulOverflow(a, b, result);
    break;
  case IntegerOperation::Div:
    overflow = b == 0 || (b == -1 && llvm::SubOverflow<int64_t>(0, a, result));
    result = overflow ? 0 : a / b;
    break;
  }
  if (overflow)
    return std::nullopt;
  return result;
}

LogicalResult takt::import::foldArithmetic(Node &node,
                                           IntegerOperation operation) {
  Operand aOperand = node.operand(0), bOperand = node.operand(1);
  Binder bind(node);
  Dims a = bind.integers("A"), b = bind.integers("B");
  if (failed(bind.finish()))
    return failure();
  size_t count = a.size() == 1 ? b.size() : a.size();
  if ((a.size() != count && a.size() != 1) ||
      (b.size() != count && b.size() != 1))
    return node.unsupported()
           << "combines " << a.size() << " with " << b.size() << " integers";
  Dims result;
  for (size_t i = 0; i < count; ++i) {
    int64_t left = a[a.size() == 1 ? 0 : i], right = b[b.size() == 1 ? 0 : i];
    std::optional<int64_t> value = compute(operation, left, right);
    if (!value)
      return node.invalid()
             << "has no 64-bit result for " << left << " and " << right;
    result.push_back(*value);
  }
  ArrayRef<int64_t> shape = aOperand.shape();
  if (bOperand.shape().size() > shape.size() || a.size() != count)
    shape = bOperand.shape();
  if (countElements(shape) != int64_t(count))
    return node.unsupported()
           << "combines integers of shapes " << shapeText(aOperand.shape())
           << " and " << shapeText(bOperand.shape());
  return node.defineIntegers(result, shape, aOperand.constant->type);
}

static LogicalResult convertCast(Node &node) {
  Binder bind(node);
  Operand input = bind.operand("input");
  int64_t to = bind.requiredInteger("to");
  if (node.since >= 19)
    bind.flag("saturate", true); // of 8-bit floats
  if (failed(bind.finish()))
    return failure();
  bool isInteger = input.constant && input.constant->isInteger();
  if (!isInteger && to == TensorProto::FLOAT)
    return node.define(0, input);
  if (!isInteger || (to != TensorProto::INT64 && to != TensorProto::INT32 &&
                     to != TensorProto::BOOL))
    return node.unsupported()
           << "casts to type " << typeName(to)
           << ", expected shapes to int32, int64 or bool, or float to float";
  FailureOr<SmallVector<int64_t, 4>> values =
      node.graph.reader.integers(*input.constant, node.subject());
  if (failed(values))
    return failure();
  for (int64_t &value : *values) {
    if (to == TensorProto::BOOL)
      value = value != 0;
    else if (to == TensorProto::INT32 && !llvm::isInt<32>(value))
      return node.invalid() << "casts " << value << " to int32";
  }
  return node.defineIntegers(*values, input.shape(), to);
}

//===----------------------------------------------------------------------===//
// Shapes and their elements
//===----------------------------------------------------------------------===//

int64_t takt::import::clampIndex(int64_t index, int64_t size) {
  if (index < 0)
    index = index < -size ? 0 : index + size;
  return std::min(index, size);
}

static LogicalResult convertShape(Node &node) {
  Binder bind(node);
  Operand data = bind.operand("data");
  int64_t start = 0, end = std::numeric_limits<int64_t>::max();
  if (node.since >= 15) {
    start = bind.integer("start", start);
    end = bind.integer("end", end);
  }
  if (failed(bind.finish()))
    return failure();
  int64_t rank = data.shape().size();
  start = clampIndex(start, rank);
  end = std::max(start, clampIndex(end, rank));
  Dims dims(data.shape().slice(start, end - start));
  return node.defineIntegers(dims, int64_t(dims.size()), TensorProto::INT64);
}

/// Fails unless the first input is a vector.
static LogicalResult checkVector(const Node &node) {
  Operand data = node.operand(0);
  if (!data || data.shape().size() == 1)
    return success();
  return node.unsupported()
         << "takes elements of a tensor of rank " << data.shape().size()
         << ", expected a vector of integers";
}

LogicalResult takt::import::foldGather(Node &node) {
  if (failed(checkVector(node)))
    return failure();
  Binder bind(node);
  Dims data = bind.integers("data"), indices = bind.integers("indices");
  bind.integer("axis", 0, -1, 0);
  if (failed(bind.finish()))
    return failure();
  Dims result;
  for (int64_t index : indices) {
    FailureOr<int64_t> position = resolveAxis(node, index, data.size());
    if (failed(position))
      return failure();
    result.push_back(data[*position]);
  }
  return node.defineIntegers(result, node.operand(1).shape(),
                             node.operand(0).constant->type);
}

namespace {
/// A slice of a vector.
struct Range {
  int64_t start, end, step;
};
} // namespace

static FailureOr<Range> bindRange(Node &node, Binder &bind) {
  std::optional<Dims> starts, ends, axes, steps;
  if (node.since < 10) {
    starts = bind.list("starts");
    ends = bind.list("ends");
    axes = bind.list("axes");
  } else {
    starts = bind.integers("starts");
    ends = bind.integers("ends");
    axes = bind.optionalIntegers("axes");
    steps = bind.optionalIntegers("steps");
  }
  if (failed(bind.finish()))
    return failure();
  auto isOne = [](const std::optional<Dims> &list) {
    return list && list->size() == 1;
  };
  if (!isOne(starts) || !isOne(ends) || (axes && !isOne(axes)) ||
      (steps && !isOne(steps)))
    return node.invalid() << "has not one start, end, axis and step for a "
                             "vector";
  if (axes && axes->front() != 0 && axes->front() != -1)
    return node.invalid() << "has axis " << axes->front() << ", expected 0";
  return Range{starts->front(), ends->front(), steps ? steps->front() : 1};
}

LogicalResult takt::import::foldSlice(Node &node) {
  if (failed(checkVector(node)))
    return failure();
  Binder bind(node);
  Dims data = bind.integers("data");
  FailureOr<Range> range = bindRange(node, bind);
  if (failed(range))
    return failure();
  if (range->step < 1)
    return node.unsupported()
           << "has step " << range->step << ", expected at least 1";
  int64_t size = data.size(), end = clampIndex(range->end, size);
  // A step that is longer than the vector must not overflow the counter.
  int64_t step = std::min(range->step, std::max<int64_t>(size, 1));
  Dims result;
  for (int64_t i = clampIndex(range->start, size); i < end; i += step)
    result.push_back(data[i]);
  return node.defineIntegers(result, int64_t(result.size()),
                             node.operand(0).constant->type);
}

LogicalResult takt::import::foldConcat(Node &node) {
  Binder bind(node);
  Dims result;
  int64_t axis = bind.requiredInteger("axis");
  for (int i = 0; i < node.proto.input_size(); ++i) {
    Operand operand = node.operand(i);
    result.append(bind.integers("inputs"));
    if (operand && operand.shape().size() != 1)
      return node.unsupported() << "joins integers of rank "
                                << operand.shape().size() << ", expected 1";
    if (int64_t(result.size()) > kMaxIntegers)
      break;
  }
  if (int64_t(result.size()) <= kMaxIntegers && failed(bind.finish()))
    return failure();
  if (failed(resolveAxis(node, axis, 1)))
    return failure();
  return node.defineIntegers(result, int64_t(result.size()),
                             node.operand(0).constant->type);
}

void takt::import::addShapeArithmetic(Registry &registry) {
  registry.add("Cast", {6, 9, 13, 19}, convertCast,
               "nothing from float to float; folded on shapes");
  registry.add("Shape", {1, 13, 15, 19}, convertShape, "folded");
}
