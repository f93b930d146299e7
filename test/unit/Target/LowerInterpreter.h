//===- LowerInterpreter.h - programs in adversarial order -------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_TARGET_LOWERINTERPRETER_H
#define TAKT_TEST_UNIT_TARGET_LOWERINTERPRETER_H

#include "takt/Target/Program.h"
#include <random>

namespace takt {

/// Runs a program for `iterations` minibatches in which processors and
/// transfers advance in random order, as slowly or fast as chance will have it;
/// predicted times play no role. Memory holds no numbers but which instance of
/// which value lies where. Returns what went wrong first: a read that finds
/// another instance than its own, a send whose source or destination is touched
/// while it is under way, processors that wait for each other. Empty if nothing
/// did.
std::string runAdversarially(const Program &program, int64_t iterations,
                             std::mt19937 &random);

} // namespace takt

#endif // TAKT_TEST_UNIT_TARGET_LOWERINTERPRETER_H
