//===- OnnxGradients.cpp - training steps as ONNX files -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Export/OnnxGradients.h"
#include "Emission.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "takt/Transforms/Tags.h"
#include <limits>

using namespace mlir;
using namespace takt;

namespace {
/// A value of the step under its name in the model.
struct Output {
  std::string name;
  mlir::Value value;
};

/// Builds the model of one step.
class GradientModel {
public:
  GradientModel(ModuleOp module, func::FuncOp main)
      : module(module), main(main), symbols(module) {}

  FailureOr<std::string> build();

private:
  LogicalResult findOutputs();
  LogicalResult reserveNames();
  void addArguments();
  LogicalResult addParameter(train::ParameterOp parameter);
  LogicalResult emit(Operation *op);
  void addOutputs();

  ModuleOp module;
  func::FuncOp main;
  SymbolTable symbols;
  Emission emission;
  SmallVector<Output> outputs;
};
} // namespace

/// The gradient that an update is given; null if it is none.
static mlir::Value gradientOf(Operation *update) {
  return update && isUpdate(update) ? update->getOperand(1) : mlir::Value();
}

LogicalResult GradientModel::findOutputs() {
  Operation *terminator = main.getBody().front().getTerminator();
  // The loss is in front of the model's own outputs.
  outputs.push_back({"loss", terminator->getOperand(0)});
  for (auto write : main.getOps<train::WriteOp>()) {
    auto parameter = symbols.lookup<train::ParameterOp>(write.getParameter());
    if (!parameter || parameter.getKind() != ParameterKind::Trainable)
      continue;
    mlir::Value gradient = gradientOf(write.getValue().getDefiningOp());
    if (!gradient)
      return write.emitError("expected the result of an optimizer");
    outputs.push_back({("grad." + write.getParameter()).str(), gradient});
  }
  for (const Output &output : outputs)
    emission.need(output.value);
  return success();
}

/// Inputs, parameters and outputs get theirs; all others give way.
LogicalResult GradientModel::reserveNames() {
  OnnxGraph &graph = emission.scope.graph;
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    graph.reserve(main.getArgAttrOfType<StringAttr>(i, kNameAttr).getValue());
  for (auto parameter : module.getOps<train::ParameterOp>())
    if (!graph.reserve(parameter.getSymName()))
      return parameter.emitError("unsupported: an input and a parameter are "
                                 "both named '")
             << parameter.getSymName() << "'";
  for (const Output &output : outputs)
    if (!graph.reserve(output.name))
      return emitError(output.value.getLoc())
             << "unsupported: the output '" << output.name
             << "' has the name of a tensor of the model";
  return success();
}

static ElementType elementType(mlir::Value value) {
  return train::getElementType(value.getType());
}

void GradientModel::addArguments() {
  for (BlockArgument argument : main.getArguments()) {
    auto name =
        main.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr);
    emission.scope.graph.addInput(name, elementType(argument),
                                  dimsOf(argument));
    emission.define(argument,
                    Term(emission.scope, name.str(), elementType(argument)));
  }
}

/// The elements of an initial value; nothing if they are not there.
static std::string rawData(ElementsAttr value, int64_t bytes) {
  if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
    ArrayRef<char> raw = dense.getRawData();
    if (!dense.isSplat())
      return std::string(raw.begin(), raw.end());
    std::string all;
    all.reserve(bytes);
    int64_t count = value.getNumElements();
    for (int64_t i = 0; i < count; ++i)
      all.append(raw.data(), bytes / count);
    // A truth value is one bit in an attribute, of which all are set.
    if (value.getElementType().isInteger(1))
      std::replace_if(
          all.begin(), all.end(), [](char c) { return c != 0; }, '\1');
    return all;
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  AsmResourceBlob *blob =
      resource ? resource.getRawHandle().getBlob() : nullptr;
  if (!blob)
    return "";
  return std::string(blob->getData().begin(), blob->getData().end());
}

LogicalResult GradientModel::addParameter(train::ParameterOp parameter) {
  RankedTensorType type = parameter.getTensorType();
  ElementType element = train::getElementType(type);
  int64_t bytes = train::getBytes(type);
  std::string raw;
  if (bytes <= std::numeric_limits<int32_t>::max())
    raw = rawData(*parameter.getInitialValue(), bytes);
  if (int64_t(raw.size()) != bytes)
    return parameter.emitError("unsupported: has ")
           << raw.size() << " bytes of initial value, expected " << bytes
           << ", and at most those of a protobuf";
  OnnxGraph &graph = emission.scope.graph;
  if (parameter.getKind() == ParameterKind::Trainable || parameter.getFrozen())
    graph.addInput(parameter.getSymName(), element, type.getShape());
  graph.addInitializer(parameter.getSymName(), element, type.getShape(), raw);
  return success();
}

/// "conv1.D", as tasks are named.
static std::string prefixOf(Operation *op) {
  std::string name = getNode(op).str();
  if (name.empty())
    name = op->getName().stripDialect().str();
  std::optional<TaskKind> kind = getKind(op);
  return kind ? (name + "." + Twine(letter(*kind))).str() : name;
}

LogicalResult GradientModel::emit(Operation *op) {
  if (auto read = dyn_cast<train::ReadOp>(op)) {
    emission.define(read.getValue(),
                    Term(emission.scope, read.getParameter().str(),
                         elementType(read.getValue())));
    return success();
  }
  emission.scope.prefix = prefixOf(op);
  if (Emitter emitter = EmitterTable::get().find(op->getName()))
    return emitter(emission, op);
  return op->emitError("unsupported: node '")
         << getNode(op) << "' needs '" << op->getName().getStringRef()
         << "', which cannot be written in ONNX";
}

void GradientModel::addOutputs() {
  for (const Output &output : outputs) {
    ElementType type = elementType(output.value);
    emission.scope.graph.addNode(
        "Identity", emission.of(output.value).getName(), output.name, {});
    emission.scope.graph.addOutput(output.name, type, dimsOf(output.value));
  }
}

FailureOr<std::string> GradientModel::build() {
  if (failed(findOutputs()) || failed(reserveNames()))
    return failure();
  addArguments();
  for (Operation &op : main.getBody().front())
    if (llvm::any_of(op.getResults(),
                     [&](mlir::Value v) { return emission.isNeeded(v); }) &&
        failed(emit(&op)))
      return failure();
  addOutputs();
  for (auto parameter : module.getOps<train::ParameterOp>())
    if (emission.scope.graph.isUsed(parameter.getSymName()) &&
        failed(addParameter(parameter)))
      return failure();
  std::string model = emission.scope.graph.encodeModel(
      module.getName().value_or("model"),
      "loss and gradients of a training step", kGradientOpset);
  if (model.size() > size_t(std::numeric_limits<int32_t>::max()))
    return module.emitError("unsupported: the model of the gradients has ")
           << model.size() << " bytes, more than a protobuf may have";
  return model;
}

FailureOr<std::string> takt::gradientsAsOnnx(ModuleOp step) {
  FailureOr<func::FuncOp> main = getMain(step);
  if (failed(main))
    return failure();
  return GradientModel(step, *main).build();
}
