//===- Rebalance.h - leaving the chain for balance --------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_REBALANCE_H
#define TAKT_LIB_SCHEDULING_REBALANCE_H

#include "ChainFamily.h"

namespace takt {

/// Changes an assignment until no processor is busy for more than `interval`
/// cycles: tasks move to any processor, change places, or have a D divided anew
/// between any two. Local search that only ever reduces the excess, then the
/// sum of squared loads; nullopt if it gets stuck above.
std::optional<Assignment> rebalance(const ChainFamily &family,
                                    const Assignment &from, int64_t interval);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_REBALANCE_H
