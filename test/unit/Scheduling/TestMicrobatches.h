//===- TestMicrobatches.h - steps in microbatches for tests -----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_SCHEDULING_TESTMICROBATCHES_H
#define TAKT_TEST_UNIT_SCHEDULING_TESTMICROBATCHES_H

#include "TestGraphs.h"

namespace takt::test {

/// The step in microbatches: F, D and W of each, W adding to what the
/// microbatch before accumulated, one update. No dgrad may be cut.
TaskGraph inMicrobatches(const TaskGraph &whole, int count);

} // namespace takt::test

#endif // TAKT_TEST_UNIT_SCHEDULING_TESTMICROBATCHES_H
