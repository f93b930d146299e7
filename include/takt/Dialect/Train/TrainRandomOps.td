//===- TrainRandomOps.td - random numbers ------------------*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAINRANDOMOPS_TD
#define TAKT_DIALECT_TRAIN_TRAINRANDOMOPS_TD

include "takt/Dialect/Train/TrainOpBase.td"

// An element is a function of the minibatch's number, `seed` and the element's
// position and of nothing else, as dropout's choice is: where and when it is
// computed, and how often, does not matter. It is not RowwiseOpInterface, since
// a part would count positions from its own begin.
class Train_RandomOp<string mnemonic> : Train_KernelOp<mnemonic,
    [], Train_WordsAndWork> {
  let results = (outs Train_FloatTensor:$y);
  let assemblyFormat = "attr-dict `:` type($y)";
  let hasVerifier = 1;
}

def Train_RandomUniformOp : Train_RandomOp<"random_uniform"> {
  let summary = "numbers that are uniformly distributed";
  let description = [{
    At least `low` and less than `high`, anew in each minibatch, but the same
    for a seed wherever and however often they are drawn.

    Constraints:
    - (C1) `low` is less than `high`.
    - (C2) `seed` is in [0, 2^32).

    Example:

    ```mlir
    %y = train.random_uniform {low = -1.0 : f32, high = 1.0 : f32, seed = 7 : i64} : tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_DefaultF32<"0.0f">:$low,
    Train_DefaultF32<"1.0f">:$high, DefaultValuedAttr<I64Attr, "0">:$seed);
}

def Train_RandomNormalOp : Train_RandomOp<"random_normal"> {
  let summary = "numbers that are normally distributed";
  let description = [{
    With that mean and standard deviation, anew in each minibatch, but the same
    for a seed wherever and however often they are drawn.

    Constraints:
    - (C1) `scale` is at least 0.
    - (C2) `seed` is in [0, 2^32).

    Example:

    ```mlir
    %y = train.random_normal {scale = 0.5 : f32, seed = 7 : i64} : tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_DefaultF32<"0.0f">:$mean,
    Train_DefaultF32<"1.0f">:$scale, DefaultValuedAttr<I64Attr, "0">:$seed);
}

#endif // TAKT_DIALECT_TRAIN_TRAINRANDOMOPS_TD
