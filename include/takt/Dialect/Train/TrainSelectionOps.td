//===- TrainSelectionOps.td - element types, choices, indices *- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAINSELECTIONOPS_TD
#define TAKT_DIALECT_TRAIN_TRAINSELECTIONOPS_TD

include "takt/Dialect/Train/TrainOpBase.td"

//===----------------------------------------------------------------------===//
// Element types and truth values
//===----------------------------------------------------------------------===//

def Train_CastOp : Train_KernelOp<"cast",
    [Train_Differentiable, Train_Rowwise]> {
  let summary = "the same numbers in another element type";
  let description = [{
    A floating-point number becomes the integer next to it towards 0, or the
    nearest end where there is none, NaN 0. In i1, what is not 0 is 1. Between
    types of floating-point numbers it has a gradient, which is cast back.

    Constraints:
    - (C1) x and y have the same shape.

    Example:

    ```mlir
    %y = train.cast %x : (tensor<8x16xi64>) -> tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_Tensor:$x);
  let results = (outs Train_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Train_CompareOp : Train_KernelOp<"compare",
    [Train_Inferred, Train_RowOperands], Train_Words> {
  let summary = "a truth value of two tensors, broadcast to each other";
  let description = [{
    y = 1 where f(a, b) holds, else 0, f being one of [these](isa.md#functions).
    NaN is not equal to anything. (A negation is `compare equal` with 0; logic
    is `binary max` and `min` and `compare not_equal`.)

    Constraints:
    - (C1) a and b have the same element type.
    - (C2) from the last axis on, sizes are equal or one of them is 1 or absent.

    Example:

    ```mlir
    %y = train.compare less %a, %b : (tensor<8x16xf32>, tensor<8x1xf32>) -> tensor<8x16xi1>
    ```
  }];
  let arguments = (ins Train_CompareFunctionAttr:$function,
    Train_Tensor:$a, Train_Tensor:$b);
  let results = (outs Train_BoolTensor:$y);
  let assemblyFormat = [{
    custom<Keyword>($function) $a `,` $b attr-dict `:`
    functional-type(operands, results)
  }];
}

def Train_WhereOp : Train_KernelOp<"where",
    [Train_Inferred, Train_Differentiable, Train_RowOperands]> {
  let summary = "a choice between two tensors, element by element";
  let description = [{
    y = a where the condition holds, else b, all broadcast to each other.

    Constraints:
    - (C1) a and b have the same element type.
    - (C2) from the last axis on, sizes are equal or all but one value are 1 or
      absent.

    Example:

    ```mlir
    %y = train.where %c, %a, %b : (tensor<16x16xi1>, tensor<8x16x16xf32>, tensor<f32>) -> tensor<8x16x16xf32>
    ```
  }];
  let arguments = (ins Train_BoolTensor:$condition, Train_Tensor:$a,
                       Train_Tensor:$b);
  let results = (outs Train_Tensor:$y);
  let assemblyFormat = [{
    $condition `,` $a `,` $b attr-dict `:` functional-type(operands, results)
  }];
}

def Train_WhereDgradOp : Train_KernelOp<"where_dgrad",
    [Train_Inferred, Train_RowOperands], Train_Words> {
  let summary = "gradient of a choice between two tensors";
  let description = [{
    dx = dy where the condition chose operand `operand` of `train.where`, else 0,
    in the shape of dy; the sum over what was broadcast is another operation.

    Constraints:
    - (C1) the condition broadcasts to dy.
    - (C2) `operand` is 1 or 2.

    Example:

    ```mlir
    %dx = train.where_dgrad %dy, %c {operand = 1 : i64} : (tensor<8x16xf32>, tensor<16xi1>) -> tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$dy, Train_BoolTensor:$condition,
    I64Attr:$operand);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = [{
    $dy `,` $condition attr-dict `:` functional-type(operands, results)
  }];
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

def Train_GatherOp : Train_KernelOp<"gather",
    [Train_Inferred, Train_Differentiable, Train_RowRuleAndOperands],
    Train_Words> {
  let summary = "indices of one axis";
  let description = [{
    The axis of x is replaced by the axes of the indices: rows of an embedding,
    for example. An index that is negative counts from the end; one that is out
    of range ends the program.

    Constraints:
    - (C1) `axis` is an axis of x, counted from 0.
    - (C2) y has the element type of x, and its shape with the sizes of the
      indices for that of the axis.

    Example:

    ```mlir
    %y = train.gather %x, %i {axis = 0 : i64} : (tensor<100x16xf32>, tensor<8x5xi64>) -> tensor<8x5x16xf32>
    ```
  }];
  let arguments = (ins Train_Tensor:$x, Train_LabelTensor:$indices,
    I64Attr:$axis);
  let results = (outs Train_Tensor:$y);
  let assemblyFormat = [{
    $x `,` $indices attr-dict `:` functional-type(operands, results)
  }];
}

def Train_GatherDgradOp : Train_KernelOp<"gather_dgrad",
    [Train_RowRuleAndOperands], Train_WordsAndWork> {
  let summary = "gradient of indices of one axis";
  let description = [{
    The sum of dy over all places that an element of x was gathered to.

    Constraints:
    - (C1) a `train.gather` of dx by the indices has the shape of dy.

    Example:

    ```mlir
    %dx = train.gather_dgrad %dy, %i {axis = 0 : i64} : (tensor<8x5x16xf32>, tensor<8x5xi64>) -> tensor<100x16xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$dy, Train_LabelTensor:$indices,
    I64Attr:$axis);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = [{
    $dy `,` $indices attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Train_GatherElementsOp : Train_KernelOp<"gather_elements",
    [Train_Inferred, Train_Differentiable, Train_RowRule], Train_Words> {
  let summary = "an index of one axis for each element";
  let description = [{
    y[.., i, ..] = x[.., indices[.., i, ..], ..]. An index that is negative
    counts from the end; one that is out of range ends the program.

    Constraints:
    - (C1) `axis` is an axis of x, counted from 0.
    - (C2) the indices have the shape of x except on the axis.

    Example:

    ```mlir
    %y = train.gather_elements %x, %i {axis = 1 : i64} : (tensor<8x16xf32>, tensor<8x1xi64>) -> tensor<8x1xf32>
    ```
  }];
  let arguments = (ins Train_Tensor:$x, Train_LabelTensor:$indices,
    I64Attr:$axis);
  let results = (outs Train_Tensor:$y);
  let assemblyFormat = [{
    $x `,` $indices attr-dict `:` functional-type(operands, results)
  }];
}

def Train_GatherElementsDgradOp : Train_KernelOp<"gather_elements_dgrad",
    [Train_RowRule], Train_WordsAndWork> {
  let summary = "gradient of an index of one axis for each element";
  let description = [{
    The sum of dy over all places that an element of x was gathered to.

    Constraints:
    - (C1) a `train.gather_elements` of dx by the indices has the shape of dy.

    Example:

    ```mlir
    %dx = train.gather_elements_dgrad %dy, %i {axis = 1 : i64} : (tensor<8x1xf32>, tensor<8x1xi64>) -> tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$dy, Train_LabelTensor:$indices,
    I64Attr:$axis);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = [{
    $dy `,` $indices attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Train_ScatterElementsOp : Train_KernelOp<"scatter_elements",
    [Train_Inferred, Train_Differentiable, Train_RowRule], Train_WordsAndWork> {
  let summary = "updates at an index of one axis for each of them";
  let description = [{
    y is x, whose elements [.., indices[.., i, ..], ..] are combined with
    updates[.., i, ..] as `mode` says: one of [these](isa.md#functions). The
    gradient of several updates of one element that is replaced is right for the
    last one only; that of the largest or smallest is divided among equal ones.

    Constraints:
    - (C1) `axis` is an axis of x, counted from 0.
    - (C2) the indices have the shape of x except on the axis, and the updates
      that of the indices.
    - (C3) x and the updates have the same element type; `mode` is `replace`,
      `max` or `min` where that is i1.

    Example:

    ```mlir
    %y = train.scatter_elements add %x, %i, %u {axis = 1 : i64} : (tensor<8x16xf32>, tensor<8x3xi64>, tensor<8x3xf32>) -> tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_ScatterModeAttr:$mode, Train_Tensor:$x,
    Train_LabelTensor:$indices, Train_Tensor:$updates, I64Attr:$axis);
  let results = (outs Train_Tensor:$y);
  let assemblyFormat = [{
    custom<Keyword>($mode) $x `,` $indices `,` $updates attr-dict `:`
    functional-type(operands, results)
  }];
}

//===----------------------------------------------------------------------===//
// Order along an axis
//===----------------------------------------------------------------------===//

def Train_ArgMaxOp : Train_KernelOp<"arg_max",
    [Train_RowRule], Train_WordsAndWork> {
  let summary = "index of the largest element along an axis";
  let description = [{
    Of several it is the first or, if `last`, the last. NaN is larger than every
    number.

    Constraints:
    - (C1) `axis` is an axis of x, counted from 0.
    - (C2) y has the shape of x with the axis at 1 (kept), or without it.

    Example:

    ```mlir
    %y = train.arg_max %x {axis = 1 : i64} : (tensor<8x16xf32>) -> tensor<8xi64>
    ```
  }];
  let arguments = (ins Train_NumberTensor:$x, I64Attr:$axis, Train_Flag:$last);
  let results = (outs Train_LabelTensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Train_TopKOp : Train_KernelOp<"top_k",
    [Train_Differentiable, Train_RowRule], Train_WordsAndWork> {
  let summary = "the largest elements along an axis, in order";
  let description = [{
    As many as y has, or the smallest where `largest` is false, and their
    indices; of equal ones first those with the smallest. NaN is larger than
    every number.

    Constraints:
    - (C1) `axis` is an axis of x, counted from 0.
    - (C2) y has the element type of x, and its shape except on the axis, where
      it is not larger.
    - (C3) the indices have the shape of y.

    Example:

    ```mlir
    %y, %i = train.top_k %x {axis = 1 : i64, largest = true} : (tensor<8x16xf32>) -> (tensor<8x3xf32>, tensor<8x3xi64>)
    ```
  }];
  let arguments = (ins Train_NumberTensor:$x, I64Attr:$axis,
                       Train_Flag:$largest);
  let results = (outs Train_NumberTensor:$y, Train_LabelTensor:$indices);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Train_CumSumOp : Train_KernelOp<"cum_sum",
    [Train_OneType, Train_Differentiable, Train_RowRule], Train_Words> {
  let summary = "sums from the begin of an axis";
  let description = [{
    Of the elements up to each of them or, if `exclusive`, in front of each of
    them; from the end of the axis if `reverse`.

    Constraints:
    - (C1) `axis` is an axis of x, counted from 0.

    Example:

    ```mlir
    %y = train.cum_sum %x {axis = 1 : i64, exclusive = true} : tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_NumberTensor:$x, I64Attr:$axis,
                       Train_Flag:$exclusive, Train_Flag:$reverse);
  let results = (outs Train_NumberTensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x)";
  let hasVerifier = 1;
}

#endif // TAKT_DIALECT_TRAIN_TRAINSELECTIONOPS_TD
