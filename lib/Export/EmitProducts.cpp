//===- EmitProducts.cpp - products and convolutions as ONNX nodes ---------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emission.h"
#include "Windows.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace takt;

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

static Term emitGemm(Emission &emission, train::GemmOp op) {
  SmallVector<Term, 2> others = {emission.of(op.getB())};
  if (op.getC())
    others.push_back(emission.of(op.getC()));
  return emission.of(op.getA()).node(
      "Gemm", others,
      {NodeAttribute("alpha", op.getAlpha()),
       NodeAttribute("beta", op.getBeta()),
       NodeAttribute("transA", int64_t(op.getTransA())),
       NodeAttribute("transB", int64_t(op.getTransB()))});
}

/// The last two axes swapped.
static Term transposed(const Emission &emission, mlir::Value matrix,
                       bool isTransposed) {
  if (!isTransposed)
    return emission.of(matrix);
  Dims permutation = axesFrom(0, matrix);
  std::swap(permutation.back(), permutation[permutation.size() - 2]);
  return emission.of(matrix).transpose(permutation);
}

static Term emitMatMul(Emission &emission, train::MatMulOp op) {
  return transposed(emission, op.getA(), op.getTransA())
      .node("MatMul", {transposed(emission, op.getB(), op.getTransB())});
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

template <typename OpTy>
static Window windowOf(OpTy op, ArrayRef<int64_t> weights) {
  SmallVector<uint32_t> words;
  op.getKernelWords(words);
  return convWindow(words, weights);
}

static Term emitConv(Emission &emission, train::ConvOp op) {
  Window window = windowOf(op, dimsOf(op.getW()));
  SmallVector<Term, 2> others = {emission.of(op.getW())};
  if (op.getB())
    others.push_back(emission.of(op.getB()));
  return emission.of(op.getX()).node(
      "Conv", others,
      {NodeAttribute("kernel_shape", kernels(window)),
       NodeAttribute("strides", strides(window)),
       NodeAttribute("pads", pads(window)),
       NodeAttribute("dilations", dilations(window)),
       NodeAttribute("group", int64_t(op.getGroups()))});
}

static Term emitConvDgrad(Emission &emission, train::ConvDgradOp op) {
  return convTranspose(emission.of(op.getDy()), emission.of(op.getW()),
                       windowOf(op, dimsOf(op.getW())),
                       dimsOf(op.getDy()).drop_front(2),
                       dimsOf(op.getDx()).drop_front(2), op.getGroups());
}

/// The input with samples for channels and, per group, channels for samples:
/// N, G · C, … becomes C, G · N, ….
static Term swapSamples(const Term &x, ArrayRef<int64_t> dims, int64_t groups) {
  int64_t channels = dims[1] / groups;
  Dims apart = {dims[0], groups, channels}, order = {2, 1, 0},
       together = {channels, groups * dims[0]};
  apart.append(dims.begin() + 2, dims.end());
  together.append(dims.begin() + 2, dims.end());
  for (int64_t axis = 3; axis < int64_t(apart.size()); ++axis)
    order.push_back(axis);
  return x.reshape(apart).transpose(order).reshape(together);
}

static Dims swapFirst(mlir::Value value) {
  Dims order = axesFrom(0, value);
  std::swap(order[0], order[1]);
  return order;
}

/// A convolution of the input by dy: summed over are samples and the positions
/// of dy, which are `stride` apart in the input; the taps are `dilation` apart.
/// What the strides left over at the end of the input gives taps too many.
static Term emitConvWgrad(Emission &emission, train::ConvWgradOp op) {
  mlir::Value x = op.getX(), dy = op.getDy(), dw = op.getDw();
  auto groups = static_cast<int64_t>(op.getGroups());
  Window window = windowOf(op, dimsOf(dw));
  Dims ends, axes, begins, taps;
  bool tooMany = false;
  for (auto [i, axis] : llvm::enumerate(window)) {
    int64_t read = axis.origin(dimsOf(dy)[2 + i] - 1) + axis.extent();
    int64_t unread = dimsOf(x)[2 + i] - read;
    ends.push_back(std::max<int64_t>(0, -unread));
    tooMany |= unread >= axis.dilation;
    axes.push_back(2 + i);
    begins.push_back(0);
    taps.push_back(axis.kernel);
  }
  Term result =
      swapSamples(emission.of(x), dimsOf(x), groups)
          .node("Conv", {emission.of(dy).transpose(swapFirst(dy))},
                {NodeAttribute("kernel_shape", dimsOf(dy).drop_front(2)),
                 NodeAttribute("strides", dilations(window)),
                 NodeAttribute("pads", pads(window, ends)),
                 NodeAttribute("dilations", strides(window)),
                 NodeAttribute("group", groups)});
  if (tooMany)
    result = result.slice(axes, begins, taps);
  return result.transpose(swapFirst(dw));
}

void takt::addProductEmitters(EmitterTable &table) {
  table.add<train::GemmOp, emitGemm>();
  table.add<train::MatMulOp, emitMatMul>();
  table.add<train::ConvOp, emitConv>();
  table.add<train::ConvDgradOp, emitConvDgrad>();
  table.add<train::ConvWgradOp, emitConvWgrad>();
}
