//===- ConstantOps.cpp - constants and their names ------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include <cmath>

using namespace mlir;
using namespace takt;
using namespace takt::import;
using onnx::AttributeProto;
using onnx::TensorProto;

/// An attribute value_float, value_floats, value_int or value_ints as a tensor.
static std::optional<TensorProto> makeTensor(const AttributeProto &attribute) {
  TensorProto tensor;
  switch (attribute.type()) {
  case AttributeProto::FLOAT:
    tensor.add_float_data(attribute.f());
    break;
  case AttributeProto::FLOATS:
    *tensor.mutable_float_data() = attribute.floats();
    tensor.add_dims(attribute.floats_size());
    break;
  case AttributeProto::INT:
    tensor.add_int64_data(attribute.i());
    break;
  case AttributeProto::INTS:
    *tensor.mutable_int64_data() = attribute.ints();
    tensor.add_dims(attribute.ints_size());
    break;
  default:
    return std::nullopt;
  }
  bool floats = attribute.type() == AttributeProto::FLOAT ||
                attribute.type() == AttributeProto::FLOATS;
  tensor.set_data_type(floats ? TensorProto::FLOAT : TensorProto::INT64);
  return tensor;
}

/// The attribute that a Constant has its value in.
static FailureOr<const TensorProto *> bindValue(Node &node, Binder &bind) {
  const TensorProto *value = bind.tensorAttribute("value");
  if (node.since >= 12 && !value)
    for (auto [name, type] : {std::pair("value_float", AttributeProto::FLOAT),
                              std::pair("value_floats", AttributeProto::FLOATS),
                              std::pair("value_int", AttributeProto::INT),
                              std::pair("value_ints", AttributeProto::INTS)}) {
      const AttributeProto *attribute = bind.attribute(name);
      if (!attribute || attribute->type() != type)
        continue;
      node.graph.tensors.push_back(*makeTensor(*attribute));
      value = &node.graph.tensors.back();
      break;
    }
  for (StringRef name : {"sparse_value", "value_string", "value_strings"})
    if (bind.attribute(name))
      return node.unsupported() << "has a constant in '" << name << "'";
  if (failed(bind.finish()))
    return failure();
  if (!value)
    return node.invalid() << "has no value";
  return value;
}

static LogicalResult convertConstant(Node &node) {
  Binder bind(node);
  FailureOr<const TensorProto *> value = bindValue(node, bind);
  if (failed(value))
    return failure();
  FailureOr<Constant> constant =
      makeConstant(node.proto.output(0), **value, node.subject());
  if (failed(constant))
    return failure();
  constant->literal = true;
  return node.define(0, *constant);
}

/// A fill is kept as one number however large the shape is.
static LogicalResult convertConstantOfShape(Node &node) {
  Binder bind(node);
  Dims shape = bind.integers("input");
  const TensorProto *value = bind.tensorAttribute("value");
  if (failed(bind.finish()))
    return failure();
  for (int64_t size : shape)
    if (size < 0)
      return node.invalid() << "has shape " << shapeText(shape)
                            << ", expected no negative size";
  std::optional<int64_t> count = countElements(shape);
  if (!count)
    return node.unsupported() << "has shape " << shapeText(shape)
                              << ", expected at most 2^40 elements";
  Constant fill;
  fill.type = TensorProto::FLOAT;
  if (value) {
    FailureOr<Constant> element = makeConstant("value", *value, node.subject());
    if (failed(element))
      return failure();
    if (countElements(element->shape) != 1)
      return node.invalid()
             << "has a value of shape " << shapeText(element->shape)
             << ", expected one element";
    fill = *element;
  }
  Subject subject = node.subject();
  if (fill.isInteger()) {
    auto element = node.graph.reader.integers(fill, subject);
    if (failed(element))
      return failure();
    if (*count > kMaxIntegers)
      return node.unsupported()
             << "makes " << *count << " integers, expected at most "
             << kMaxIntegers;
    return node.defineIntegers(Dims(*count, element->front()), shape,
                               fill.type);
  }
  FailureOr<float> element = node.graph.reader.scalar(fill, subject);
  if (failed(element))
    return failure();
  Constant constant;
  constant.type = fill.type;
  constant.shape = shape;
  constant.fill = *element;
  return node.define(0, std::move(constant));
}

/// Numbers from start by delta to limit, which is not one of them.
static LogicalResult convertRange(Node &node) {
  Binder bind(node);
  double ends[3];
  Operand operands[3];
  static constexpr StringLiteral roles[] = {"start", "limit", "delta"};
  for (auto [i, role] : llvm::enumerate(roles)) {
    operands[i] = bind.operand(role);
    if (!operands[i])
      return bind.finish();
    if (!operands[i].constant)
      return node.unsupported()
             << "computes " << role << " from the inputs, expected a constant";
    auto number =
        node.graph.reader.numbers(*operands[i].constant, node.subject());
    if (failed(number))
      return failure();
    if (number->size() != 1 || !std::isfinite(number->front()))
      return node.invalid() << "has other " << role << " than a number";
    ends[i] = number->front();
  }
  if (failed(bind.finish()))
    return failure();
  double count = ends[2] == 0 ? 0 : std::ceil((ends[1] - ends[0]) / ends[2]);
  if (!(count >= 1 && count <= kMaxRange))
    return node.unsupported()
           << "makes " << count << " numbers, expected 1 to " << kMaxRange;
  int64_t n = static_cast<int64_t>(count);
  Emit emit(node);
  if (!operands[0].constant->isInteger()) {
    SmallVector<float> values;
    for (int64_t i = 0; i < n; ++i)
      values.push_back(static_cast<float>(ends[0] + i * ends[2]));
    Type element =
        computedType(operands[0].constant->type, node.loc.getContext());
    FailureOr<mlir::Value> numbers = node.floats(values, n);
    return failed(numbers) ? failure()
                           : emit.define(emit.cast(*numbers, element));
  }
  Dims values;
  for (int64_t i = 0; i < n; ++i)
    values.push_back(static_cast<int64_t>(ends[0]) +
                     i * static_cast<int64_t>(ends[2]));
  if (n <= kMaxIntegers)
    return node.defineIntegers(values, n, operands[0].constant->type);
  return emit.define(emit.integers(values, n, operands[0].constant->type));
}

/// A constant gets the name of the output: exporters put Identity between an
/// initializer and the parameters that happened to be equal to it.
static LogicalResult convertIdentity(Node &node) {
  Binder bind(node);
  Operand input = bind.operand("input");
  if (failed(bind.finish()))
    return failure();
  if (input.constant)
    return node.define(0, Constant(*input.constant));
  return node.define(0, input);
}

void takt::import::addConstantOps(Registry &registry) {
  registry.add("Range", {11}, convertRange, "a parameter; folded on shapes");
  registry.add("Constant", {1, 9, 11, 12, 13, 19, 21, 23, 24, 25},
               convertConstant, "a parameter");
  registry.add("ConstantOfShape", {9, 20, 21, 23, 24, 25},
               convertConstantOfShape, "a parameter");
  registry.add("Identity", {1, 13, 14, 16, 19, 21, 23, 24, 25}, convertIdentity,
               "nothing; of a constant a parameter of its own");
}
