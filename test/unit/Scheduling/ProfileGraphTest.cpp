//===- ProfileGraphTest.cpp - measured profiles ---------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/ProfileGraph.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

using namespace takt;

namespace {
constexpr const char *kFigures =
    "forward_compute_time=1.500, backward_compute_time=3.000, "
    "activation_size=8.0, parameter_size=";

llvm::Expected<TaskGraph> parse(const std::string &text, double scale = 1) {
  return parseProfileGraph(llvm::MemoryBufferRef(text, "p.txt"), scale);
}

std::string node(const std::string &id, const std::string &name,
                 const std::string &parameters) {
  return id + " -- " + name + " -- " + kFigures + parameters + "\n";
}

/// Input -> conv -> relu -> conv, in an order that is not topological.
std::string chain() {
  return node("node4", "Conv", "64.0") + node("node1", "Input0", "0.0") +
         node("node2", "Conv", "32.0") + node("node3", "ReLU", "0.0") +
         "\tnode1 -- node2\n\tnode2 -- node3\n\tnode3 -- node4\n";
}

TEST(ProfileGraph, SplitsTheBackwardTime) {
  auto graph = parse(chain(), 2);
  ASSERT_TRUE(bool(graph)) << llvm::toString(graph.takeError());
  EXPECT_EQ(llvm::toString(graph->check()), "");
  auto cycles = [&](const char *name) {
    int task = graph->find(name);
    return task < 0 ? -1 : graph->tasks[task].cycles.value_or(-2);
  };
  EXPECT_EQ(cycles("node1.F"), -1); // data loading
  EXPECT_EQ(cycles("node2.F"), 3000);
  EXPECT_EQ(cycles("node2.D"), -1); // nothing before it learns
  EXPECT_EQ(cycles("node2.W"), 6000);
  EXPECT_EQ(cycles("node3.D"), 6000); // no parameters
  EXPECT_EQ(cycles("node3.W"), -1);
  EXPECT_EQ(cycles("node4.D"), 3000);
  EXPECT_EQ(cycles("node4.W"), 3000);
  EXPECT_EQ(cycles("node4.U"), 0);
  auto bytes = [&](const char *name) {
    auto found = llvm::find_if(
        graph->values, [&](const Value &value) { return value.name == name; });
    return found == graph->values.end() ? -1 : found->bytes;
  };
  EXPECT_EQ(bytes("node2"), 16);        // scaled
  EXPECT_EQ(bytes("node4.weight"), 64); // not scaled
  EXPECT_EQ(bytes("node4.D for node3"), 16);
}

TEST(ProfileGraph, TakesTheNamedPartOfSeveralResults) {
  std::string text =
      node("node1", "Linear", "4.0") +
      "node2 -- LSTM(1, 1) -- forward_compute_time=1, backward_compute_time=1, "
      "activation_size=[100.0; 10.0], parameter_size=4.0\n" +
      node("node3", "__getitem__(1)", "0.0") + node("node4", "Linear", "4.0") +
      "\tnode1 -- node2\n\tnode2 -- node3\n\tnode2 -- node4\n"
      "\tnode3 -- node4\n";
  auto graph = parse(text);
  ASSERT_TRUE(bool(graph)) << llvm::toString(graph.takeError());
  for (const Value &value : graph->values) {
    if (value.name == "node2#0") {
      EXPECT_TRUE(llvm::none_of(value.uses, [&](const Use &use) {
        return graph->tasks[use.task].layer == 2; // node3
      }));
    }
    if (value.name == "node3.D for node2") {
      EXPECT_EQ(value.bytes, 10);
    }
    if (value.name == "node4.D for node2") {
      EXPECT_EQ(value.bytes, 110);
    }
  }
}

TEST(ProfileGraph, SaysWhereAndWhatIsWrong) {
  auto expectFailure = [](const std::string &text, const char *expected) {
    auto graph = parse(text);
    ASSERT_FALSE(bool(graph)) << text;
    EXPECT_EQ(llvm::toString(graph.takeError()), expected);
  };
  expectFailure("", "p.txt: the profile has no operation");
  expectFailure("node1\n", "p.txt:1: expected 'NODE -- NAME -- FIGURES' or "
                           "'<tab>NODE -- NODE'");
  expectFailure(chain() + "\tnode4 -- node9\n",
                "p.txt:8: edge to or from node 'node9', which is not there");
  expectFailure(chain() + "\tnode4 -- node2\n",
                "p.txt: the profile has a cycle through node 'node4'");
  expectFailure(chain() + node("node2", "Conv", "1"),
                "p.txt:8: second node 'node2'");
  expectFailure(node("node1", "Conv", "-1"),
                "p.txt:1: expected a number from 0 to 1e15, found '-1'");
  expectFailure(node("node1", "Conv", "nan"),
                "p.txt:1: expected a number from 0 to 1e15, found 'nan'");
  expectFailure("node1 -- C -- forward_compute_time=1\n",
                "p.txt:1: expected 4 figures, found 1");
}
} // namespace
