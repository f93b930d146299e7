//===- KernelRules.cpp - shape rules of kernels ---------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRules.h"

using namespace llvm;

namespace takt {

namespace {

using Dims = SmallVector<int64_t, 8>;

/// Largest window of a response norm, far more than there are channels.
constexpr int64_t kMaxResponseWindow = int64_t(1) << 22;

//===----------------------------------------------------------------------===//
// Rules that several kernels share
//===----------------------------------------------------------------------===//

/// Every tensor has the shape of the first operand.
Error elementwise(const KernelSubject &s) {
  ArrayRef<int64_t> dims = s.in(0).dims;
  for (size_t i = 1; i < s.operands(); ++i)
    if (Error error = s.expectShape(s.in(i), dims))
      return error;
  for (size_t i = 0; i < s.kernel.results.size(); ++i)
    if (Error error = s.expectShape(s.out(i), dims))
      return error;
  return Error::success();
}

/// Checks that a float word is at least 0 and, unless `below` is 0, less than
/// `below`.
Error expectFloat(const KernelSubject &s, StringRef name, size_t word,
                  float below = 0) {
  float value = wordToFloat(s.word(word));
  if (value >= 0 && (below == 0 || value < below))
    return Error::success();
  return s.failValue(name, Twine(std::to_string(value)),
                     below == 0 ? "at least 0"
                                : "at least 0 and less than " +
                                      std::to_string(int(below)));
}

/// The result is the broadcast of all operands.
Error broadcasting(const KernelSubject &s) {
  Dims dims;
  for (size_t i = 0; i < s.operands(); ++i)
    if (Error error = broadcast(s, s.in(i), dims))
      return error;
  return s.expectShape(s.out(0), dims);
}

Error checkUnary(const KernelSubject &s) {
  if (Error error = expectNamed<UnaryFunction>(s, "function", 0))
    return error;
  return elementwise(s);
}

Error checkBinary(const KernelSubject &s) {
  if (Error error = expectNamed<BinaryFunction>(s, "function", 0))
    return error;
  auto function = BinaryFunction(s.word(0));
  ElementType type = s.outType(0);
  bool ofBool =
      function == BinaryFunction::Max || function == BinaryFunction::Min;
  if (type == ElementType::I1 && !ofBool)
    return s.failValue("function", name(function), "max or min for i1");
  if ((type == ElementType::I32 || type == ElementType::I64) &&
      function == BinaryFunction::PRelu)
    return s.failValue("function", name(function), "another one for integers");
  return broadcasting(s);
}

Error checkBinaryDgrad(const KernelSubject &s) {
  if (Error error = expectNamed<BinaryFunction>(s, "function", 0))
    return error;
  if (Error error = s.expectFlag("operand", 1))
    return error;
  Dims dims;
  for (size_t i : {1, 2})
    if (Error error = broadcast(s, s.in(i), dims))
      return error;
  if (Error error = s.expectShape(s.in(0), dims))
    return error;
  return s.expectShape(s.out(0), dims);
}

/// Same shapes, and word 0 is an axis.
Error alongAxis(const KernelSubject &s) {
  if (Error error = elementwise(s))
    return error;
  return s.expectRange("axis", s.word(0), 0, int64_t(s.in(0).rank()) - 1);
}

Error globalPool(const KernelSubject &s, const NamedShape &x,
                 const NamedShape &y) {
  if (Error error = s.expectRank(x, 2, 8))
    return error;
  Dims output(x.rank(), 1);
  output[0] = x[0];
  output[1] = x[1];
  return s.expectShape(y, output);
}

Error checkGlobalAveragePool(const KernelSubject &s) {
  return globalPool(s, s.in(0), s.out(0));
}

Error checkGlobalAveragePoolDgrad(const KernelSubject &s) {
  return globalPool(s, s.out(0), s.in(0));
}

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

/// Rows and columns of the last two axes of a and b after transposition.
Error matrixShape(const KernelSubject &s, Dims &shape) {
  NamedShape a = s.in(0), b = s.in(1);
  if (Error error = s.expectFlag("trans_a", 0))
    return error;
  if (Error error = s.expectFlag("trans_b", 1))
    return error;
  size_t rowA = a.rank() - 2 + s.word(0), columnA = a.rank() - 1 - s.word(0);
  size_t rowB = b.rank() - 2 + s.word(1), columnB = b.rank() - 1 - s.word(1);
  if (a[columnA] != b[rowB])
    return s.fail("shapes of a and b are " + shapeText(a.dims) + " and " +
                  shapeText(b.dims) + ", with inner dimensions " +
                  Twine(a[columnA]) + " and " + Twine(b[rowB]) +
                  ", expected equal ones");
  shape = {a[rowA], b[columnB]};
  return Error::success();
}

Error checkGemm(const KernelSubject &s) {
  for (size_t i = 0; i < 2; ++i)
    if (Error error = s.expectRank(s.in(i), 2, 2))
      return error;
  Dims shape;
  if (Error error = matrixShape(s, shape))
    return error;
  if (Error error = s.expectShape(s.out(0), shape))
    return error;
  if (s.operands() == 2)
    return Error::success();
  Dims dims(shape);
  if (Error error = broadcast(s, s.in(2), dims))
    return error;
  // c broadcasts to the result, not the other way round.
  return dims == shape
             ? Error::success()
             : s.failValue("shape of c", shapeText(s.in(2).dims),
                           "one that broadcasts to " + shapeText(shape));
}

Error checkMatMul(const KernelSubject &s) {
  for (size_t i = 0; i < 2; ++i)
    if (Error error = s.expectRank(s.in(i), 2, 8))
      return error;
  Dims shape, batch;
  if (Error error = matrixShape(s, shape))
    return error;
  for (size_t i = 0; i < 2; ++i) {
    NamedShape outer = s.in(i);
    outer.dims = outer.dims.drop_back(2);
    if (Error error = broadcast(s, outer, batch))
      return error;
  }
  batch.append(shape);
  return s.expectShape(s.out(0), batch);
}

//===----------------------------------------------------------------------===//
// Normalization
//===----------------------------------------------------------------------===//

/// Checks that the listed tensors are vectors with one element per channel.
Error perChannel(const KernelSubject &s, const NamedShape &x,
                 ArrayRef<NamedShape> tensors) {
  if (Error error = s.expectRank(x, 2, 8))
    return error;
  for (const NamedShape &tensor : tensors)
    if (Error error = s.expectShape(tensor, x[1]))
      return error;
  return Error::success();
}

Error checkBatchNorm(const KernelSubject &s) {
  if (Error error = perChannel(s, s.in(0),
                               {s.in(1), s.in(2), s.in(3), s.in(4), s.out(1),
                                s.out(2), s.out(3), s.out(4)}))
    return error;
  if (Error error = expectFloat(s, "epsilon", 0))
    return error;
  if (Error error = expectFloat(s, "momentum", 1))
    return error;
  return s.expectShape(s.out(0), s.in(0).dims);
}

Error checkBatchNormApply(const KernelSubject &s) {
  if (Error error =
          perChannel(s, s.in(0), {s.in(1), s.in(2), s.in(3), s.in(4)}))
    return error;
  return s.expectShape(s.out(0), s.in(0).dims);
}

Error checkBatchNormDgrad(const KernelSubject &s) {
  if (Error error = perChannel(s, s.in(0), {s.in(2), s.in(3), s.in(4)}))
    return error;
  if (Error error = s.expectShape(s.in(1), s.in(0).dims))
    return error;
  return s.expectShape(s.out(0), s.in(0).dims);
}

Error checkBatchNormWgrad(const KernelSubject &s) {
  if (Error error =
          perChannel(s, s.in(0), {s.in(2), s.in(3), s.out(0), s.out(1)}))
    return error;
  return s.expectShape(s.in(1), s.in(0).dims);
}

Error checkLrn(const KernelSubject &s) {
  if (Error error = s.expectRank(s.in(0), 2, 8))
    return error;
  if (Error error = s.expectRange("size", s.word(0), 1, kMaxResponseWindow))
    return error;
  return elementwise(s);
}

/// x and y have the same shape, and inv_std its sizes before word 0, the axis.
Error normalized(const KernelSubject &s, const NamedShape &x,
                 const NamedShape &y, const NamedShape &invStd) {
  if (Error error = s.expectRange("axis", s.word(0), 0, int64_t(x.rank()) - 1))
    return error;
  if (Error error = s.expectShape(y, x.dims))
    return error;
  return s.expectShape(invStd, x.dims.take_front(s.word(0)));
}

Error checkNormalize(const KernelSubject &s) {
  if (Error error = expectFloat(s, "epsilon", 1))
    return error;
  return normalized(s, s.in(0), s.out(0), s.out(1));
}

Error checkNormalizeDgrad(const KernelSubject &s) {
  if (Error error = s.expectShape(s.in(0), s.in(1).dims))
    return error;
  return normalized(s, s.out(0), s.in(1), s.in(2));
}

Error checkDropout(const KernelSubject &s) {
  if (Error error = expectFloat(s, "ratio", 0, 1))
    return error;
  return elementwise(s);
}

/// Any shape.
Error checkRandomUniform(const KernelSubject &s) {
  float low = wordToFloat(s.word(0)), high = wordToFloat(s.word(1));
  if (low < high)
    return Error::success();
  return s.failValue("low", std::to_string(low),
                     "less than high, which is " + std::to_string(high));
}

Error checkRandomNormal(const KernelSubject &s) {
  return expectFloat(s, "scale", 1);
}

//===----------------------------------------------------------------------===//
// Losses and optimizers
//===----------------------------------------------------------------------===//

Error checkSoftmaxCrossEntropy(const KernelSubject &s) {
  if (Error error = s.expectRank(s.in(0), 2, 8))
    return error;
  if (Error error = s.expectRange("axis", s.word(0), 1, s.in(0).rank() - 1))
    return error;
  Dims labels(s.in(0).dims);
  labels.erase(labels.begin() + s.word(0));
  if (Error error = s.expectShape(s.in(1), labels))
    return error;
  if (Error error = s.expectRank(s.out(0), 0, 0))
    return error;
  return s.expectShape(s.out(1), s.in(0).dims);
}

Error checkMeanSquaredError(const KernelSubject &s) {
  if (Error error = s.expectShape(s.in(1), s.in(0).dims))
    return error;
  if (Error error = s.expectRank(s.out(0), 0, 0))
    return error;
  return s.expectShape(s.out(1), s.in(0).dims);
}

Error checkScaleGradient(const KernelSubject &s) {
  if (Error error = s.expectFlag("divide", 0))
    return error;
  return elementwise(s);
}

/// The factor of the learning rate and the limit of the gradient are the last
/// two words of every update.
Error update(const KernelSubject &s) {
  size_t last = s.kernel.words.size() - 1;
  if (Error error = expectFloat(s, "rate_factor", last - 1))
    return error;
  if (Error error = expectFloat(s, "clip_value", last))
    return error;
  return elementwise(s);
}

Error checkSumSquares(const KernelSubject &s) {
  return s.expectRank(s.out(0), 0, 0);
}

Error checkClipFactor(const KernelSubject &s) {
  for (size_t i = 0; i < s.operands(); ++i)
    if (Error error = s.expectRank(s.in(i), 0, 0))
      return error;
  return s.expectRank(s.out(0), 0, 0);
}

Error checkMomentum(const KernelSubject &s) {
  if (Error error = s.expectFlag("nesterov", 1))
    return error;
  return update(s);
}

Error checkAdam(const KernelSubject &s) {
  if (Error error = expectFloat(s, "beta1", 0, 1))
    return error;
  if (Error error = expectFloat(s, "beta2", 1, 1))
    return error;
  if (Error error = expectFloat(s, "epsilon", 2))
    return error;
  if (Error error = s.expectFlag("decoupled", 4))
    return error;
  return update(s);
}

/// Both halves of a reconstruction. Stages have 16 bits, and no pipeline delays
/// an update by more of them.
Error checkFade(const KernelSubject &s) {
  constexpr int64_t longest = 65535;
  if (Error error = s.expectRange("updates", s.word(0), 0, longest))
    return error;
  if (Error error = expectFloat(s, "decay", 1, 1))
    return error;
  return elementwise(s);
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

constexpr auto checkRelu = elementwise;
constexpr auto checkLeakyRelu = elementwise;
constexpr auto checkSigmoid = elementwise;
constexpr auto checkTanh = elementwise;
constexpr auto checkAdd = broadcasting;
constexpr auto checkMul = broadcasting;
constexpr auto checkSum = broadcasting;
constexpr auto checkSoftmax = alongAxis;
constexpr auto checkLogSoftmax = alongAxis;
constexpr auto checkScale = elementwise;
constexpr auto checkUnaryDgrad = checkUnary;
constexpr auto checkReluDgrad = elementwise;
constexpr auto checkLeakyReluDgrad = elementwise;
constexpr auto checkSigmoidDgrad = elementwise;
constexpr auto checkTanhDgrad = elementwise;
constexpr auto checkLrnDgrad = checkLrn;
constexpr auto checkSoftmaxDgrad = alongAxis;
constexpr auto checkLogSoftmaxDgrad = alongAxis;
constexpr auto checkSgd = update;
constexpr auto checkReconstruct = checkFade;

TypeRule typeRule(KernelId id) {
  switch (id) {
  case KernelId::Concat:
  case KernelId::Reshape:
  case KernelId::Transpose:
  case KernelId::Slice:
  case KernelId::Expand:
  case KernelId::Pad:
  case KernelId::Binary:
    return TypeRule::Any;
  case KernelId::Add:
  case KernelId::Mul:
  case KernelId::ReduceSum:
  case KernelId::ReduceMax:
  case KernelId::CumSum:
  case KernelId::MaxPool:
    return TypeRule::Number;
  case KernelId::Cast:
  case KernelId::Compare:
  case KernelId::Where:
  case KernelId::WhereDgrad:
  case KernelId::Gather:
  case KernelId::GatherDgrad:
  case KernelId::GatherElements:
  case KernelId::GatherElementsDgrad:
  case KernelId::ScatterElements:
  case KernelId::ArgMax:
  case KernelId::TopK:
  case KernelId::MaxPoolIndices:
    return TypeRule::Own;
  case KernelId::SoftmaxCrossEntropy:
    return TypeRule::Labels;
  default:
    return TypeRule::Float;
  }
}

} // namespace

Error broadcast(const KernelSubject &s, const NamedShape &tensor,
                SmallVectorImpl<int64_t> &dims) {
  if (tensor.rank() > dims.size())
    dims.insert(dims.begin(), tensor.rank() - dims.size(), 1);
  size_t skip = dims.size() - tensor.rank();
  for (size_t i = 0; i < tensor.rank(); ++i) {
    int64_t &dim = dims[skip + i];
    if (dim == 1)
      dim = tensor[i];
    else if (tensor[i] != 1 && tensor[i] != dim)
      return s.failValue("shape of " + tensor.name, shapeText(tensor.dims),
                         "one that broadcasts with " + shapeText(dims));
  }
  return Error::success();
}

KernelRule kernelRule(KernelId id) {
  switch (id) {
#define TAKT_KERNEL(Name, mnemonic, code, operands, results, words)            \
  case KernelId::Name:                                                         \
    return {check##Name, typeRule(id)};
#include "takt/Target/Kernels.def"
  }
  // Only kernels that Kernels.def lists are asked for; any other has a rule
  // that nothing passes.
  return {[](const KernelSubject &s) { return s.fail("unknown kernel"); }};
}

} // namespace takt
