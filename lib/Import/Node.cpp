//===- Node.cpp - a node under conversion ---------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"
#include "Emit.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace takt::import;
namespace train = takt::train;

ArrayRef<int64_t> Operand::shape() const {
  if (constant)
    return constant->shape;
  return cast<RankedTensorType>(value.getType()).getShape();
}

StringRef takt::import::nodeName(const onnx::NodeProto &proto) {
  if (!proto.name().empty())
    return proto.name();
  for (const std::string &output : proto.output())
    if (!output.empty())
      return output;
  return "";
}

Subject takt::import::nodeSubject(const onnx::NodeProto &proto, int64_t opset,
                                  MLIRContext *context) {
  StringRef name = nodeName(proto);
  std::string type = proto.op_type();
  if (!proto.domain().empty() && proto.domain() != "ai.onnx")
    type = proto.domain() + "." + type;
  return {NameLoc::get(StringAttr::get(context, name)),
          ("node '" + name + "' of type '" + type + "' (opset " + Twine(opset) +
           ")")
              .str()};
}

AttributeList &AttributeList::perDimension(StringRef name,
                                           ArrayRef<int64_t> values,
                                           int64_t otherwise) {
  if (llvm::all_of(values, [&](int64_t value) { return value == otherwise; }))
    return *this;
  return integers(name, values);
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

Operand Node::operand(int index) const {
  if (index >= proto.input_size() || proto.input(index).empty())
    return {};
  return graph.operands.lookup(proto.input(index));
}

bool Node::isShapeArithmetic() const {
  // What is too large to compute with here is computed by the program.
  auto isTooLarge = [](ArrayRef<int64_t> shape) {
    return countElements(shape).value_or(kMaxIntegers + 1) > kMaxIntegers;
  };
  bool any = false;
  std::optional<Dims> together = Dims();
  for (int i = 0; i < proto.input_size(); ++i) {
    Operand operand = this->operand(i);
    if (!operand)
      continue;
    if (!operand.constant || !operand.constant->isInteger() ||
        isTooLarge(operand.constant->shape))
      return false;
    any = true;
    if (together)
      together = broadcastShapes(*together, operand.constant->shape);
  }
  return any && !(together && isTooLarge(*together));
}

bool Node::isUsed(int output) const {
  return output < proto.output_size() && !proto.output(output).empty() &&
         graph.used.contains(proto.output(output));
}

uint32_t Node::ownSeed() const {
  return static_cast<uint32_t>(
      llvm::xxh3_64bits(llvm::StringRef(proto.output(0))));
}

static bool accepts(Accept accept, Type element) {
  return accept == Accept::Any || isa<FloatType>(element) ||
         (accept == Accept::Numbers && !element.isInteger(1));
}

static StringRef expectedText(Accept accept) {
  return accept == Accept::Floats ? "a float tensor" : "a tensor of numbers";
}

FailureOr<Value> Node::toValue(const Operand &operand, StringRef role,
                               Accept accept) {
  if (operand.value) {
    Type element =
        cast<RankedTensorType>(operand.value.getType()).getElementType();
    if (accepts(accept, element))
      return operand.value;
    return unsupported() << "has elements of type " << element << " for "
                         << role << ", expected " << expectedText(accept);
  }
  if (operand.sequence)
    return unsupported() << "has a sequence for " << role
                         << ", expected a tensor";
  const Constant &constant = *operand.constant;
  if (countElements(constant.shape) == 0)
    return unsupported() << "has shape " << shapeText(constant.shape) << " for "
                         << role << ", expected at least one element";
  Type element = computedType(constant.type, loc.getContext());
  if (element && !accepts(accept, element))
    return unsupported() << "has the constant '" << constant.name
                         << "' of type " << typeName(constant.type) << " for "
                         << role << ", expected " << expectedText(accept);
  return graph.parameters.read(graph.builder, constant, subject());
}

/// Named by the node's first output, which no other node has; nodes may share
/// their names.
FailureOr<Value> Node::read(Constant constant) {
  auto output = llvm::find_if(
      proto.output(), [](const std::string &name) { return !name.empty(); });
  std::string base = output == proto.output().end() ? "" : *output;
  do
    constant.name = base + ".constant" + std::to_string(madeConstants++);
  while (graph.operands.contains(constant.name));
  constant.fixed = true;
  return graph.parameters.read(graph.builder, constant, subject());
}

FailureOr<Value> Node::integers(ArrayRef<int64_t> values,
                                ArrayRef<int64_t> shape, int32_t type) {
  Constant constant;
  constant.type = type;
  constant.shape.assign(shape.begin(), shape.end());
  constant.integers.emplace(values.begin(), values.end());
  return read(std::move(constant));
}

FailureOr<Value> Node::filled(float value, ArrayRef<int64_t> shape,
                              Value like) {
  Constant constant;
  constant.type =
      onnxType(cast<RankedTensorType>(like.getType()).getElementType());
  constant.shape.assign(shape.begin(), shape.end());
  constant.fill = value;
  return read(std::move(constant));
}

FailureOr<Value> Node::floats(ArrayRef<float> values, ArrayRef<int64_t> shape) {
  return read(numberConstant(SmallVector<double>(values), shape,
                             onnx::TensorProto::FLOAT));
}

Constant Node::numberConstant(ArrayRef<double> values, ArrayRef<int64_t> shape,
                              int32_t type) {
  onnx::TensorProto &tensor = graph.tensors.emplace_back();
  // Elements are rounded to 16 bits when they are read.
  if (type == onnx::TensorProto::DOUBLE) {
    tensor.set_data_type(onnx::TensorProto::DOUBLE);
    tensor.mutable_double_data()->Add(values.begin(), values.end());
  } else {
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    for (double value : values)
      tensor.add_float_data(static_cast<float>(value));
  }
  Constant constant;
  constant.type = type;
  constant.shape.assign(shape.begin(), shape.end());
  constant.tensor = &tensor;
  return constant;
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

void Node::reportRejected(StringRef operation, StringRef message) const {
  message.consume_front(("'" + operation + "' op ").str());
  Subject subject = this->subject();
  subject.text += ":";
  subject.invalid() << message;
}

FailureOr<Value> Node::reshape(Value value, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  auto op = createTyped<train::ReshapeOp>(
      RankedTensorType::get(shape, type.getElementType()), value);
  if (failed(op))
    return failure();
  return Value((*op)->getResult(0));
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

bool Node::isFromInput() const {
  for (int i = 0; i < proto.input_size(); ++i)
    if (operand(i).fromInput)
      return true;
  return false;
}

LogicalResult Node::define(int output, const Operand &operand) {
  if (output >= proto.output_size() || proto.output(output).empty())
    return success();
  Operand defined = operand;
  defined.fromInput |= isFromInput();
  graph.operands[proto.output(output)] = defined;
  return success();
}

LogicalResult Node::define(int output, Value value) {
  Operand operand;
  operand.value = value;
  return define(output, operand);
}

LogicalResult Node::define(int output, Constant constant) {
  if (output < proto.output_size())
    constant.name = proto.output(output);
  // Of the input's sizes, such as the state that a recurrent layer begins with.
  constant.fixed |= isFromInput();
  graph.constants.push_back(std::move(constant));
  Operand operand;
  operand.constant = &graph.constants.back();
  return define(output, operand);
}

LogicalResult Node::defineIntegers(ArrayRef<int64_t> values,
                                   ArrayRef<int64_t> shape, int32_t type,
                                   int output) {
  if (int64_t(values.size()) > kMaxIntegers)
    return unsupported() << "computes " << values.size()
                         << " integers, expected at most " << kMaxIntegers;
  Constant constant;
  constant.type = type;
  constant.shape.assign(shape.begin(), shape.end());
  constant.integers.emplace(values.begin(), values.end());
  return define(output, std::move(constant));
}

LogicalResult Node::defineReshaped(const Operand &operand,
                                   ArrayRef<int64_t> shape) {
  if (operand.constant && operand.constant->isInteger()) {
    Constant constant = *operand.constant;
    constant.shape.assign(shape.begin(), shape.end());
    return define(0, std::move(constant));
  }
  FailureOr<Value> value = toValue(operand, "the first input", Accept::Any);
  if (failed(value))
    return failure();
  FailureOr<Value> reshaped = reshape(*value, shape);
  if (failed(reshaped))
    return failure();
  return define(0, *reshaped);
}
