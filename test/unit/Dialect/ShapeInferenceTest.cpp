//===- ShapeInferenceTest.cpp - inferred shapes against brute force -------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include "mlir/IR/Diagnostics.h"
#include <gtest/gtest.h>
#include <limits>

using namespace mlir;
using namespace takt::train;

namespace {

class ShapeInferenceTest : public testing::Test {
protected:
  ShapeInferenceTest()
      : parsed("", ""), builder(parsed.context()),
        handler(parsed.context(), [this](Diagnostic &diagnostic) {
          ++diagnostics;
          message = diagnostic.str();
          return success();
        }) {
    builder.setInsertionPoint(parsed.block().getTerminator());
  }

  Value argument(ArrayRef<int64_t> dims) {
    return parsed.block().addArgument(
        RankedTensorType::get(dims, builder.getF32Type()), loc());
  }
  Location loc() { return parsed.function().getLoc(); }
  NamedAttribute numbers(StringRef name, ArrayRef<int64_t> values) {
    return builder.getNamedAttr(name, builder.getDenseI64ArrayAttr(values));
  }
  ArrayRef<int64_t> shape(Operation *op) {
    return cast<RankedTensorType>(op->getResult(0).getType()).getShape();
  }
  size_t operations() { return parsed.block().getOperations().size(); }

  ParsedFunction parsed;
  OpBuilder builder;
  ScopedDiagnosticHandler handler;
  int diagnostics = 0;
  std::string message;
};

/// Positions of a window that lie inside the padded input.
int64_t countWindows(int64_t padded, int64_t kernel, int64_t stride,
                     int64_t dilation) {
  int64_t count = 0;
  for (int64_t first = 0; first + dilation * (kernel - 1) < padded;
       first += stride)
    ++count;
  return count;
}

TEST_F(ShapeInferenceTest, ConvolutionsCountWindows) {
  int fitting = 0;
  for (int64_t size : {1, 2, 5, 8})
    for (int64_t kernel : {1, 2, 3})
      for (int64_t stride : {1, 2, 3})
        for (int64_t dilation : {1, 2})
          for (int64_t begin : {0, 1, 4})
            for (int64_t end : {0, 2}) {
              FailureOr<ConvOp> op = tryCreate<ConvOp>(
                  builder, loc(),
                  {argument({2, 3, size}), argument({4, 3, kernel})},
                  {numbers("strides", stride), numbers("dilations", dilation),
                   numbers("pads_begin", begin), numbers("pads_end", end)});
              int64_t count =
                  countWindows(size + begin + end, kernel, stride, dilation);
              ASSERT_EQ(succeeded(op), count > 0);
              if (failed(op))
                continue;
              ++fitting;
              EXPECT_EQ(shape(*op), ArrayRef<int64_t>({2, 4, count}));
            }
  EXPECT_GT(fitting, 100);
}

/// As PyTorch rounds: up, unless the last window would begin in the padding
/// behind the input.
int64_t countCeilWindows(int64_t size, int64_t begin, int64_t end,
                         int64_t extent, int64_t stride) {
  int64_t count = (size + begin + end - extent + stride - 1) / stride + 1;
  return (count - 1) * stride >= size + begin ? count - 1 : count;
}

TEST_F(ShapeInferenceTest, PoolsCountWindows) {
  int ceiled = 0;
  for (int64_t size : {2, 5, 6, 9})
    for (int64_t kernel : {1, 2, 3})
      for (int64_t stride : {1, 2, 3, 4})
        for (int64_t dilation : {1, 2})
          for (int64_t begin : {0, 1})
            for (int64_t end : {0, 1, 2}) {
              int64_t extent = dilation * (kernel - 1) + 1;
              int64_t down =
                  countWindows(size + begin + end, kernel, stride, dilation);
              bool legal = down > 0 && begin < extent && end < extent;
              int64_t up = countCeilWindows(size, begin, end, extent, stride);
              for (bool ceil : {false, true}) {
                FailureOr<MaxPoolOp> op = tryCreate<MaxPoolOp>(
                    builder, loc(), argument({2, 3, size}),
                    {numbers("kernel", kernel), numbers("strides", stride),
                     numbers("dilations", dilation),
                     numbers("pads_begin", begin), numbers("pads_end", end),
                     builder.getNamedAttr("ceil_mode",
                                          builder.getBoolAttr(ceil))});
                ASSERT_EQ(succeeded(op), legal);
                if (legal) {
                  EXPECT_EQ(shape(*op),
                            ArrayRef<int64_t>({2, 3, ceil ? up : down}));
                }
              }
              ceiled += legal && up > down;
            }
  EXPECT_GT(ceiled, 20);
}

/// Shapes that broadcast do so element by element from the last axis.
TEST_F(ShapeInferenceTest, BroadcastsAxisByAxis) {
  SmallVector<SmallVector<int64_t>> shapes = {
      {}, {1}, {2}, {3}, {1, 2}, {3, 1}, {3, 2}, {2, 1, 1}, {2, 3, 2}};
  for (ArrayRef<int64_t> a : shapes)
    for (ArrayRef<int64_t> b : shapes) {
      SmallVector<int64_t> expected(std::max(a.size(), b.size()));
      bool legal = true;
      for (size_t fromLast = 1; fromLast <= expected.size(); ++fromLast) {
        int64_t i = fromLast <= a.size() ? a[a.size() - fromLast] : 1;
        int64_t j = fromLast <= b.size() ? b[b.size() - fromLast] : 1;
        legal &= i == j || i == 1 || j == 1;
        expected[expected.size() - fromLast] = std::max(i, j);
      }
      FailureOr<AddOp> op =
          tryCreate<AddOp>(builder, loc(), {argument(a), argument(b)});
      ASSERT_EQ(succeeded(op), legal);
      if (legal) {
        EXPECT_EQ(shape(*op), ArrayRef(expected));
      }
    }
}

TEST_F(ShapeInferenceTest, FailsOnceAndLeavesNothing) {
  size_t before = operations();
  EXPECT_TRUE(failed(
      tryCreate<GemmOp>(builder, loc(), {argument({2, 3}), argument({4, 5})})));
  EXPECT_EQ(diagnostics, 1);
  EXPECT_EQ(message, "'train.gemm' op shape of b is 4x5, expected 3 for axis "
                     "0, as a has shape 2x3");
  // An attribute of the wrong type, and a result that the operands do not give.
  EXPECT_TRUE(failed(tryCreate<GemmOp>(
      builder, loc(), {argument({2, 3}), argument({3, 5})},
      builder.getNamedAttr("alpha", builder.getStringAttr("one")))));
  EXPECT_EQ(diagnostics, 2);
  EXPECT_TRUE(failed(tryCreate<ReshapeOp>(
      builder, loc(), TypeRange{argument({7}).getType()}, argument({2, 3}))));
  EXPECT_EQ(diagnostics, 3);
  // Attributes and operands that inference needs.
  EXPECT_TRUE(
      failed(tryCreate<MaxPoolOp>(builder, loc(), argument({2, 3, 4}))));
  EXPECT_EQ(message, "'train.max_pool' op requires attribute 'kernel'");
  EXPECT_TRUE(failed(tryCreate<ConcatOp>(builder, loc(), argument({2}))));
  EXPECT_TRUE(failed(tryCreate<TransposeOp>(builder, loc(), argument({2}))));
  EXPECT_TRUE(failed(tryCreate<ConcatOp>(
      builder, loc(), ValueRange(),
      builder.getNamedAttr("axis", builder.getI64IntegerAttr(0)))));
  EXPECT_EQ(diagnostics, 7);
  EXPECT_EQ(operations(), before);
}

/// Whatever a model says: a diagnostic or a type that kernels take, no crash.
TEST_F(ShapeInferenceTest, SurvivesHostileNumbers) {
  const int64_t kSizes[] = {
      1, 2, 7, 1 << 20, int64_t(1) << 40, std::numeric_limits<int64_t>::max(),
      0};
  const int64_t kNumbers[] = {0,
                              1,
                              -1,
                              1 << 22,
                              int64_t(1) << 40,
                              std::numeric_limits<int64_t>::max(),
                              std::numeric_limits<int64_t>::min()};
  std::mt19937_64 generator(7);
  auto pick = [&](ArrayRef<int64_t> from) {
    // Mostly harmless, so that later checks are reached too.
    return generator() % 3 ? from[1] : from[generator() % from.size()];
  };
  int created = 0;
  for (int i = 0; i < 3000; ++i) {
    SmallVector<NamedAttribute> window;
    for (StringRef name : {"strides", "dilations", "pads_begin", "pads_end"})
      if (generator() % 2)
        window.push_back(numbers(name, pick(kNumbers)));
    Value x = argument({pick(kSizes), pick(kSizes), pick(kSizes)});
    Value w = argument({pick(kSizes), pick(kSizes), pick(kSizes)});
    FailureOr<ConvOp> conv = tryCreate<ConvOp>(builder, loc(), {x, w}, window);
    window.push_back(numbers("kernel", pick(kNumbers)));
    FailureOr<MaxPoolOp> pool = tryCreate<MaxPoolOp>(builder, loc(), x, window);
    FailureOr<AddOp> add = tryCreate<AddOp>(builder, loc(), {x, w});
    FailureOr<MatMulOp> matmul = tryCreate<MatMulOp>(builder, loc(), {x, w});
    for (Operation *op :
         {succeeded(conv) ? conv->getOperation() : nullptr,
          succeeded(pool) ? pool->getOperation() : nullptr,
          succeeded(add) ? add->getOperation() : nullptr,
          succeeded(matmul) ? matmul->getOperation() : nullptr}) {
      if (!op)
        continue;
      ++created;
      EXPECT_TRUE(isFloatTensor(op->getResult(0).getType()));
      EXPECT_GE(cast<KernelOpInterface>(op).getWork().bytesOut, 0);
    }
  }
  EXPECT_GT(created, 50);
  EXPECT_GT(diagnostics, 50);
}

} // namespace
