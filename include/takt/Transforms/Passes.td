//===- Passes.td - passes over training steps -----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   forward graph ── train-verify-forward
//        │ train-freeze (as the user asks), train-differentiate
//   training step ── train-verify-step
//        │ train-form-tasks
//   step with tasks ── train-verify-tasks
//        │ train-recompute, train-microbatch
//        │ train-split, train-retime    (as a schedule asks)
//   step with tasks, cut and delayed ── train-verify-tasks
//
// Each pass is also a C++ function (Freeze.h, Differentiate.h, FormTasks.h,
// Split.h, Retime.h, Verify.h); Pipelines.h puts them in order.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_PASSES_TD
#define TAKT_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def TrainDifferentiate : Pass<"train-differentiate", "::mlir::ModuleOp"> {
  let summary = "turn a forward graph into a whole training step";
  let description = [{
    Appends the loss on the first output, the gradient of every trainable
    parameter that the loss reaches, and the parameters' updates. Operations
    build their own gradients (`DifferentiableOpInterface`), one operand at a
    time, so that D (towards activations) and W (towards parameters) are
    operations of their own and what nobody needs is never built: the first
    layer has no D. Every operation is tagged with its kind, `train.kind`, and
    the forward operation that it stems from, `train.node`.

    With `loss=none` the graph stays a forward graph and is only tagged.

    Before:

    ```mlir
    module @m attributes {train.batch = 8 : i64} {
      train.parameter @fc.weight : tensor<10x64xf32> = dense<0.1>
          {kind = #train.parameter_kind<trainable>}
      func.func @main(%x: tensor<8x64xf32> {train.name = "input"})
          -> (tensor<8x10xf32> {train.name = "logits"}) {
        %w = train.read @fc.weight : tensor<10x64xf32>
        %y = train.gemm %x, %w {trans_b = true} : …
        return %y : tensor<8x10xf32>
      }
    }
    ```

    After, with `optimizer=sgd`:

    ```mlir
      func.func @main(%x: …, %label: tensor<8xi64> {train.name = "label"})
          -> (tensor<f32> {train.name = "loss"}, tensor<8x10xf32> …) {
        %w = train.read @fc.weight {train.kind = "F"} : tensor<10x64xf32>
        %y = train.gemm %x, %w {trans_b = true, train.kind = "F"} : …
        %loss, %dy = train.softmax_cross_entropy %y, %label {train.kind = "F"}
        %dw = train.gemm %dy, %x {trans_a = true, train.kind = "W"} : …
        %old = train.read @fc.weight {train.kind = "U"} : tensor<10x64xf32>
        %new = train.sgd %old, %dw {train.kind = "U"} : …
        train.write @fc.weight, %new {train.kind = "U"} : tensor<10x64xf32>
        return %loss, %y : …
      }
    ```
  }];
  let options = [
    Option<"loss", "loss", "::takt::LossKind",
           "::takt::LossKind::SoftmaxCrossEntropy", "what is minimised",
           [{::llvm::cl::values(
             clEnumValN(::takt::LossKind::SoftmaxCrossEntropy,
                        "softmax-cross-entropy", "mean over the minibatch"),
             clEnumValN(::takt::LossKind::MeanSquaredError, "mse",
                        "mean over all elements"),
             clEnumValN(::takt::LossKind::None, "none",
                        "keep the forward graph"))}]>,
    Option<"classAxis", "class-axis", "int64_t", "0",
           "axis of the classes under softmax cross-entropy (0: that of the "
           "model's softmax, else the last of three and 1 of more)">,
    Option<"optimizer", "optimizer", "::takt::OptimizerKind",
           "::takt::OptimizerKind::Sgd", "how parameters are updated",
           [{::llvm::cl::values(
             clEnumValN(::takt::OptimizerKind::Sgd, "sgd",
                        "stochastic gradient descent"),
             clEnumValN(::takt::OptimizerKind::Momentum, "momentum",
                        "with momentum"),
             clEnumValN(::takt::OptimizerKind::Adam, "adam",
                        "Adam, weight decay in the gradient"),
             clEnumValN(::takt::OptimizerKind::AdamW, "adamw",
                        "Adam, weight decay apart"))}]>,
    Option<"momentum", "momentum", "::takt::OptionNumber", "0.9",
           "share of the old velocity that momentum keeps">,
    Option<"nesterov", "nesterov", "bool", "false", "Nesterov's momentum">,
    Option<"weightDecay", "weight-decay", "::takt::OptionNumber", "0.0",
           "share of the weights added to the gradient">,
    Option<"beta1", "beta1", "::takt::OptionNumber", "0.9", "Adam's decay of the mean">,
    Option<"beta2", "beta2", "::takt::OptionNumber", "0.999",
           "Adam's decay of the mean square">,
    Option<"epsilon", "epsilon", "::takt::OptionNumber", "1e-8",
           "Adam's guard against division by zero">,
    Option<"clipValue", "clip-value", "::takt::OptionNumber", "0.0",
           "limit of every element of a gradient (0: none)">,
    Option<"scaleLoss", "scale-loss", "bool", "false",
           "multiply gradients by the program's loss scale">,
    ListOption<"groups", "parameter-groups", "std::string",
               "updates that differ, as {GLOB:learning-rate-factor=X,"
               "weight-decay=Y}">
  ];
  let dependentDialects = ["::takt::train::TrainDialect"];
}

def TrainFreeze : Pass<"train-freeze", "::mlir::ModuleOp"> {
  let summary = "make constants of parameters that are not to be trained";
  let description = [{
    Trainable parameters whose names match one of the patterns (`*`, `?` and
    `[…]`, as llvm::GlobPattern has them) become constants that are marked
    `frozen`. `train-differentiate` then builds no W and U of theirs, and no
    D that leads to nothing else.

    Before, with `patterns=conv*`:

    ```mlir
    train.parameter @conv1.weight : tensor<6x1x5x5xf32> = dense<0.1>
        {kind = #train.parameter_kind<trainable>}
    ```

    After:

    ```mlir
    train.parameter @conv1.weight : tensor<6x1x5x5xf32> = dense<0.1>
        {kind = #train.parameter_kind<constant>, frozen}
    ```
  }];
  let options = [
    ListOption<"patterns", "patterns", "std::string",
               "names of the parameters, with wildcards">
  ];
}

def TrainMasterWeights : Pass<"train-master-weights", "::mlir::ModuleOp"> {
  let summary = "keep trainable parameters of 16 bits in f32";
  let description = [{
    Trainable parameters of f16 and bf16 become f32, and what reads them casts
    them to what they were. Their gradients and updates are then in f32, too.

    Before:

    ```mlir
    train.parameter @weight : tensor<10x64xbf16> = dense<0.5>
        {kind = #train.parameter_kind<trainable>}
    …
    %w = train.read @weight : tensor<10x64xbf16>
    ```

    After:

    ```mlir
    train.parameter @weight : tensor<10x64xf32> = dense<0.5>
        {kind = #train.parameter_kind<trainable>}
    …
    %0 = train.read @weight : tensor<10x64xf32>
    %w = train.cast %0 : (tensor<10x64xf32>) -> tensor<10x64xbf16>
    ```
  }];
  let dependentDialects = ["::takt::train::TrainDialect"];
}

def TrainFormTasks : Pass<"train-form-tasks", "::mlir::ModuleOp"> {
  let summary = "give every operation its layer and task";
  let description = [{
    A layer is a weighted operation, one with a matrix product, and the
    element-wise operations, norms and pools fused to it. Its tasks are F, D, W
    and U. The rules stand in FormTasks.h. Operations that carry tasks already,
    after `train-split`, keep them. With `print` the task graph is written to
    standard output.

    Before:

    ```mlir
    %0 = train.conv %x, %w {…, train.kind = "F", train.node = "conv1"} : …
    %1 = train.relu %0 {train.kind = "F", train.node = "relu1"} : …
    …
    %5 = train.relu_dgrad %4, %1 {train.kind = "D", train.node = "relu1"} : …
    %6 = train.conv_wgrad %x, %5 {…, train.kind = "W", train.node = "conv1"} : …
    ```

    After (`%4` is the D of the next layer):

    ```mlir
    %0 = train.conv %x, %w {…, train.task = "conv1.F", train.layer = 0 : i64} : …
    %1 = train.relu %0 {…, train.task = "conv1.F", train.layer = 0 : i64} : …
    …
    %5 = train.relu_dgrad %4, %1 {…, train.task = "conv2.D", train.layer = 1 : i64} : …
    %6 = train.conv_wgrad %x, %5 {…, train.task = "conv1.W", train.layer = 0 : i64} : …
    ```
  }];
  let options = [
    Option<"printGraph", "print", "bool", "false",
           "write the task graph to standard output">
  ];
}

def TrainSplit : Pass<"train-split", "::mlir::ModuleOp"> {
  let summary = "cut tasks in parts";
  let description = [{
    Each cut is `TASK:AXIS:AT` or `TASK:AXIS:AT:SLICED`; AXIS is `channel`,
    `batch` or `reduction`, AT one or more indices as in `8+16+24`, SLICED the
    parts (as in `0+2`) whose operands are sliced where they are produced, so that
    only the share travels. By samples (`batch` of F and D, `reduction` of W) a
    task whose operations all are row by row is divided as a whole.

    Before, `cuts=conv5.D:channel:32`:

    ```mlir
    %0 = train.conv_dgrad %dy, %w {…, train.task = "conv5.D"}
        : (tensor<8x16x7x7xf32>, tensor<16x64x3x3xf32>) -> tensor<8x64x7x7xf32>
    ```

    After:

    ```mlir
    %w0 = train.slice %w {axis = 1 : i64, begin = 0 : i64, train.task = "conv5.D.0"}
        : (tensor<16x64x3x3xf32>) -> tensor<16x32x3x3xf32>
    %d0 = train.conv_dgrad %dy, %w0 {…, train.task = "conv5.D.0"} : …
    %w1 = train.slice %w {axis = 1 : i64, begin = 32 : i64, train.task = "conv5.D.1"}
        : (tensor<16x64x3x3xf32>) -> tensor<16x32x3x3xf32>
    %d1 = train.conv_dgrad %dy, %w1 {…, train.task = "conv5.D.1"} : …
    %0 = train.concat %d0, %d1 {axis = 1 : i64, train.task = "conv5.D.join"} : …
    ```
  }];
  let options = [
    ListOption<"cuts", "cuts", "std::string", "cuts, separated by commas">
  ];
  let dependentDialects = ["::takt::train::TrainDialect"];
}

def TrainMicrobatch : Pass<"train-microbatch", "::mlir::ModuleOp"> {
  let summary = "divide a step into microbatches with one update";
  let description = [{
    Copies F, D and W of the step `count` times, each copy for as many samples
    as the step had, and gives the update the sum of the gradients, of which
    each is of the mean of the losses.

    Before:

    ```mlir
    %y = train.gemm %x, %w {…, train.task = "fc.F"} : …
    %dw = train.gemm %e, %x {…, train.task = "fc.W"} : …
    ```

    After `count=2`:

    ```mlir
    %x0 = train.slice %x {axis = 0, begin = 0, …, train.task = "fc.F.m0"} : …
    %y0 = train.gemm %x0, %w {…, train.microbatch = 0, train.task = "fc.F.m0"} : …
    …
    %dw1 = train.gemm %e1, %x1 {…, train.microbatch = 1, train.task = "fc.W.m1"} : …
    %dw = train.add %dw0, %dw1 {…, train.microbatch = 1, train.task = "fc.W.m1"} : …
    ```
  }];
  let options = [
    Option<"count", "count", "int64_t", "1", "number of microbatches">
  ];
  let dependentDialects = ["::takt::train::TrainDialect"];
}

def TrainClipNorm : Pass<"train-clip-norm", "::mlir::ModuleOp"> {
  let summary = "scale gradients so that their common norm stays below a limit";
  let description = [{
    Each W sums the squares of the gradient that it hands to an update, a task
    "LAYER.U.norm" makes of all sums the factor min(1, `limit` / (norm + 1e-6)),
    and each U multiplies its gradient by it. Of a step in microbatches it is the
    sum of their gradients, so that `train-microbatch` comes before.

    Before:

    ```mlir
    %dw = train.gemm %e, %x {…, train.task = "fc.W"} : …
    %new = train.sgd %w, %dw {…, train.task = "fc.U"} : …
    ```

    After:

    ```mlir
    %dw = train.gemm %e, %x {…, train.task = "fc.W"} : …
    %s = train.sum_squares %dw {…, train.task = "fc.W"} : …
    %f = train.clip_factor %s, … {limit = 1.0 : f64, …, train.task = "conv1.U.norm"} : …
    %g = train.mul %dw, %f {…, train.task = "fc.U"} : …
    %new = train.sgd %w, %g {…, train.task = "fc.U"} : …
    ```
  }];
  let options = [
    Option<"limit", "limit", "::takt::OptionNumber", "1.0",
           "the largest norm that stays as it is">
  ];
  let dependentDialects = ["::takt::train::TrainDialect"];
}

def TrainReplicate : Pass<"train-replicate", "::mlir::ModuleOp"> {
  let summary = "unroll a step over minibatches that replicas take in turn";
  let description = [{
    Copies the step's F, D and W for each of R minibatches, R the least common
    multiple of the layers' `replicas`, and gives a layer with r replicas one
    update for r of them, of the mean of their gradients, in r shards of rows of
    the weights. Sets the layers' delays, in their own updates.

    Before:

    ```mlir
    %w = train.read @w : tensor<4x3xf32>
    %dw = train.gemm %e, %x {…, train.task = "fc.W"} : …
    %new = train.sgd %w, %dw {…, train.task = "fc.U"} : …
    train.write @w, %new : tensor<4x3xf32>
    ```

    After `replicas=2 delays=1`, shard 0:

    ```mlir
    %dw0 = train.gemm %e0, %x0 {…, train.task = "fc.W.m0"} : …
    %dw00 = train.slice %dw0 {axis = 0, begin = 0, …, train.task = "fc.W.m0"} : …
    …
    %w0 = train.read @w.m1.s0 : tensor<2x3xf32>
    %sum = train.sum %dw00, %dw10 {…, train.task = "fc.U.m1.s0"} : …
    %mean = train.scale %sum {value = 0.5 : f32, …, train.task = "fc.U.m1.s0"} : …
    %new0 = train.sgd %w0, %mean {…, train.task = "fc.U.m1.s0"} : …
    train.write @w.m1.s0, %new0 : tensor<2x3xf32>
    ```
  }];
  let options = [
    ListOption<"replicas", "replicas", "int64_t", "replicas of each layer">,
    ListOption<"delays", "delays", "int64_t", "delay of each layer in updates">
  ];
  let dependentDialects = ["::takt::train::TrainDialect"];
}

def TrainReconstructWeights : Pass<"train-reconstruct-weights",
                                   "::mlir::ModuleOp"> {
  let summary = "give dgrads an estimate of the weights of their forward pass";
  let description = [{
    For each weight that an operation of kind D or W reads, adds a parameter that
    the weight's update keeps up: what the weight was some updates ago, estimated
    from its current version and a moving average of its steps. These operations
    read that instead. How many updates it goes back is for `train-retime` to
    say; until then none, and nothing is computed otherwise.

    Before:

    ```mlir
    train.parameter @fc.weight : tensor<10x64xf32> = dense<0.1> {…}
    %w = train.read @fc.weight : tensor<10x64xf32>
    %dx = train.gemm %dy, %w {…, train.kind = "D"} : …
    %new = train.sgd %w, %dw {…, train.kind = "U"} : tensor<10x64xf32>
    train.write @fc.weight, %new : tensor<10x64xf32>
    ```

    After:

    ```mlir
    train.parameter @fc.weight.earlier : tensor<10x64xf32> {base = @fc.weight, …}
    %e = train.read @fc.weight.earlier : tensor<10x64xf32>
    %dx = train.gemm %dy, %e {…, train.kind = "D"} : …
    %faded = train.fade %e, %w {…, train.kind = "U"} : tensor<10x64xf32>
    %new = train.sgd %w, %dw {…, train.kind = "U"} : tensor<10x64xf32>
    train.write @fc.weight, %new : tensor<10x64xf32>
    %next = train.reconstruct %faded, %new {…, train.kind = "U"} : tensor<10x64xf32>
    train.write @fc.weight.earlier, %next : tensor<10x64xf32>
    ```
  }];
  let dependentDialects = ["::takt::train::TrainDialect"];
}

def TrainRecompute : Pass<"train-recompute", "::mlir::ModuleOp"> {
  let summary = "make activations again for the backward pass";
  let description = [{
    The values are not kept from F on for D and W: what gives them is computed
    once more, by the first D or W that needs it, from what is kept. The rules
    stand in Recompute.h. Comes before `train-microbatch`.

    Before:

    ```mlir
    %1 = train.conv %0, %w1 {…, train.task = "conv1.F"} : …
    %2 = train.relu %1 {…, train.node = "relu1", train.task = "conv1.F"} : …
    …
    %7 = train.conv_dgrad %6, %w2 {…, train.task = "conv2.D"} : …
    %8 = train.relu_dgrad %7, %2 {…, train.task = "conv2.D"} : …
    ```

    After `values=relu1.F.relu`:

    ```mlir
    %7 = train.conv_dgrad %6, %w2 {…, train.task = "conv2.D"} : …
    %c = train.conv %0, %w1 {…, train.recomputed, train.task = "conv2.D"} : …
    %r = train.relu %c {…, train.recomputed, train.task = "conv2.D"} : …
    %8 = train.relu_dgrad %7, %r {…, train.task = "conv2.D"} : …
    ```
  }];
  let options = [
    ListOption<"values", "values", "std::string",
               "values as in the task graph, separated by commas">
  ];
  let dependentDialects = ["::takt::train::TrainDialect"];
}

def TrainRetime : Pass<"train-retime", "::mlir::ModuleOp"> {
  let summary = "delay the gradients";
  let description = [{
    Puts `delays[l]` delays between the W and the U of layer l, and tells the
    layer's parameters. Of weights with a lead D reads versions that are so many
    updates newer than those that F reads, and `train.reconstruct` goes so far
    back.

    Before, `delays=2,0`:

    ```mlir
    train.parameter @conv1.weight : … {kind = #train.parameter_kind<trainable>}
    …
    %new = train.sgd %old, %dw {…, train.task = "conv1.U", train.layer = 0 : i64} : …
    ```

    After:

    ```mlir
    train.parameter @conv1.weight : … {delay = 2 : i64, kind = …}
    …
    %g = train.delay %dw by 2 {train.kind = "U"} : …
    %new = train.sgd %old, %g {…, train.task = "conv1.U", train.layer = 0 : i64} : …
    ```
  }];
  let options = [
    ListOption<"delays", "delays", "int64_t", "one delay per layer">,
    ListOption<"leads", "leads", "std::string",
               "PARAMETER:UPDATES, by how many updates the weights that D reads "
               "are newer than those that F reads">
  ];
  let dependentDialects = ["::takt::train::TrainDialect"];
}

def TrainVerifyForward : Pass<"train-verify-forward", "::mlir::ModuleOp"> {
  let summary = "check what differentiation relies on";
  let description = [{
    Rules F1 to F4 of Verify.h: a batch size, one block, static shapes, no
    gradients, existing parameters. Changes nothing.
  }];
}

def TrainVerifyStep : Pass<"train-verify-step", "::mlir::ModuleOp"> {
  let summary = "check what forming tasks relies on";
  let description = [{
    Rules S1 to S5 of Verify.h: kinds and nodes, the direction of values between
    kinds, single writes, the loss, gradients of kind W. Changes nothing.
  }];
}

def TrainVerifyTasks : Pass<"train-verify-tasks", "::mlir::ModuleOp"> {
  let summary = "check what scheduling and lowering rely on";
  let description = [{
    Rules T1 to T4 of Verify.h: tasks and layers, one layer and kind per task, a
    task graph that passes its own check. Changes nothing.
  }];
}

#endif // TAKT_TRANSFORMS_PASSES_TD
