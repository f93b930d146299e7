//===- Emission.h - from operations to ONNX nodes ---------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_EXPORT_EMISSION_H
#define TAKT_LIB_EXPORT_EMISSION_H

#include "Term.h"
#include "takt/Dialect/Train/Train.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include <map>

namespace takt {

using Dims = llvm::SmallVector<int64_t, 8>;

/// The shape of a value, and its axes from `first` on.
llvm::ArrayRef<int64_t> dimsOf(mlir::Value value);
Dims axesFrom(int64_t first, mlir::Value value);

/// What an emitter sees: the terms of values that are emitted already.
class Emission {
public:
  Scope scope;

  /// The term of a value, which is emitted.
  const Term &of(mlir::Value value) const { return terms.find(value)->second; }
  void define(mlir::Value value, Term term) {
    terms.insert_or_assign(value, std::move(term));
  }

  /// A constant that no term is the type of.
  Term number(ElementType type, double value) {
    return Term(scope, "", type).number(value);
  }

  /// Whether an output depends on the value; others need not be defined.
  bool isNeeded(mlir::Value value) const { return needed.contains(value); }
  /// Adds everything in the block that the value depends on.
  void need(mlir::Value value);

  /// Which elements a dropout keeps, by its seed and shape: what makes the same
  /// choice again in Takt gets the same mask here.
  std::map<std::pair<int64_t, Dims>, Term> masks;

private:
  llvm::DenseMap<mlir::Value, Term> terms;
  llvm::DenseSet<mlir::Value> needed;
};

/// Adds the nodes of an operation and defines its needed results; null of the
/// operations that have none. Fails with a diagnostic where ONNX has no such
/// operation.
using Emitter = mlir::LogicalResult (*)(Emission &emission,
                                        mlir::Operation *op);

/// Emitters by operation.
class EmitterTable {
public:
  /// All of the train dialect.
  static const EmitterTable &get();

  /// Adds the emitter of an operation whose first result it returns.
  template <typename OpTy, Term (*emit)(Emission &, OpTy)> void add() {
    emitters[OpTy::getOperationName()] = [](Emission &emission,
                                            mlir::Operation *op) {
      emission.define(op->getResult(0), emit(emission, llvm::cast<OpTy>(op)));
      return mlir::success();
    };
  }
  /// Of one that ONNX may not have.
  template <typename OpTy, mlir::FailureOr<Term> (*emit)(Emission &, OpTy)>
  void addPartial() {
    emitters[OpTy::getOperationName()] = [](Emission &emission,
                                            mlir::Operation *op) {
      mlir::FailureOr<Term> term = emit(emission, llvm::cast<OpTy>(op));
      if (mlir::failed(term))
        return mlir::failure();
      emission.define(op->getResult(0), std::move(*term));
      return mlir::success();
    };
  }

  /// Null: there is none.
  Emitter find(mlir::OperationName operation) const {
    return emitters.lookup(operation.getStringRef());
  }

private:
  llvm::StringMap<Emitter> emitters;
};

// One function per file of emitters.
void addFunctionEmitters(EmitterTable &table);
void addLossEmitters(EmitterTable &table);
void addNormalizationEmitters(EmitterTable &table);
void addPoolEmitters(EmitterTable &table);
void addProductEmitters(EmitterTable &table);
void addSelectionEmitters(EmitterTable &table);
void addShapeEmitters(EmitterTable &table);

} // namespace takt

#endif // TAKT_LIB_EXPORT_EMISSION_H
