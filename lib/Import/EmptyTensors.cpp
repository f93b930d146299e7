//===- EmptyTensors.cpp - tensors without elements ------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EmptyTensors.h"
#include "Binder.h"
#include "Emit.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace takt::import;
using onnx::TensorProto;

bool takt::import::isEmpty(const Operand &operand) {
  return operand.constant && !operand.constant->isInteger() &&
         countElements(operand.constant->shape) == 0;
}

LogicalResult takt::import::defineEmpty(Node &node, ArrayRef<int64_t> shape,
                                        int32_t type, int output) {
  Constant constant;
  constant.type = type;
  constant.shape.assign(shape.begin(), shape.end());
  constant.fixed = true;
  return node.define(output, std::move(constant));
}

static SmallVector<Operand> operandsOf(const Node &node) {
  SmallVector<Operand> operands;
  for (int i = 0; i < node.proto.input_size(); ++i)
    if (Operand operand = node.operand(i))
      operands.push_back(operand);
  return operands;
}

static LogicalResult convertElementwise(Node &node, int32_t type) {
  Dims shape;
  for (const Operand &operand : operandsOf(node)) {
    std::optional<Dims> both = broadcastShapes(shape, operand.shape());
    if (!both)
      return node.invalid() << "combines shapes " << shapeText(shape) << " and "
                            << shapeText(operand.shape());
    shape = std::move(*both);
  }
  return defineEmpty(node, shape, type);
}

static LogicalResult convertCast(Node &node) {
  Binder bind(node);
  bind.operand("input");
  int64_t to = bind.requiredInteger("to");
  if (failed(bind.finish()))
    return failure();
  return convertElementwise(node, static_cast<int32_t>(to));
}

static LogicalResult convertTranspose(Node &node) {
  Binder bind(node);
  Operand data = bind.operand("data");
  int64_t rank = data.shape().size();
  Dims backwards = llvm::to_vector<8>(llvm::reverse(llvm::seq(rank)));
  Dims permutation = bind.list("perm").value_or(backwards);
  if (failed(bind.finish()))
    return failure();
  Dims sorted = permutation, shape;
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq(rank)))
    return node.invalid() << "has no permutation of " << rank << " axes";
  for (int64_t axis : permutation)
    shape.push_back(data.shape()[axis]);
  return defineEmpty(node, shape, data.constant->type);
}

/// Of what there is. The others must have the shape that they would need.
static LogicalResult convertConcat(Node &node) {
  Binder bind(node);
  SmallVector<Operand> operands, parts;
  do
    operands.push_back(bind.operand("inputs"));
  while (bind.hasMoreInputs());
  int64_t axis = bind.requiredInteger("axis");
  if (failed(bind.finish()))
    return failure();
  Dims shape(operands.front().shape());
  FailureOr<int64_t> at = resolveAxis(node, axis, shape.size());
  if (failed(at))
    return failure();
  shape[*at] = 0;
  for (const Operand &operand : operands) {
    Dims expected = shape;
    if (operand.shape().size() == shape.size())
      expected[*at] = operand.shape()[*at];
    if (operand.shape() != ArrayRef(expected))
      return node.invalid()
             << "joins shapes " << shapeText(shape) << " and "
             << shapeText(operand.shape()) << " along axis " << *at;
    shape[*at] += operand.shape()[*at];
    if (!isEmpty(operand))
      parts.push_back(operand);
  }
  if (parts.empty())
    return defineEmpty(node, shape, operands.front().constant->type);
  if (parts.size() == 1)
    return node.define(0, parts.front());
  SmallVector<Value> values;
  for (const Operand &part : parts) {
    FailureOr<Value> value = node.toValue(part, "inputs", Accept::Any);
    if (failed(value))
      return failure();
    values.push_back(*value);
  }
  Emit emit(node);
  return emit.define(emit.concat(values, *at));
}

FailureOr<bool> takt::import::convertOfEmpty(Node &node) {
  SmallVector<Operand> operands = operandsOf(node);
  const Operand *empty = llvm::find_if(operands, isEmpty);
  if (empty == operands.end() || !node.proto.domain().empty())
    return false;
  int32_t type = empty->constant->type;
  using Convert = llvm::function_ref<LogicalResult()>;
  auto elementwise = [&] { return convertElementwise(node, type); };
  auto cast = [&] { return convertCast(node); };
  auto transpose = [&] { return convertTranspose(node); };
  auto concat = [&] { return convertConcat(node); };
  Convert convert =
      llvm::StringSwitch<Convert>(node.proto.op_type())
          .Cases({"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min"}, elementwise)
          .Cases({"Neg", "Abs", "Sqrt", "Exp", "Log", "Sin", "Cos", "Relu",
                  "Sigmoid", "Tanh", "Erf", "Reciprocal"},
                 elementwise)
          .Case("Cast", cast)
          .Case("Transpose", transpose)
          .Case("Concat", concat)
          .Default(Convert());
  if (!convert)
    return false;
  if (failed(convert()))
    return failure();
  return true;
}
