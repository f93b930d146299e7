//===- Random.cpp - random numbers ----------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the operations of TrainRandomOps.td answer: constraints, words, work.
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace takt::train;
using takt::Work;

using Words = SmallVectorImpl<uint32_t>;

static LogicalResult expectSeed(const Reporter &reporter, int64_t seed) {
  return reporter.expectRange("seed", seed, 0, UINT32_MAX);
}

static void appendWords(Words &words, float a, float b, int64_t seed) {
  words.append({llvm::bit_cast<uint32_t>(a), llvm::bit_cast<uint32_t>(b),
                static_cast<uint32_t>(seed)});
}

LogicalResult RandomUniformOp::verify() {
  Reporter reporter(getOperation());
  if (getLow() >= getHigh())
    return reporter.failValue("low", std::to_string(getLow()),
                              "less than high, which is " +
                                  std::to_string(getHigh()));
  return expectSeed(reporter, getSeed());
}

void RandomUniformOp::getKernelWords(Words &words) {
  appendWords(words, getLow(), getHigh(), getSeed());
}
/// The generator's ten rounds give four elements.
Work RandomUniformOp::getWork() { return elementwiseWork(*this, 10); }

LogicalResult RandomNormalOp::verify() {
  Reporter reporter(getOperation());
  if (getScale() < 0)
    return reporter.failValue("scale", std::to_string(getScale()),
                              "at least 0");
  return expectSeed(reporter, getSeed());
}

void RandomNormalOp::getKernelWords(Words &words) {
  appendWords(words, getMean(), getScale(), getSeed());
}
/// Also a logarithm, a root and a sine.
Work RandomNormalOp::getWork() { return elementwiseWork(*this, 16); }
