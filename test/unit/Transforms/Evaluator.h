//===- Evaluator.h - runs a step by reference kernels -----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_TRANSFORMS_EVALUATOR_H
#define TAKT_TEST_UNIT_TRANSFORMS_EVALUATOR_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Runtime/Kernels.h"
#include "takt/Transforms/Tags.h"
#include <map>
#include <random>
#include <string>

namespace takt::test {

/// A dense tensor of doubles, aligned as kernels want it.
class Tensor {
public:
  Tensor() = default;
  explicit Tensor(mlir::Type type)
      : dims(mlir::cast<mlir::RankedTensorType>(type).getShape()),
        blocks((view().elements() + 7) / 8) {}

  TensorView view() { return {ElementType::F64, dims, blocks.data()}; }
  double &operator[](int64_t i) { return blocks[i / 8].element[i % 8]; }
  int64_t size() { return view().elements(); }

  /// Numbers away from 0, so that relu's kink is far from all of them.
  void fill(std::minstd_rand &random) {
    for (int64_t i = 0; i < size(); ++i) {
      double magnitude = 0.1 + 0.8 * (random() % 1000) / 1000;
      (*this)[i] = random() % 2 ? magnitude : -magnitude;
    }
  }

private:
  struct alignas(64) Block {
    double element[8] = {};
  };
  llvm::SmallVector<int64_t> dims;
  std::vector<Block> blocks;
};

/// One minibatch of @main in double precision, on given parameters and inputs.
struct Evaluation {
  std::map<std::string, Tensor> parameters; ///< before
  std::map<std::string, Tensor> written;    ///< by train.write
  std::vector<Tensor> results;

  /// Random values for every parameter but the derived ones, which are slices.
  void fillParameters(mlir::ModuleOp module, unsigned seed) {
    std::minstd_rand random(seed + 1);
    for (auto op : module.getOps<train::ParameterOp>())
      if (op.getKind() != ParameterKind::Derived)
        (parameters[op.getSymName().str()] = Tensor(op.getType())).fill(random);
    for (auto op : module.getOps<train::ParameterOp>())
      if (op.getKind() == ParameterKind::Derived)
        parameters[op.getSymName().str()] = slice(op);
  }

  /// Fails if a kernel does.
  llvm::Error run(mlir::ModuleOp module, std::vector<Tensor> inputs,
                  double learningRate) {
    auto main = module.lookupSymbol<mlir::func::FuncOp>("main");
    llvm::DenseMap<mlir::Value, Tensor> values;
    for (auto [i, argument] : llvm::enumerate(main.getArguments()))
      values[argument] = inputs[i];
    for (mlir::Operation &op : main.getBody().front()) {
      if (auto read = mlir::dyn_cast<train::ReadOp>(op)) {
        values[read.getValue()] = parameters[read.getParameter().str()];
      } else if (auto write = mlir::dyn_cast<train::WriteOp>(op)) {
        written[write.getParameter().str()] = values[write.getValue()];
      } else if (auto kernel = mlir::dyn_cast<train::KernelOpInterface>(op)) {
        if (llvm::Error error = runKernel(kernel, values, learningRate))
          return error;
      } else {
        for (mlir::Value operand : op.getOperands())
          results.push_back(values[operand]);
      }
    }
    return llvm::Error::success();
  }

private:
  static llvm::Error runKernel(train::KernelOpInterface kernel,
                               llvm::DenseMap<mlir::Value, Tensor> &values,
                               double learningRate) {
    for (mlir::Value result : kernel->getResults())
      values[result] = Tensor(result.getType());
    llvm::SmallVector<TensorView> operands, results;
    for (mlir::Value operand : kernel->getOperands())
      operands.push_back(values.find(operand)->second.view());
    for (mlir::Value result : kernel->getResults())
      results.push_back(values.find(result)->second.view());
    llvm::SmallVector<uint32_t> words;
    kernel.getKernelWords(words);
    double scalars[] = {learningRate, 1};
    return runReferenceKernel(kernel.getKernelId(), words, operands, results,
                              {0, scalars});
  }

  /// A derived parameter's share of its base, both matrices.
  Tensor slice(train::ParameterOp op) {
    Tensor &base = parameters[op.getBase()->str()];
    Tensor share(op.getType());
    int64_t begin = *op.getBegin(), rows = share.view().dims[0],
            columns = share.view().dims[1];
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j)
        share[i * columns + j] =
            *op.getAxis() == 0 ? base[(i + begin) * columns + j]
                               : base[i * base.view().dims[1] + j + begin];
    return share;
  }
};

/// One tensor per argument of the step, the same for the same seed.
inline std::vector<Tensor> randomInputs(mlir::ModuleOp module, unsigned seed) {
  std::minstd_rand random(seed + 7);
  std::vector<Tensor> inputs;
  for (mlir::Type type : getMain(module)->getArgumentTypes()) {
    inputs.emplace_back(type);
    inputs.back().fill(random);
  }
  return inputs;
}

} // namespace takt::test

#endif // TAKT_TEST_UNIT_TRANSFORMS_EVALUATOR_H
