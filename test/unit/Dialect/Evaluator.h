//===- Evaluator.h - runs train operations in double precision --*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Walks a block of train operations and runs the reference kernel of each, by
// the operation's own answers (KernelOpInterface). Every kernel first passes
// checkKernel, so that the dialect and the container agree on what is legal.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_DIALECT_EVALUATOR_H
#define TAKT_TEST_UNIT_DIALECT_EVALUATOR_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "takt/Dialect/Train/Train.h"
#include "llvm/ADT/DenseMap.h"
#include <memory>
#include <random>

namespace takt::train {

/// A tensor of f64, i64 or i1 with its elements, shared between copies.
class Tensor {
public:
  Tensor() = default;
  /// All elements 0.
  explicit Tensor(mlir::RankedTensorType type);

  Tensor clone() const;
  mlir::RankedTensorType type() const { return tensorType; }
  int64_t size() const { return tensorType.getNumElements(); }
  void *data() const { return memory.get(); }
  double &operator[](int64_t i) const {
    return static_cast<double *>(data())[i];
  }
  int64_t &label(int64_t i) const { return static_cast<int64_t *>(data())[i]; }

private:
  mlir::RankedTensorType tensorType;
  std::shared_ptr<void> memory;
};

/// Uniform in [-1, 1]; labels in [0, 3); truth values.
Tensor randomTensor(mlir::RankedTensorType type, std::mt19937_64 &generator);
/// In random order, at least 0.05 apart and 0.02 from 0: what piecewise linear
/// functions can be differenced at.
Tensor distinctTensor(mlir::RankedTensorType type, std::mt19937_64 &generator);

using Values = llvm::DenseMap<mlir::Value, Tensor>;

/// Runs the block's operations up to its terminator; `values` has the
/// arguments' tensors and gets the results'. Fails if a kernel is illegal or
/// fails.
llvm::Error evaluate(mlir::Block &block, Values &values);

/// A context with the dialects, and a module of one function parsed from text.
class ParsedFunction {
public:
  /// The parameters and the body, without the return:
  /// ParsedFunction("%x: tensor<2xf64>", "%y = train.relu %x : tensor<2xf64>").
  ParsedFunction(llvm::StringRef parameters, llvm::StringRef body);

  /// Null if the text does not parse or verify.
  mlir::func::FuncOp function();
  mlir::Block &block() { return function().getBody().front(); }
  /// The last operation before the return.
  mlir::Operation *last() { return block().getTerminator()->getPrevNode(); }
  /// A builder before the return.
  mlir::OpBuilder builder() { return mlir::OpBuilder(block().getTerminator()); }
  mlir::LogicalResult verify() { return mlir::verify(*module); }
  mlir::MLIRContext *context() { return &mlirContext; }

private:
  mlir::MLIRContext mlirContext;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace takt::train

#endif // TAKT_TEST_UNIT_DIALECT_EVALUATOR_H
