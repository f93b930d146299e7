//===- ShapeArithmetic.cpp - integers that are known at import ------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShapeArithmetic.h"
#include "Emit.h"
#include "Registry.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace takt;
using namespace takt::import;
using onnx::TensorProto;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// nullopt on overflow; a fraction is rounded towards zero.
static std::optional<int64_t> power(int64_t base, int64_t exponent) {
  if (base == 0 && exponent < 0)
    return std::nullopt;
  if (base == 0 || base == 1 || exponent == 0)
    return exponent == 0 ? 1 : base;
  if (base == -1)
    return exponent % 2 ? -1 : 1;
  if (exponent < 0)
    return 0;
  int64_t result = 1;
  for (int64_t i = 0; i < exponent; ++i) // overflows within 63
    if (llvm::MulOverflow(result, base, result))
      return std::nullopt;
  return result;
}

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
  case IntegerOperation::Mod:
  case IntegerOperation::Rem:
    overflow = b == 0;
    result = overflow || b == -1 ? 0 : a % b;
    if (operation == IntegerOperation::Mod && result != 0 &&
        (result < 0) != (b < 0))
      result += b;
    break;
  case IntegerOperation::Pow:
    return power(a, b);
  case IntegerOperation::Max:
    result = std::max(a, b);
    break;
  case IntegerOperation::Min:
    result = std::min(a, b);
    break;
  case IntegerOperation::Equal:
    result = a == b;
    break;
  case IntegerOperation::Less:
    result = a < b;
    break;
  case IntegerOperation::LessOrEqual:
    result = a <= b;
    break;
  case IntegerOperation::Greater:
    result = a > b;
    break;
  case IntegerOperation::GreaterOrEqual:
    result = a >= b;
    break;
  case IntegerOperation::And:
    result = a && b;
    break;
  case IntegerOperation::Or:
    result = a || b;
    break;
  case IntegerOperation::Xor:
    result = !a != !b;
    break;
  }
  if (overflow)
    return std::nullopt;
  return result;
}

/// The shape that the node's operands are broadcast to.
/// Fails with a diagnostic if there is none, or it has too many elements.
static FailureOr<Dims> broadcastOperands(const Node &node) {
  Dims shape;
  for (int i = 0; i < node.proto.input_size(); ++i) {
    std::optional<Dims> both = broadcastShapes(shape, node.operand(i).shape());
    if (!both)
      return node.invalid()
             << "combines integers of shapes " << shapeText(shape) << " and "
             << shapeText(node.operand(i).shape());
    shape = std::move(*both);
  }
  if (std::optional<int64_t> count = countElements(shape);
      !count || *count > kMaxIntegers)
    return node.unsupported()
           << "computes integers of shape " << shapeText(shape)
           << ", expected at most " << kMaxIntegers;
  return shape;
}

/// An operand's elements, as many as its shape says, repeated as in the shape.
template <typename T>
static SmallVector<T, 8> broadcastTo(ArrayRef<T> values, ArrayRef<int64_t> from,
                                     ArrayRef<int64_t> to) {
  SmallVector<T, 8> result;
  int64_t count = countElements(to).value_or(0);
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i, index = 0, stride = 1;
    for (size_t axis = to.size(); axis-- > to.size() - from.size();
         rest /= to[axis]) {
      int64_t size = from[axis - (to.size() - from.size())];
      index += (size == 1 ? 0 : rest % to[axis]) * stride;
      stride *= size;
    }
    result.push_back(values[index]);
  }
  return result;
}

/// All pairs of a shape that both are broadcast to.
static FailureOr<IntegerTensor>
combine(const Node &node, const IntegerTensor &a, const IntegerTensor &b,
        ArrayRef<int64_t> shape, IntegerOperation operation) {
  IntegerTensor result{Dims(shape), {}};
  for (auto [left, right] :
       llvm::zip_equal(broadcastTo<int64_t>(a.values, a.shape, shape),
                       broadcastTo<int64_t>(b.values, b.shape, shape))) {
    std::optional<int64_t> value = compute(operation, left, right);
    if (!value)
      return node.invalid()
             << "has no 64-bit result for " << left << " and " << right;
    result.values.push_back(*value);
  }
  return result;
}

LogicalResult takt::import::foldArithmetic(Node &node,
                                           IntegerOperation operation) {
  Binder bind(node);
  return foldArithmetic(node, bind, operation);
}

LogicalResult takt::import::foldArithmetic(Node &node, Binder &bind,
                                           IntegerOperation operation) {
  Operand a = node.operand(0), b = node.operand(1);
  Dims left = bind.integers("A"), right = bind.integers("B");
  if (failed(bind.finish()))
    return failure();
  FailureOr<Dims> shape = broadcastOperands(node);
  if (failed(shape))
    return failure();
  FailureOr<IntegerTensor> result =
      combine(node, {Dims(a.shape()), left}, {Dims(b.shape()), right}, *shape,
              operation);
  if (failed(result))
    return failure();
  int32_t type = operation >= IntegerOperation::Equal
                     ? int32_t(TensorProto::BOOL)
                     : a.constant->type;
  return node.defineIntegers(result->values, *shape, type);
}

LogicalResult takt::import::foldVariadic(Node &node,
                                         IntegerOperation operation) {
  Binder bind(node);
  SmallVector<IntegerTensor> operands;
  do {
    FailureOr<IntegerTensor> next = integersOf(node, bind.operand("data_0"));
    if (failed(next))
      return failure();
    operands.push_back(std::move(*next));
  } while (bind.hasMoreInputs());
  if (failed(bind.finish()))
    return failure();
  FailureOr<Dims> shape = broadcastOperands(node);
  if (failed(shape))
    return failure();
  IntegerTensor first = operands.front();
  IntegerTensor result{*shape,
                       broadcastTo<int64_t>(first.values, first.shape, *shape)};
  for (const IntegerTensor &next : llvm::drop_begin(operands)) {
    FailureOr<IntegerTensor> both =
        combine(node, result, next, *shape, operation);
    if (failed(both))
      return failure();
    result = std::move(*both);
  }
  return defineIntegers(node, result);
}

LogicalResult
takt::import::foldEach(Node &node, StringRef role,
                       function_ref<std::optional<int64_t>(int64_t)> function) {
  Binder bind(node);
  bind.operand(role);
  FailureOr<IntegerTensor> tensor = integerInput(node, 0);
  if (failed(bind.finish()) || failed(tensor))
    return failure();
  for (int64_t &value : tensor->values) {
    std::optional<int64_t> result = function(value);
    if (!result)
      return node.invalid() << "has no 64-bit result for " << value;
    value = *result;
  }
  return defineIntegers(node, *tensor);
}

bool takt::import::isKnownNumber(const Constant &constant) {
  bool isFloat = constant.type == TensorProto::FLOAT ||
                 constant.type == TensorProto::DOUBLE;
  return isFloat && (constant.fixed || constant.shape.empty()) &&
         countElements(constant.shape).value_or(kMaxIntegers + 1) <=
             kMaxIntegers;
}

bool takt::import::isNumberArithmetic(const Node &node) {
  bool any = false;
  for (int i = 0; i < node.proto.input_size(); ++i) {
    const Constant *constant = node.operand(i).constant;
    if (!constant || !(isKnownNumber(*constant) || constant->literal))
      return false;
    any |= isKnownNumber(*constant);
  }
  // Attributes say how operands of old versions are broadcast.
  return any && node.proto.attribute_size() == 0;
}

static LogicalResult defineNumbers(Node &node, ArrayRef<double> values,
                                   ArrayRef<int64_t> shape, int32_t type) {
  Constant constant = node.numberConstant(values, shape, type);
  constant.fixed = true;
  return node.define(0, std::move(constant));
}

LogicalResult takt::import::foldNumbers(Node &node,
                                        function_ref<double(double)> function) {
  Binder bind(node);
  Operand x = bind.operand("X");
  if (failed(bind.finish()))
    return failure();
  auto values = node.graph.reader.numbers(*x.constant, node.subject());
  if (failed(values))
    return failure();
  for (double &value : *values)
    value = function(value);
  return defineNumbers(node, *values, x.shape(), x.constant->type);
}

namespace {
/// Numbers with a shape.
struct NumberTensor {
  Dims shape;
  SmallVector<double> values;
};
} // namespace

/// f of the node's two operands, broadcast.
static FailureOr<NumberTensor>
combineNumbers(Node &node, function_ref<double(double, double)> f) {
  Binder bind(node);
  Operand a = bind.operand("A"), b = bind.operand("B");
  if (failed(bind.finish()))
    return failure();
  auto left = node.graph.reader.numbers(*a.constant, node.subject());
  auto right = node.graph.reader.numbers(*b.constant, node.subject());
  FailureOr<Dims> shape = broadcastOperands(node);
  if (failed(left) || failed(right) || failed(shape))
    return failure();
  NumberTensor result{*shape, {}};
  for (auto [x, y] :
       llvm::zip_equal(broadcastTo<double>(*left, a.shape(), *shape),
                       broadcastTo<double>(*right, b.shape(), *shape)))
    result.values.push_back(f(x, y));
  return result;
}

LogicalResult
takt::import::foldNumbers(Node &node,
                          function_ref<double(double, double)> function) {
  FailureOr<NumberTensor> result = combineNumbers(node, function);
  if (failed(result))
    return failure();
  return defineNumbers(node, result->values, result->shape,
                       node.operand(0).constant->type);
}

LogicalResult takt::import::foldComparison(Node &node,
                                           IntegerOperation operation) {
  FailureOr<NumberTensor> result =
      combineNumbers(node, [=](double a, double b) -> double {
        switch (operation) {
        case IntegerOperation::Equal:
          return a == b;
        case IntegerOperation::Less:
          return a < b;
        case IntegerOperation::LessOrEqual:
          return a <= b;
        case IntegerOperation::Greater:
          return a > b;
        default:
          return a >= b;
        }
      });
  if (failed(result))
    return failure();
  Dims truth(result->values.begin(), result->values.end());
  return node.defineIntegers(truth, result->shape, TensorProto::BOOL);
}

LogicalResult takt::import::foldNot(Node &node) {
  Binder bind(node);
  Dims values = bind.integers("X");
  if (failed(bind.finish()))
    return failure();
  for (int64_t &value : values)
    value = !value;
  return node.defineIntegers(values, node.operand(0).shape(),
                             TensorProto::BOOL);
}

/// Exporters choose between a size that was asked for and the one that is
/// there.
LogicalResult takt::import::foldWhere(Node &node) {
  Binder bind(node);
  Dims condition = bind.integers("condition");
  Dims x = bind.integers("X"), y = bind.integers("Y");
  if (failed(bind.finish()))
    return failure();
  FailureOr<Dims> shape = broadcastOperands(node);
  if (failed(shape))
    return failure();
  condition = broadcastTo<int64_t>(condition, node.operand(0).shape(), *shape);
  x = broadcastTo<int64_t>(x, node.operand(1).shape(), *shape);
  y = broadcastTo<int64_t>(y, node.operand(2).shape(), *shape);
  Dims result;
  for (auto [takeX, fromX, fromY] : llvm::zip_equal(condition, x, y))
    result.push_back(takeX ? fromX : fromY);
  return node.defineIntegers(result, *shape, node.operand(1).constant->type);
}

LogicalResult takt::import::foldExpand(Node &node, ArrayRef<int64_t> shape) {
  FailureOr<IntegerTensor> from = integerInput(node, 0);
  if (failed(from))
    return failure();
  if (broadcastShapes(from->shape, shape) != Dims(shape))
    return node.invalid() << "expands " << shapeText(from->shape) << " to "
                          << shapeText(shape);
  return defineIntegers(
      node,
      {Dims(shape), broadcastTo<int64_t>(from->values, from->shape, shape)});
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

static LogicalResult convertSize(Node &node) {
  Binder bind(node);
  Operand data = bind.operand("data");
  if (failed(bind.finish()))
    return failure();
  int64_t count = countElements(data.shape()).value_or(0);
  return node.defineIntegers(count, {}, TensorProto::INT64);
}

FailureOr<IntegerTensor> takt::import::integerInput(Node &node, int index) {
  return integersOf(node, node.operand(index));
}

FailureOr<IntegerTensor> takt::import::integersOf(Node &node,
                                                  const Operand &operand) {
  auto values = node.graph.reader.integers(*operand.constant, node.subject());
  if (failed(values))
    return failure();
  return IntegerTensor{Dims(operand.shape()),
                       Dims(values->begin(), values->end())};
}

LogicalResult takt::import::defineIntegers(Node &node,
                                           const IntegerTensor &tensor,
                                           int output) {
  return node.defineIntegers(tensor.values, tensor.shape,
                             node.operand(0).constant->type, output);
}

IntegerTensor takt::import::take(const IntegerTensor &tensor, int64_t axis,
                                 ArrayRef<int64_t> indices) {
  IntegerTensor result{tensor.shape, {}};
  int64_t size = tensor.shape[axis], inner = 1;
  for (int64_t dim : ArrayRef(tensor.shape).drop_front(axis + 1))
    inner *= dim;
  result.shape[axis] = indices.size();
  int64_t row = size * inner;
  for (int64_t begin = 0; row && begin < int64_t(tensor.values.size());
       begin += row)
    for (int64_t index : indices)
      llvm::append_range(
          result.values,
          ArrayRef(tensor.values).slice(begin + index * inner, inner));
  return result;
}

IntegerTensor takt::import::transpose(const IntegerTensor &tensor,
                                      ArrayRef<int64_t> permutation) {
  size_t rank = tensor.shape.size();
  Dims strides(rank, 1);
  for (size_t axis = rank; axis-- > 1;)
    strides[axis - 1] = strides[axis] * tensor.shape[axis];
  IntegerTensor result;
  for (int64_t axis : permutation)
    result.shape.push_back(tensor.shape[axis]);
  for (size_t i = 0; i < tensor.values.size(); ++i) {
    int64_t rest = i, from = 0;
    for (size_t axis = rank; axis-- > 0; rest /= result.shape[axis])
      from += rest % result.shape[axis] * strides[permutation[axis]];
    result.values.push_back(tensor.values[from]);
  }
  return result;
}

FailureOr<IntegerTensor> takt::import::join(const Node &node,
                                            ArrayRef<IntegerTensor> parts,
                                            int64_t axis) {
  const Dims &first = parts.front().shape;
  FailureOr<int64_t> at = resolveAxis(node, axis, first.size());
  if (failed(at))
    return failure();
  IntegerTensor result{first, {}};
  int64_t outer = 1, inner = 1;
  for (auto [i, size] : llvm::enumerate(first))
    (int64_t(i) < *at ? outer : inner) *= int64_t(i) == *at ? 1 : size;
  result.shape[*at] = 0;
  for (const IntegerTensor &part : parts) {
    Dims expected = result.shape;
    if (part.shape.size() == expected.size())
      expected[*at] = part.shape[*at];
    if (part.shape != expected)
      return node.invalid() << "joins shapes " << shapeText(first) << " and "
                            << shapeText(part.shape) << " along axis " << *at;
    result.shape[*at] += part.shape[*at];
  }
  for (int64_t i = 0; i < outer; ++i)
    for (const IntegerTensor &part : parts) {
      int64_t row = part.shape[*at] * inner;
      llvm::append_range(result.values,
                         ArrayRef(part.values).slice(i * row, row));
    }
  return result;
}

LogicalResult takt::import::foldConcat(Node &node) {
  Binder bind(node);
  int64_t axis = bind.requiredInteger("axis");
  SmallVector<IntegerTensor> parts;
  do {
    FailureOr<IntegerTensor> part = integersOf(node, bind.operand("inputs"));
    if (failed(part))
      return failure();
    parts.push_back(*part);
  } while (bind.hasMoreInputs());
  if (failed(bind.finish()))
    return failure();
  FailureOr<IntegerTensor> all = join(node, parts, axis);
  return failed(all) ? failure() : defineIntegers(node, *all);
}

void takt::import::addShapeArithmetic(Registry &registry) {
  registry.add("Shape", {1, 13, 15, 19, 21, 23, 24, 25}, convertShape,
               "folded");
  registry.add("Size", {1, 13, 19, 21, 23, 24, 25}, convertSize, "folded");
}
