//===- Nodes.h - the nodes of a graph, one after the other ------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_NODES_H
#define TAKT_LIB_IMPORT_NODES_H

#include "Graph.h"
#include "takt/Support/Onnx.h"
#include <vector>

namespace takt::import {

/// Defines the initializers that are used. `rawData` is by initializer and may
/// be shorter.
/// Fails with a diagnostic about one.
mlir::LogicalResult
defineInitializers(Graph &graph, const onnx::GraphProto &proto,
                   llvm::ArrayRef<std::optional<llvm::StringRef>> rawData = {});

/// Converts the nodes in their order.
/// Fails with a diagnostic about the first that cannot be.
mlir::LogicalResult importNodes(Graph &graph,
                                llvm::ArrayRef<const onnx::NodeProto *> nodes);

/// Imports a graph within the graph, whose names are unlike those that are
/// defined already, and whose inputs are. Returns its outputs.
mlir::FailureOr<llvm::SmallVector<Operand>> importBody(Graph &graph,
                                                       onnx::GraphProto body);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_NODES_H
