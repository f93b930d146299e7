//===- TrainFunctionOps.td - functions element by element *- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAINFUNCTIONOPS_TD
#define TAKT_DIALECT_TRAIN_TRAINFUNCTIONOPS_TD

include "takt/Dialect/Train/TrainOpBase.td"

// alpha and beta are what the function's formula says; most have neither.
defvar Train_Coefficients = (ins Train_DefaultF32<"0.0f">:$alpha,
                                 Train_DefaultF32<"0.0f">:$beta);

def Train_UnaryOp : Train_KernelOp<"unary",
    [Train_OneType, Train_Differentiable, Train_Rowwise], Train_Words> {
  let summary = "a function, element by element";
  let description = [{
    y = f(x), f being one of [these](isa.md#functions) with the numbers `alpha`
    and `beta`.

    Example:

    ```mlir
    %y = train.unary clip %x {alpha = 0.0 : f32, beta = 6.0 : f32} : tensor<8x16xf32>
    ```
  }];
  let arguments = !con((ins Train_UnaryFunctionAttr:$function,
                            Train_FloatTensor:$x), Train_Coefficients);
  let results = (outs Train_FloatTensor:$y);
  let assemblyFormat = [{
    custom<Keyword>($function) $x attr-dict `:` type($x)
  }];
}

def Train_UnaryDgradOp : Train_KernelOp<"unary_dgrad",
    [Train_OneType, Train_Rowwise], Train_Words> {
  let summary = "gradient of a function, element by element";
  let description = [{
    dx = dy · f'(x). Where f has no derivative, it is PyTorch's: 0 for `abs` and
    outside the ends of `hard_sigmoid`, 1 at the ends of `clip`; 0 everywhere
    for `sign` and what rounds.

    Example:

    ```mlir
    %dx = train.unary_dgrad gelu %dy, %x : tensor<8x16xf32>
    ```
  }];
  let arguments = !con((ins Train_UnaryFunctionAttr:$function,
      Train_FloatTensor:$dy, Train_FloatTensor:$x), Train_Coefficients);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = [{
    custom<Keyword>($function) $dy `,` $x attr-dict `:` type($x)
  }];
}

def Train_BinaryOp : Train_KernelOp<"binary",
    [Train_Inferred, Train_Differentiable, Train_RowOperands], Train_Words> {
  let summary = "a function of two tensors, broadcast to each other";
  let description = [{
    y = f(a, b), f being one of [these](isa.md#functions). (Sums and products
    have operations of their own.) Of integers, `div` rounds towards 0, what
    overflows wraps around, and what is divided by 0 is 0. Of i1, `max` is or
    and `min` is and.

    Constraints:
    - (C1) from the last axis on, sizes are equal or one of them is 1 or absent.
    - (C2) a and b have the same element type: of integers, the function is not
      `prelu`; of i1, it is `max` or `min`.

    Example:

    ```mlir
    %y = train.binary div %a, %b : (tensor<8x16xf32>, tensor<8x1xf32>) -> tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_BinaryFunctionAttr:$function,
    Train_Tensor:$a, Train_Tensor:$b);
  let results = (outs Train_Tensor:$y);
  let assemblyFormat = [{
    custom<Keyword>($function) $a `,` $b attr-dict `:`
    functional-type(operands, results)
  }];
}

def Train_BinaryDgradOp : Train_KernelOp<"binary_dgrad",
    [Train_Inferred, Train_RowOperands], Train_Words> {
  let summary = "gradient of a function of two tensors";
  let description = [{
    dx = dy · ∂f/∂a, or ∂f/∂b where `operand` is 1, for every element of y; the
    sum over what was broadcast is another operation. Where f has no derivative,
    it is PyTorch's: a half each where the operands of `max` and `min` are equal,
    b for `prelu` at 0.

    Constraints:
    - (C1) dy has the shape that a and b are broadcast to.
    - (C2) `operand` is 0 or 1.

    Example:

    ```mlir
    %dx = train.binary_dgrad div %dy, %a, %b {operand = 1 : i64}
        : (tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x1xf32>) -> tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_BinaryFunctionAttr:$function,
    Train_FloatTensor:$dy, Train_FloatTensor:$a, Train_FloatTensor:$b,
    I64Attr:$operand);
  let results = (outs Train_FloatTensor:$dx);
  let assemblyFormat = [{
    custom<Keyword>($function) $dy `,` $a `,` $b attr-dict `:`
    functional-type(operands, results)
  }];
}

#endif // TAKT_DIALECT_TRAIN_TRAINFUNCTIONOPS_TD
