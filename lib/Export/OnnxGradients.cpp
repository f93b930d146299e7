//===- OnnxGradients.cpp - training steps as ONNX files -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Export/OnnxGradients.h"
#include "Emission.h"
#include "OnnxFile.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "takt/Transforms/Tags.h"

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

  FailureOr<Rope> build();

private:
  LogicalResult findOutputs();
  LogicalResult reserveNames();
  void addArguments();
  LogicalResult addParameter(train::ParameterOp parameter);
  LogicalResult emit(Operation *op);
  void addOutputs();
  InFlightDiagnostic tooLarge(uint64_t bytes) {
    return module.emitError("unsupported: the model of the gradients has at "
                            "least ")
           << bytes << " bytes, more than a protobuf may have";
  }

  ModuleOp module;
  func::FuncOp main;
  SymbolTable symbols;
  Emission emission;
  SmallVector<Output> outputs;
  uint64_t initialBytes = 0;
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

/// The element that fills a tensor, as often as it has elements. A truth value
/// is one bit in an attribute, of which all are set.
static std::string filledData(DenseElementsAttr splat, int64_t bytes) {
  int64_t count = splat.getNumElements();
  std::string element(splat.getRawData().data(), bytes / count), all;
  if (splat.getElementType().isInteger(1))
    element.front() = element.front() != 0;
  all.reserve(bytes);
  for (int64_t i = 0; i < count; ++i)
    all += element;
  return all;
}

/// The elements of an initial value; nothing if they are not there.
static Rope rawData(ElementsAttr value, int64_t bytes) {
  Rope raw;
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (dense && dense.isSplat())
    raw.keep(filledData(dense, bytes));
  else if (dense)
    raw.refer({dense.getRawData().data(), dense.getRawData().size()});
  else if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      raw.refer({blob->getData().data(), blob->getData().size()});
  return raw;
}

LogicalResult GradientModel::addParameter(train::ParameterOp parameter) {
  RankedTensorType type = parameter.getTensorType();
  ElementType element = train::getElementType(type);
  int64_t bytes = train::getBytes(type);
  initialBytes += bytes;
  if (initialBytes > kMaxProtobuf)
    return tooLarge(initialBytes);
  Rope raw = rawData(*parameter.getInitialValue(), bytes);
  if (raw.size() != uint64_t(bytes))
    return parameter.emitError("has ")
           << raw.size() << " bytes of initial value, expected " << bytes;
  OnnxGraph &graph = emission.scope.graph;
  if (parameter.getKind() == ParameterKind::Trainable || parameter.getFrozen())
    graph.addInput(parameter.getSymName(), element, type.getShape());
  graph.addInitializer(parameter.getSymName(), element, type.getShape(),
                       std::move(raw));
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

FailureOr<Rope> GradientModel::build() {
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
  Rope model = emission.scope.graph.takeModel(
      module.getName().value_or("model"),
      "loss and gradients of a training step", kGradientOpset);
  if (model.size() > kMaxProtobuf)
    return tooLarge(model.size());
  return model;
}

FailureOr<std::function<void(llvm::raw_ostream &)>>
takt::gradientsAsOnnx(ModuleOp step) {
  FailureOr<func::FuncOp> main = getMain(step);
  if (failed(main))
    return failure();
  FailureOr<Rope> model = GradientModel(step, *main).build();
  if (failed(model))
    return failure();
  auto bytes = std::make_shared<Rope>(std::move(*model));
  return std::function<void(llvm::raw_ostream &)>(
      [bytes](llvm::raw_ostream &os) { bytes->write(os); });
}
