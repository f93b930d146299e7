//===- Binder.cpp - binds a node's inputs and attributes ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Binder.h"
#include <cmath>

using namespace mlir;
using namespace takt::import;
using onnx::AttributeProto;
namespace train = takt::train;

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

Operand Binder::optionalOperand() { return node.operand(nextInput++); }

Operand Binder::operand(StringRef role) {
  Operand operand = optionalOperand();
  if (!operand && firstError())
    node.invalid() << "has no input #" << nextInput - 1 << ", " << role;
  return operand;
}

Value Binder::optionalTensor(StringRef role, Accept accept) {
  Operand operand = optionalOperand();
  if (!operand || wrong)
    return {};
  FailureOr<Value> value = node.toValue(operand, role, accept);
  wrong |= failed(value);
  return value.value_or(Value());
}

Value Binder::tensor(StringRef role, Accept accept) {
  int index = nextInput;
  Value value = optionalTensor(role, accept);
  if (!value && firstError())
    node.invalid() << "has no input #" << index << ", " << role;
  return value;
}

SmallVector<Value> Binder::tensors(StringRef role, Accept accept) {
  SmallVector<Value> values;
  do
    values.push_back(tensor(role, accept));
  while (hasMoreInputs() && !wrong);
  return values;
}

Value Binder::indices(StringRef role) {
  int index = nextInput;
  Value value = optionalIndices(role);
  if (!value && firstError())
    node.invalid() << "has no input #" << index << ", " << role;
  return value;
}

Value Binder::optionalIndices(StringRef role) {
  Value value = optionalTensor(role, Accept::Numbers);
  if (!value || elementOf(value).isSignlessInteger(64))
    return value;
  if (isFloat(value)) {
    if (firstError())
      node.invalid() << "has " << role << " of type " << elementOf(value)
                     << ", expected int32 or int64";
    return {};
  }
  auto type = cast<RankedTensorType>(value.getType());
  auto wide = node.createTyped<train::CastOp>(
      type.clone(IntegerType::get(type.getContext(), 64)), value);
  wrong |= failed(wide);
  return failed(wide) ? Value() : wide->getResult();
}

/// The next input, a constant, as `read(constant, subject)` gives it.
template <typename Read>
static auto readConstant(Node &node, const Operand &operand, bool &wrong,
                         StringRef role, Read read) {
  using Result = decltype(read(*operand.constant, node.subject()));
  if (!operand || wrong)
    return Result(failure());
  if (!operand.constant) {
    wrong = true;
    node.unsupported() << "computes " << role
                       << " from the inputs, expected a constant";
    return Result(failure());
  }
  Subject subject = node.subject();
  subject.text += ", in " + role.str() + " '" + operand.constant->name + "',";
  Result result = read(*operand.constant, subject);
  wrong |= failed(result);
  return result;
}

std::optional<Dims> Binder::optionalIntegers(StringRef role) {
  auto values = readConstant(
      node, optionalOperand(), wrong, role, [&](auto &constant, auto subject) {
        return node.graph.reader.integers(constant, subject);
      });
  if (failed(values))
    return std::nullopt;
  return Dims(values->begin(), values->end());
}

Dims Binder::integers(StringRef role) {
  int index = nextInput;
  std::optional<Dims> values = optionalIntegers(role);
  if (!values && firstError())
    node.invalid() << "has no input #" << index << ", " << role;
  return values.value_or(Dims());
}

std::optional<float> Binder::optionalScalar(StringRef role) {
  FailureOr<float> value = readConstant(
      node, optionalOperand(), wrong, role, [&](auto &constant, auto subject) {
        return node.graph.reader.scalar(constant, subject);
      });
  if (failed(value))
    return std::nullopt;
  return *value;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

const AttributeProto *Binder::attribute(StringRef name) {
  for (const AttributeProto &attribute : node.proto.attribute())
    if (attribute.name() == name) {
      taken.insert(&attribute);
      return &attribute;
    }
  return nullptr;
}

static StringRef attributeTypeName(int type) {
  if (!onnx::AttributeProto_AttributeType_IsValid(type))
    return "unknown";
  return onnx::AttributeProto_AttributeType_Name(
      static_cast<AttributeProto::AttributeType>(type));
}

const AttributeProto *Binder::attribute(StringRef name,
                                        AttributeProto::AttributeType type) {
  const AttributeProto *attribute = this->attribute(name);
  if (!attribute || attribute->type() == type)
    return wrong ? nullptr : attribute;
  if (firstError())
    node.invalid() << "has attribute '" << name << "' of type "
                   << attributeTypeName(attribute->type()) << ", expected "
                   << attributeTypeName(type);
  return nullptr;
}

float Binder::number(StringRef name, float otherwise) {
  const AttributeProto *found = attribute(name, AttributeProto::FLOAT);
  if (!found)
    return otherwise;
  if (std::isfinite(found->f()))
    return found->f();
  if (firstError())
    node.invalid() << "has attribute '" << name << "' " << found->f()
                   << ", expected a finite number";
  return otherwise;
}

std::optional<float> Binder::optionalNumber(StringRef name) {
  if (!attribute(name))
    return std::nullopt;
  return number(name, 0);
}

int64_t Binder::integer(StringRef name, int64_t otherwise, int64_t least,
                        int64_t most) {
  const AttributeProto *found = attribute(name, AttributeProto::INT);
  if (!found)
    return otherwise;
  if (found->i() >= least && found->i() <= most)
    return found->i();
  if (firstError())
    node.invalid() << "has attribute '" << name << "' " << found->i()
                   << ", expected a number from " << least << " to " << most;
  return otherwise;
}

int64_t Binder::requiredInteger(StringRef name) {
  const AttributeProto *found = attribute(name, AttributeProto::INT);
  if (found)
    return found->i();
  if (firstError())
    node.invalid() << "has no attribute '" << name << "'";
  return 0;
}

std::optional<Dims> Binder::list(StringRef name) {
  const AttributeProto *found = attribute(name, AttributeProto::INTS);
  if (!found)
    return std::nullopt;
  return Dims(found->ints().begin(), found->ints().end());
}

SmallVector<float> Binder::numbers(StringRef name) {
  const AttributeProto *found = attribute(name, AttributeProto::FLOATS);
  if (!found)
    return {};
  for (float value : found->floats())
    if (!std::isfinite(value) && firstError())
      node.unsupported() << "has attribute '" << name
                         << "' with a number that is not finite";
  return SmallVector<float>(found->floats().begin(), found->floats().end());
}

std::string Binder::text(StringRef name, StringRef otherwise) {
  const AttributeProto *found = attribute(name, AttributeProto::STRING);
  return found ? found->s() : otherwise.str();
}

const onnx::TensorProto *Binder::tensorAttribute(StringRef name) {
  const AttributeProto *found = attribute(name, AttributeProto::TENSOR);
  return found ? &found->t() : nullptr;
}

const onnx::GraphProto *Binder::requiredGraph(StringRef name) {
  const AttributeProto *found = attribute(name, AttributeProto::GRAPH);
  if (!found && firstError())
    node.invalid() << "has no attribute '" << name << "'";
  return found ? &found->g() : nullptr;
}

Value Binder::alignedTo(Value a, Value b) {
  bool broadcasts = flag("broadcast", false);
  bool hasAxis = attribute("axis") != nullptr;
  int64_t axis = integer("axis", 0);
  if (!a || !b || wrong || !broadcasts || !hasAxis)
    return b;
  ArrayRef<int64_t> from = shapeOf(b);
  int64_t rank = shapeOf(a).size(), behind = rank - axis - from.size();
  if (axis < 0 || behind < 0) {
    wrong = true;
    node.invalid() << "has axis " << axis << " for operands of "
                   << shapeText(shapeOf(a)) << " and " << shapeText(from);
    return {};
  }
  Dims dims(from);
  dims.append(behind, 1);
  FailureOr<Value> aligned = node.reshape(b, dims);
  wrong |= failed(aligned);
  return aligned.value_or(Value());
}

//===----------------------------------------------------------------------===//
// What is left over
//===----------------------------------------------------------------------===//

LogicalResult Binder::checkAttributes() {
  llvm::StringSet<> names;
  for (const AttributeProto &attribute : node.proto.attribute()) {
    if (!names.insert(attribute.name()).second)
      return node.invalid()
             << "has attribute '" << attribute.name() << "' twice";
    if (!taken.contains(&attribute))
      return node.invalid()
             << "has attribute '" << attribute.name() << "', which version "
             << node.since << " of the operator does not have";
    if (!attribute.ref_attr_name().empty())
      return node.unsupported() << "refers to a function's attribute '"
                                << attribute.ref_attr_name() << "'";
  }
  return success();
}

LogicalResult Binder::checkCounts(int outputs) {
  if (hasMoreInputs())
    return node.invalid() << "has " << node.proto.input_size()
                          << " inputs, expected at most " << nextInput;
  for (int i = outputs; i < node.proto.output_size(); ++i)
    if (node.isUsed(i))
      return node.unsupported()
             << "has output #" << i << ", '" << node.proto.output(i)
             << "', which is used; expected only "
             << (outputs == 1 ? "output #0" : "the first " + Twine(outputs));
  return success();
}

LogicalResult Binder::finish(int outputs) {
  if (wrong || failed(checkAttributes()) || failed(checkCounts(outputs)))
    return failure();
  return success();
}

FailureOr<int64_t> takt::import::resolveAxis(const Node &node, int64_t axis,
                                             int64_t rank) {
  if (axis >= -rank && axis < rank)
    return axis < 0 ? axis + rank : axis;
  return node.invalid() << "has axis " << axis << ", expected a number from "
                        << -rank << " to " << rank - 1;
}

FailureOr<std::optional<float>>
takt::import::constantNumber(Node &node, const Operand &operand,
                             bool integersToo) {
  if (!operand.constant || !operand.constant->shape.empty() ||
      (operand.constant->isInteger() && !integersToo))
    return std::optional<float>();
  Subject subject = node.subject();
  subject.text += ", in '" + operand.constant->name + "',";
  if (operand.constant->isInteger()) {
    auto integer = node.graph.reader.integers(*operand.constant, subject);
    if (failed(integer))
      return failure();
    return std::optional<float>(static_cast<float>(integer->front()));
  }
  FailureOr<float> value = node.graph.reader.scalar(*operand.constant, subject);
  if (failed(value))
    return failure();
  if (!std::isfinite(*value))
    return subject.unsupported()
           << "has " << *value << ", expected a finite number";
  return std::optional<float>(*value);
}

FailureOr<SmallVector<bool>>
takt::import::markAxes(const Node &node, ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<bool> marked(rank, false);
  for (int64_t axis : axes) {
    FailureOr<int64_t> resolved = resolveAxis(node, axis, rank);
    if (failed(resolved))
      return failure();
    if (marked[*resolved])
      return node.invalid() << "has axis " << axis << " twice";
    marked[*resolved] = true;
  }
  return marked;
}
