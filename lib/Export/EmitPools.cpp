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
                                     ArrayRef<int64_t> output,
                                     bool columnMajor = false) {
  SmallVector<NodeAttribute> attributes = {
      NodeAttribute("kernel_shape", kernels(window)),
      NodeAttribute("strides", strides(window)),
      NodeAttribute("pads", pads(window, coveringEnds(window, input, output))),
      NodeAttribute("dilations", dilations(window))};
  if (columnMajor)
    attributes.push_back(NodeAttribute("storage_order", int64_t(1)));
  return x.nodeOfTwo("MaxPool", {}, attributes, ElementType::I64);
}

static Term emitMaxPool(Emission &emission, train::MaxPoolOp op) {
  return maxPool(emission.of(op.getX()), maxPoolWindow(wordsOf(op)),
                 spatial(op.getX()), spatial(op.getY()))
      .first;
}

static Term emitMaxPoolIndices(Emission &emission, train::MaxPoolIndicesOp op) {
  return maxPool(emission.of(op.getX()), averagePoolWindow(wordsOf(op)),
                 spatial(op.getX()), spatial(op.getIndices()),
                 op.getColumnMajor())
      .second;
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
  int64_t count = 0;
  for (int64_t k = 0; k < axis.kernel; ++k) {
    int64_t position = axis.origin(o) + k * axis.dilation;
    count += position >= least && position < most;
  }
  return count;
}

/// One over the number of elements of each window, or 0, in the shape of the
/// output without samples and channels.
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
    count = count == 0 ? 0 : 1 / count;
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

/// Images of one channel, and a weight of ones for each tap.
static std::pair<Term, Term> apart(const Term &term, ArrayRef<int64_t> dims,
                                   const Window &window) {
  Dims images = {dims[0] * dims[1], 1}, ones = {1, 1};
  images.append(dims.begin() + 2, dims.end());
  ones.append(kernels(window));
  return {term.reshape(images), term.filled(1, ones)};
}

/// The sum of each window: a mean that counts all padding or, since the mean's
/// windows have dilations in the newest opsets only, a convolution by ones.
static Term windowSums(const Term &x, ArrayRef<int64_t> dims,
                       const Window &window, ArrayRef<int64_t> outputDims) {
  ArrayRef<int64_t> input = dims.drop_front(2),
                    output = outputDims.drop_front(2);
  NodeAttribute covering("pads",
                         pads(window, coveringEnds(window, input, output)));
  if (llvm::all_of(window, [](const WindowAxis &w) { return w.dilation == 1; }))
    return x.node("AveragePool", {},
                  {NodeAttribute("kernel_shape", kernels(window)),
                   NodeAttribute("strides", strides(window)), covering,
                   NodeAttribute("count_include_pad", int64_t(1))}) *
           static_cast<double>(product(kernels(window)));
  auto [images, ones] = apart(x, dims, window);
  return images
      .node("Conv", {ones},
            {NodeAttribute("kernel_shape", kernels(window)),
             NodeAttribute("strides", strides(window)), covering,
             NodeAttribute("dilations", dilations(window))})
      .reshape(outputDims);
}

/// Each gradient to all elements of its window: a transposed convolution by
/// ones, every channel of every sample by itself.
static Term spread(const Term &dy, ArrayRef<int64_t> dims, const Window &window,
                   ArrayRef<int64_t> inputDims) {
  auto [images, ones] = apart(dy, dims, window);
  return convTranspose(images, ones, window, dims.drop_front(2),
                       inputDims.drop_front(2), /*groups=*/1)
      .reshape(inputDims);
}

static Term emitAveragePool(Emission &emission, train::AveragePoolOp op) {
  Window window = averagePoolWindow(wordsOf(op));
  Term sums = windowSums(emission.of(op.getX()), dimsOf(op.getX()), window,
                         dimsOf(op.getY()));
  return shared(sums, window, spatial(op.getX()), spatial(op.getY()),
                op.getCountIncludePad());
}

static Term emitAveragePoolDgrad(Emission &emission,
                                 train::AveragePoolDgradOp op) {
  Window window = averagePoolWindow(wordsOf(op));
  Term share = shared(emission.of(op.getDy()), window, spatial(op.getDx()),
                      spatial(op.getDy()), op.getCountIncludePad());
  return spread(share, dimsOf(op.getDy()), window, dimsOf(op.getDx()));
}

//===----------------------------------------------------------------------===//
// Norm
//===----------------------------------------------------------------------===//

static Term emitLpPool(Emission &emission, train::LpPoolOp op) {
  Term x = emission.of(op.getX());
  Term sums = windowSums(pow(abs(x), op.getP()), dimsOf(op.getX()),
                         averagePoolWindow(wordsOf(op)), dimsOf(op.getY()));
  return pow(sums, 1.0 / op.getP());
}

/// sign(x) |x|^(p - 1) times the windows' sum of dy / y^(p - 1).
static Term emitLpPoolDgrad(Emission &emission, train::LpPoolDgradOp op) {
  Term dy = emission.of(op.getDy()), x = emission.of(op.getX()),
       y = emission.of(op.getY());
  double power = op.getP() - 1.0;
  Term share = where(y > 0.0, dy / pow(where(y > 0.0, y, 1), power), 0);
  Term sums = spread(share, dimsOf(op.getDy()), averagePoolWindow(wordsOf(op)),
                     dimsOf(op.getX()));
  return x.node("Sign") * pow(abs(x), power) * sums;
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
  table.add<train::MaxPoolIndicesOp, emitMaxPoolIndices>();
  table.add<train::LpPoolOp, emitLpPool>();
  table.add<train::LpPoolDgradOp, emitLpPoolDgrad>();
  table.add<train::AveragePoolOp, emitAveragePool>();
  table.add<train::AveragePoolDgradOp, emitAveragePoolDgrad>();
  table.add<train::GlobalAveragePoolOp, emitGlobalAveragePool>();
  table.add<train::GlobalAveragePoolDgradOp, emitGlobalAveragePoolDgrad>();
}
