//===- Vgg16Test.cpp - layerpipe's gain over pipedream on VGG-16 ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestGraphs.h"
#include "gtest/gtest.h"

using namespace takt;
using namespace takt::test;

namespace {

constexpr int kMaxProcessors = 9;

struct Row {
  double bound = 0, gain = 0, speedup = 0, bytesRatio = 0;
  int stages = 0;
};

/// layerpipe against pipedream at each number of processors from 2 to 9; bytes
/// at an interval that may be 5 % longer.
std::vector<Row> compare(llvm::StringRef cost) {
  std::vector<Row> rows(kMaxProcessors + 1);
  std::printf("VGG-16, batch 32, cost %s\n  P  bound   gain  speedup stages "
              "bytes(+5%%)\n",
              cost.str().c_str());
  for (int p = 2; p <= kMaxProcessors; ++p) {
    Instance vgg(makeVgg16(32), p, cost);
    Problem problem = vgg.problem();
    Schedule pipedream = scheduleOf("pipedream", problem);
    Schedule layerpipe = scheduleOf("layerpipe", problem);
    ScheduleOptions relaxed;
    relaxed.intervalTolerance = 50;
    Schedule cheap = scheduleOf("layerpipe", problem, relaxed);
    EXPECT_LE(cheap.interval, layerpipe.interval + layerpipe.interval / 20);
    auto base = static_cast<double>(pipedream.interval);
    Row &row = rows[p];
    row.bound = base / bounds(problem, layerpipe).best();
    row.gain = base / layerpipe.interval;
    row.speedup = metrics(problem, layerpipe).speedup;
    row.stages = layerpipe.stages;
    row.bytesRatio =
        static_cast<double>(metrics(problem, cheap).communicationBytes) /
        static_cast<double>(metrics(problem, pipedream).communicationBytes);
    std::printf("%3d  %.3f  %.3f  %.3f  %4d    %.3f\n", p, row.bound, row.gain,
                row.speedup, row.stages, row.bytesRatio);
  }
  return rows;
}

double meanGain(const std::vector<Row> &rows, double Row::*field) {
  double sum = 0;
  for (int p = 2; p <= kMaxProcessors; ++p)
    sum += rows[p].*field;
  return sum / (kMaxProcessors - 1);
}

void expectNearlyLinear(const std::vector<Row> &rows) {
  int cheap = 0;
  for (int p = 2; p <= kMaxProcessors; ++p) {
    EXPECT_GE(rows[p].speedup, 0.98 * p) << p << " processors";
    cheap += rows[p].bytesRatio <= 1.0;
  }
  EXPECT_GE(cheap, 4) << "of 8 processor counts with at most pipedream's bytes";
}

TEST(Vgg16Test, MacsCost) {
  std::vector<Row> rows = compare("macs");
  EXPECT_NEAR(rows[7].bound, 1.258, 0.0006);
  EXPECT_NEAR(rows[8].bound, 1.437, 0.0006);
  EXPECT_NEAR(rows[9].bound, 1.617, 0.0006);
  EXPECT_NEAR(meanGain(rows, &Row::bound), 1.266, 0.0006);
  EXPECT_GE(rows[7].gain, 1.24);
  EXPECT_GE(rows[8].gain, 1.41);
  EXPECT_GE(rows[9].gain, 1.59);
  EXPECT_GE(meanGain(rows, &Row::gain), 1.245);
  expectNearlyLinear(rows);
}

TEST(Vgg16Test, SystolicCost) {
  std::vector<Row> rows = compare("systolic");
  EXPECT_NEAR(rows[7].bound, 1.423, 0.0006);
  EXPECT_NEAR(rows[8].bound, 1.626, 0.0006);
  EXPECT_NEAR(rows[9].bound, 1.830, 0.0006);
  EXPECT_GE(rows[7].gain, 1.40);
  EXPECT_GE(rows[8].gain, 1.60);
  EXPECT_GE(rows[9].gain, 1.80);
  expectNearlyLinear(rows);
}

} // namespace
