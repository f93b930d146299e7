//===- BindingTurns.h - minibatches of an iteration -------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An iteration of a program may be of several minibatches, each of which has
// bindings of its own, under the same names, in their order.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_BINDINGTURNS_H
#define TAKT_TARGET_BINDINGTURNS_H

#include "takt/Target/Program.h"

namespace takt {

/// Which minibatch of an iteration each binding is of.
class BindingTurns {
public:
  explicit BindingTurns(const Program &program);

  /// Of an iteration, at least 1: the inputs or labels of one name.
  uint32_t minibatches() const { return count; }
  /// The binding of the same name and minibatch 0.
  uint32_t first(uint32_t binding) const { return turns[binding].first; }
  /// Number of a minibatch in the whole run, from that of the iteration.
  uint64_t minibatch(uint32_t binding, uint64_t iteration) const {
    return iteration * count + turns[binding].turn;
  }
  bool isLast(uint32_t binding) const {
    return turns[binding].turn + 1 == count;
  }
  /// Whether every name has as many bindings as there are minibatches, or a
  /// multiple of it.
  bool areComplete() const { return complete; }

private:
  struct Turn {
    uint32_t first, turn;
  };
  std::vector<Turn> turns;
  uint32_t count = 1;
  bool complete = true;
};

} // namespace takt

#endif // TAKT_TARGET_BINDINGTURNS_H
