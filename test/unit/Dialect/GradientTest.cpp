//===- GradientTest.cpp - every dgrad and wgrad by finite differences -----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For an operation y = f(operands) and random dy, the gradient that the
// operation builds for an operand must be that of the number Σ dy · y, which is
// differenced in double precision, with an error of the fourth order.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/StringSet.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace takt::train;

namespace {

/// What operands are drawn from.
enum class Domain {
  Any,
  Distinct, ///< apart from each other within an operand, and from 0
  Apart,    ///< and from the other operand
  Positive, ///< at least 0.5, apart from the other operand
  Above,    ///< above 1
};

struct GradientCase {
  const char *name;
  const char *parameters; ///< of the function
  const char *body;       ///< one operation
  Domain domain = Domain::Any;
};

void PrintTo(const GradientCase &testCase, std::ostream *stream) {
  *stream << testCase.name;
}

const GradientCase kCases[] = {
#include "GradientCases.inc"
};

class GradientTest : public testing::TestWithParam<GradientCase> {
protected:
  GradientTest() : parsed(GetParam().parameters, GetParam().body) {}

  void SetUp() override {
    ASSERT_TRUE(parsed.function()) << GetParam().body;
    op = parsed.last();
    for (Value argument : parsed.block().getArguments()) {
      auto type = cast<RankedTensorType>(argument.getType());
      Domain domain = GetParam().domain;
      bool isFloat = isFloatTensor(type);
      inputs.push_back(domain == Domain::Any || !isFloat
                           ? randomTensor(type, generator)
                           : distinctTensor(type, generator));
      Tensor &input = inputs.back();
      if (!isFloat)
        continue;
      for (int64_t i = 0; i < input.size(); ++i) {
        if (domain == Domain::Positive)
          input[i] = 0.5 + std::abs(input[i]) + 0.01 * double(inputs.size());
        if (domain == Domain::Apart)
          input[i] += 0.01 * double(inputs.size());
        if (domain == Domain::Above)
          input[i] = 1.1 + std::abs(input[i]);
      }
    }
  }

  /// The number that is differentiated: dy · y, or a loss.
  double objective() {
    Values values;
    for (auto [argument, tensor] :
         llvm::zip(parsed.block().getArguments(), inputs))
      values[argument] = tensor;
    EXPECT_FALSE(llvm::errorToBool(evaluate(parsed.block(), values)));
    Tensor y = values[op->getResult(0)];
    double sum = 0;
    for (int64_t i = 0; i < y.size(); ++i)
      sum += (weights.type() ? weights[i] : 1.0) * y[i];
    return sum;
  }

  /// d objective / d element, four points on a line.
  double difference(double &element) {
    constexpr double kStep = 1e-3;
    double centre = element;
    auto at = [&](double offset) {
      element = centre + offset;
      double value = objective();
      element = centre;
      return value;
    };
    return (8 * (at(kStep) - at(-kStep)) - (at(2 * kStep) - at(-2 * kStep))) /
           (12 * kStep);
  }

  void expectGradient(Value operand, const Tensor &gradient) {
    Tensor input = inputs[cast<BlockArgument>(operand).getArgNumber()];
    ASSERT_EQ(gradient.type(), input.type());
    double largest = 1e-3;
    for (int64_t i = 0; i < gradient.size(); ++i)
      largest = std::max(largest, std::abs(gradient[i]));
    for (int64_t i = 0; i < gradient.size(); ++i)
      ASSERT_NEAR(gradient[i], difference(input[i]), 1e-6 * largest)
          << "element " << i << " of argument "
          << cast<BlockArgument>(operand).getArgNumber();
  }

  std::mt19937_64 generator{20261121};
  ParsedFunction parsed;
  Operation *op = nullptr;
  SmallVector<Tensor> inputs;
  Tensor weights; ///< dy; none: 1
};

/// Operands that have no gradient.
bool isConstant(Operation *op, unsigned operand) {
  return !isFloatTensor(op->getOperand(operand).getType()) ||
         (isa<BatchNormOp>(op) && operand >= 3);
}

TEST_P(GradientTest, AgreesWithDifferences) {
  auto differentiable = dyn_cast<DifferentiableOpInterface>(op);
  if (!differentiable) {
    // A loss: its second result is the gradient of the first.
    Values values;
    for (auto [argument, tensor] :
         llvm::zip(parsed.block().getArguments(), inputs))
      values[argument] = tensor;
    ASSERT_FALSE(llvm::errorToBool(evaluate(parsed.block(), values)));
    expectGradient(op->getOperand(0), values[op->getResult(1)]);
    return;
  }
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  weights = randomTensor(type, generator);
  for (unsigned i = 0; i < op->getNumOperands(); ++i) {
    // A block of its own for each operand's gradient, behind the operation.
    ParsedFunction copy(GetParam().parameters, GetParam().body);
    Value dy = copy.block().addArgument(
        RankedTensorType::get(type.getShape(),
                              Float64Type::get(copy.context())),
        copy.function().getLoc());
    SmallVector<Value> gradients(op->getNumResults());
    gradients[0] = dy;
    OpBuilder builder = copy.builder();
    auto source = cast<DifferentiableOpInterface>(copy.last());
    Value gradient = source.buildOperandGradient(builder, i, gradients);
    ASSERT_EQ(!gradient, isConstant(op, i)) << "operand " << i;
    if (!gradient)
      continue;
    // The function's type does not know of dy: verify the operations.
    for (Operation &built : copy.block())
      ASSERT_TRUE(succeeded(mlir::verify(&built)));
    Values values;
    for (auto [argument, tensor] :
         llvm::zip(copy.block().getArguments(), inputs))
      values[argument] = tensor;
    values[dy] = weights;
    ASSERT_FALSE(llvm::errorToBool(evaluate(copy.block(), values)));
    Tensor result = values[gradient],
           expected(cast<RankedTensorType>(op->getOperand(i).getType()));
    ASSERT_EQ(result.type().getShape(), expected.type().getShape());
    std::memcpy(expected.data(), result.data(), getBytes(result.type()));
    expectGradient(op->getOperand(i), expected);
  }
}

TEST_P(GradientTest, IsNullWithoutResultGradient) {
  auto differentiable = dyn_cast<DifferentiableOpInterface>(op);
  if (!differentiable)
    return;
  OpBuilder builder = parsed.builder();
  SmallVector<Value> none(op->getNumResults());
  for (unsigned i = 0; i < op->getNumOperands(); ++i)
    EXPECT_FALSE(differentiable.buildOperandGradient(builder, i, none));
  EXPECT_EQ(parsed.last(), op);
}

/// What may be made again for the backward pass has the same bits.
TEST_P(GradientTest, MadeAgainIsTheSame) {
  auto kernel = cast<KernelOpInterface>(op);
  OpBuilder builder = parsed.builder();
  Operation *again = kernel.makeAgain(builder, op->getOperands());
  ASSERT_TRUE(succeeded(mlir::verify(again)));
  Values values;
  for (auto [argument, tensor] :
       llvm::zip(parsed.block().getArguments(), inputs))
    values[argument] = tensor;
  ASSERT_FALSE(llvm::errorToBool(evaluate(parsed.block(), values)));
  bool some = false;
  for (OpResult result : op->getResults()) {
    unsigned number = result.getResultNumber();
    if (!kernel.canMakeAgain(number))
      continue;
    some = true;
    ASSERT_EQ(again->getResult(number).getType(), result.getType());
    Tensor a = values[result], b = values[again->getResult(number)];
    ASSERT_EQ(std::memcmp(a.data(), b.data(), getBytes(a.type())), 0);
  }
  EXPECT_TRUE(some);
}

/// What an operation gives for some rows of its operands at a time, one behind
/// the other or added.
Value buildInParts(OpBuilder &builder, RowwiseOpInterface op, int64_t at,
                   int64_t rows) {
  SmallVector<Value> parts;
  bool adds = op.getRowRule() == RowRule::Sum;
  for (auto [begin, end] : {std::pair(int64_t(0), at), std::pair(at, rows)}) {
    IRMapping mapping;
    auto withRows = [&, count = end - begin](Value value) {
      auto type = cast<RankedTensorType>(value.getType());
      SmallVector<int64_t> dims(type.getShape());
      dims[0] = count;
      return type.clone(dims);
    };
    for (OpOperand &operand : op->getOpOperands())
      if (op.readsRows(operand.getOperandNumber()))
        mapping.map(operand.get(),
                    SliceOp::create(builder, op.getLoc(),
                                    withRows(operand.get()), operand.get(),
                                    /*axis=*/0, begin));
    Operation *part = op->cloneWithoutRegions(mapping);
    if (!adds)
      part->getResult(0).setType(withRows(op->getResult(0)));
    parts.push_back(builder.insert(part)->getResult(0));
  }
  if (adds)
    return SumOp::create(builder, op.getLoc(), parts);
  return ConcatOp::create(builder, op.getLoc(), parts, /*axis=*/0);
}

/// Of the operation and of its gradients.
TEST_P(GradientTest, RowsMakeTheWhole) {
  OpBuilder builder = parsed.builder();
  Value dy = parsed.block().addArgument(op->getResult(0).getType(),
                                        parsed.function().getLoc());
  if (auto differentiable = dyn_cast<DifferentiableOpInterface>(op)) {
    SmallVector<Value> gradients(op->getNumResults());
    gradients[0] = dy;
    for (unsigned i = 0; i < op->getNumOperands(); ++i)
      differentiable.buildOperandGradient(builder, i, gradients);
  }
  SmallVector<std::pair<Value, Value>> pairs; // whole, in parts
  SmallVector<RowwiseOpInterface> wholes;
  for (Operation &each : parsed.block())
    if (auto rowwise = dyn_cast<RowwiseOpInterface>(each))
      wholes.push_back(rowwise);
  for (RowwiseOpInterface rowwise : wholes) {
    if (rowwise.getRowRule() == RowRule::None)
      continue;
    int64_t rows = 0;
    for (OpOperand &operand : rowwise->getOpOperands())
      if (auto type = cast<RankedTensorType>(operand.get().getType());
          type.getRank() > 0 && rowwise.readsRows(operand.getOperandNumber()))
        rows = type.getDimSize(0);
    // What is broadcast along the rows, and a scalar, has none.
    if (rows < 2 || rowwise->getNumResults() != 1)
      continue;
    for (int64_t at = 1; at < rows; ++at)
      pairs.push_back(
          {rowwise->getResult(0), buildInParts(builder, rowwise, at, rows)});
  }
  for (Operation &built : parsed.block())
    ASSERT_TRUE(succeeded(mlir::verify(&built)));
  Values values;
  for (auto [argument, tensor] :
       llvm::zip(parsed.block().getArguments(), inputs))
    values[argument] = tensor;
  values[dy] = randomTensor(cast<RankedTensorType>(dy.getType()), generator);
  ASSERT_FALSE(llvm::errorToBool(evaluate(parsed.block(), values)));
  for (auto [whole, inParts] : pairs) {
    Tensor a = values[whole], b = values[inParts];
    ASSERT_EQ(a.type(), b.type());
    if (!isFloatTensor(a.type())) {
      ASSERT_EQ(std::memcmp(a.data(), b.data(), getBytes(a.type())), 0);
      continue;
    }
    for (int64_t i = 0; i < a.size(); ++i)
      ASSERT_NEAR(a[i], b[i], 1e-12 * (1 + std::abs(a[i])))
          << whole.getDefiningOp()->getName().getStringRef().str();
  }
}

INSTANTIATE_TEST_SUITE_P(Operations, GradientTest, testing::ValuesIn(kCases),
                         [](const auto &info) {
                           return std::string(info.param.name);
                         });

/// The table leaves no differentiable operation and no loss out.
TEST(GradientCases, CoverTheDialect) {
  llvm::StringSet<> covered;
  for (const GradientCase &testCase : kCases) {
    ParsedFunction parsed(testCase.parameters, testCase.body);
    ASSERT_TRUE(parsed.function()) << testCase.name;
    covered.insert(parsed.last()->getName().getStringRef());
  }
  MLIRContext context;
  context.loadDialect<TrainDialect>();
  for (RegisteredOperationName name :
       context.getRegisteredOperationsByDialect("train"))
    if (name.hasInterface<DifferentiableOpInterface>() ||
        name.getStringRef() == SoftmaxCrossEntropyOp::getOperationName() ||
        name.getStringRef() == MeanSquaredErrorOp::getOperationName()) {
      EXPECT_TRUE(covered.count(name.getStringRef()))
          << name.getStringRef().str();
    }
}

/// Scale and bias of a batch normalization have one gradient operation.
TEST(GradientSharing, BatchNorm) {
  ParsedFunction parsed(
      "%x: tensor<2x3xf64>, %s: tensor<3xf64>, %dy: tensor<2x3xf64>",
      "%0:5 = train.batch_norm %x, %s, %s, %s, %s : (tensor<2x3xf64>, "
      "tensor<3xf64>, tensor<3xf64>, tensor<3xf64>, tensor<3xf64>) -> "
      "(tensor<2x3xf64>, tensor<3xf64>, tensor<3xf64>, tensor<3xf64>, "
      "tensor<3xf64>)");
  ASSERT_TRUE(parsed.function());
  auto op = cast<DifferentiableOpInterface>(parsed.last());
  OpBuilder builder = parsed.builder();
  SmallVector<Value> gradients(5);
  gradients[0] = parsed.block().getArgument(2);
  Value bias = op.buildOperandGradient(builder, 2, gradients);
  Value scale = op.buildOperandGradient(builder, 1, gradients);
  EXPECT_EQ(bias.getDefiningOp(), scale.getDefiningOp());
  EXPECT_NE(bias, scale);
}

} // namespace
