//===- Parameters.h - constants that become parameters ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_PARAMETERS_H
#define TAKT_LIB_IMPORT_PARAMETERS_H

#include "Tensors.h"
#include "mlir/IR/Builders.h"
#include "takt/Dialect/Train/Train.h"
#include "llvm/ADT/StringMap.h"

namespace takt::import {

/// Makes parameters and their reads on demand, one each per constant.
class ParameterTable {
public:
  /// Parameters go into `module` before `main`.
  ParameterTable(mlir::ModuleOp module, mlir::Operation *main,
                 const TensorReader &reader)
      : module(module), main(main), reader(reader) {}

  /// The value of the constant as the parameter of its name, read where
  /// `builder` stands when it is first asked for.
  /// Fails with a diagnostic about `user` if it is a running statistic too, or
  /// about the tensor if it cannot be decoded.
  mlir::FailureOr<mlir::Value>
  read(mlir::OpBuilder &builder, const Constant &constant, const Subject &user);

  /// The same for a running statistic, which only one node may have.
  mlir::FailureOr<mlir::Value> readState(mlir::OpBuilder &builder,
                                         const Constant &constant,
                                         const Subject &user);

  /// Gives every parameter that is no state its kind: trainable if it has
  /// floats that the file gives, its rank is not 0 and an operation with a
  /// gradient takes it. What Constant nodes hold is trained only where the file
  /// has nothing else to train: beside initializers these are the numbers of a
  /// formula, such as a causal mask.
  void decideKinds();

private:
  struct Entry {
    train::ParameterOp parameter;
    train::ReadOp read;
    std::string stateOf;  ///< the node whose running statistic it is
    bool fixed = false;   ///< Constant::fixed, or not of floats
    bool literal = false; ///< written in a Constant node
  };
  mlir::FailureOr<Entry *> lookup(mlir::OpBuilder &builder,
                                  const Constant &constant,
                                  const Subject &user);

  mlir::ModuleOp module;
  mlir::Operation *main;
  const TensorReader &reader;
  llvm::StringMap<Entry> entries;
};

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_PARAMETERS_H
