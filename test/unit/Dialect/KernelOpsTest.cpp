//===- KernelOpsTest.cpp - operations and kernels correspond --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include "llvm/ADT/StringSet.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace takt::train;

namespace {

struct Correspondence {
  StringRef mnemonic, operation; ///< of kernel and operation
  StringRef words;
  ArrayRef<StringRef> attributes;
};

SmallVector<Correspondence> correspondences() {
  return {
#define TAKT_KERNEL(Name, mnemonic, code, operands, results, words)            \
  {mnemonic, Name##Op::getOperationName(), words,                              \
   Name##Op::getAttributeNames()},
#include "takt/Target/Kernels.def"
  };
}

TEST(KernelOps, HaveTheKernelsMnemonics) {
  for (const Correspondence &pair : correspondences())
    EXPECT_EQ(pair.operation.str(), "train." + pair.mnemonic.str());
}

TEST(KernelOps, AreAllOperationsWithAKernel) {
  MLIRContext context;
  context.loadDialect<TrainDialect>();
  llvm::StringSet<> kernels;
  for (const Correspondence &pair : correspondences())
    EXPECT_TRUE(kernels.insert(pair.operation).second);
  llvm::StringSet<> others;
  for (RegisteredOperationName name :
       context.getRegisteredOperationsByDialect("train"))
    if (name.hasInterface<KernelOpInterface>()) {
      EXPECT_TRUE(kernels.erase(name.getStringRef()))
          << name.getStringRef().str();
    } else {
      others.insert(name.getStringRef());
    }
  EXPECT_TRUE(kernels.empty());
  for (StringRef name :
       {"train.parameter", "train.read", "train.write", "train.delay"})
    EXPECT_TRUE(others.erase(name));
  EXPECT_TRUE(others.empty());
}

/// Words are the attributes of the same name, and the lengths of lists.
TEST(KernelOps, HaveTheKernelsAttributes) {
  for (const Correspondence &pair : correspondences()) {
    llvm::StringSet<> attributes;
    for (StringRef name : pair.attributes)
      attributes.insert(name);
    SmallVector<StringRef> fields;
    pair.words.split(fields, ',', -1, /*KeepEmpty=*/false);
    for (StringRef field : fields) {
      StringRef name = field.trim();
      name.consume_back(":f") || name.consume_back(":x");
      name.consume_back("[n]");
      if (name != "n") {
        EXPECT_TRUE(attributes.erase(name))
            << pair.operation.str() << " has no " << name.str();
      }
    }
    // What only shape inference needs, and what a run-time scalar starts with.
    attributes.erase("ceil_mode");
    attributes.erase("limit");
    EXPECT_TRUE(attributes.empty()) << pair.operation.str();
  }
}

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

takt::Work workOf(StringRef parameters, StringRef body) {
  ParsedFunction parsed(parameters, body);
  EXPECT_TRUE(parsed.function()) << body.str();
  return cast<KernelOpInterface>(parsed.last()).getWork();
}

TEST(Work, OfAConvolutionAndItsGradients) {
  constexpr StringRef kAttributes =
      "{groups = 2 : i64, strides = array<i64: 2, 1>}";
  constexpr StringRef kX = "tensor<3x4x9x8xf32>", kW = "tensor<6x2x3x2xf32>",
                      kY = "tensor<3x6x4x7xf32>";
  std::string parameters = ("%x: " + kX + ", %w: " + kW + ", %y: " + kY).str();
  takt::Work forward =
      workOf(parameters, ("%0 = train.conv %x, %w " + kAttributes + " : (" +
                          kX + ", " + kW + ") -> " + kY)
                             .str());
  takt::Work dgrad =
      workOf(parameters, ("%0 = train.conv_dgrad %y, %w " + kAttributes +
                          " : (" + kY + ", " + kW + ") -> " + kX)
                             .str());
  takt::Work wgrad =
      workOf(parameters, ("%0 = train.conv_wgrad %x, %y " + kAttributes +
                          " : (" + kX + ", " + kY + ") -> " + kW)
                             .str());
  EXPECT_EQ(forward.gemm, (takt::Gemm{3 * 4 * 7, 3, 2 * 6, 2}));
  EXPECT_EQ(dgrad.gemm, (takt::Gemm{3 * 4 * 7, 2, 3 * 6, 2}));
  EXPECT_EQ(wgrad.gemm, (takt::Gemm{2 * 6, 3, 3 * 4 * 7, 2}));
  int64_t x = 3 * 4 * 9 * 8 * 4, w = 6 * 2 * 3 * 2 * 4, y = 3 * 6 * 4 * 7 * 4;
  EXPECT_EQ(forward.bytesIn, x + w);
  EXPECT_EQ(forward.bytesOut, y);
  EXPECT_EQ(dgrad.bytesIn, y + w);
  EXPECT_EQ(wgrad.bytesOut, w);
  EXPECT_EQ(forward.elementwise, 0);
}

TEST(Work, OfMatrixProducts) {
  takt::Work gemm = workOf(
      "%a: tensor<4x3xf64>, %b: tensor<5x4xf64>, %c: tensor<5xf64>",
      "%y = train.gemm %a, %b, %c {trans_a = true, trans_b = true} : "
      "(tensor<4x3xf64>, tensor<5x4xf64>, tensor<5xf64>) -> tensor<3x5xf64>");
  EXPECT_EQ(gemm.gemm, (takt::Gemm{3, 5, 4, 1}));
  EXPECT_EQ(gemm.elementwise, 15);
  EXPECT_EQ(gemm.type, takt::ElementType::F64);
  takt::Work batched = workOf(
      "%a: tensor<2x3x4xf32>, %b: tensor<2x4x5xf32>",
      "%y = train.matmul %a, %b : (tensor<2x3x4xf32>, tensor<2x4x5xf32>) -> "
      "tensor<2x3x5xf32>");
  EXPECT_EQ(batched.gemm, (takt::Gemm{3, 5, 4, 2}));
  takt::Work shared = workOf(
      "%a: tensor<2x3x4xf32>, %b: tensor<4x5xf32>",
      "%y = train.matmul %a, %b : (tensor<2x3x4xf32>, tensor<4x5xf32>) -> "
      "tensor<2x3x5xf32>");
  EXPECT_EQ(shared.gemm, (takt::Gemm{6, 5, 4, 1}));
}

TEST(Work, OfElementwiseOperations) {
  takt::Work relu =
      workOf("%x: tensor<8x16xf32>", "%y = train.relu %x : tensor<8x16xf32>");
  EXPECT_EQ(relu.elementwise, 128);
  EXPECT_EQ(relu.bytesIn, 512);
  EXPECT_EQ(relu.bytesOut, 512);
  EXPECT_EQ(relu.gemm.count, 0);
}

} // namespace
