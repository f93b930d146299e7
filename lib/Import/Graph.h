//===- Graph.h - the state of one import ------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_GRAPH_H
#define TAKT_LIB_IMPORT_GRAPH_H

#include "Inputs.h"
#include "Parameters.h"
#include "Tensors.h"
#include "mlir/IR/Builders.h"
#include "takt/Import/ImportOnnx.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <deque>
#include <vector>

namespace takt::import {

// Not the scheduling library's takt::Value.
using mlir::Value;

/// What an ONNX name stands for: a tensor of @main; or a constant, which
/// becomes a parameter only when an operation takes it; or a list of these.
struct Operand {
  mlir::Value value;
  const Constant *constant = nullptr;
  /// It is computed from an input of the graph, not from constants alone.
  bool fromInput = false;
  const std::vector<Operand> *sequence = nullptr;

  explicit operator bool() const { return value || constant || sequence; }
  /// Of a tensor.
  llvm::ArrayRef<int64_t> shape() const;
};

/// The state that conversions share.
struct Graph {
  Graph(mlir::OpBuilder &builder, ParameterTable &parameters,
        const TensorReader &reader)
      : builder(builder), parameters(parameters), reader(reader) {}

  mlir::OpBuilder &builder; ///< at the end of @main
  ParameterTable &parameters;
  const TensorReader &reader;
  ImportMode mode = ImportMode::Train;
  BatchNormMode batchNorm = BatchNormMode::AsModel;
  int64_t opset = 0;
  Batch batch;

  llvm::StringMap<Operand> operands;
  /// Names that nodes which are imported or the graph's outputs use.
  llvm::StringSet<> used;
  /// Initializers that are no parameters of the network.
  llvm::StringSet<> fixed;
  // Deques, so that their elements stay where they are.
  std::deque<Constant> constants;
  std::deque<onnx::TensorProto> tensors;
  std::deque<std::vector<Operand>> sequences;
  size_t sequenceElements = 0;         ///< of all sequences
  std::deque<onnx::GraphProto> bodies; ///< of branches and runs of loops
  uint64_t unrolledBytes = 0;          ///< of the bodies of loops, in all runs
};

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_GRAPH_H
