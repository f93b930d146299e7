//===- EmitPools.cpp - pools as ONNX nodes --------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where the number of windows is rounded up, the padding is made so large that
// it comes out when it is rounded down: versions of ONNX and its run times have
// counted windows beyond the padding in different ways.
//
//===----------------------------------------------------------------------===//

#include "Emission.h"
#include "Windows.h"
#include "llvm/ADT/STLExtras.h"
#include <numeric>

using namespace mlir;
using namespace takt;

static int64_t product(ArrayRef<int64_t> dims) {
  return std::accumulate(dims.begin(), dims.end(), int64_t(1),
                         std::multiplies<int64_t>());
}

static ArrayRef<int64_t> spatial(mlir::Value value) {
  return dimsOf(value).drop_front(2);
}

template <typename OpTy> static SmallVector<uint32_t> wordsOf(OpTy op) {
  SmallVector<uint32_t> words;
  op.getKernelWords(words);
  return words;
}

//===----------------------------------------------------------------------===//
// Maximum
//===----------------------------------------------------------------------===//

/// The largest elements and where they are in the whole input, flattened.
static std::pair<Term, Term> maxPool(const Term &x, const Window &window,
                                     ArrayRef<int64_t> input,
                                     ArrayRef<int64_t> output) {
  return x.nodeOfTwo(
      "MaxPool", {},
      {NodeAttribute("kernel_shape", kernels(window)),
       NodeAttribute("strides", strides(window)),
       NodeAttribute("pads", pads(window, coveringEnds(window, input, output))),
       NodeAttribute("dilations", dilations(window))},
      ElementType::I64);
}

static Term emitMaxPool(Emission &emission, train::MaxPoolOp op) {
  return maxPool(emission.of(op.getX()), maxPoolWindow(wordsOf(op)),
                 spatial(op.getX()), spatial(op.getY()))
      .first;
}

static Term emitMaxPoolDgrad(Emission &emission, train::MaxPoolDgradOp op) {
  Term x = emission.of(op.getX()), dy = emission.of(op.getDy());
  Term indices = maxPool(x, maxPoolWindow(wordsOf(op)), spatial(op.getX()),
                         spatial(op.getDy()))
                     .second;
  int64_t windows = product(dimsOf(op.getDy()));
  return x.filled(0, product(dimsOf(op.getX())))
      .scatterAdd(indices.reshape(windows), dy.reshape(windows), /*axis=*/0)
      .reshape(dimsOf(op.getX()));
}

//===----------------------------------------------------------------------===//
// Mean
//===----------------------------------------------------------------------===//

/// How many positions of one axis the mean of output `o` is over: those in the
/// input or, with the padding counted, in the padded input.
static int64_t countAlong(const WindowAxis &axis, int64_t input, int64_t o,
                          bool includesPadding) {
  int64_t least = includesPadding ? -axis.padBegin : 0;
  int64_t most = input + (includesPadding ? axis.padEnd : 0);
  int64_t begin = std::max(axis.origin(o), least);
  return std::min(axis.origin(o) + axis.kernel, most) - begin;
}

/// One over the number of elements of each window, in the shape of the output
/// without samples and channels.
static SmallVector<double> shares(const Window &window, ArrayRef<int64_t> input,
                                  ArrayRef<int64_t> output,
                                  bool includesPadding) {
  SmallVector<double> counts = {1};
  for (auto [i, axis] : llvm::enumerate(window)) {
    SmallVector<double> longer;
    for (double outer : counts)
      for (int64_t o = 0; o < output[i]; ++o)
        longer.push_back(outer *
                         countAlong(axis, input[i], o, includesPadding));
    counts = std::move(longer);
  }
  for (double &count : counts)
    count = 1 / count;
  return counts;
}

/// The term times the shares of the windows.
static Term shared(const Term &term, const Window &window,
                   ArrayRef<int64_t> input, ArrayRef<int64_t> output,
                   bool includesPadding) {
  SmallVector<double> factors = shares(window, input, output, includesPadding);
  if (llvm::all_equal(factors))
    return term * factors.front();
  Dims dims = {1, 1};
  dims.append(output.begin(), output.end());
  return term * term.numbers(factors, dims);
}

/// The sum of each window, from a mean that counts all padding.
static Term emitAveragePool(Emission &emission, train::AveragePoolOp op) {
  Window window = averagePoolWindow(wordsOf(op));
  ArrayRef<int64_t> input = spatial(op.getX()), output = spatial(op.getY());
  Term sums =
      emission.of(op.getX()).node(
          "AveragePool", {},
          {NodeAttribute("kernel_shape", kernels(window)),
           NodeAttribute("strides", strides(window)),
           NodeAttribute("pads",
                         pads(window, coveringEnds(window, input, output))),
           NodeAttribute("count_include_pad", int64_t(1))}) *
      static_cast<double>(product(kernels(window)));
  return shared(sums, window, input, output, op.getCountIncludePad());
}

/// Each share of dy goes to all elements of its window: a transposed
/// convolution by ones, every channel of every sample by itself.
static Term emitAveragePoolDgrad(Emission &emission,
                                 train::AveragePoolDgradOp op) {
  Window window = averagePoolWindow(wordsOf(op));
  ArrayRef<int64_t> input = spatial(op.getDx()), output = spatial(op.getDy());
  Term share = shared(emission.of(op.getDy()), window, input, output,
                      op.getCountIncludePad());
  Dims apart = {dimsOf(op.getDy())[0] * dimsOf(op.getDy())[1], 1},
       ones = {1, 1};
  apart.append(output.begin(), output.end());
  ones.append(kernels(window));
  return convTranspose(share.reshape(apart), share.filled(1, ones), window,
                       output, input, /*groups=*/1)
      .reshape(dimsOf(op.getDx()));
}

static Term emitGlobalAveragePool(Emission &emission,
                                  train::GlobalAveragePoolOp op) {
  return emission.of(op.getX()).mean(axesFrom(2, op.getX()));
}

static Term emitGlobalAveragePoolDgrad(Emission &emission,
                                       train::GlobalAveragePoolDgradOp op) {
  auto elements = static_cast<double>(product(spatial(op.getDx())));
  return (emission.of(op.getDy()) / elements).expand(dimsOf(op.getDx()));
}

void takt::addPoolEmitters(EmitterTable &table) {
  table.add<train::MaxPoolOp, emitMaxPool>();
  table.add<train::MaxPoolDgradOp, emitMaxPoolDgrad>();
  table.add<train::AveragePoolOp, emitAveragePool>();
  table.add<train::AveragePoolDgradOp, emitAveragePoolDgrad>();
  table.add<train::GlobalAveragePoolOp, emitGlobalAveragePool>();
  table.add<train::GlobalAveragePoolDgradOp, emitGlobalAveragePoolDgrad>();
}
