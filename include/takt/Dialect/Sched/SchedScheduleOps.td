//===- SchedScheduleOps.td - operations that state a solution -*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_SCHED_SCHEDSCHEDULEOPS_TD
#define TAKT_DIALECT_SCHED_SCHEDSCHEDULEOPS_TD

include "takt/Dialect/Sched/SchedProblemOps.td"

def Sched_ScheduleOp : Sched_Op<"schedule", [
    NoTerminator, SingleBlock, NoRegionArguments]> {
  let summary = "a periodic schedule of a problem";
  let description = [{
    Minibatch i starts each task at its place's time plus i times the interval.
    The body lists the cuts, then stage and delay per layer, then leads of
    weights, then the places of all tasks of the cut graph, then the transfers. `weights` says which ones
    dgrads read: `stash`, those of their minibatch's forward task; `latest`, the
    newest; `average`, what a moving average makes of the newest.

    Constraints:
    - C1: the symbol names a `sched.problem` of the same module.
    - C2: holds only `sched.cut`, `sched.stage`, `sched.lead`, `sched.place` and
      `sched.transfer`.

    Whether it solves the problem is what `sched-verify` says.

    Example:
    ```mlir
    sched.schedule of @chain by "list" synchronous feasible interval 10 stages 1 {
      sched.stage 0 delay 0
      sched.place "fc.F" on 0 at 0 for 10
    }
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$problem, StrAttr:$scheduler,
    Sched_SemanticsAttr:$semantics, Sched_StatusAttr:$status,
    I64Attr:$interval, I64Attr:$stages,
    DefaultValuedAttr<Sched_WeightsAttr,
                      "::takt::sched::Weights::Stash">:$weights);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `of` $problem `by` $scheduler $semantics $status `interval` $interval
    `stages` $stages (`weights` $weights^)? attr-dict-with-keyword $body
  }];
  let hasRegionVerifier = 1;
}

def Sched_CutOp : Sched_Op<"cut", [HasParent<"ScheduleOp">]> {
  let summary = "a task divided in parts";
  let description = [{
    Indices [0, at[0]) of the axis are part 0, [at[0], at[1]) part 1, and so on.
    `slice_at_producer` says for each part whether its share of a sliced operand is cut out where
    the operand is produced, so that only the share crosses between processors.

    Constraints:
    - C1: the task is one of the problem's, the cut one of its options.

    Example: `sched.cut "conv2.D" channel at [32] slice_at_producer [false, true]`
  }];
  let arguments = (ins StrAttr:$task, Sched_AxisAttr:$axis, DenseI64ArrayAttr:$at,
                       DenseBoolArrayAttr:$slice_at_producer);
  let assemblyFormat = [{
    $task $axis `at` $at `slice_at_producer` $slice_at_producer attr-dict
  }];
}

def Sched_StageOp : Sched_Op<"stage", [HasParent<"ScheduleOp">]> {
  let summary = "pipeline stage and delay of the next layer";
  let description = [{
    The k-th of these belongs to layer k of the problem; the delay is in
    updates. A layer's `replicas` take its minibatches in turn and update once
    for as many minibatches. With any, the interval is that of lcm(replicas)
    minibatches, whose tasks and values are "X.mj" and, of updates, "X.mj.sk".

    Example: `sched.stage 1 delay 4 replicas 2`
  }];
  let arguments = (ins I64Attr:$stage, I64Attr:$delay,
                       DefaultValuedOptionalAttr<I64Attr, "1">:$replicas);
  let assemblyFormat = [{
    $stage `delay` $delay (`replicas` $replicas^)? attr-dict
  }];
}

def Sched_LeadOp : Sched_Op<"lead", [HasParent<"ScheduleOp">]> {
  let summary = "which version of a weight dgrads read";
  let description = [{
    One that is so many updates newer than what forward tasks read. Weights
    without it have none.

    Example: `sched.lead "conv2.weight" 3`
  }];
  let arguments = (ins StrAttr:$value, I64Attr:$updates);
  let assemblyFormat = "$value $updates attr-dict";
}

def Sched_PlaceOp : Sched_Op<"place", [HasParent<"ScheduleOp">]> {
  let summary = "processor and time of a task";
  let description = [{
    Start of minibatch 0 and duration, in cycles.

    Example: `sched.place "conv1.F" on 2 at 100 for 40`
  }];
  let arguments = (ins StrAttr:$task, I64Attr:$processor, I64Attr:$start,
                       I64Attr:$cycles);
  let assemblyFormat = [{
    $task `on` $processor `at` $start `for` $cycles attr-dict
  }];
}

def Sched_TransferOp : Sched_Op<"transfer", [HasParent<"ScheduleOp">]> {
  let summary = "a value carried to another processor";
  let description = [{
    Occupies the link from `at` for `for` cycles and arrives `latency` later.

    Example: `sched.transfer "y" from 0 to 1 at 40 for 8 latency 2`
  }];
  let arguments = (ins StrAttr:$value, I64Attr:$source, I64Attr:$destination,
    I64Attr:$start, I64Attr:$cycles, I64Attr:$latency);
  let assemblyFormat = [{
    $value `from` $source `to` $destination `at` $start `for` $cycles
    `latency` $latency attr-dict
  }];
}

#endif // TAKT_DIALECT_SCHED_SCHEDSCHEDULEOPS_TD
