//===- CutTest.cpp - the parts of a cut make the whole --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace takt::train;
using takt::CutAxis;
using takt::CutOption;

namespace {

struct CutCase {
  const char *name;
  const char *parameters;
  const char *body;             ///< one operation that can be cut
  SmallVector<int64_t> extents; ///< of channel, batch, reduction; 0: illegal
};

void PrintTo(const CutCase &testCase, std::ostream *stream) {
  *stream << testCase.name;
}

const CutCase kCases[] = {
    {"conv",
     "%x: tensor<3x6x9x4xf64>, %w: tensor<4x6x3x2xf64>",
     "%0 = train.conv %x, %w {strides = array<i64: 2, 1>, pads_begin = "
     "array<i64: 1, 0>, pads_end = array<i64: 1, 0>} : "
     "(tensor<3x6x9x4xf64>, tensor<4x6x3x2xf64>) -> tensor<3x4x5x3xf64>",
     {4, 3, 6}},
    {"conv_bias",
     "%x: tensor<3x6x7xf64>, %w: tensor<4x6x3xf64>, %b: tensor<4xf64>",
     "%0 = train.conv %x, %w, %b : (tensor<3x6x7xf64>, tensor<4x6x3xf64>, "
     "tensor<4xf64>) -> tensor<3x4x5xf64>",
     {4, 3, 0}},
    {"conv_grouped",
     "%x: tensor<3x6x7xf64>, %w: tensor<4x3x3xf64>",
     "%0 = train.conv %x, %w {groups = 2 : i64} : "
     "(tensor<3x6x7xf64>, tensor<4x3x3xf64>) -> tensor<3x4x5xf64>",
     {0, 3, 0}},
    {"conv_wgrad",
     "%x: tensor<3x6x9x4xf64>, %dy: tensor<3x4x5x3xf64>",
     "%0 = train.conv_wgrad %x, %dy {strides = array<i64: 2, 1>, pads_begin = "
     "array<i64: 1, 0>, pads_end = array<i64: 1, 0>} : "
     "(tensor<3x6x9x4xf64>, tensor<3x4x5x3xf64>) -> tensor<4x6x3x2xf64>",
     {4, 0, 3}},
    {"conv_wgrad_grouped",
     "%x: tensor<3x6x7xf64>, %dy: tensor<3x4x5xf64>",
     "%0 = train.conv_wgrad %x, %dy {groups = 2 : i64} : "
     "(tensor<3x6x7xf64>, tensor<3x4x5xf64>) -> tensor<4x3x3xf64>",
     {0, 0, 3}},
    {"conv_dgrad",
     "%dy: tensor<3x4x5x3xf64>, %w: tensor<4x6x3x2xf64>",
     "%0 = train.conv_dgrad %dy, %w {strides = array<i64: 2, 1>, pads_begin = "
     "array<i64: 1, 0>, pads_end = array<i64: 1, 0>} : "
     "(tensor<3x4x5x3xf64>, tensor<4x6x3x2xf64>) -> tensor<3x6x9x4xf64>",
     {6, 3, 4}},
    {"conv_dgrad_grouped",
     "%dy: tensor<3x4x5xf64>, %w: tensor<4x3x3xf64>",
     "%0 = train.conv_dgrad %dy, %w {groups = 2 : i64} : "
     "(tensor<3x4x5xf64>, tensor<4x3x3xf64>) -> tensor<3x6x7xf64>",
     {0, 3, 0}},
    {"conv_dgrad_single",
     "%dy: tensor<1x4x5xf64>, %w: tensor<4x1x3xf64>",
     "%0 = train.conv_dgrad %dy, %w : "
     "(tensor<1x4x5xf64>, tensor<4x1x3xf64>) -> tensor<1x1x7xf64>",
     {0, 0, 4}},
    {"gemm",
     "%a: tensor<3x4xf64>, %b: tensor<4x5xf64>",
     "%0 = train.gemm %a, %b {alpha = 0.5 : f32} : "
     "(tensor<3x4xf64>, tensor<4x5xf64>) -> tensor<3x5xf64>",
     {5, 3, 4}},
    {"gemm_trans_both",
     "%a: tensor<4x3xf64>, %b: tensor<5x4xf64>",
     "%0 = train.gemm %a, %b {trans_a = true, trans_b = true} : "
     "(tensor<4x3xf64>, tensor<5x4xf64>) -> tensor<3x5xf64>",
     {5, 3, 4}},
    {"gemm_row",
     "%a: tensor<3x4xf64>, %b: tensor<5x4xf64>, %c: tensor<5xf64>",
     "%0 = train.gemm %a, %b, %c {trans_b = true, beta = 2.0 : f32} : "
     "(tensor<3x4xf64>, tensor<5x4xf64>, tensor<5xf64>) -> tensor<3x5xf64>",
     {5, 3, 0}},
    {"gemm_column",
     "%a: tensor<4x3xf64>, %b: tensor<4x5xf64>, %c: tensor<3x1xf64>",
     "%0 = train.gemm %a, %b, %c {trans_a = true} : "
     "(tensor<4x3xf64>, tensor<4x5xf64>, tensor<3x1xf64>) -> tensor<3x5xf64>",
     {5, 3, 0}},
    {"gemm_matrix",
     "%a: tensor<3x4xf64>, %b: tensor<4x5xf64>, %c: tensor<3x5xf64>",
     "%0 = train.gemm %a, %b, %c : "
     "(tensor<3x4xf64>, tensor<4x5xf64>, tensor<3x5xf64>) -> tensor<3x5xf64>",
     {5, 3, 0}},
    {"gemm_scalar",
     "%a: tensor<3x4xf64>, %b: tensor<4x5xf64>, %c: tensor<f64>",
     "%0 = train.gemm %a, %b, %c : "
     "(tensor<3x4xf64>, tensor<4x5xf64>, tensor<f64>) -> tensor<3x5xf64>",
     {5, 3, 0}},
    {"matmul",
     "%a: tensor<4x3xf64>, %b: tensor<4x5xf64>",
     "%0 = train.matmul %a, %b {trans_a = true} : "
     "(tensor<4x3xf64>, tensor<4x5xf64>) -> tensor<3x5xf64>",
     {5, 3, 4}},
    {"matmul_batched_a",
     "%a: tensor<2x3x4xf64>, %b: tensor<5x4xf64>",
     "%0 = train.matmul %a, %b {trans_b = true} : "
     "(tensor<2x3x4xf64>, tensor<5x4xf64>) -> tensor<2x3x5xf64>",
     {5, 2, 4}},
    {"matmul_batched_trans_a",
     "%a: tensor<2x4x3xf64>, %b: tensor<4x5xf64>",
     "%0 = train.matmul %a, %b {trans_a = true} : "
     "(tensor<2x4x3xf64>, tensor<4x5xf64>) -> tensor<2x3x5xf64>",
     {5, 2, 4}},
    {"matmul_batched_b",
     "%a: tensor<2x3x4xf64>, %b: tensor<2x4x5xf64>",
     "%0 = train.matmul %a, %b : "
     "(tensor<2x3x4xf64>, tensor<2x4x5xf64>) -> tensor<2x3x5xf64>",
     {0, 0, 0}},
};

class CutTest : public testing::TestWithParam<CutCase> {};

/// The operand as part [begin, end) of a cut takes it.
Value sliceOperand(OpBuilder &builder, CuttableOpInterface op, CutAxis axis,
                   unsigned operand, int64_t begin, int64_t end) {
  Value value = op->getOperand(operand);
  int64_t sliced = op.getSlicedAxis(axis, operand);
  if (sliced < 0)
    return value;
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> dims(type.getShape());
  dims[sliced] = end - begin;
  return SliceOp::create(builder, op.getLoc(), type.clone(dims), value, sliced,
                         begin);
}

/// Both parts of a cut, concatenated or added.
Value buildCut(OpBuilder &builder, CuttableOpInterface op, CutAxis axis,
               int64_t at, int64_t extent) {
  SmallVector<Value> parts;
  for (auto [begin, end] : {std::pair(int64_t(0), at), std::pair(at, extent)}) {
    SmallVector<Value> operands;
    for (unsigned i = 0; i < op->getNumOperands(); ++i)
      operands.push_back(sliceOperand(builder, op, axis, i, begin, end));
    parts.push_back(op.buildPart(builder, axis, begin, end, operands));
  }
  int64_t concatenated = op.getConcatenatedAxis(axis);
  if (concatenated < 0)
    return SumOp::create(builder, op.getLoc(), parts);
  return ConcatOp::create(builder, op.getLoc(), parts, concatenated);
}

TEST_P(CutTest, PartsMakeTheWhole) {
  ParsedFunction parsed(GetParam().parameters, GetParam().body);
  ASSERT_TRUE(parsed.function());
  auto op = cast<CuttableOpInterface>(parsed.last());
  SmallVector<CutOption> cuts;
  op.getLegalCuts(cuts);
  SmallVector<int64_t> extents(3, 0);
  for (const CutOption &cut : cuts)
    extents[static_cast<int>(cut.axis)] = cut.extent;
  ASSERT_EQ(extents, GetParam().extents);

  SmallVector<Value> joined;
  OpBuilder builder = parsed.builder();
  for (const CutOption &cut : cuts)
    for (int64_t at = 1; at < cut.extent; ++at)
      joined.push_back(buildCut(builder, op, cut.axis, at, cut.extent));
  ASSERT_TRUE(succeeded(parsed.verify()));

  std::mt19937_64 generator(1);
  Values values;
  for (Value argument : parsed.block().getArguments())
    values[argument] =
        randomTensor(cast<RankedTensorType>(argument.getType()), generator);
  ASSERT_FALSE(llvm::errorToBool(evaluate(parsed.block(), values)));
  Tensor whole = values[op->getResult(0)];
  for (Value value : joined) {
    Tensor tensor = values[value];
    ASSERT_EQ(tensor.type(), whole.type());
    for (int64_t i = 0; i < whole.size(); ++i)
      ASSERT_NEAR(tensor[i], whole[i], 1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(Operations, CutTest, testing::ValuesIn(kCases),
                         [](const auto &info) {
                           return std::string(info.param.name);
                         });

} // namespace
