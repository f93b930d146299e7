//===- Passes.td - passes between the dialects -------------*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DRIVER_PASSES_TD
#define TAKT_DRIVER_PASSES_TD

include "mlir/Pass/PassBase.td"

def TrainToSched : Pass<"train-to-sched", "::mlir::ModuleOp"> {
  let summary = "state the scheduling problem of a training step";
  let description = [{
    Adds the task graph of the step (formed now, unless its operations carry
    their tasks already) to the module as a `sched.problem`, and makes machine
    and cost model the module's attributes. The step stays, so that
    `sched-to-stream` can make the program of a schedule from it.

    After `train-to-sched{processors=2 cost=macs}`:
    ```mlir
    module @m attributes {sched.cost = "macs", sched.machine = "…"} {
      func.func @main(…) { … }
      sched.problem @m { … }
    }
    ```
  }];
  let options = [
    Option<"processors", "processors", "int64_t", "0",
           "number of processors of the default machine; 0: the module's">,
    Option<"cost", "cost", "std::string", "\"\"",
           "cost model; empty: the module's, or systolic">
  ];
  let dependentDialects = ["::takt::sched::SchedDialect",
                           "::takt::train::TrainDialect"];
}

def SchedToStream : Pass<"sched-to-stream", "::mlir::ModuleOp"> {
  let summary = "turn a step and its schedule into instruction streams";
  let description = [{
    Verifies the module's one `sched.schedule`, cuts and retimes the step as it
    says, gives every value its address, and replaces all of it by the program
    in the stream dialect, which `takt-translate --stream-to-takt` encodes.
    `train-to-sched` and `sched-schedule` make such a module; a schedule written
    by hand will do as well.
  }];
  let options = [
    Option<"learningRate", "learning-rate", "::takt::OptionNumber", "0.01",
           "what the learning rate is until the host writes another">,
    Option<"delayScaling", "learning-rate-by-delay", "uint64_t", "0",
           "minibatches over which the learning rate of a parameter with delay d "
           "rises from 1/d of that; 0: none">,
    Option<"rateSchedule", "learning-rate-schedule", "std::string",
           "\"constant\"", "how the learning rate falls: step:N:F, cosine:N:F, "
           "linear:N:F">,
    Option<"warmup", "warmup", "uint64_t", "0",
           "updates over which the learning rate rises at the beginning">,
    Option<"lossScale", "loss-scale", "::takt::OptionNumber", "1.0",
           "factor of gradients in a step that scales them">
  ];
  let dependentDialects = ["::takt::sched::SchedDialect",
                           "::takt::stream::StreamDialect",
                           "::takt::train::TrainDialect"];
}

#endif // TAKT_DRIVER_PASSES_TD
