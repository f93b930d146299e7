//===- TrainGradientOps.td - dgrad and wgrad ---------------*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAINGRADIENTOPS_TD
#define TAKT_DIALECT_TRAIN_TRAINGRADIENTOPS_TD

include "takt/Dialect/Train/TrainOpBase.td"

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

def Train_ConvDgradOp : Train_KernelOp<"conv_dgrad",
    [Train_Differentiable, Train_Cuttable, Train_RowOperands],
    Train_WordsAndWork> {
  let summary = "gradient of a convolution with respect to its input";
  let description = [{
    In a model it is a transposed convolution of dy, which has a gradient itself.

    Constraints:
    - (C1) a `train.conv` of dx and w with the same attributes gives the shape
      of dy.

    Example:

    ```mlir
    %dx = train.conv_dgrad %dy, %w {strides = array<i64: 2, 2>}
        : (tensor<8x16x4x4xf32>, tensor<16x3x3x3xf32>) -> tensor<8x3x10x10xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$dy, Train_FloatTensor:$w,
    DefaultValuedAttr<I64Attr, "1">:$groups, Train_PerDimension:$strides,
    Train_PerDimension:$pads_begin, Train_PerDimension:$pads_end,
    Train_PerDimension:$dilations);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = [{
    $dy `,` $w attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Train_ConvWgradOp : Train_KernelOp<"conv_wgrad",
    [Train_Cuttable, Train_RowRule], Train_WordsAndWork> {
  let summary = "gradient of a convolution with respect to its weights";
  let description = [{
    Constraints:
    - (C1) a `train.conv` of x and dw with the same attributes gives the shape
      of dy.

    Example:

    ```mlir
    %dw = train.conv_wgrad %x, %dy {strides = array<i64: 2, 2>}
        : (tensor<8x3x10x10xf32>, tensor<8x16x4x4xf32>) -> tensor<16x3x3x3xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$x, Train_FloatTensor:$dy,
    DefaultValuedAttr<I64Attr, "1">:$groups, Train_PerDimension:$strides,
    Train_PerDimension:$pads_begin, Train_PerDimension:$pads_end,
    Train_PerDimension:$dilations);
  let results = (outs Train_FloatTensor:$dw);
  let assemblyFormat = [{
    $x `,` $dy attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Normalization
//===----------------------------------------------------------------------===//

def Train_BatchNormDgradOp : Train_KernelOp<"batch_norm_dgrad",
    [Train_Inferred], ["getWork"]> {
  let summary = "gradient of batch normalization with respect to its input";
  let description = [{
    Goes through the minibatch's statistics: with x' = (x − mean) · inv_std and
    n elements per channel, dx = scale · inv_std · (dy − Σ dy / n − x' · Σ (dy ·
    x') / n).

    Constraints:
    - (C1) x has rank 2 to 8, and dy its type.
    - (C2) scale, mean and inv_std have one element per channel of x.

    Example:

    ```mlir
    %dx = train.batch_norm_dgrad %dy, %x, %scale, %mean, %inv_std
        : (tensor<8x16x4x4xf32>, tensor<8x16x4x4xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<8x16x4x4xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$dy, Train_FloatTensor:$x,
    Train_FloatTensor:$scale, Train_FloatTensor:$mean,
    Train_FloatTensor:$inv_std);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = [{
    $dy `,` $x `,` $scale `,` $mean `,` $inv_std attr-dict `:`
    functional-type(operands, results)
  }];
}

def Train_BatchNormWgradOp : Train_KernelOp<"batch_norm_wgrad",
    [Train_Inferred], ["getWork"]> {
  let summary = "gradients of batch normalization for scale and bias";
  let description = [{
    dscale = Σ dy · (x − mean) · inv_std and dbias = Σ dy, per channel.

    Constraints:
    - (C1) x has rank 2 to 8, and dy its type.
    - (C2) mean and inv_std have one element per channel of x, and so have both
      results.

    Example:

    ```mlir
    %dscale, %dbias = train.batch_norm_wgrad %dy, %x, %mean, %inv_std
        : (tensor<8x16x4x4xf32>, tensor<8x16x4x4xf32>, tensor<16xf32>, tensor<16xf32>) -> (tensor<16xf32>, tensor<16xf32>)
    ```
  }];
  let arguments = (ins Train_FloatTensor:$dy, Train_FloatTensor:$x,
    Train_FloatTensor:$mean, Train_FloatTensor:$inv_std);
  let results = (outs Train_FloatTensor:$dscale, Train_FloatTensor:$dbias);
  let assemblyFormat = [{
    $dy `,` $x `,` $mean `,` $inv_std attr-dict `:`
    functional-type(operands, results)
  }];
}

def Train_NormalizeDgradOp : Train_KernelOp<"normalize_dgrad",
    [Train_Inferred, Train_RowRule], Train_WordsAndWork> {
  let summary = "gradient of a normalization over the last axes";
  let description = [{
    With n elements in each mean, dx = inv_std · (dy − Σ dy / n − y · Σ (dy · y)
    / n).

    Constraints:
    - (C1) dy has the type of y.
    - (C2) `axis` is an axis of y, counted from 0.
    - (C3) inv_std has the sizes of y before `axis`.

    Example:

    ```mlir
    %dx = train.normalize_dgrad %dy, %y, %inv_std {axis = 1 : i64}
        : (tensor<8x16xf32>, tensor<8x16xf32>, tensor<8xf32>) -> tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$dy, Train_FloatTensor:$y,
    Train_FloatTensor:$inv_std, I64Attr:$axis);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = [{
    $dy `,` $y `,` $inv_std attr-dict `:` functional-type(operands, results)
  }];
}

def Train_LrnDgradOp : Train_KernelOp<"lrn_dgrad",
    [Train_OneType, Train_Rowwise], Train_WordsAndWork> {
  let summary = "gradient of local response normalization";
  let description = [{
    Constraints:
    - (C1) x has rank 2 to 8.
    - (C2) `size` is in [1, 2^22].

    Example:

    ```mlir
    %dx = train.lrn_dgrad %dy, %x {size = 5 : i64} : tensor<8x16x4x4xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$dy, Train_FloatTensor:$x,
    I64Attr:$size, Train_DefaultF32<"1.0e-4f">:$alpha,
    Train_DefaultF32<"0.75f">:$beta, Train_DefaultF32<"1.0f">:$bias);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = "$dy `,` $x attr-dict `:` type($dx)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

// From the gradient of the result and the result itself.
class Train_ResultDgradOp<string mnemonic, list<string> answers = [],
                          list<Trait> traits = [Train_Rowwise]>
    : Train_KernelOp<mnemonic, !listconcat([Train_OneType], traits), answers> {
  let arguments = (ins Train_FloatTensor:$dy, Train_FloatTensor:$y);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = "$dy `,` $y attr-dict `:` type($dx)";
}

def Train_ReluDgradOp : Train_ResultDgradOp<"relu_dgrad"> {
  let summary = "dy where the result is positive, 0 elsewhere";
  let description = [{
    Example:

    ```mlir
    %dx = train.relu_dgrad %dy, %y : tensor<8x16xf32>
    ```
  }];
}

def Train_LeakyReluDgradOp : Train_KernelOp<"leaky_relu_dgrad",
    [Train_OneType, Train_Rowwise], Train_Words> {
  let summary = "dy where the operand is positive, else alpha · dy";
  let description = [{
    Example:

    ```mlir
    %dx = train.leaky_relu_dgrad %dy, %x {alpha = 0.01 : f32} : tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$dy, Train_FloatTensor:$x,
    Train_DefaultF32<"0.01f">:$alpha);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = "$dy `,` $x attr-dict `:` type($dx)";
}

def Train_SigmoidDgradOp : Train_ResultDgradOp<"sigmoid_dgrad"> {
  let summary = "dy · y · (1 − y)";
  let description = [{
    Example:

    ```mlir
    %dx = train.sigmoid_dgrad %dy, %y : tensor<8x16xf32>
    ```
  }];
}

def Train_TanhDgradOp : Train_ResultDgradOp<"tanh_dgrad"> {
  let summary = "dy · (1 − y²)";
  let description = [{
    Example:

    ```mlir
    %dx = train.tanh_dgrad %dy, %y : tensor<8x16xf32>
    ```
  }];
}

class Train_SoftmaxLikeDgradOp<string mnemonic>
    : Train_ResultDgradOp<mnemonic, Train_Words, [Train_RowRule]> {
  let arguments = (ins Train_FloatTensor:$dy, Train_FloatTensor:$y,
    I64Attr:$axis);
  let hasVerifier = 1;
}

def Train_SoftmaxDgradOp : Train_SoftmaxLikeDgradOp<"softmax_dgrad"> {
  let summary = "y · (dy − Σ dy · y) along an axis";
  let description = [{
    Constraints:
    - (C1) `axis` is an axis of y, counted from 0.

    Example:

    ```mlir
    %dx = train.softmax_dgrad %dy, %y {axis = 1 : i64} : tensor<8x10xf32>
    ```
  }];
}

def Train_LogSoftmaxDgradOp : Train_SoftmaxLikeDgradOp<"log_softmax_dgrad"> {
  let summary = "dy − exp(y) · Σ dy along an axis";
  let description = [{
    Constraints:
    - (C1) `axis` is an axis of y, counted from 0.

    Example:

    ```mlir
    %dx = train.log_softmax_dgrad %dy, %y {axis = 1 : i64} : tensor<8x10xf32>
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

def Train_MaxPoolDgradOp : Train_KernelOp<"max_pool_dgrad",
    [Train_Inferred, Train_Rowwise], Train_WordsAndWork> {
  let summary = "gradient of a maximum pool";
  let description = [{
    Gives each window's gradient to its largest element, among equal ones to the
    first in row-major order.

    Constraints:
    - (C1) a `train.max_pool` of x with the same attributes, with or without
      `ceil_mode`, gives the shape of dy.
    - (C2) dx has the type of x.

    Example:

    ```mlir
    %dx = train.max_pool_dgrad %dy, %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
        : (tensor<8x16x2x2xf32>, tensor<8x16x4x4xf32>) -> tensor<8x16x4x4xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$dy, Train_FloatTensor:$x,
    DenseI64ArrayAttr:$kernel, Train_PerDimension:$strides,
    Train_PerDimension:$pads_begin, Train_PerDimension:$pads_end,
    Train_PerDimension:$dilations);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = [{
    $dy `,` $x attr-dict `:` functional-type(operands, results)
  }];
}

def Train_AveragePoolDgradOp : Train_KernelOp<"average_pool_dgrad",
    [Train_Rowwise], Train_WordsAndWork> {
  let summary = "gradient of an average pool";
  let description = [{
    Constraints:
    - (C1) a `train.average_pool` of dx with the same attributes, with or without
      `ceil_mode`, gives the shape of dy.

    Example:

    ```mlir
    %dx = train.average_pool_dgrad %dy {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
        : (tensor<8x16x2x2xf32>) -> tensor<8x16x4x4xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$dy, DenseI64ArrayAttr:$kernel,
    Train_PerDimension:$strides, Train_PerDimension:$pads_begin,
    Train_PerDimension:$pads_end, Train_PerDimension:$dilations,
    Train_Flag:$count_include_pad);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = "$dy attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Train_LpPoolDgradOp : Train_KernelOp<"lp_pool_dgrad",
    [Train_Inferred, Train_Rowwise], Train_WordsAndWork> {
  let summary = "gradient of the norm of each window";
  let description = [{
    dy · sign(x) · (|x| / y)^(p − 1) of each window; 0 where y is 0.

    Constraints:
    - (C1) a `train.lp_pool` of x with the same attributes, with or without
      `ceil_mode`, gives the shape of dy and y.
    - (C2) dx has the type of x.
    - (C3) `p` is at least 1.

    Example:

    ```mlir
    %dx = train.lp_pool_dgrad %dy, %x, %y {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, p = 3.0 : f32}
        : (tensor<8x16x2x2xf32>, tensor<8x16x4x4xf32>, tensor<8x16x2x2xf32>) -> tensor<8x16x4x4xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$dy, Train_FloatTensor:$x,
    Train_FloatTensor:$y, DenseI64ArrayAttr:$kernel,
    Train_PerDimension:$strides, Train_PerDimension:$pads_begin,
    Train_PerDimension:$pads_end, Train_PerDimension:$dilations,
    Train_DefaultF32<"2.0f">:$p);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = [{
    $dy `,` $x `,` $y attr-dict `:` functional-type(operands, results)
  }];
}

def Train_GlobalAveragePoolDgradOp
    : Train_KernelOp<"global_average_pool_dgrad", [Train_Rowwise]> {
  let summary = "gradient of the mean over all spatial dimensions";
  let description = [{
    Constraints:
    - (C1) a `train.global_average_pool` of dx gives the shape of dy.

    Example:

    ```mlir
    %dx = train.global_average_pool_dgrad %dy : (tensor<8x16x1x1xf32>) -> tensor<8x16x4x4xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$dy);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = "$dy attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // TAKT_DIALECT_TRAIN_TRAINGRADIENTOPS_TD
