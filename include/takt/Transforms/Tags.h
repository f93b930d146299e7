//===- Tags.h - kinds, nodes, tasks and layers on operations ----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// What the passes over a training step remember on its operations, as
// discardable attributes, so that every intermediate form is complete text:
//
//   train.kind  = "F" | "D" | "W" | "U"   every operation of a step
//   train.node  = "conv1"                 the forward operation that it stems
//                                         from: unique per forward operation,
//                                         shared with its gradients
//   train.task  = "conv1.D"               operations that execute, once tasks
//   train.layer = 3 : i64                 are formed
//   train.microbatch = 1 : i64            those of a step that is divided into
//                                         microbatches, or of several
//                                         minibatches
//   train.shard = 1 : i64                 those of an update that replicas
//                                         divide
//   train.recomputed                      backward operations that make an
//                                         activation again
//
// and on the module, once tasks are formed, `train.layers`: the layers' names;
// of a step of several minibatches `train.replicas`: how many each layer has.
// Then `train.microbatch` numbers minibatches, also of arguments and results.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_TAGS_H
#define TAKT_TRANSFORMS_TAGS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "takt/Support/TaskKind.h"
#include <optional>

namespace takt {

constexpr llvm::StringLiteral kKindAttr = "train.kind";
constexpr llvm::StringLiteral kNodeAttr = "train.node";
constexpr llvm::StringLiteral kTaskAttr = "train.task";
constexpr llvm::StringLiteral kLayerAttr = "train.layer";
constexpr llvm::StringLiteral kMicrobatchAttr = "train.microbatch";
constexpr llvm::StringLiteral kShardAttr = "train.shard";
constexpr llvm::StringLiteral kRecomputedAttr = "train.recomputed";
constexpr llvm::StringLiteral kLayersAttr = "train.layers";
constexpr llvm::StringLiteral kReplicasAttr = "train.replicas";
/// The name of an argument or result of @main, and of a value that a cut made.
constexpr llvm::StringLiteral kNameAttr = "train.name";

/// The kind that `op` is tagged with; nullopt without a tag, or with one that
/// is no kind.
std::optional<TaskKind> getKind(mlir::Operation *op);
void setKind(mlir::Operation *op, TaskKind kind);

/// The forward operation's name; empty without a tag.
llvm::StringRef getNode(mlir::Operation *op);
void setNode(mlir::Operation *op, llvm::StringRef node);

/// The task's name; empty without a tag.
llvm::StringRef getTask(mlir::Operation *op);
/// The layer's index; -1 without a tag.
int64_t getLayer(mlir::Operation *op);
void setTask(mlir::Operation *op, llvm::StringRef task, int64_t layer);

/// True when a processor executes `op` as a kernel: everything in @main except
/// reads, writes and delays of parameters and the return.
bool executes(mlir::Operation *op);

/// True for what makes an activation again, in a D or W.
bool isRecomputed(mlir::Operation *op);

/// True when `op` has a matrix product to compute.
bool hasGemm(mlir::Operation *op);

/// True for an optimizer's update of a parameter: operand 0 is the parameter,
/// result 0 its next version, and kGradientOperand is the gradient.
bool isUpdate(mlir::Operation *op);
constexpr unsigned kGradientOperand = 1;

/// The ONNX node's name from a location; empty where there is none.
llvm::StringRef getLocationName(mlir::Location loc);

/// The function @main of a module. Fails with a diagnostic if there is none or
/// it is not a single block.
mlir::FailureOr<mlir::func::FuncOp> getMain(mlir::ModuleOp module);

/// Tags every operation of @main with kind F and a unique node name, made from
/// its location. All that forward mode needs of differentiation.
/// Fails if @main is missing.
mlir::LogicalResult tagForward(mlir::ModuleOp module);

} // namespace takt

#endif // TAKT_TRANSFORMS_TAGS_H
