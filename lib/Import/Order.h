//===- Order.h - the order in which nodes are imported ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_ORDER_H
#define TAKT_LIB_IMPORT_ORDER_H

#include "mlir/IR/MLIRContext.h"
#include "takt/Support/Onnx.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringSet.h"
#include <vector>

namespace takt::import {

/// The nodes that the graph's outputs need, and the names that they and the
/// outputs use.
struct NodeOrder {
  std::vector<const onnx::NodeProto *> nodes; ///< producers first
  llvm::StringSet<> used;
};

/// Checks that every name is defined once and every use has a definition, in
/// the graph or outside of it, and sorts the nodes; those of a file that is
/// sorted already keep their order. Linear in the size of the graph. Fails with
/// a diagnostic, for a cycle naming one of its nodes.
mlir::FailureOr<NodeOrder> orderNodes(
    const onnx::GraphProto &graph, int64_t opset, mlir::MLIRContext *context,
    llvm::function_ref<bool(llvm::StringRef)> isDefinedOutside = nullptr);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_ORDER_H
