//===- Evaluator.cpp - runs train operations in double precision ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include "mlir/Parser/Parser.h"
#include "takt/Runtime/Kernels.h"
#include "takt/Target/KernelCheck.h"
#include <cstdlib>
#include <cstring>

using namespace mlir;
using namespace takt::train;

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

Tensor::Tensor(RankedTensorType type) : tensorType(type) {
  // Kernels want 64 bytes of alignment; aligned_alloc wants a multiple of it.
  size_t bytes = (getBytes(type) + 63) / 64 * 64;
  memory.reset(std::aligned_alloc(64, bytes), std::free);
  std::memset(data(), 0, bytes);
}

Tensor Tensor::clone() const {
  Tensor copy(tensorType);
  std::memcpy(copy.data(), data(), getBytes(tensorType));
  return copy;
}

Tensor takt::train::randomTensor(RankedTensorType type,
                                 std::mt19937_64 &generator) {
  Tensor tensor(type);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (int64_t i = 0; i < tensor.size(); ++i) {
    if (type.getElementType().isInteger(64))
      tensor.label(i) = generator() % 3;
    else if (type.getElementType().isInteger(1))
      static_cast<uint8_t *>(tensor.data())[i] = generator() % 2;
    else
      tensor[i] = uniform(generator);
  }
  return tensor;
}

Tensor takt::train::distinctTensor(RankedTensorType type,
                                   std::mt19937_64 &generator) {
  Tensor tensor(type);
  for (int64_t i = 0, n = tensor.size(); i < n; ++i)
    tensor[i] = (i - n / 2) * 0.05 + 0.02;
  for (int64_t i = tensor.size() - 1; i > 0; --i)
    std::swap(tensor[i], tensor[generator() % (i + 1)]);
  return tensor;
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

static takt::TensorRef describe(Type type) {
  takt::TensorRef ref;
  ref.type = getElementType(type);
  ref.dims.assign(cast<RankedTensorType>(type).getShape().begin(),
                  cast<RankedTensorType>(type).getShape().end());
  return ref;
}

static llvm::Error runOperation(KernelOpInterface op, Values &values) {
  takt::Kernel kernel;
  kernel.id = op.getKernelId();
  op.getKernelWords(kernel.words);
  for (Type type : op->getOperandTypes())
    kernel.operands.push_back(describe(type));
  for (Type type : op->getResultTypes())
    kernel.results.push_back(describe(type));
  if (llvm::Error error = takt::checkKernel(kernel))
    return error;
  SmallVector<takt::TensorView> operands, results;
  for (auto [value, ref] : llvm::zip(op->getOperands(), kernel.operands))
    operands.push_back({ref.type, ref.dims, values[value].data()});
  for (auto [value, ref] : llvm::zip(op->getResults(), kernel.results)) {
    Tensor tensor(cast<RankedTensorType>(value.getType()));
    values[value] = tensor;
    results.push_back({ref.type, ref.dims, tensor.data()});
  }
  double learningRate = 0.1;
  takt::KernelContext context;
  context.minibatch = 5;
  context.scalars = learningRate;
  return takt::runReferenceKernel(kernel.id, kernel.words, operands, results,
                                  context);
}

llvm::Error takt::train::evaluate(Block &block, Values &values) {
  for (Operation &op : block.without_terminator()) {
    auto kernel = dyn_cast<KernelOpInterface>(op);
    if (!kernel)
      return llvm::createStringError("operation without a kernel");
    if (llvm::Error error = runOperation(kernel, values))
      return error;
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

ParsedFunction::ParsedFunction(StringRef parameters, StringRef body) {
  mlirContext.loadDialect<TrainDialect, func::FuncDialect>();
  std::string text =
      ("func.func @main(" + parameters + ") {\n" + body + "\nreturn\n}\n")
          .str();
  module = parseSourceString<ModuleOp>(text, &mlirContext);
}

func::FuncOp ParsedFunction::function() {
  return module ? module->lookupSymbol<func::FuncOp>("main") : func::FuncOp();
}
