//===- TrainShapeOps.td - move, combine and reduce ---------*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAINSHAPEOPS_TD
#define TAKT_DIALECT_TRAIN_TRAINSHAPEOPS_TD

include "takt/Dialect/Train/TrainOpBase.td"

//===----------------------------------------------------------------------===//
// Broadcasting arithmetic
//===----------------------------------------------------------------------===//

class Train_BroadcastOp<string mnemonic> : Train_KernelOp<mnemonic,
    [Train_Inferred, Train_Differentiable, Train_RowOperands]> {
  let results = (outs Train_NumberTensor:$y);
  let assemblyFormat = [{
    operands attr-dict `:` functional-type(operands, results)
  }];
}

class Train_ArithmeticOp<string mnemonic> : Train_BroadcastOp<mnemonic> {
  let arguments = (ins Train_NumberTensor:$a, Train_NumberTensor:$b);
}

def Train_AddOp : Train_ArithmeticOp<"add"> {
  let summary = "sum of two tensors, broadcast to each other";
  let description = [{
    Constraints:
    - (C1) from the last axis on, sizes are equal or one of them is 1 or absent.

    Example:

    ```mlir
    %y = train.add %a, %b : (tensor<8x16xf32>, tensor<16xf32>) -> tensor<8x16xf32>
    ```
  }];
}

def Train_MulOp : Train_ArithmeticOp<"mul"> {
  let summary = "product of two tensors, broadcast to each other";
  let description = [{
    Constraints:
    - (C1) from the last axis on, sizes are equal or one of them is 1 or absent.

    Example:

    ```mlir
    %y = train.mul %a, %b : (tensor<8x16xf32>, tensor<8x1xf32>) -> tensor<8x16xf32>
    ```
  }];
}

def Train_SumOp : Train_BroadcastOp<"sum"> {
  let summary = "sum of one or more tensors, broadcast to each other";
  let description = [{
    Constraints:
    - (C1) there is an operand.
    - (C2) from the last axis on, sizes are equal or all but one value are 1 or
      absent.

    Example:

    ```mlir
    %y = train.sum %a, %b, %c : (tensor<8x16xf32>, tensor<8x16xf32>, tensor<16xf32>) -> tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Variadic<Train_FloatTensor>:$x);
  let hasFolder = 1;
}

def Train_ScaleOp : Train_KernelOp<"scale",
    [Train_OneType, Train_Differentiable, Train_Rowwise], Train_Words> {
  let summary = "value · x";
  let description = [{
    Example:

    ```mlir
    %y = train.scale %x {value = 0.5 : f32} : tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$x, Train_F32Attr:$value);
  let results = (outs Train_FloatTensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x)";
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Reduction
//===----------------------------------------------------------------------===//

class Train_ReductionOp<string mnemonic> : Train_KernelOp<mnemonic,
    [Train_Differentiable, Train_RowRule], Train_WordsAndWork> {
  let arguments = (ins Train_NumberTensor:$x, DenseI64ArrayAttr:$axes);
  let results = (outs Train_NumberTensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Train_ReduceSumOp : Train_ReductionOp<"reduce_sum"> {
  let summary = "sum over axes";
  let description = [{
    Constraints:
    - (C1) `axes` are different axes of x.
    - (C2) y has the shape of x with the axes at 1 (kept), or without them.

    Example:

    ```mlir
    %y = train.reduce_sum %x {axes = array<i64: 0, 2>} : (tensor<8x16x4xf32>) -> tensor<16xf32>
    ```
  }];
}

def Train_ReduceMaxOp : Train_ReductionOp<"reduce_max"> {
  let summary = "largest element along axes";
  let description = [{
    NaN is larger than every number.

    Constraints:
    - (C1) `axes` are different axes of x.
    - (C2) y has the shape of x with the axes at 1 (kept), or without them.

    Example:

    ```mlir
    %y = train.reduce_max %x {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8x1xf32>
    ```
  }];
}

def Train_ReduceMaxDgradOp : Train_KernelOp<"reduce_max_dgrad",
    [Train_RowRule], Train_WordsAndWork> {
  let summary = "gradient of the largest element along axes";
  let description = [{
    dy goes in equal parts to all elements that are the largest, and 0 to the
    others.

    Constraints:
    - (C1) `axes` are different axes of x.
    - (C2) dy has the shape of x with the axes at 1 (kept), or without them.
    - (C3) dx has the type of x.

    Example:

    ```mlir
    %dx = train.reduce_max_dgrad %dy, %x {axes = array<i64: 1>} : (tensor<8xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$dy, Train_FloatTensor:$x,
    DenseI64ArrayAttr:$axes);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = [{
    $dy `,` $x attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

def Train_ConcatOp : Train_KernelOp<"concat",
    [Train_Inferred, Train_Differentiable, Train_RowRule], Train_Words> {
  let summary = "tensors one behind the other along an axis";
  let description = [{
    Constraints:
    - (C1) there is an operand, and all have the same element type and rank.
    - (C2) `axis` is an axis of the operands, counted from 0.
    - (C3) sizes on all other axes are equal.

    Example:

    ```mlir
    %y = train.concat %a, %b {axis = 1 : i64} : (tensor<8x16xf32>, tensor<8x4xf32>) -> tensor<8x20xf32>
    ```
  }];
  let arguments = (ins Variadic<Train_Tensor>:$x, I64Attr:$axis);
  let results = (outs Train_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Train_SliceOp : Train_KernelOp<"slice",
    [Train_Differentiable, Train_RowRule], Train_Words> {
  let summary = "a contiguous range of one axis";
  let description = [{
    The indices `begin` to `begin` + extent of y of the axis.

    Constraints:
    - (C1) `axis` is an axis of x, counted from 0.
    - (C2) y has the element type and shape of x except on the axis.
    - (C3) the range lies inside x.

    Example:

    ```mlir
    %y = train.slice %x {axis = 1 : i64, begin = 4 : i64} : (tensor<8x16xf32>) -> tensor<8x6xf32>
    ```
  }];
  let arguments = (ins Train_Tensor:$x, I64Attr:$axis, I64Attr:$begin);
  let results = (outs Train_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Train_ReshapeOp : Train_KernelOp<"reshape",
    [Train_Differentiable, Train_RowRule]> {
  let summary = "the same elements under another shape";
  let description = [{
    Constraints:
    - (C1) x and y have the same element type and number of elements.

    Example:

    ```mlir
    %y = train.reshape %x : (tensor<8x16x4x4xf32>) -> tensor<8x256xf32>
    ```
  }];
  let arguments = (ins Train_Tensor:$x);
  let results = (outs Train_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Train_TransposeOp : Train_KernelOp<"transpose",
    [Train_Inferred, Train_Differentiable, Train_RowRule], Train_Words> {
  let summary = "axes in another order";
  let description = [{
    Axis i of y is axis permutation[i] of x.

    Constraints:
    - (C1) `permutation` has every axis of x once.

    Example:

    ```mlir
    %y = train.transpose %x {permutation = array<i64: 1, 0>} : (tensor<8x16xf32>) -> tensor<16x8xf32>
    ```
  }];
  let arguments = (ins Train_Tensor:$x, DenseI64ArrayAttr:$permutation);
  let results = (outs Train_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Train_ExpandOp : Train_KernelOp<"expand",
    [Train_Differentiable, Train_RowOperands]> {
  let summary = "a tensor broadcast to a shape";
  let description = [{
    Constraints:
    - (C1) x broadcasts to the shape of y.

    Example:

    ```mlir
    %y = train.expand %x : (tensor<16x1xf32>) -> tensor<8x16x4xf32>
    ```
  }];
  let arguments = (ins Train_Tensor:$x);
  let results = (outs Train_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Train_PadOp : Train_KernelOp<"pad",
    [Train_Inferred, Train_Differentiable, Train_RowRule], Train_Words> {
  let summary = "elements around a tensor";
  let description = [{
    y is x with `begins` elements before and `ends` behind it along each axis:
    `value` (`constant`), x mirrored without its border (`reflect`), the nearest
    element of x (`edge`), or x over and over again (`wrap`). Where x has
    integers, `value` is the one next to it towards 0.

    Constraints:
    - (C1) `begins` and `ends` have a number per axis, from 0 to 2^32 − 1;
      for `reflect`, less than the size of x.

    Example:

    ```mlir
    %y = train.pad constant %x {begins = array<i64: 0, 0, 1, 1>, ends = array<i64: 0, 0, 1, 1>, value = 0.0 : f32}
        : (tensor<8x16x4x4xf32>) -> tensor<8x16x6x6xf32>
    ```
  }];
  let arguments = (ins Train_PadModeAttr:$mode, Train_Tensor:$x,
    DenseI64ArrayAttr:$begins, DenseI64ArrayAttr:$ends,
    DefaultValuedAttr<Train_ExtendedF32Attr, "0.0f">:$value);
  let results = (outs Train_Tensor:$y);
  let assemblyFormat = [{
    custom<Keyword>($mode) $x attr-dict `:`
    functional-type(operands, results)
  }];
}

def Train_PadDgradOp : Train_KernelOp<"pad_dgrad", [Train_RowRule],
    Train_Words> {
  let summary = "gradient of elements around a tensor";
  let description = [{
    The sum of dy over all places where an element of x is.

    Constraints:
    - (C1) a `train.pad` of dx with the same attributes has the shape of dy.

    Example:

    ```mlir
    %dx = train.pad_dgrad edge %dy {begins = array<i64: 0, 2>, ends = array<i64: 0, 1>} : (tensor<8x19xf32>) -> tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_PadModeAttr:$mode, Train_FloatTensor:$dy,
    DenseI64ArrayAttr:$begins, DenseI64ArrayAttr:$ends);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = [{
    custom<Keyword>($mode) $dy attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // TAKT_DIALECT_TRAIN_TRAINSHAPEOPS_TD
