//===- FormTasks.h - from a training step to a task graph -------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_FORMTASKS_H
#define TAKT_TRANSFORMS_FORMTASKS_H

#include "mlir/IR/BuiltinOps.h"
#include "takt/Scheduling/TaskGraph.h"

namespace takt {

/// Gives every operation of @main that executes its layer and task (the tags
/// of Tags.h), and the module its list of layers.
///
/// A layer is a weighted operation (one with a matrix product) and what is
/// fused to it. Layers are in program order of their weighted operations.
///   F: an operation without a matrix product goes to the latest layer among
///      its producers, or, without any, to the earliest among its consumers;
///      the loss is such an operation. A model without weighted operations is
///      one layer, named after the module.
///   D: a matrix product goes to the D of its forward operation's layer, any
///      other operation to the task of its latest producer, in the order all
///      F, then D, W, U of the last layer … of the first, or, if it takes no
///      gradient, to that of its earliest consumer. But one that makes a
///      gradient larger, as that of a pool, goes to the D of its own forward
///      operation's layer, so that the smaller tensor crosses between layers.
///   W: to the W of the forward operation's layer, or of the earliest layer
///      whose gradients it sums.
///   U: to the U of the layer whose W produced the gradient.
/// The rules keep every dependence of distance 0 forward in that order.
///
/// Fails with a diagnostic if an operation has no kind.
mlir::LogicalResult assignTasks(mlir::ModuleOp module);

/// The task graph of a step whose operations carry their tasks. Weights are
/// values of their update, read by F and D with the delayed distance; a
/// parameter that nothing writes is no value. Tasks are in sequential order;
/// values are the inputs, the parameters in the module's order, then results in
/// program order. A parameter's value has its name, an input's its
/// `train.name`, a result's is "NODE.KIND.MNEMONIC" ("conv1.W.conv_wgrad"),
/// with "again" for the kind where it is made again, "#1" for a second result
/// and
/// "_1" for a second such operation, or what a cut gave it.
///
/// Fails with a diagnostic if a tag is missing or the graph does not check().
mlir::FailureOr<TaskGraph> buildTaskGraph(mlir::ModuleOp module);

/// assignTasks, unless the operations carry tasks already (after split), and
/// buildTaskGraph. Linear in the number of operations and operands.
mlir::FailureOr<TaskGraph> formTasks(mlir::ModuleOp module);

} // namespace takt

#endif // TAKT_TRANSFORMS_FORMTASKS_H
