//===- DescribeGraph.h - task graphs as lines to compare --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_TRANSFORMS_DESCRIBEGRAPH_H
#define TAKT_TEST_UNIT_TRANSFORMS_DESCRIBEGRAPH_H

#include "takt/Scheduling/TaskGraph.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace takt::test {

/// One line per task or value, with everything that a schedule depends on.
/// Only the first work has a place of its own, the matrix product's.
inline std::vector<std::string> describeTasks(const TaskGraph &graph) {
  std::vector<std::string> lines;
  for (const Task &task : graph.tasks) {
    std::string line;
    llvm::raw_string_ostream os(line);
    os << task.name << " " << letter(task.kind) << task.layer << " with "
       << task.colocated << " cuts " << task.cuts.size();
    std::vector<std::string> works;
    for (const Work &w : task.work) {
      std::string text;
      llvm::raw_string_ostream(text)
          << " [" << letter(w.kind) << " " << w.gemm.m << "x" << w.gemm.n << "x"
          << w.gemm.k << "*" << w.gemm.count << " e" << w.elementwise << " in "
          << w.bytesIn << " out " << w.bytesOut << "]";
      works.push_back(text);
    }
    bool isProduct = !task.work.empty() && task.work[0].gemm.count > 0 &&
                     !task.work[0].recomputed;
    std::sort(works.begin() + isProduct, works.end());
    os << llvm::join(works, "");
    lines.push_back(line);
  }
  return lines;
}

inline std::vector<std::string> describeValues(const TaskGraph &graph) {
  std::vector<std::string> lines;
  for (const takt::Value &value : graph.values) {
    std::string line;
    llvm::raw_string_ostream os(line);
    os << value.name << " kind " << int(value.kind) << " bytes " << value.bytes
       << " from " << value.producer << " to";
    for (const Use &use : value.uses)
      os << " " << use.task << "@" << use.distance << (use.delayed ? "*" : "");
    lines.push_back(line);
  }
  llvm::sort(lines);
  return lines;
}

/// Says which lines differ, rather than showing all.
inline void expectSame(llvm::ArrayRef<std::string> actual,
                       llvm::ArrayRef<std::string> expected) {
  auto onlyIn = [](llvm::ArrayRef<std::string> lines,
                   llvm::ArrayRef<std::string> others) {
    std::vector<std::string> only;
    llvm::copy_if(lines, std::back_inserter(only), [&](const std::string &l) {
      return !llvm::is_contained(others, l);
    });
    return only;
  };
  EXPECT_THAT(onlyIn(actual, expected), testing::IsEmpty());
  EXPECT_THAT(onlyIn(expected, actual), testing::IsEmpty());
  EXPECT_TRUE(actual == expected) << "in another order";
}

} // namespace takt::test

#endif // TAKT_TEST_UNIT_TRANSFORMS_DESCRIBEGRAPH_H
