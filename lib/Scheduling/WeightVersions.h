//===- WeightVersions.h - which weights tasks read --------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_WEIGHTVERSIONS_H
#define TAKT_LIB_SCHEDULING_WEIGHTVERSIONS_H

#include "takt/Scheduling/Schedule.h"

namespace takt {

/// Gives every layer's forward tasks and dgrads the newest weights that all of
/// them have in time. Delays become the least that the places allow, and what a
/// dgrad reads is newer than what its forward task read by the weight's lead.
/// Where some reader would still hold up a second copy, the update is put
/// behind it, if its processor has room there and nothing becomes staler; all
/// other places stay. What was a stash of versions is then one version nearly
/// always: a reader on another processor needs a second one while the next
/// arrives.
///
/// Expects a schedule of delays under which every dependence is met.
void readCurrentWeights(Schedule &schedule);

/// Bytes of weights in what processors hold more of than two copies: versions
/// and the reconstruction together, or shares of one.
int64_t surplusCopies(const Schedule &schedule);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_WEIGHTVERSIONS_H
