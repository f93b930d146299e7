//===- ReplicaParameters.h - parameters of replicated layers ----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TRANSFORMS_REPLICAPARAMETERS_H
#define TAKT_LIB_TRANSFORMS_REPLICAPARAMETERS_H

#include "mlir/IR/SymbolTable.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Scheduling/Replication.h"
#include "llvm/ADT/MapVector.h"

namespace takt {

/// The same type with that many rows; a scalar's is one.
mlir::RankedTensorType withRows(mlir::Type type, int64_t rows);

/// What a parameter that the step writes becomes.
struct Versions {
  train::ParameterOp original;
  bool isState = false; ///< written by F
  int64_t layer = 0;
  /// Of state: by minibatch. Otherwise by round and shard, null of a shard
  /// without rows. Of the optimizer's state those of the last round only.
  llvm::SmallVector<llvm::SmallVector<train::ParameterOp>> parts;
  /// Of the optimizer's state, by shard: what the latest update made.
  llvm::SmallVector<mlir::Value> latest;
};

/// The parameters that a step writes, as several minibatches need them: the
/// running statistics of each, and of weights and optimizer state a version for
/// each round of their layer, in the shards that its replicas update.
class ReplicaParameters {
public:
  ReplicaParameters(mlir::ModuleOp module, llvm::ArrayRef<int64_t> replicas,
                    llvm::ArrayRef<int64_t> delays)
      : symbols(module), replicas(replicas), delays(delays),
        minibatches(minibatchesOf(
            llvm::SmallVector<int>(replicas.begin(), replicas.end()))) {}

  /// Declares what a write's parameter becomes; create() makes it.
  void add(train::WriteOp write, bool isState, int64_t layer);

  /// Fails with a diagnostic if a name is taken, or an initial value cannot be
  /// divided.
  mlir::LogicalResult create();

  /// Null of what the step never writes.
  Versions *find(llvm::StringRef parameter);

  /// Removes the parameters that others have replaced.
  void eraseOriginals();

private:
  mlir::LogicalResult createStates(Versions &of);
  mlir::LogicalResult createWeights(Versions &of);
  mlir::FailureOr<train::ParameterOp> createPart(Versions &of,
                                                 const llvm::Twine &name,
                                                 int64_t begin, int64_t rows,
                                                 int64_t update);

  int64_t count(int64_t layer) const { return replicas[layer]; }
  int64_t rounds(int64_t layer) const { return minibatches / count(layer); }

  mlir::SymbolTable symbols;
  llvm::ArrayRef<int64_t> replicas, delays;
  int64_t minibatches;
  llvm::MapVector<llvm::StringRef, Versions> versions; ///< by parameter's name
};

} // namespace takt

#endif // TAKT_LIB_TRANSFORMS_REPLICAPARAMETERS_H
