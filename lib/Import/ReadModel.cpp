//===- ReadModel.cpp - from bytes to ONNX's classes -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReadModel.h"
#include "DetachedData.h"
#include "Subject.h"
#include "takt/Import/ImportOnnx.h"
#include "takt/Support/OnnxText.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Regex.h"
#include <climits>
#include <onnx/defs/parser.h>

using namespace mlir;
using namespace takt;
using namespace takt::import;

/// Deepest nesting of brackets in text; the parser is recursive, and a graph
/// that can be imported needs four.
static constexpr int kMaxNesting = 32;

static Subject fileSubject(Location loc) { return {loc, "the file"}; }

static bool nestsTooDeep(StringRef text) {
  int depth = 0;
  for (char c : text) {
    if (c == '(' || c == '{' || c == '[')
      ++depth;
    else if (c == ')' || c == '}' || c == ']')
      --depth;
    if (depth > kMaxNesting)
      return true;
  }
  return false;
}

/// The parser's message is "[ParseError at position (line: L column: C)]",
/// lines of context, and what is wrong.
static void reportParseError(StringRef file, StringRef message,
                             MLIRContext &context) {
  unsigned line = 1, column = 1;
  SmallVector<StringRef> position;
  if (llvm::Regex("line: ([0-9]+) column: ([0-9]+)")
          .match(message, &position)) {
    position[1].getAsInteger(10, line);
    position[2].getAsInteger(10, column);
  }
  StringRef reason = message.rtrim();
  reason = reason.substr(reason.rfind('\n') + 1);
  fileSubject(FileLineColLoc::get(&context, file, line, column)).invalid()
      << "is no ONNX text: " << reason.rtrim('.');
}

static bool parseText(llvm::MemoryBufferRef file, MLIRContext &context,
                      onnx::ModelProto &model) {
  StringRef name = file.getBufferIdentifier();
  if (nestsTooDeep(file.getBuffer())) {
    reportParseError(name, "brackets are nested too deep", context);
    return false;
  }
  std::string text = file.getBuffer().str(), message;
  // The parser converts numbers with functions that throw.
  try {
    onnx::OnnxParser parser(text.c_str());
    onnx::Common::Status status = parser.Parse(model);
    if (status.IsOK() && parser.EndOfInput())
      return true;
    message = status.IsOK() ? "text after the end of the graph"
                            : status.ErrorMessage();
  } catch (const std::exception &error) {
    message = std::string("a number is out of range (") + error.what() + ")";
  }
  reportParseError(name, message, context);
  return false;
}

/// Gives what the exporter merged initializers of its own, behind the file's.
static void separateMerged(Model &model, StringRef bytes) {
  llvm::Expected<std::vector<SeparateInput>> separate =
      findSeparateInputs(bytes);
  if (!separate)
    return consumeError(separate.takeError()); // the parser tells more
  onnx::GraphProto &graph = *model.proto->mutable_graph();
  llvm::StringMap<int> indices;
  for (auto [i, tensor] : llvm::enumerate(graph.initializer()))
    indices.try_emplace(tensor.name(), i);
  for (const SeparateInput &input : *separate) {
    graph.mutable_node(input.node)->set_input(input.input, input.name);
    auto [it, isNew] =
        indices.try_emplace(input.name, graph.initializer_size());
    if (!isNew)
      continue;
    int from = indices.lookup(input.initializer);
    onnx::TensorProto copy = graph.initializer(from);
    copy.set_name(input.name);
    *graph.add_initializer() = std::move(copy);
    if (from < static_cast<int>(model.rawData.size())) {
      model.rawData.resize(it->second);
      model.rawData.push_back(model.rawData[from]);
    }
  }
  model.separate = std::move(*separate);
}

static FailureOr<Model> parseModel(llvm::MemoryBufferRef file,
                                   MLIRContext &context) {
  Model model;
  model.proto = std::make_unique<onnx::ModelProto>();
  Subject subject = fileSubject(UnknownLoc::get(&context));
  if (isOnnxText(file)) {
    if (!parseText(file, context, *model.proto))
      return failure();
    separateMerged(model, model.proto->SerializeAsString());
    return model;
  }
  llvm::Expected<DetachedModel> detached = detachData(file.getBuffer());
  if (!detached)
    return subject.invalid() << llvm::toString(detached.takeError());
  if (detached->bytes.size() > size_t(INT_MAX))
    return subject.invalid()
           << "has " << detached->bytes.size()
           << " bytes beside the raw data of its initializers, more than a "
              "protobuf may have";
  if (!model.proto->ParseFromString(detached->bytes))
    return subject.invalid() << "is no protobuf of a model, or is truncated";
  if (!model.proto->has_graph())
    return subject.invalid() << "has no graph";
  model.rawData = std::move(detached->rawData);
  separateMerged(model, detached->bytes);
  return model;
}

/// The version of the default domain that the model imports.
static FailureOr<int64_t> readOpset(const onnx::ModelProto &model,
                                    MLIRContext *context) {
  Subject subject = {UnknownLoc::get(context), "the model"};
  std::optional<int64_t> version;
  for (const onnx::OperatorSetIdProto &opset : model.opset_import()) {
    if (!opset.domain().empty() && opset.domain() != "ai.onnx")
      continue;
    if (version && *version != opset.version()) {
      return subject.invalid() << "imports opset " << *version << " and opset "
                               << opset.version() << " of the default domain";
    }
    version = opset.version();
  }
  if (!version) {
    return subject.invalid() << "imports no opset of the default domain";
  }
  if (*version < kMinOpset || *version > kMaxOpset) {
    return subject.unsupported()
           << "uses opset " << *version << " of the default domain, expected "
           << kMinOpset << " to " << kMaxOpset;
  }
  return *version;
}

FailureOr<Model> takt::import::readModel(llvm::MemoryBufferRef file,
                                         MLIRContext &context) {
  FailureOr<Model> model = parseModel(file, context);
  if (failed(model))
    return failure();
  FailureOr<int64_t> opset = readOpset(*model->proto, &context);
  if (failed(opset))
    return failure();
  model->opset = *opset;
  return model;
}
