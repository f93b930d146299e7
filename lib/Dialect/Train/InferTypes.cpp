//===- InferTypes.cpp - result types of train operations ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"

using namespace mlir;
using namespace takt::train;

/// What every inferReturnTypes below takes.
#define INFER(OpTy)                                                            \
  LogicalResult OpTy::inferReturnTypes(                                        \
      MLIRContext *, std::optional<Location> location, Adaptor adaptor,        \
      SmallVectorImpl<Type> &types)

using Types = SmallVectorImpl<Type>;

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

INFER(ConvOp) {
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectTensors(adaptor.getOperands().getTypes())))
    return failure();
  ArrayRef<int64_t> x = shapeOf(adaptor.getX()), w = shapeOf(adaptor.getW());
  FailureOr<Dims> y = convShape(reporter, x, w, adaptor.getGroups(),
                                convAttributes<Adaptor &>(adaptor, w));
  if (failed(y))
    return failure();
  if (Value bias = adaptor.getB())
    if (failed(reporter.expectShape("b", shapeOf(bias), w[0])))
      return failure();
  return makeResult(reporter, *y, elementTypeOf(adaptor.getX()), types);
}

/// Rows and columns of a product of the last two axes.
static FailureOr<Dims> productShape(const Reporter &reporter,
                                    ArrayRef<int64_t> a, bool transA,
                                    ArrayRef<int64_t> b, bool transB) {
  ArrayRef<int64_t> lastA = a.take_back(2), lastB = b.take_back(2);
  if (lastA[!transA] != lastB[transB])
    return reporter.failValue("shape of b", shapeText(b),
                              Twine(lastA[!transA]) + " for axis " +
                                  Twine(b.size() - 2 + transB) +
                                  ", as a has shape " + shapeText(a));
  return Dims{lastA[transA], lastB[!transB]};
}

INFER(GemmOp) {
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectTensors(adaptor.getOperands().getTypes())))
    return failure();
  ArrayRef<int64_t> a = shapeOf(adaptor.getA()), b = shapeOf(adaptor.getB());
  if (failed(reporter.expectRank("a", a, 2, 2)) ||
      failed(reporter.expectRank("b", b, 2, 2)))
    return failure();
  FailureOr<Dims> y =
      productShape(reporter, a, adaptor.getTransA(), b, adaptor.getTransB());
  if (failed(y))
    return failure();
  if (Value c = adaptor.getC()) {
    FailureOr<Dims> sum = broadcastShape(reporter, {*y, shapeOf(c)});
    if (failed(sum))
      return failure();
    if (*sum != *y)
      return reporter.failValue("shape of c", shapeText(shapeOf(c)),
                                "one that broadcasts to " + shapeText(*y));
  }
  return makeResult(reporter, *y, elementTypeOf(adaptor.getA()), types);
}

INFER(MatMulOp) {
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectTensors(adaptor.getOperands().getTypes())))
    return failure();
  ArrayRef<int64_t> a = shapeOf(adaptor.getA()), b = shapeOf(adaptor.getB());
  if (failed(reporter.expectRank("a", a, 2, 8)) ||
      failed(reporter.expectRank("b", b, 2, 8)))
    return failure();
  FailureOr<Dims> matrix =
      productShape(reporter, a, adaptor.getTransA(), b, adaptor.getTransB());
  if (failed(matrix))
    return failure();
  FailureOr<Dims> y =
      broadcastShape(reporter, {a.drop_back(2), b.drop_back(2)});
  if (failed(y))
    return failure();
  y->append(*matrix);
  return makeResult(reporter, *y, elementTypeOf(adaptor.getA()), types);
}

//===----------------------------------------------------------------------===//
// Normalization
//===----------------------------------------------------------------------===//

/// Checks that x has channels, and that each of the named tensors has one
/// element per channel.
static LogicalResult
expectPerChannel(const Reporter &reporter, Value x,
                 ArrayRef<std::pair<StringRef, Value>> tensors) {
  if (failed(reporter.expectRank("x", shapeOf(x), 2, 8)))
    return failure();
  for (auto [name, tensor] : tensors)
    if (failed(reporter.expectShape(name, shapeOf(tensor), shapeOf(x)[1])))
      return failure();
  return success();
}

INFER(BatchNormOp) {
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectTensors(adaptor.getOperands().getTypes())) ||
      failed(expectPerChannel(reporter, adaptor.getX(),
                              {{"scale", adaptor.getScale()},
                               {"bias", adaptor.getBias()},
                               {"running_mean", adaptor.getRunningMean()},
                               {"running_var", adaptor.getRunningVar()}})))
    return failure();
  float epsilon = adaptor.getEpsilon(), momentum = adaptor.getMomentum();
  if (epsilon < 0)
    return reporter.failValue("epsilon", std::to_string(epsilon), "at least 0");
  if (momentum < 0 || momentum > 1)
    return reporter.failValue("momentum", std::to_string(momentum),
                              "a number from 0 to 1");
  types.push_back(adaptor.getX().getType());
  types.append(4, adaptor.getScale().getType());
  return success();
}

INFER(BatchNormApplyOp) {
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectTensors(adaptor.getOperands().getTypes())) ||
      failed(expectPerChannel(reporter, adaptor.getX(),
                              {{"scale", adaptor.getScale()},
                               {"bias", adaptor.getBias()},
                               {"mean", adaptor.getMean()},
                               {"inv_std", adaptor.getInvStd()}})))
    return failure();
  types.push_back(adaptor.getX().getType());
  return success();
}

INFER(BatchNormDgradOp) {
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectTensors(adaptor.getOperands().getTypes())) ||
      failed(reporter.expectShape("dy", shapeOf(adaptor.getDy()),
                                  shapeOf(adaptor.getX()))) ||
      failed(expectPerChannel(reporter, adaptor.getX(),
                              {{"scale", adaptor.getScale()},
                               {"mean", adaptor.getMean()},
                               {"inv_std", adaptor.getInvStd()}})))
    return failure();
  types.push_back(adaptor.getX().getType());
  return success();
}

INFER(BatchNormWgradOp) {
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectTensors(adaptor.getOperands().getTypes())) ||
      failed(reporter.expectShape("dy", shapeOf(adaptor.getDy()),
                                  shapeOf(adaptor.getX()))) ||
      failed(expectPerChannel(
          reporter, adaptor.getX(),
          {{"mean", adaptor.getMean()}, {"inv_std", adaptor.getInvStd()}})))
    return failure();
  types.append(2, adaptor.getMean().getType());
  return success();
}

INFER(NormalizeOp) {
  Reporter reporter(location, getOperationName());
  ArrayRef<int64_t> x = shapeOf(adaptor.getX());
  if (failed(reporter.expectAttribute("axis", adaptor.getAxisAttr())) ||
      failed(reporter.expectTensors(adaptor.getOperands().getTypes())) ||
      failed(expectAxis(reporter, adaptor.getAxis(), x)))
    return failure();
  if (float epsilon = adaptor.getEpsilon(); epsilon < 0)
    return reporter.failValue("epsilon", std::to_string(epsilon), "at least 0");
  types.push_back(adaptor.getX().getType());
  return makeResult(reporter, x.take_front(adaptor.getAxis()),
                    elementTypeOf(adaptor.getX()), types);
}

INFER(NormalizeDgradOp) {
  Reporter reporter(location, getOperationName());
  ArrayRef<int64_t> y = shapeOf(adaptor.getY());
  if (failed(reporter.expectAttribute("axis", adaptor.getAxisAttr())) ||
      failed(reporter.expectTensors(adaptor.getOperands().getTypes())) ||
      failed(reporter.expectShape("dy", shapeOf(adaptor.getDy()), y)) ||
      failed(expectAxis(reporter, adaptor.getAxis(), y)) ||
      failed(reporter.expectShape("inv_std", shapeOf(adaptor.getInvStd()),
                                  y.take_front(adaptor.getAxis()))))
    return failure();
  types.push_back(adaptor.getY().getType());
  return success();
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

/// The shape of the pool's result. Fails with a diagnostic if operands and
/// attributes do not fit each other.
template <typename Adaptor>
static FailureOr<Dims> inferPool(const Reporter &reporter, Adaptor &adaptor,
                                 bool (*accepts)(Type) = isFloatTensor) {
  if (failed(reporter.expectAttribute("kernel", adaptor.getKernelAttr())) ||
      failed(reporter.expectTensors(adaptor.getX().getType(), accepts)))
    return failure();
  return poolShape(reporter, shapeOf(adaptor.getX()),
                   poolAttributes<Adaptor &>(adaptor), adaptor.getCeilMode());
}

INFER(MaxPoolOp) {
  Reporter reporter(location, getOperationName());
  FailureOr<Dims> y = inferPool(reporter, adaptor, isNumberTensor);
  if (failed(y))
    return failure();
  return makeResult(reporter, *y, elementTypeOf(adaptor.getX()), types);
}

INFER(MaxPoolIndicesOp) {
  Reporter reporter(location, getOperationName());
  FailureOr<Dims> indices = inferPool(reporter, adaptor, isNumberTensor);
  if (failed(indices))
    return failure();
  Type index = IntegerType::get(adaptor.getX().getContext(), 64);
  return makeResult(reporter, *indices, index, types);
}

INFER(AveragePoolOp) {
  Reporter reporter(location, getOperationName());
  FailureOr<Dims> y = inferPool(reporter, adaptor);
  if (failed(y))
    return failure();
  return makeResult(reporter, *y, elementTypeOf(adaptor.getX()), types);
}

static LogicalResult expectNorm(const Reporter &reporter, float p) {
  if (p >= 1)
    return success();
  return reporter.failValue("p", std::to_string(p), "at least 1");
}

INFER(LpPoolOp) {
  Reporter reporter(location, getOperationName());
  FailureOr<Dims> y = inferPool(reporter, adaptor);
  if (failed(y) || failed(expectNorm(reporter, adaptor.getP())))
    return failure();
  return makeResult(reporter, *y, elementTypeOf(adaptor.getX()), types);
}

INFER(GlobalAveragePoolOp) {
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectTensors(adaptor.getOperands().getTypes())))
    return failure();
  ArrayRef<int64_t> x = shapeOf(adaptor.getX());
  if (failed(reporter.expectRank("x", x, 2, 8)))
    return failure();
  Dims y(x.size(), 1);
  y[0] = x[0];
  y[1] = x[1];
  return makeResult(reporter, y, elementTypeOf(adaptor.getX()), types);
}

INFER(MaxPoolDgradOp) {
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectAttribute("kernel", adaptor.getKernelAttr())) ||
      failed(reporter.expectTensors(adaptor.getOperands().getTypes())) ||
      failed(expectPooled(reporter, shapeOf(adaptor.getDy()),
                          shapeOf(adaptor.getX()),
                          poolAttributes<Adaptor &>(adaptor))))
    return failure();
  types.push_back(adaptor.getX().getType());
  return success();
}

INFER(LpPoolDgradOp) {
  Reporter reporter(location, getOperationName());
  ArrayRef<int64_t> dy = shapeOf(adaptor.getDy());
  if (failed(reporter.expectAttribute("kernel", adaptor.getKernelAttr())) ||
      failed(reporter.expectTensors(adaptor.getOperands().getTypes())) ||
      failed(expectNorm(reporter, adaptor.getP())) ||
      failed(expectPooled(reporter, dy, shapeOf(adaptor.getX()),
                          poolAttributes<Adaptor &>(adaptor))) ||
      failed(reporter.expectShape("y", shapeOf(adaptor.getY()), dy)))
    return failure();
  types.push_back(adaptor.getX().getType());
  return success();
}

//===----------------------------------------------------------------------===//
// Broadcasting
//===----------------------------------------------------------------------===//

static LogicalResult inferBroadcast(const Reporter &reporter,
                                    ValueRange operands, Types &types,
                                    bool (*accepts)(Type) = isNumberTensor) {
  if (operands.empty())
    return reporter.failValue("number of operands", "0", "at least 1");
  if (failed(reporter.expectTensors(operands.getTypes(), accepts)))
    return failure();
  auto shapes = llvm::map_to_vector(operands, shapeOf);
  FailureOr<Dims> y = broadcastShape(reporter, shapes);
  if (failed(y))
    return failure();
  return makeResult(reporter, *y, elementTypeOf(operands[0]), types);
}

INFER(AddOp) {
  return inferBroadcast(Reporter(location, getOperationName()),
                        adaptor.getOperands(), types);
}

INFER(MulOp) {
  return inferBroadcast(Reporter(location, getOperationName()),
                        adaptor.getOperands(), types);
}

INFER(SumOp) {
  return inferBroadcast(Reporter(location, getOperationName()),
                        adaptor.getOperands(), types, isFloatTensor);
}

INFER(SumSquaresOp) {
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectTensors(adaptor.getOperands().getTypes())))
    return failure();
  return makeResult(reporter, {}, elementTypeOf(adaptor.getX()), types);
}

INFER(ClipFactorOp) {
  Reporter reporter(location, getOperationName());
  ValueRange operands = adaptor.getOperands();
  if (operands.empty())
    return reporter.failValue("number of operands", "0", "at least 1");
  if (failed(reporter.expectTensors(operands.getTypes())))
    return failure();
  for (Value operand : operands)
    if (failed(reporter.expectRank("squares", shapeOf(operand), 0, 0)))
      return failure();
  return makeResult(reporter, {}, elementTypeOf(operands[0]), types);
}

INFER(BinaryOp) {
  using F = takt::BinaryFunction;
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectAttribute("function", adaptor.getFunctionAttr())) ||
      failed(inferBroadcast(reporter, adaptor.getOperands(), types, isTensor)))
    return failure();
  Type element = cast<RankedTensorType>(types.front()).getElementType();
  F function = adaptor.getFunction();
  bool ofBool = function == F::Max || function == F::Min;
  if (isa<FloatType>(element) ||
      (element.isInteger(1) ? ofBool : function != F::PRelu))
    return success();
  return reporter.failValue("function", takt::name(function),
                            element.isInteger(1) ? "max or min for i1"
                                                 : "another one for integers");
}

INFER(BinaryDgradOp) {
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectAttribute("operand", adaptor.getOperandAttr())) ||
      failed(reporter.expectRange("operand", adaptor.getOperand(), 0, 1)) ||
      failed(reporter.expectTensors(adaptor.getOperands().getTypes())))
    return failure();
  FailureOr<Dims> y = broadcastShape(
      reporter, {shapeOf(adaptor.getA()), shapeOf(adaptor.getB())});
  if (failed(y) ||
      failed(reporter.expectShape("dy", shapeOf(adaptor.getDy()), *y)))
    return failure();
  types.push_back(adaptor.getDy().getType());
  return success();
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

INFER(ConcatOp) {
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectAttribute("axis", adaptor.getAxisAttr())))
    return failure();
  ValueRange operands = adaptor.getOperands();
  if (operands.empty())
    return reporter.failValue("number of operands", "0", "at least 1");
  if (failed(reporter.expectTensors(operands.getTypes(), isTensor)))
    return failure();
  Dims dims(shapeOf(operands[0]));
  int64_t axis = adaptor.getAxis(), extent = 0;
  if (failed(expectAxis(reporter, axis, dims)))
    return failure();
  for (auto [i, operand] : llvm::enumerate(operands)) {
    std::string name = "operand #" + std::to_string(i);
    if (failed(reporter.expectRank(name, shapeOf(operand), dims.size(),
                                   dims.size())))
      return failure();
    dims[axis] = shapeOf(operand)[axis];
    extent += dims[axis];
    if (failed(reporter.expectShape(name, shapeOf(operand), dims)))
      return failure();
  }
  dims[axis] = extent;
  return makeResult(reporter, dims, elementTypeOf(operands[0]), types);
}

INFER(PadOp) {
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectAttribute("mode", adaptor.getModeAttr())) ||
      failed(reporter.expectAttribute("begins", adaptor.getBeginsAttr())) ||
      failed(reporter.expectAttribute("ends", adaptor.getEndsAttr())) ||
      failed(
          reporter.expectTensors(adaptor.getOperands().getTypes(), isTensor)))
    return failure();
  FailureOr<Dims> y =
      paddedShape(reporter, shapeOf(adaptor.getX()), adaptor.getMode(),
                  adaptor.getBegins(), adaptor.getEnds());
  if (failed(y))
    return failure();
  return makeResult(reporter, *y, elementTypeOf(adaptor.getX()), types);
}

INFER(TransposeOp) {
  Reporter reporter(location, getOperationName());
  if (failed(reporter.expectAttribute("permutation",
                                      adaptor.getPermutationAttr())) ||
      failed(
          reporter.expectTensors(adaptor.getOperands().getTypes(), isTensor)))
    return failure();
  ArrayRef<int64_t> x = shapeOf(adaptor.getX());
  ArrayRef<int64_t> permutation = adaptor.getPermutation();
  int64_t rank = x.size();
  if (failed(reporter.expectRange("length of permutation", permutation.size(),
                                  rank, rank)))
    return failure();
  Dims dims;
  SmallVector<bool> seen(rank, false);
  for (auto [i, from] : llvm::enumerate(permutation)) {
    std::string name = "permutation[" + std::to_string(i) + "]";
    if (failed(reporter.expectRange(name, from, 0, rank - 1)))
      return failure();
    if (seen[from])
      return reporter.failValue(name, Twine(from),
                                "an axis that is not taken yet");
    seen[from] = true;
    dims.push_back(x[from]);
  }
  return makeResult(reporter, dims, elementTypeOf(adaptor.getX()), types);
}

//===----------------------------------------------------------------------===//
// Losses
//===----------------------------------------------------------------------===//

INFER(SoftmaxCrossEntropyOp) {
  Reporter reporter(location, getOperationName());
  Value logits = adaptor.getLogits(), labels = adaptor.getLabels();
  if (failed(reporter.expectTensors(logits.getType())))
    return failure();
  if (!isLabelTensor(labels.getType()))
    return reporter.fail("labels are no static tensor of i64");
  Dims expected(shapeOf(logits));
  if (failed(reporter.expectRank("logits", expected, 2, 8)) ||
      failed(reporter.expectRange("axis", adaptor.getAxis(), 1,
                                  int64_t(expected.size()) - 1)))
    return failure();
  expected.erase(expected.begin() + adaptor.getAxis());
  if (failed(reporter.expectShape("labels", shapeOf(labels), expected)))
    return failure();
  types.push_back(RankedTensorType::get({}, elementTypeOf(logits)));
  types.push_back(logits.getType());
  return success();
}

INFER(MeanSquaredErrorOp) {
  Reporter reporter(location, getOperationName());
  Value x = adaptor.getX(), target = adaptor.getTarget();
  if (failed(reporter.expectTensors(adaptor.getOperands().getTypes())) ||
      failed(reporter.expectShape("target", shapeOf(target), shapeOf(x))))
    return failure();
  types.push_back(RankedTensorType::get({}, elementTypeOf(x)));
  types.push_back(x.getType());
  return success();
}
