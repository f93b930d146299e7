//===- Trace.h - pictures of a schedule -------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DRIVER_TRACE_H
#define TAKT_DRIVER_TRACE_H

#include "takt/Driver/Report.h"

namespace takt {

/// Writes the first minibatches of a schedule in the Chrome trace event format,
/// which https://ui.perfetto.dev opens: one track per processor, slices named
/// by task and coloured by kind, a flow from producer to first reader for every
/// transfer, arguments with layer, minibatch and stage. One cycle is shown as
/// one microsecond.
void writeTrace(llvm::raw_ostream &os, const ScheduledProgram &scheduled,
                const Machine &machine);

/// Writes a page that needs nothing else: the figures of all schedules and, for
/// each, one interval of the steady state as a picture.
void writePage(llvm::raw_ostream &os, const ModelSummary &model,
               const Machine &machine,
               llvm::ArrayRef<ScheduledProgram> schedules);

} // namespace takt

#endif // TAKT_DRIVER_TRACE_H
