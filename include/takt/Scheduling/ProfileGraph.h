//===- ProfileGraph.h - measured profiles as task graphs --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SCHEDULING_PROFILEGRAPH_H
#define TAKT_SCHEDULING_PROFILEGRAPH_H

#include "takt/Scheduling/TaskGraph.h"
#include "llvm/Support/MemoryBufferRef.h"

namespace takt {

/// The training step of a profile in PipeDream's text format (Narayanan et al.,
/// SOSP 2019; github.com/msr-fiddle/pipedream): a line for each operation,
///
///   node5 -- NAME -- forward_compute_time=MS, backward_compute_time=MS,
///   activation_size=BYTES or [BYTES; …], parameter_size=BYTES
///
/// and one for each edge, "<tab>node5 -- node6". A cycle is a microsecond. The
/// one backward time is half dgrad and half wgrad; all of it is dgrad where
/// there are no parameters, and wgrad where nothing before the operation has
/// any. Wgrads and the dgrads of operations without parameters read the
/// operation's inputs again. `Input` nodes, whose time is data loading, are
/// left out. Times and activations are multiplied by `minibatchScale` (> 0),
/// the minibatch wanted over the one profiled.
///
/// Fails with "FILE:LINE: message" on a line of another form, a number out of
/// range, an edge to a node that is not there, or a cycle.
llvm::Expected<TaskGraph> parseProfileGraph(llvm::MemoryBufferRef text,
                                            double minibatchScale);

} // namespace takt

#endif // TAKT_SCHEDULING_PROFILEGRAPH_H
