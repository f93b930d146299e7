//===- SampleShares.h - layers shared out by samples ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_SAMPLESHARES_H
#define TAKT_LIB_SCHEDULING_SAMPLESHARES_H

#include "Assignment.h"

namespace takt {

/// Divides the layers into groups of consecutive ones, and the samples of each
/// group among consecutive processors, which do F, D and W of all the group's
/// layers for theirs: a pipeline whose stages are data parallel within the
/// minibatch, so that every processor can be filled. A processor may have the
/// end of one group and the beginning of the next.
///
/// Among all such groups the ones with the fewest bytes that fit into
/// `interval`, by dynamic programming over the layers; bytes within a group are
/// those of its weights and gradients. nullopt: nothing fits, or the samples of
/// the layers cannot be divided.
std::optional<Assignment> shareSamples(const Problem &problem, int processors,
                                       int64_t interval);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_SAMPLESHARES_H
