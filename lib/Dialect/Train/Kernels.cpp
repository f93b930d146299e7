//===- Kernels.cpp - kernels, words and work of train operations ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace takt::train;
using takt::Gemm;
using takt::KernelId;
using takt::Work;

// Operations and kernels correspond by name: a kernel without its operation
// does not compile.
#define TAKT_KERNEL(Name, mnemonic, code, operands, results, words)            \
  KernelId Name##Op::getKernelId() { return KernelId::Name; }
#include "takt/Target/Kernels.def"

//===----------------------------------------------------------------------===//
// Attribute words
//===----------------------------------------------------------------------===//

using Words = SmallVectorImpl<uint32_t>;

/// Verifiers have bounded everything that becomes a word.
static void append(Words &words, ArrayRef<int64_t> numbers) {
  for (int64_t number : numbers)
    words.push_back(static_cast<uint32_t>(number));
}

static void appendFloats(Words &words, ArrayRef<float> numbers) {
  for (float number : numbers)
    words.push_back(llvm::bit_cast<uint32_t>(number));
}

/// n, groups, strides[n], pads_begin[n], pads_end[n], dilations[n]
template <typename OpTy>
static void appendConvWords(OpTy op, int64_t rank, Words &words) {
  size_t n = rank - 2;
  append(words, {int64_t(n), int64_t(op.getGroups())});
  append(words, perDimension(op.getStrides(), n, 1));
  append(words, perDimension(op.getPadsBegin(), n, 0));
  append(words, perDimension(op.getPadsEnd(), n, 0));
  append(words, perDimension(op.getDilations(), n, 1));
}

void ConvOp::getKernelWords(Words &words) {
  appendConvWords(*this, shapeOf(getX()).size(), words);
}
void ConvDgradOp::getKernelWords(Words &words) {
  appendConvWords(*this, shapeOf(getDx()).size(), words);
}
void ConvWgradOp::getKernelWords(Words &words) {
  appendConvWords(*this, shapeOf(getX()).size(), words);
}

void GemmOp::getKernelWords(Words &words) {
  append(words, {getTransA(), getTransB()});
  appendFloats(words, {getAlpha(), getBeta()});
}
void MatMulOp::getKernelWords(Words &words) {
  append(words, {getTransA(), getTransB()});
}
void BatchNormOp::getKernelWords(Words &words) {
  appendFloats(words, {getEpsilon(), getMomentum()});
}
void LeakyReluOp::getKernelWords(Words &words) {
  appendFloats(words, getAlpha());
}
void LeakyReluDgradOp::getKernelWords(Words &words) {
  appendFloats(words, getAlpha());
}

/// kernel[n], strides[n], pads_begin[n], pads_end[n], dilations[n]
template <typename OpTy> static void appendPoolLists(OpTy op, Words &words) {
  size_t n = op.getKernel().size();
  append(words, op.getKernel());
  append(words, perDimension(op.getStrides(), n, 1));
  append(words, perDimension(op.getPadsBegin(), n, 0));
  append(words, perDimension(op.getPadsEnd(), n, 0));
  append(words, perDimension(op.getDilations(), n, 1));
}

template <typename OpTy> static void appendMaxPoolWords(OpTy op, Words &words) {
  append(words, int64_t(op.getKernel().size()));
  appendPoolLists(op, words);
}

void MaxPoolOp::getKernelWords(Words &words) {
  appendMaxPoolWords(*this, words);
}
void MaxPoolDgradOp::getKernelWords(Words &words) {
  appendMaxPoolWords(*this, words);
}
void MaxPoolIndicesOp::getKernelWords(Words &words) {
  append(words, {int64_t(getKernel().size()), getColumnMajor()});
  appendPoolLists(*this, words);
}

template <typename OpTy>
static void appendAveragePoolWords(OpTy op, Words &words) {
  append(words, {int64_t(op.getKernel().size()), op.getCountIncludePad()});
  appendPoolLists(op, words);
}

void AveragePoolOp::getKernelWords(Words &words) {
  appendAveragePoolWords(*this, words);
}
void AveragePoolDgradOp::getKernelWords(Words &words) {
  appendAveragePoolWords(*this, words);
}

template <typename OpTy> static void appendLpPoolWords(OpTy op, Words &words) {
  append(words, int64_t(op.getKernel().size()));
  appendFloats(words, op.getP());
  appendPoolLists(op, words);
}

void LpPoolOp::getKernelWords(Words &words) { appendLpPoolWords(*this, words); }
void LpPoolDgradOp::getKernelWords(Words &words) {
  appendLpPoolWords(*this, words);
}

template <typename OpTy> static void appendLrnWords(OpTy op, Words &words) {
  append(words, int64_t(op.getSize()));
  appendFloats(words, {op.getAlpha(), op.getBeta(), op.getBias()});
}

void LrnOp::getKernelWords(Words &words) { appendLrnWords(*this, words); }
void LrnDgradOp::getKernelWords(Words &words) { appendLrnWords(*this, words); }

void ConcatOp::getKernelWords(Words &words) {
  append(words, int64_t(getAxis()));
}
void TransposeOp::getKernelWords(Words &words) {
  append(words, int64_t(getPermutation().size()));
  append(words, getPermutation());
}
void SoftmaxCrossEntropyOp::getKernelWords(Words &words) {
  append(words, int64_t(getAxis()));
}
void DropoutOp::getKernelWords(Words &words) {
  appendFloats(words, getRatio());
  append(words, int64_t(getSeed()));
}
void SoftmaxOp::getKernelWords(Words &words) {
  append(words, int64_t(getAxis()));
}
void LogSoftmaxOp::getKernelWords(Words &words) {
  append(words, int64_t(getAxis()));
}
void SoftmaxDgradOp::getKernelWords(Words &words) {
  append(words, int64_t(getAxis()));
}
void LogSoftmaxDgradOp::getKernelWords(Words &words) {
  append(words, int64_t(getAxis()));
}
void SliceOp::getKernelWords(Words &words) {
  append(words, {int64_t(getAxis()), int64_t(getBegin())});
}
void ReduceSumOp::getKernelWords(Words &words) {
  append(words, int64_t(getAxes().size()));
  append(words, getAxes());
}
void ScaleOp::getKernelWords(Words &words) { appendFloats(words, getValue()); }

void ScaleGradientOp::getKernelWords(Words &words) {
  words.push_back(getDivide());
}

template <typename OpTy> static void appendUnaryWords(OpTy op, Words &words) {
  words.push_back(static_cast<uint32_t>(op.getFunction()));
  appendFloats(words, {op.getAlpha(), op.getBeta()});
}

void UnaryOp::getKernelWords(Words &words) { appendUnaryWords(*this, words); }
void UnaryDgradOp::getKernelWords(Words &words) {
  appendUnaryWords(*this, words);
}
void BinaryOp::getKernelWords(Words &words) {
  words.push_back(static_cast<uint32_t>(getFunction()));
}
void BinaryDgradOp::getKernelWords(Words &words) {
  words.push_back(static_cast<uint32_t>(getFunction()));
  append(words, int64_t(getOperand()));
}

void ReduceMaxOp::getKernelWords(Words &words) {
  append(words, int64_t(getAxes().size()));
  append(words, getAxes());
}
void ReduceMaxDgradOp::getKernelWords(Words &words) {
  append(words, int64_t(getAxes().size()));
  append(words, getAxes());
}
void PadOp::getKernelWords(Words &words) {
  append(words, {int64_t(getBegins().size()), int64_t(getMode())});
  appendFloats(words, getValue());
  append(words, getBegins());
  append(words, getEnds());
}
void PadDgradOp::getKernelWords(Words &words) {
  append(words, {int64_t(getBegins().size()), int64_t(getMode())});
  append(words, getBegins());
  append(words, getEnds());
}
void NormalizeOp::getKernelWords(Words &words) {
  append(words, int64_t(getAxis()));
  appendFloats(words, getEpsilon());
}
void NormalizeDgradOp::getKernelWords(Words &words) {
  append(words, int64_t(getAxis()));
}

void SgdOp::getKernelWords(Words &words) {
  appendFloats(words, {getWeightDecay(), getRateFactor(), getClipValue()});
}
void MomentumOp::getKernelWords(Words &words) {
  appendFloats(words, getMomentum());
  append(words, int64_t(getNesterov()));
  appendFloats(words, {getWeightDecay(), getRateFactor(), getClipValue()});
}
void AdamOp::getKernelWords(Words &words) {
  appendFloats(words, {getBeta1(), getBeta2(), getEpsilon(), getWeightDecay()});
  append(words, int64_t(getDecoupled()));
  appendFloats(words, {getRateFactor(), getClipValue()});
}

void FadeOp::getKernelWords(Words &words) {
  append(words, int64_t(getUpdates()));
  appendFloats(words, getDecay());
}
void ReconstructOp::getKernelWords(Words &words) {
  append(words, int64_t(getUpdates()));
  appendFloats(words, getDecay());
}

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

/// The product of sizes, or the largest number where it has more than 63 bits.
/// A cost model refuses that.
static int64_t saturatingProduct(ArrayRef<int64_t> sizes) {
  int64_t product = 1;
  for (int64_t size : sizes)
    if (llvm::MulOverflow(product, size, product))
      return std::numeric_limits<int64_t>::max();
  return product;
}

static int64_t elements(Value value) {
  return saturatingProduct(shapeOf(value));
}

/// Bytes and type, without anything to compute.
static Work transferWork(Operation *op) {
  Work work;
  work.type = takt::train::getElementType(op->getResult(0).getType());
  for (Type type : op->getOperandTypes())
    work.bytesIn += getBytes(type);
  for (Type type : op->getResultTypes())
    work.bytesOut += getBytes(type);
  return work;
}

static Work gemmWork(Operation *op, const Gemm &gemm) {
  Work work = transferWork(op);
  work.gemm = gemm;
  return work;
}

Work takt::train::elementwiseWork(Operation *op, int64_t perElement) {
  Work work = transferWork(op);
  work.elementwise =
      saturatingProduct({elements(op->getResult(0)), perElement});
  return work;
}

/// A convolution's dimensions, from which its three products follow.
struct ConvSizes {
  int64_t groups;
  int64_t positions; ///< of the output, times the batch
  int64_t in, out;   ///< channels per group
  int64_t taps;      ///< of the kernel

  ConvSizes(Value w, Value y, int64_t groups) : groups(groups) {
    ArrayRef<int64_t> weights = shapeOf(w), output = shapeOf(y);
    positions =
        saturatingProduct({output[0], saturatingProduct(output.drop_front(2))});
    in = weights[1];
    out = weights[0] / groups;
    taps = saturatingProduct(weights.drop_front(2));
  }
};

Work ConvOp::getWork() {
  ConvSizes s(getW(), getY(), getGroups());
  Work work = gemmWork(
      *this, {s.positions, s.out, saturatingProduct({s.in, s.taps}), s.groups});
  if (getB())
    work.elementwise = elements(getY());
  return work;
}

Work ConvDgradOp::getWork() {
  ConvSizes s(getW(), getDy(), getGroups());
  return gemmWork(
      *this, {s.positions, s.in, saturatingProduct({s.out, s.taps}), s.groups});
}

Work ConvWgradOp::getWork() {
  ConvSizes s(getDw(), getDy(), getGroups());
  return gemmWork(
      *this, {saturatingProduct({s.in, s.taps}), s.out, s.positions, s.groups});
}

Work GemmOp::getWork() {
  ArrayRef<int64_t> y = shapeOf(getY());
  Work work = gemmWork(*this, {y[0], y[1], shapeOf(getA())[!getTransA()], 1});
  if (getC())
    work.elementwise = elements(getY());
  return work;
}

/// One product where b is not batched: its rows are then a's in all batches.
Work MatMulOp::getWork() {
  ArrayRef<int64_t> a = shapeOf(getA()), b = shapeOf(getB()),
                    y = shapeOf(getY());
  int64_t k = a.take_back(2)[!getTransA()];
  int64_t m = y.take_back(2)[0], n = y.back();
  int64_t batches = saturatingProduct(y.drop_back(2));
  if (saturatingProduct(b.drop_back(2)) == 1)
    return gemmWork(*this, {saturatingProduct({batches, m}), n, k, 1});
  return gemmWork(*this, {m, n, k, batches});
}

/// Statistics, normalization and the affine map.
Work BatchNormOp::getWork() { return elementwiseWork(*this, 6); }
Work BatchNormApplyOp::getWork() { return elementwiseWork(*this, 3); }

/// The statistics are small, and without them only y is to be made.
bool BatchNormOp::canMakeAgain(unsigned result) { return result == 0; }
Operation *BatchNormOp::makeAgain(OpBuilder &builder, ValueRange operands) {
  return BatchNormApplyOp::create(builder, getLoc(), getY().getType(),
                                  operands[0], operands[1], operands[2],
                                  getMean(), getInvStd());
}
Work BatchNormDgradOp::getWork() { return elementwiseWork(*this, 8); }

Work BatchNormWgradOp::getWork() {
  Work work = transferWork(*this);
  work.elementwise = saturatingProduct({elements(getX()), 4});
  return work;
}

/// Statistics and normalization.
Work NormalizeOp::getWork() { return elementwiseWork(*this, 5); }
Work NormalizeDgradOp::getWork() { return elementwiseWork(*this, 7); }

/// A square per channel of the window and a power.
Work LrnOp::getWork() { return elementwiseWork(*this, 2 + getSize()); }
Work LrnDgradOp::getWork() { return elementwiseWork(*this, 2 + 2 * getSize()); }

Work MaxPoolOp::getWork() {
  return elementwiseWork(*this, saturatingProduct(getKernel()));
}
Work MaxPoolIndicesOp::getWork() {
  return elementwiseWork(*this, saturatingProduct(getKernel()));
}
Work AveragePoolOp::getWork() {
  return elementwiseWork(*this, saturatingProduct(getKernel()));
}
/// A power and an addition per tap.
Work LpPoolOp::getWork() {
  return elementwiseWork(
      *this, saturatingProduct({2, saturatingProduct(getKernel())}));
}

/// As many operations as the pool itself: one per window and tap.
static Work poolDgradWork(Operation *op, Value dy, ArrayRef<int64_t> kernel) {
  Work work = transferWork(op);
  work.elementwise =
      saturatingProduct({elements(dy), saturatingProduct(kernel)});
  return work;
}

Work MaxPoolDgradOp::getWork() {
  return poolDgradWork(*this, getDy(), getKernel());
}
Work AveragePoolDgradOp::getWork() {
  return poolDgradWork(*this, getDy(), getKernel());
}
/// A power and a product per tap, and the sum of these.
Work LpPoolDgradOp::getWork() {
  Work work = poolDgradWork(*this, getDy(), getKernel());
  work.elementwise = saturatingProduct({work.elementwise, 3});
  return work;
}

/// One operation per element that is summed.
static Work reductionWork(Operation *op, int64_t perElement) {
  Work work = transferWork(op);
  work.elementwise =
      saturatingProduct({elements(op->getOperand(0)), perElement});
  return work;
}

Work GlobalAveragePoolOp::getWork() { return reductionWork(*this, 1); }
Work ReduceSumOp::getWork() { return reductionWork(*this, 1); }
Work ReduceMaxOp::getWork() { return reductionWork(*this, 1); }
/// The largest elements are found again and counted.
Work ReduceMaxDgradOp::getWork() { return elementwiseWork(*this, 3); }
Work SoftmaxCrossEntropyOp::getWork() { return reductionWork(*this, 4); }
Work MeanSquaredErrorOp::getWork() { return reductionWork(*this, 4); }

/// Two comparisons where the gradient is clipped.
template <typename OpTy> static Work updateWork(OpTy op, int64_t perElement) {
  return elementwiseWork(op, perElement + (op.getClipValue() != 0 ? 2 : 0));
}

Work SgdOp::getWork() { return updateWork(*this, 3); }
Work MomentumOp::getWork() { return updateWork(*this, 5); }
Work AdamOp::getWork() { return updateWork(*this, 12); }
Work SumSquaresOp::getWork() { return reductionWork(*this, 2); }
/// A handful of scalars.
Work ClipFactorOp::getWork() { return elementwiseWork(*this, 1); }
Work FadeOp::getWork() { return elementwiseWork(*this, 3); }
Work ReconstructOp::getWork() { return elementwiseWork(*this, 2); }
