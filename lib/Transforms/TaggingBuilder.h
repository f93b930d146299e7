//===- TaggingBuilder.h - a builder whose operations carry tags -*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TRANSFORMS_TAGGINGBUILDER_H
#define TAKT_LIB_TRANSFORMS_TAGGINGBUILDER_H

#include "mlir/IR/Builders.h"
#include "takt/Transforms/Tags.h"

namespace takt {

/// Tags every operation that it, or whoever it is handed to, inserts.
class TaggingBuilder : public mlir::OpBuilder,
                       private mlir::OpBuilder::Listener {
public:
  explicit TaggingBuilder(mlir::Operation *before)
      : OpBuilder(before->getContext(), this) {
    setInsertionPoint(before);
  }

  /// What the operations built from now on are tagged with; a task only where
  /// its name is not empty, a microbatch and a shard only where they are not
  /// negative.
  void tagWith(TaskKind kind, llvm::StringRef node, llvm::StringRef task = {},
               int64_t layer = -1, int64_t microbatch = -1,
               int64_t shard = -1) {
    this->kind = kind;
    this->node = node.str();
    this->task = task.str();
    this->layer = layer;
    this->microbatch = microbatch;
    this->shard = shard;
  }

private:
  void notifyOperationInserted(mlir::Operation *op, InsertPoint) override {
    setKind(op, kind);
    if (!executes(op))
      return;
    setNode(op, node);
    if (!task.empty())
      setTask(op, task, layer);
    if (microbatch >= 0)
      op->setAttr(kMicrobatchAttr, getI64IntegerAttr(microbatch));
    if (shard >= 0)
      op->setAttr(kShardAttr, getI64IntegerAttr(shard));
  }

  TaskKind kind = TaskKind::Forward;
  std::string node, task;
  int64_t layer = -1, microbatch = -1, shard = -1;
};

} // namespace takt

#endif // TAKT_LIB_TRANSFORMS_TAGGINGBUILDER_H
