//===- TrainOptimizerOps.td - updates of parameters --------*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAINOPTIMIZEROPS_TD
#define TAKT_DIALECT_TRAIN_TRAINOPTIMIZEROPS_TD

include "takt/Dialect/Train/TrainOpBase.td"

// Element by element, all tensors of one type. The learning rate η is
// `rate_factor` times a scalar of the program that the host sets at run time; each
// element of the gradient g is limited to −`clip_value` to `clip_value` first, if
// that is not 0.
class Train_OptimizerOp<string mnemonic, dag inputs, dag results_>
    : Train_KernelOp<mnemonic, [Train_OneType], Train_WordsAndWork> {
  let arguments = !con(inputs, (ins
    Train_DefaultF32<"0.0f">:$weight_decay,
    Train_DefaultF32<"1.0f">:$rate_factor,
    Train_DefaultF32<"0.0f">:$clip_value));
  let results = results_;
  let assemblyFormat = "operands attr-dict `:` type($new_w)";
  let hasVerifier = 1;
}

def Train_SgdOp : Train_OptimizerOp<"sgd",
    (ins Train_FloatTensor:$w, Train_FloatTensor:$g),
    (outs Train_FloatTensor:$new_w)> {
  let summary = "step of stochastic gradient descent";
  let description = [{
    new_w = w − η · (g + weight_decay · w), with η = `rate_factor` times the program's
    learning rate. If `clip_value` is not 0, the elements of g are limited to
    −`clip_value` to `clip_value` first.

    Constraints:
    - (C1) `weight_decay`, `rate_factor` and `clip_value` are finite and at least 0.

    Example:

    ```mlir
    %new = train.sgd %w, %g {weight_decay = 1.0e-4 : f32} : tensor<10x64xf32>
    ```
  }];
}

def Train_MomentumOp : Train_OptimizerOp<"momentum",
    (ins Train_FloatTensor:$w, Train_FloatTensor:$g, Train_FloatTensor:$v,
      Train_DefaultF32<"0.9f">:$momentum, Train_Flag:$nesterov),
    (outs Train_FloatTensor:$new_w, Train_FloatTensor:$new_v)> {
  let summary = "step of gradient descent with momentum";
  let description = [{
    With g' = g + weight_decay · w: new_v = momentum · v + g', and new_w = w − η ·
    new_v, or with `nesterov` new_w = w − η · (g' + momentum · new_v). For η and the
    limit of g see `train.sgd`.

    Constraints:
    - (C1) `weight_decay`, `rate_factor` and `clip_value` are finite and at least 0.

    Example:

    ```mlir
    %new, %new_v = train.momentum %w, %g, %v {momentum = 0.9 : f32, nesterov = true} : tensor<10x64xf32>
    ```
  }];
}

def Train_AdamOp : Train_OptimizerOp<"adam",
    (ins Train_FloatTensor:$w, Train_FloatTensor:$g, Train_FloatTensor:$m,
      Train_FloatTensor:$v, Train_DefaultF32<"0.9f">:$beta1,
      Train_DefaultF32<"0.999f">:$beta2, Train_DefaultF32<"1.0e-8f">:$epsilon,
      Train_Flag:$decoupled),
    (outs Train_FloatTensor:$new_w, Train_FloatTensor:$new_m,
      Train_FloatTensor:$new_v)> {
  let summary = "step of Adam or AdamW";
  let description = [{
    With g' = g + weight_decay · w, or g' = g if `decoupled`, and t the step's
    number, counted from 1: new_m = beta1 · m + (1 − beta1) · g', new_v = beta2 · v
    + (1 − beta2) · g'², new_w = w − η · (new_m / (1 − beta1^t)) / (sqrt(new_v /
    (1 − beta2^t)) + epsilon), and if `decoupled` minus η · weight_decay · w. For η
    and the limit of g see `train.sgd`.

    Constraints:
    - (C1) `weight_decay`, `rate_factor` and `clip_value` are finite and at least 0.
    - (C2) `beta1` and `beta2` are in [0, 1).
    - (C3) `epsilon` is at least 0.

    Example:

    ```mlir
    %new, %new_m, %new_v = train.adam %w, %g, %m, %v {weight_decay = 0.01 : f32, decoupled = true} : tensor<10x64xf32>
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Clipping by the norm of all gradients
//===----------------------------------------------------------------------===//

def Train_SumSquaresOp : Train_KernelOp<"sum_squares", [Train_Inferred],
    ["getWork"]> {
  let summary = "sum of the squares of all elements";
  let description = [{
    y is a scalar of x's element type; the sum is made in double precision.

    Example:

    ```mlir
    %y = train.sum_squares %x : (tensor<10x64xf32>) -> tensor<f32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$x);
  let results = (outs Train_FloatTensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Train_ClipFactorOp : Train_KernelOp<"clip_factor", [Train_Inferred],
    ["getWork"]> {
  let summary = "what gradients are scaled by to keep their norm below a limit";
  let description = [{
    factor = min(1, L / (sqrt(Σ squares) + 10⁻⁶)), summed from the first operand to
    the last in double precision: PyTorch's `clip_grad_norm_`. `limit` is what the
    program's scalar L is until the host writes another one. Not a number where Σ is
    none.

    Constraints:
    - (C1) there is an operand.
    - (C2) all operands are scalars of one type.
    - (C3) `limit` is finite and at least 0.

    Example:

    ```mlir
    %factor = train.clip_factor %a, %b {limit = 1.0 : f64} : (tensor<f32>, tensor<f32>) -> tensor<f32>
    ```
  }];
  let arguments = (ins Variadic<Train_FloatTensor>:$squares, F64Attr:$limit);
  let results = (outs Train_FloatTensor:$factor);
  let assemblyFormat =
      "$squares attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Reconstruction
//===----------------------------------------------------------------------===//

// The weights that a minibatch's forward pass used, for its dgrad, without a
// copy of them. With w(t) the weights after t updates, a(t) a moving average of
// the steps w(t−1) − w(t) that decays by β, and n updates to go back,
//   earlier(t) = w(t) + n · a(t),   a(t) = β · a(t−1) + (1 − β) · (w(t−1) − w(t))
// and with κ = n · (1 − β), which frees the recurrence of a,
//   earlier(t) = β · earlier(t−1) + (κ − β) · w(t−1) + (1 − κ) · w(t).
// In the first n updates earlier stays w(0), which is exact. The old and the new
// weights need not be there at once: fade takes the former before the update,
// reconstruct the latter behind it.
class Train_ReconstructionOp<string mnemonic, string result>
    : Train_KernelOp<mnemonic, [Train_OneType], Train_WordsAndWork> {
  let assemblyFormat =
      "operands attr-dict `:` type($" # result # ")";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Sets how many updates to go back, and the average's decay.
    void setReconstruction(int64_t updates, float decay) {
      ::mlir::Builder builder(getContext());
      setUpdatesAttr(builder.getI64IntegerAttr(updates));
      setDecayAttr(builder.getF32FloatAttr(decay));
    }
  }];
}

def Train_FadeOp : Train_ReconstructionOp<"fade", "faded"> {
  let summary = "what an update leaves of the average of steps";
  let description = [{
    With n = `updates`, β = `decay`, κ = n · (1 − β): faded = β · earlier + (κ −
    β) · w, and faded = earlier in the first n minibatches. The first half of
    `train.reconstruct`.

    Constraints:
    - (C1) `updates` is from 0 to 65535.
    - (C2) `decay` is in [0, 1).

    Example:

    ```mlir
    %faded = train.fade %earlier, %w {updates = 4, decay = 0.6 : f32} : tensor<10x64xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$earlier, Train_FloatTensor:$w,
    DefaultValuedAttr<I64Attr, "0">:$updates, Train_DefaultF32<"0.0f">:$decay);
  let results = (outs Train_FloatTensor:$faded);
}

def Train_ReconstructOp : Train_ReconstructionOp<"reconstruct", "new_earlier"> {
  let summary = "an estimate of the weights of earlier updates";
  let description = [{
    With n = `updates`, β = `decay`, κ = n · (1 − β): new_earlier = faded + (1 −
    κ) · new_w, and new_earlier = faded in the first n minibatches. `faded` is of
    a `train.fade` with the same attributes. Where all steps are equal the result
    is what the weights were n updates ago; for n = 1 and β = 0 it always is.

    Constraints:
    - (C1) `updates` is from 0 to 65535.
    - (C2) `decay` is in [0, 1).

    Example:

    ```mlir
    %next = train.reconstruct %faded, %new_w {updates = 4, decay = 0.6 : f32} : tensor<10x64xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$faded, Train_FloatTensor:$new_w,
    DefaultValuedAttr<I64Attr, "0">:$updates, Train_DefaultF32<"0.0f">:$decay);
  let results = (outs Train_FloatTensor:$new_earlier);
}

#endif // TAKT_DIALECT_TRAIN_TRAINOPTIMIZEROPS_TD
