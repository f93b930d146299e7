//===- TestLinks.h - machines with random links -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_SCHEDULING_TESTLINKS_H
#define TAKT_TEST_UNIT_SCHEDULING_TESTLINKS_H

#include "takt/Machine/Machine.h"
#include <random>

namespace takt::test {

/// Joins the machine's processors by a random interconnect of that topology, on
/// which a transfer takes about as long as a test graph's task. Dimensions,
/// and some links, have rates of their own.
void connectRandomly(Machine &machine, Topology topology,
                     std::minstd_rand &random);

/// Of a random topology.
void connectRandomly(Machine &machine, std::minstd_rand &random);

} // namespace takt::test

#endif // TAKT_TEST_UNIT_SCHEDULING_TESTLINKS_H
