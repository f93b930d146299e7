//===- TrainForwardOps.td - layers and activations ---------*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAINFORWARDOPS_TD
#define TAKT_DIALECT_TRAIN_TRAINFORWARDOPS_TD

include "takt/Dialect/Train/TrainOpBase.td"

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

def Train_ConvOp : Train_KernelOp<"conv",
    [Train_Inferred, Train_Differentiable, Train_Cuttable, Train_RowOperands], Train_WordsAndWork> {
  let summary = "convolution of 1 to 3 spatial dimensions";
  let description = [{
    y[b, o, p] = bias[o] + Σ over c, k of x[b, c, p · stride − pad + k · dilation]
    · w[o, c, k], per group of channels; x is 0 outside.

    Constraints:
    - (C1) x and w have the same rank, 3 to 5.
    - (C2) `groups` divides the channels of x and of w (axis 0), and axis 1 of w
      times `groups` is the number of channels of x.
    - (C3) `strides`, `pads_begin`, `pads_end`, `dilations` are empty (1, 0, 0,
      1) or have a number per spatial dimension; strides and dilations are at
      least 1, pads at least 0, all at most 2^22.
    - (C4) the dilated kernel fits into the padded input.
    - (C5) b has one element per output channel.
    - (C6) y is N, Cout, and (size + pads − dilation · (kernel − 1) − 1) / stride
      + 1 per spatial dimension, rounded down.

    Example:

    ```mlir
    %y = train.conv %x, %w, %b {pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>}
        : (tensor<8x3x32x32xf32>, tensor<16x3x3x3xf32>, tensor<16xf32>) -> tensor<8x16x32x32xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$x, Train_FloatTensor:$w,
    Optional<Train_FloatTensor>:$b, DefaultValuedAttr<I64Attr, "1">:$groups,
    Train_PerDimension:$strides, Train_PerDimension:$pads_begin,
    Train_PerDimension:$pads_end, Train_PerDimension:$dilations);
  let results = (outs Train_FloatTensor:$y);
  let assemblyFormat = [{
    $x `,` $w (`,` $b^)? attr-dict `:` functional-type(operands, results)
  }];
}

def Train_GemmOp : Train_KernelOp<"gemm",
    [Train_Inferred, Train_Differentiable, Train_Cuttable,
     Train_RowRuleAndOperands],
    Train_WordsAndWork> {
  let summary = "matrix product with bias";
  let description = [{
    y = alpha · a' · b' + beta · c, a' being a or its transpose, and b' likewise;
    c is broadcast to y.

    Constraints:
    - (C1) a and b are matrices.
    - (C2) the columns of a' are as many as the rows of b'.
    - (C3) c broadcasts to the shape of y.

    Example:

    ```mlir
    %y = train.gemm %x, %w, %b {trans_b = true}
        : (tensor<8x64xf32>, tensor<10x64xf32>, tensor<10xf32>) -> tensor<8x10xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$a, Train_FloatTensor:$b,
    Optional<Train_FloatTensor>:$c, Train_Flag:$trans_a, Train_Flag:$trans_b,
    Train_DefaultF32<"1.0f">:$alpha, Train_DefaultF32<"1.0f">:$beta);
  let results = (outs Train_FloatTensor:$y);
  let assemblyFormat = [{
    $a `,` $b (`,` $c^)? attr-dict `:` functional-type(operands, results)
  }];
}

def Train_MatMulOp : Train_KernelOp<"matmul",
    [Train_Inferred, Train_Differentiable, Train_Cuttable,
     Train_RowRuleAndOperands],
    Train_WordsAndWork> {
  let summary = "batched matrix product";
  let description = [{
    The product of the last two axes, each of them transposed first if its flag
    says so; the axes before are broadcast.

    Constraints:
    - (C1) a and b have rank 2 to 8.
    - (C2) the columns of a' are as many as the rows of b'.
    - (C3) the axes before the last two broadcast with each other.

    Example:

    ```mlir
    %y = train.matmul %x, %w
        : (tensor<8x16x64xf32>, tensor<64x32xf32>) -> tensor<8x16x32xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$a, Train_FloatTensor:$b,
    Train_Flag:$trans_a, Train_Flag:$trans_b);
  let results = (outs Train_FloatTensor:$y);
  let assemblyFormat = [{
    $a `,` $b attr-dict `:` functional-type(operands, results)
  }];
}

//===----------------------------------------------------------------------===//
// Normalization
//===----------------------------------------------------------------------===//

def Train_BatchNormOp : Train_KernelOp<"batch_norm",
    [Train_Inferred, Train_Differentiable],
    !listconcat(Train_WordsAndWork, Train_Again)> {
  let summary = "batch normalization with the minibatch's statistics";
  let description = [{
    y = scale · (x − mean) · inv_std + bias per channel, mean and inv_std =
    1 / sqrt(variance + epsilon) taken over all axes of x but the channels, the
    variance being that of the population. The running statistics are

        new_running = momentum · running + (1 − momentum) · statistic

    with mean and variance for the statistic, and do not take part in y.

    Constraints:
    - (C1) x has rank 2 to 8.
    - (C2) scale, bias, running_mean and running_var have one element per
      channel (axis 1) of x, and so have all results but y.
    - (C3) `epsilon` is at least 0, `momentum` in [0, 1].

    Example:

    ```mlir
    %y, %mean, %inv_std, %new_mean, %new_var = train.batch_norm %x, %scale, %bias, %running_mean, %running_var {epsilon = 1.0e-5 : f32, momentum = 0.9 : f32}
        : (tensor<8x16x4x4xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
        -> (tensor<8x16x4x4xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
    ```
  }];
  let arguments = (ins Train_FloatTensor:$x, Train_FloatTensor:$scale,
    Train_FloatTensor:$bias, Train_FloatTensor:$running_mean,
    Train_FloatTensor:$running_var, Train_DefaultF32<"1.0e-5f">:$epsilon,
    Train_DefaultF32<"0.9f">:$momentum);
  let results = (outs Train_FloatTensor:$y, Train_FloatTensor:$mean,
    Train_FloatTensor:$inv_std, Train_FloatTensor:$new_running_mean,
    Train_FloatTensor:$new_running_var);
  let assemblyFormat = [{
    $x `,` $scale `,` $bias `,` $running_mean `,` $running_var attr-dict `:`
    functional-type(operands, results)
  }];
}

def Train_BatchNormApplyOp : Train_KernelOp<"batch_norm_apply",
    [Train_Inferred, Train_RowOperands], ["getWork"]> {
  let summary = "batch normalization with statistics that are known";
  let description = [{
    y = scale · (x − mean) · inv_std + bias per channel: what `batch_norm` made
    of the same x, once more from the statistics that it left. The sum is the
    same one, so that y is the same bit for bit.

    Constraints:
    - (C1) x has rank 2 to 8.
    - (C2) scale, bias, mean and inv_std have one element per channel (axis 1)
      of x.

    Example:

    ```mlir
    %y = train.batch_norm_apply %x, %scale, %bias, %mean, %inv_std
        : (tensor<8x16x4x4xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<8x16x4x4xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$x, Train_FloatTensor:$scale,
    Train_FloatTensor:$bias, Train_FloatTensor:$mean,
    Train_FloatTensor:$inv_std);
  let results = (outs Train_FloatTensor:$y);
  let assemblyFormat = [{
    $x `,` $scale `,` $bias `,` $mean `,` $inv_std attr-dict `:`
    functional-type(operands, results)
  }];
}

def Train_LrnOp : Train_KernelOp<"lrn",
    [Train_OneType, Train_Differentiable, Train_Rowwise], Train_WordsAndWork> {
  let summary = "local response normalization across channels";
  let description = [{
    y[b, c] = x[b, c] / (bias + alpha / size · Σ x[b, i]²)^beta, the sum taken
    over the channels i from c − floor((size − 1) / 2) to c + ceil((size − 1) / 2)
    that exist.

    Constraints:
    - (C1) x has rank 2 to 8.
    - (C2) `size` is in [1, 2^22].

    Example:

    ```mlir
    %y = train.lrn %x {size = 5 : i64, alpha = 1.0e-4 : f32, beta = 0.75 : f32, bias = 1.0 : f32} : tensor<8x16x4x4xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$x, I64Attr:$size,
    Train_DefaultF32<"1.0e-4f">:$alpha, Train_DefaultF32<"0.75f">:$beta,
    Train_DefaultF32<"1.0f">:$bias);
  let results = (outs Train_FloatTensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def Train_NormalizeOp : Train_KernelOp<"normalize",
    [Train_Inferred, Train_Differentiable, Train_RowRule], Train_WordsAndWork> {
  let summary = "mean 0 and variance 1 over the last axes";
  let description = [{
    y = (x − mean) · inv_std, the mean and inv_std = 1 / sqrt(variance + epsilon)
    taken over the axes from `axis` on, the variance being that of the
    population: what layer, group and instance normalization have in common.

    Constraints:
    - (C1) `axis` is an axis of x, counted from 0.
    - (C2) inv_std has the sizes of x before `axis`.
    - (C3) `epsilon` is at least 0.

    Example:

    ```mlir
    %y, %inv_std = train.normalize %x {axis = 2 : i64, epsilon = 1.0e-6 : f32}
        : (tensor<8x16x64xf32>) -> (tensor<8x16x64xf32>, tensor<8x16xf32>)
    ```
  }];
  let arguments = (ins Train_FloatTensor:$x, I64Attr:$axis,
    Train_DefaultF32<"1.0e-5f">:$epsilon);
  let results = (outs Train_FloatTensor:$y, Train_FloatTensor:$inv_std);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

class Train_ActivationOp<string mnemonic, list<string> answers = [],
                         list<Trait> traits = [Train_Rowwise]>
    : Train_KernelOp<mnemonic,
        !listconcat([Train_OneType, Train_Differentiable], traits), answers> {
  let arguments = (ins Train_FloatTensor:$x);
  let results = (outs Train_FloatTensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

def Train_ReluOp : Train_ActivationOp<"relu"> {
  let summary = "max(x, 0), element by element";
  let description = [{
    Example:

    ```mlir
    %y = train.relu %x : tensor<8x16xf32>
    ```
  }];
}

def Train_LeakyReluOp : Train_ActivationOp<"leaky_relu", Train_Words> {
  let summary = "x, or alpha · x where x is negative";
  let description = [{
    Example:

    ```mlir
    %y = train.leaky_relu %x {alpha = 0.01 : f32} : tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$x, Train_DefaultF32<"0.01f">:$alpha);
}

def Train_SigmoidOp : Train_ActivationOp<"sigmoid"> {
  let summary = "1 / (1 + exp(−x)), element by element";
  let description = [{
    Example:

    ```mlir
    %y = train.sigmoid %x : tensor<8x16xf32>
    ```
  }];
}

def Train_TanhOp : Train_ActivationOp<"tanh"> {
  let summary = "hyperbolic tangent, element by element";
  let description = [{
    Example:

    ```mlir
    %y = train.tanh %x : tensor<8x16xf32>
    ```
  }];
}

class Train_SoftmaxLikeOp<string mnemonic>
    : Train_ActivationOp<mnemonic, Train_Words, [Train_RowRule]> {
  let arguments = (ins Train_FloatTensor:$x, I64Attr:$axis);
  let hasVerifier = 1;
}

def Train_SoftmaxOp : Train_SoftmaxLikeOp<"softmax"> {
  let summary = "exp(x) divided by its sum along an axis";
  let description = [{
    Constraints:
    - (C1) `axis` is an axis of x, counted from 0.

    Example:

    ```mlir
    %y = train.softmax %x {axis = 1 : i64} : tensor<8x10xf32>
    ```
  }];
}

def Train_LogSoftmaxOp : Train_SoftmaxLikeOp<"log_softmax"> {
  let summary = "logarithm of the softmax along an axis";
  let description = [{
    Constraints:
    - (C1) `axis` is an axis of x, counted from 0.

    Example:

    ```mlir
    %y = train.log_softmax %x {axis = 1 : i64} : tensor<8x10xf32>
    ```
  }];
}

def Train_DropoutOp : Train_KernelOp<"dropout",
    [Train_OneType, Train_Differentiable], Train_Words> {
  let summary = "sets elements to 0 at random";
  let description = [{
    Each element becomes 0 with probability `ratio` and is divided by 1 − ratio
    otherwise. Which ones is a function of the minibatch's number, `seed` and
    the element's position and of nothing else, so that the same operation on a
    gradient is dropout's gradient.

    Constraints:
    - (C1) `ratio` is in [0, 1).
    - (C2) `seed` is in [0, 2^32).

    Example:

    ```mlir
    %y = train.dropout %x {ratio = 0.5 : f32, seed = 7 : i64} : tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$x, Train_DefaultF32<"0.5f">:$ratio,
    DefaultValuedAttr<I64Attr, "0">:$seed);
  let results = (outs Train_FloatTensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

class Train_PoolOp<string mnemonic, Type tensor = Train_FloatTensor>
    : Train_KernelOp<mnemonic,
        [Train_Inferred, Train_Differentiable, Train_Rowwise],
        Train_WordsAndWork> {
  let results = (outs tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Train_MaxPoolOp : Train_PoolOp<"max_pool", Train_NumberTensor> {
  let summary = "largest element of each window";
  let description = [{
    Padding never is the largest element; where there is no other, y is the lowest
    number of its type. Pools of integers have no gradient.

    Constraints:
    - (C1) x has rank 3 to 5.
    - (C2) `kernel` has a number per spatial dimension, and `strides`,
      `pads_begin`, `pads_end`, `dilations` have as many or are empty (1, 0, 0,
      1); kernel, strides and dilations are at least 1, pads at least 0, all at
      most 2^22.
    - (C3) the dilated kernel fits into the padded input and is larger than
      `pads_begin`, so that no window lies in the padding before the input.
    - (C4) y is N, C, and (size + pads − dilation · (kernel − 1) − 1) / stride
      + 1 per spatial dimension, rounded down, with `ceil_mode` up, but without
      windows that begin in the padding behind the input.

    Example:

    ```mlir
    %y = train.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
        : (tensor<8x16x4x4xf32>) -> tensor<8x16x2x2xf32>
    ```
  }];
  let arguments = (ins Train_NumberTensor:$x, DenseI64ArrayAttr:$kernel,
    Train_PerDimension:$strides, Train_PerDimension:$pads_begin,
    Train_PerDimension:$pads_end, Train_PerDimension:$dilations,
    Train_Flag:$ceil_mode);
}

def Train_MaxPoolIndicesOp : Train_KernelOp<"max_pool_indices",
    [Train_Inferred], Train_WordsAndWork> {
  let summary = "where the largest element of each window is";
  let description = [{
    The position of the element that `train.max_pool` takes, among equal ones
    the first in row-major order, in the whole of x. With `column_major`, the
    position in an image is counted column by column. A window between whose
    taps x lies has the index -1.

    Constraints: C1 to C4 of `train.max_pool`.

    Example:

    ```mlir
    %i = train.max_pool_indices %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
        : (tensor<8x16x4x4xf32>) -> tensor<8x16x2x2xi64>
    ```
  }];
  let arguments = (ins Train_NumberTensor:$x, DenseI64ArrayAttr:$kernel,
    Train_PerDimension:$strides, Train_PerDimension:$pads_begin,
    Train_PerDimension:$pads_end, Train_PerDimension:$dilations,
    Train_Flag:$ceil_mode, Train_Flag:$column_major);
  let results = (outs Train_LabelTensor:$indices);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Train_AveragePoolOp : Train_PoolOp<"average_pool"> {
  let summary = "mean of each window";
  let description = [{
    The sum of a window's elements divided by how many exist, or, with
    `count_include_pad`, by how many lie in the padded input; 0 where there are
    none.

    Constraints: C1 to C4 of `train.max_pool`.

    Example:

    ```mlir
    %y = train.average_pool %x {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, ceil_mode = true}
        : (tensor<8x16x6x6xf32>) -> tensor<8x16x3x3xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$x, DenseI64ArrayAttr:$kernel,
    Train_PerDimension:$strides, Train_PerDimension:$pads_begin,
    Train_PerDimension:$pads_end, Train_PerDimension:$dilations,
    Train_Flag:$count_include_pad, Train_Flag:$ceil_mode);
}

def Train_LpPoolOp : Train_PoolOp<"lp_pool"> {
  let summary = "norm of each window";
  let description = [{
    The sum of the window's |x|^p, to the power of 1 / p.

    Constraints: C1 to C4 of `train.max_pool`, and
    - (C5) `p` is at least 1.

    Example:

    ```mlir
    %y = train.lp_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, p = 3.0 : f32}
        : (tensor<8x16x4x4xf32>) -> tensor<8x16x2x2xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$x, DenseI64ArrayAttr:$kernel,
    Train_PerDimension:$strides, Train_PerDimension:$pads_begin,
    Train_PerDimension:$pads_end, Train_PerDimension:$dilations,
    Train_DefaultF32<"2.0f">:$p, Train_Flag:$ceil_mode);
}

def Train_GlobalAveragePoolOp : Train_KernelOp<"global_average_pool",
    [Train_Inferred, Train_Differentiable, Train_Rowwise], ["getWork"]> {
  let summary = "mean over all spatial dimensions";
  let description = [{
    Constraints:
    - (C1) x has rank 2 to 8.
    - (C2) y has the shape of x with 1 for every spatial dimension.

    Example:

    ```mlir
    %y = train.global_average_pool %x : (tensor<8x16x4x4xf32>) -> tensor<8x16x1x1xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$x);
  let results = (outs Train_FloatTensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

#endif // TAKT_DIALECT_TRAIN_TRAINFORWARDOPS_TD
