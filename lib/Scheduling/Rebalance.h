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

/// Which tasks a rebalanced assignment may have in pieces.
enum class RebalanceCuts : uint8_t { Dgrads, All };

/// Changes an assignment until no processor is busy for more than `interval`
/// cycles: tasks move to any processor, change places, or give a piece to
/// another processor. Local search that only ever reduces the excess, then the
/// sum of squared loads; nullopt if it gets stuck above. With more changes to
/// choose from it need not get further.
std::optional<Assignment> rebalance(const ChainFamily &family,
                                    const Assignment &from, int64_t interval,
                                    RebalanceCuts cuts);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_REBALANCE_H
