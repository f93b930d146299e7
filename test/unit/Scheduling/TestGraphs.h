//===- TestGraphs.h - task graphs for tests ---------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_SCHEDULING_TESTGRAPHS_H
#define TAKT_TEST_UNIT_SCHEDULING_TESTGRAPHS_H

#include "takt/Scheduling/Schedule.h"
#include <random>

namespace takt::test {

/// A layer of a test network: its forward product, and the layers it reads.
struct LayerSpec {
  std::string name;
  int64_t m, n, k; ///< of F
  int64_t batch, inputChannels, outputChannels;
  int64_t outputBytes, weightBytes;
  std::vector<int> reads; ///< layers before it; empty: the network's input
  bool cuttable = true;   ///< its D
  /// F and W too, and all three by samples as a whole.
  bool divisible = false;
  /// Before the pool that ends the layer, if one does: what D reads too, and
  /// makes the gradient of for W. Not for a layer without D.
  int64_t unpooledBytes = 0;
};

/// The training step of a network of layers: F, D, W and U of each, where
/// needed, and the values between them.
TaskGraph makeTrainingGraph(llvm::ArrayRef<LayerSpec> layers);

/// A chain of fully connected layers with products of m x n x k.
LayerSpec product(int64_t m, int64_t n, int64_t k);
/// Each of m, n and k from 1 to `most`.
LayerSpec randomProduct(std::minstd_rand &random, int64_t most);
TaskGraph makeChain(std::vector<LayerSpec> layers);

/// VGG-16 (Simonyan and Zisserman 2014, configuration D), 224 x 224 pixels.
TaskGraph makeVgg16(int64_t batch);

/// Layers of which the heaviest takes about 80 times as long as the lightest.
TaskGraph makeLongChain(std::minstd_rand &random, int layers);

/// A random network of up to `maxLayers` layers with skips and branches.
TaskGraph makeRandomGraph(std::minstd_rand &random, int maxLayers,
                          bool divisible = false);

/// Owns what a Problem points to.
struct Instance {
  TaskGraph graph;
  Machine machine;
  std::unique_ptr<CostModel> cost;

  Instance(TaskGraph graph, int64_t processors, llvm::StringRef cost = "macs");
  Problem problem() const { return {&graph, &machine, cost.get()}; }
};

/// A random network on `fewest` to `most` processors.
Instance makeRandomInstance(std::minstd_rand &random, int maxLayers,
                            int64_t fewest, int64_t most);

/// A last processor of another class, with 3 MACs a cycle.
void addFastProcessor(Machine &machine);

/// The schedule, which the test expects to exist.
Schedule scheduleOf(llvm::StringRef name, const Problem &problem,
                    const ScheduleOptions &options = {});

} // namespace takt::test

#endif // TAKT_TEST_UNIT_SCHEDULING_TESTGRAPHS_H
