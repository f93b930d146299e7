//===- CostModelTest.cpp - cycles of matrix products ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Machine/CostModel.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace takt;

namespace {

constexpr int64_t kHuge = int64_t(1) << 40;

class CostModelTest : public testing::Test {
protected:
  void SetUp() override { on.arrayRows = on.arrayColumns = 128; }

  /// Total cycles, or -1 for no answer.
  int64_t cycles(llvm::StringRef model, const Work &work) const {
    auto cost = createCostModel(model);
    if (!cost) {
      ADD_FAILURE() << llvm::toString(cost.takeError());
      return -1;
    }
    std::optional<Cost> answer = (*cost)->estimate(work, on);
    return answer ? answer->total() : -1;
  }

  static Work gemm(TaskKind kind, int64_t m, int64_t n, int64_t k,
                   int64_t count = 1) {
    Work work;
    work.kind = kind;
    work.gemm = {m, n, k, count};
    return work;
  }

  ProcessorClass on;
};

TEST_F(CostModelTest, MacsAreDividedByTheRate) {
  EXPECT_EQ(cycles("macs", gemm(TaskKind::Forward, 3, 5, 7)), 105);
  EXPECT_EQ(cycles("macs", gemm(TaskKind::Forward, 3, 5, 7, 4)), 420);
  on.macsPerCycle = 100;
  EXPECT_EQ(cycles("macs", gemm(TaskKind::Forward, 3, 5, 7)), 2);
}

/// Folds times 2R + C + T - 2 with the mapping of rows, columns and time as
/// SCALE-Sim's authors publish it (ISPASS 2020), for every dataflow.
TEST_F(CostModelTest, SystolicFollowsThePublishedFormula) {
  // The second convolution of VGG-16 at batch 32: M = 32 * 224 * 224.
  const int64_t m = 32 * 224 * 224, n = 64, k = 576;
  EXPECT_EQ(cycles("systolic", gemm(TaskKind::Forward, m, n, k)),
            5 * 1 * (2 * 128 + 128 + m - 2));
  EXPECT_EQ(cycles("systolic", gemm(TaskKind::Wgrad, k, n, m)),
            5 * 1 * (2 * 128 + 128 + m - 2));
  on.dataflow[0] = Dataflow::InputStationary;
  EXPECT_EQ(cycles("systolic", gemm(TaskKind::Forward, m, n, k)),
            5 * (m / 128) * (2 * 128 + 128 + n - 2));
  on.dataflow[0] = Dataflow::OutputStationary;
  EXPECT_EQ(cycles("systolic", gemm(TaskKind::Forward, m, n, k)),
            (m / 128) * (2 * 128 + 128 + k - 2));
}

/// Rows of the published test topologies' sizes on a 32 x 32 array, worked out
/// by hand: ResNet-18's conv2 of 56 x 56, 64 filters of 3 x 3 x 64.
TEST_F(CostModelTest, SystolicOnASmallArray) {
  on.arrayRows = on.arrayColumns = 32;
  EXPECT_EQ(cycles("systolic", gemm(TaskKind::Forward, 3136, 64, 576)),
            18 * 2 * (64 + 32 + 3136 - 2));
}

TEST_F(CostModelTest, SystolicSeparatesComputeFromFillAndDrain) {
  auto model = createCostModel("systolic");
  ASSERT_TRUE(bool(model));
  auto cost = (*model)->estimate(gemm(TaskKind::Forward, 10, 300, 129, 3), on);
  ASSERT_TRUE(cost.has_value());
  EXPECT_EQ(cost->compute, 2 * 3 * 3 * 10);
  EXPECT_EQ(cost->fillDrain, 2 * 3 * 3 * 382);
  EXPECT_EQ(cost->model, "systolic");
}

TEST_F(CostModelTest, BestIsTheLeastOfTheThree) {
  Work work = gemm(TaskKind::Forward, 40, 1000, 700);
  int64_t least = -1;
  for (Dataflow each : {Dataflow::WeightStationary, Dataflow::OutputStationary,
                        Dataflow::InputStationary}) {
    on.dataflow[0] = each;
    int64_t c = cycles("systolic", work);
    least = least < 0 ? c : std::min(least, c);
  }
  on.dataflow[0] = Dataflow::Best;
  EXPECT_EQ(cycles("systolic", work), least);
}

TEST_F(CostModelTest, ElementwiseWorkNeedsAVectorUnitToCost) {
  Work work;
  work.elementwise = 1000;
  for (llvm::StringRef model : {"macs", "systolic"}) {
    on.vectorLanes = 0;
    EXPECT_EQ(cycles(model, work), 0);
    on.vectorLanes = 64;
    EXPECT_EQ(cycles(model, work), 16);
  }
}

TEST_F(CostModelTest, RooflineIsTheLargerOfComputeAndTraffic) {
  Work work = gemm(TaskKind::Forward, 1024, 128, 128);
  work.bytesIn = 1000000;
  work.bytesOut = 24000;
  EXPECT_EQ(cycles("roofline", work), 1024);
  on.memoryBytesPerCycle = 100;
  EXPECT_EQ(cycles("roofline", work), 10240);
  on.memoryBytesPerCycle = 1 << 20;
  EXPECT_EQ(cycles("roofline", work), 1024);
}

TEST_F(CostModelTest, OverflowIsNoAnswer) {
  Work huge = gemm(TaskKind::Forward, kHuge, kHuge, kHuge);
  for (llvm::StringRef model : {"macs", "systolic", "roofline"})
    EXPECT_EQ(cycles(model, huge), -1) << model.str();
  EXPECT_FALSE(huge.gemm.macs().has_value());
  EXPECT_EQ(Gemm({2, 3, 4, 5}).macs(), 120);
}

TEST_F(CostModelTest, NoArrayIsNoAnswerOfSystolic) {
  on.arrayRows = on.arrayColumns = 0;
  EXPECT_EQ(cycles("systolic", gemm(TaskKind::Forward, 1, 1, 1)), -1);
  EXPECT_EQ(cycles("roofline", gemm(TaskKind::Forward, 2, 3, 4)), 24);
}

TEST_F(CostModelTest, UnknownNamesAreErrors) {
  auto model = createCostModel("guess");
  ASSERT_FALSE(bool(model));
  EXPECT_EQ(llvm::toString(model.takeError()),
            "unknown cost model 'guess', expected macs, systolic, roofline or "
            "profile:FILE");
}

class ProfileTest : public CostModelTest {
protected:
  void SetUp() override {
    CostModelTest::SetUp();
    ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("takt", "csv", path));
  }
  void TearDown() override { llvm::sys::fs::remove(path); }

  void write(llvm::StringRef text) {
    std::error_code error;
    llvm::raw_fd_ostream(path, error) << text;
    ASSERT_FALSE(error);
  }
  std::string spec() const { return ("profile:" + path).str(); }
  std::string errorOf(llvm::StringRef text) {
    write(text);
    auto model = createCostModel(spec());
    if (model)
      return {};
    return llvm::toString(model.takeError());
  }

  llvm::SmallString<64> path;
};

TEST_F(ProfileTest, MeasuredShapesComeFirst) {
  write("kind,M,N,K,cycles\n# a comment\nF,2,3,4,77\nW,2,3,4,99\n");
  EXPECT_EQ(cycles(spec(), gemm(TaskKind::Forward, 2, 3, 4)), 77);
  EXPECT_EQ(cycles(spec(), gemm(TaskKind::Forward, 2, 3, 4, 10)), 770);
  EXPECT_EQ(cycles(spec(), gemm(TaskKind::Wgrad, 2, 3, 4)), 99);
  EXPECT_EQ(cycles(spec(), gemm(TaskKind::Dgrad, 2, 3, 4)),
            cycles("systolic", gemm(TaskKind::Dgrad, 2, 3, 4)));
  on.arrayRows = on.arrayColumns = 0;
  EXPECT_EQ(cycles(spec(), gemm(TaskKind::Dgrad, 2, 3, 4)),
            cycles("roofline", gemm(TaskKind::Dgrad, 2, 3, 4)));
}

TEST_F(ProfileTest, BadFilesAreErrorsWithALine) {
  EXPECT_EQ(errorOf("F,1,2,3,4\n"),
            (path + ":1: expected 'kind,M,N,K,cycles'").str());
  EXPECT_EQ(errorOf("kind,M,N,K,cycles\nF,1,2,3\n"),
            (path + ":2: expected F, D, W or U and four non-negative integers, "
                    "found 'F,1,2,3'")
                .str());
  EXPECT_EQ(errorOf("kind,M,N,K,cycles\nF,1,2,3,4\n\nF,1,2,3,5\n"),
            (path + ":4: a second measurement of 'F,1,2,3,5'").str());
  auto missing = createCostModel("profile:/no/such/file");
  ASSERT_FALSE(bool(missing));
  EXPECT_EQ(llvm::toString(missing.takeError()),
            "/no/such/file: No such file or directory");
}

} // namespace
