//===- ImportOnnx.cpp - from ONNX to the train dialect --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Import/ImportOnnx.h"
#include "Functions.h"
#include "Graph.h"
#include "Node.h"
#include "Nodes.h"
#include "Order.h"
#include "Provenance.h"
#include "ReadModel.h"
#include "Registry.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "takt/Dialect/Train/Train.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace takt::import;
using takt::ImportOptions;
namespace train = takt::train;

namespace {
/// Imports the graph of one model.
class Importer {
public:
  Importer(const Model &model, MLIRContext *context,
           const ImportOptions &options, StringRef path)
      : model(model), proto(model.proto->graph()), opset(model.opset),
        context(context), options(options), path(path) {}

  OwningOpRef<ModuleOp> run();

private:
  FailureOr<Inputs> readInputs(const NodeOrder &order);
  func::FuncOp createMain(ArrayRef<Input> inputs,
                          const llvm::StringSet<> &used);
  LogicalResult importInto(func::FuncOp main, const Inputs &inputs,
                           NodeOrder order);
  LogicalResult createReturn(Graph &graph, func::FuncOp main);

  const Model &model;
  const onnx::GraphProto &proto;
  int64_t opset;
  MLIRContext *context;
  const ImportOptions &options;
  StringRef path;
  OwningOpRef<ModuleOp> module;
};
} // namespace

/// A name that is easy to type and to use as a file's.
static std::string moduleName(StringRef graph, StringRef path) {
  StringRef source = graph.empty() ? llvm::sys::path::stem(path) : graph;
  std::string name;
  for (char c : source)
    name += llvm::isAlnum(c) || c == '-' || c == '.' ? c : '_';
  return name.empty() ? "model" : name;
}

/// Inputs that are used and are no initializers.
FailureOr<Inputs> Importer::readInputs(const NodeOrder &order) {
  llvm::StringSet<> initializers;
  for (const onnx::TensorProto &tensor : proto.initializer())
    initializers.insert(tensor.name());
  SmallVector<const onnx::ValueInfoProto *> infos;
  for (const onnx::ValueInfoProto &input : proto.input())
    if (!initializers.contains(input.name()) &&
        order.used.contains(input.name()))
      infos.push_back(&input);
  if (infos.empty() && options.mode == takt::ImportMode::Train)
    return Subject{UnknownLoc::get(context), "the graph"}.unsupported()
           << "has no input that its outputs depend on";
  return bindInputs(infos, options, context);
}

/// The function is @main unless a tensor has that name: parameters keep theirs,
/// by which weights and checkpoints know them.
func::FuncOp Importer::createMain(ArrayRef<Input> inputs,
                                  const llvm::StringSet<> &used) {
  std::string name = "main";
  while (used.contains(name))
    name += "_";
  SmallVector<Type> types;
  for (const Input &input : inputs)
    types.push_back(input.type);
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  auto main =
      func::FuncOp::create(builder, module->getLoc(), name,
                           FunctionType::get(context, types, /*results=*/{}));
  main.addEntryBlock();
  for (auto [i, input] : llvm::enumerate(inputs)) {
    auto name = StringAttr::get(context, input.name);
    main.setArgAttr(i, "train.name", name);
    main.getArgument(i).setLoc(NameLoc::get(name));
  }
  return main;
}

/// Of an operation that computes, rather than an input or a parameter.
static bool isResult(Value value) {
  Operation *op = value.getDefiningOp();
  return op && !isa<train::ReadOp>(op);
}

/// An output of a forward program is the result of an operation of its own. The
/// larger of a value and itself is that value in every type, and no fold knows
/// that.
static Value copy(OpBuilder &builder, Value value) {
  return train::BinaryOp::create(builder, value.getLoc(), value.getType(),
                                 takt::BinaryFunction::Max, value, value);
}

LogicalResult Importer::createReturn(Graph &graph, func::FuncOp main) {
  SmallVector<Value> results;
  for (const onnx::ValueInfoProto &output : proto.output()) {
    Subject subject{UnknownLoc::get(context), "output '" + output.name() + "'"};
    Operand operand = graph.operands.lookup(output.name());
    Value value = operand.value;
    if (operand.sequence)
      return subject.unsupported() << "is a sequence, expected a tensor";
    if (!value) {
      FailureOr<Value> read =
          graph.parameters.read(graph.builder, *operand.constant, subject);
      if (failed(read))
        return failure();
      value = *read;
    }
    auto type = cast<RankedTensorType>(value.getType());
    if (failed(checkOutput(output, type, graph.batch, context)))
      return failure();
    bool isOwn = isResult(value) && !llvm::is_contained(results, value);
    results.push_back(isOwn || options.mode == takt::ImportMode::Train
                          ? value
                          : copy(graph.builder, value));
  }
  func::ReturnOp::create(graph.builder, main.getLoc(), results);
  main.setFunctionType(
      FunctionType::get(context, main.getArgumentTypes(), TypeRange(results)));
  for (auto [i, output] : llvm::enumerate(proto.output()))
    main.setResultAttr(i, "train.name",
                       StringAttr::get(context, output.name()));
  return success();
}

LogicalResult Importer::importInto(func::FuncOp main, const Inputs &inputs,
                                   NodeOrder order) {
  OpBuilder builder = OpBuilder::atBlockEnd(&main.getBody().front());
  TensorReader reader(context, llvm::sys::path::parent_path(path).str(),
                      options.owner);
  ParameterTable parameters(*module, main, reader);
  Graph graph(builder, parameters, reader);
  graph.mode = options.mode;
  graph.batchNorm = options.batchNorm;
  graph.opset = opset;
  graph.batch = inputs.batch;
  graph.used = std::move(order.used);
  graph.fixed = notParameters(proto);
  for (const takt::SeparateInput &input : model.separate)
    if (graph.fixed.contains(input.initializer))
      graph.fixed.insert(input.name);
  if (failed(defineInitializers(graph, proto, model.rawData)))
    return failure();
  for (auto [input, argument] :
       llvm::zip_equal(inputs.inputs, main.getArguments()))
    graph.operands[input.name] = {argument, nullptr, /*fromInput=*/true};
  if (failed(importNodes(graph, order.nodes)) ||
      failed(createReturn(graph, main)))
    return failure();
  parameters.decideKinds();
  return success();
}

OwningOpRef<ModuleOp> Importer::run() {
  FailureOr<NodeOrder> order = orderNodes(proto, opset, context);
  if (failed(order))
    return nullptr;
  FailureOr<Inputs> inputs = readInputs(*order);
  if (failed(inputs))
    return nullptr;
  std::string name = moduleName(proto.name(), path);
  module = ModuleOp::create(NameLoc::get(StringAttr::get(context, name)), name);
  Builder builder(context);
  (*module)->setAttr("train.batch",
                     builder.getI64IntegerAttr(inputs->batch.size));
  (*module)->setAttr("train.opset", builder.getI64IntegerAttr(opset));
  func::FuncOp main = createMain(inputs->inputs, order->used);
  if (failed(importInto(main, *inputs, std::move(*order))) ||
      failed(verify(*module)))
    return nullptr;
  return std::move(module);
}

/// The model with the calls of its functions inlined.
static FailureOr<Model> readInlined(llvm::MemoryBufferRef file,
                                    MLIRContext &context) {
  FailureOr<Model> model = readModel(file, context);
  if (failed(model) ||
      failed(inlineFunctions(*model->proto, model->opset, &context)))
    return failure();
  return model;
}

OwningOpRef<ModuleOp> takt::importOnnx(llvm::MemoryBufferRef file,
                                       MLIRContext &context,
                                       const ImportOptions &options) {
  context.loadDialect<func::FuncDialect, train::TrainDialect>();
  if (options.batch < 0) {
    emitError(UnknownLoc::get(&context))
        << "--batch=" << options.batch << ": expected a positive integer";
    return nullptr;
  }
  // What is wrong further on may only follow from the first error.
  bool isWrong = false;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    bool isError = diagnostic.getSeverity() == DiagnosticSeverity::Error;
    return success(isError && std::exchange(isWrong, true));
  });
  FailureOr<Model> model = readInlined(file, context);
  if (failed(model))
    return nullptr;
  return Importer(*model, &context, options, file.getBufferIdentifier()).run();
}

FailureOr<std::vector<takt::OnnxNode>>
takt::listNodes(llvm::MemoryBufferRef file, MLIRContext &context) {
  FailureOr<Model> model = readInlined(file, context);
  if (failed(model))
    return failure();
  FailureOr<NodeOrder> order =
      orderNodes(model->proto->graph(), model->opset, &context);
  if (failed(order))
    return failure();
  std::vector<OnnxNode> nodes;
  for (const onnx::NodeProto *node : order->nodes) {
    auto match =
        Registry::get().lookup(node->domain(), node->op_type(), model->opset);
    nodes.push_back({nodeName(*node).str(), node->op_type(),
                     match ? match->since : model->opset});
  }
  return nodes;
}
