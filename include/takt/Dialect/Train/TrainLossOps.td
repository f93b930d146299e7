//===- TrainLossOps.td - losses ----------------------------*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAINLOSSOPS_TD
#define TAKT_DIALECT_TRAIN_TRAINLOSSOPS_TD

include "takt/Dialect/Train/TrainOpBase.td"

// A loss gives its own gradient as second result, so that it has no gradients
// to build.
class Train_LossOp<string mnemonic>
    : Train_KernelOp<mnemonic, [Train_Inferred], ["getWork"]>;

def Train_SoftmaxCrossEntropyOp : Train_LossOp<"softmax_cross_entropy"> {
  let summary = "mean cross-entropy of the softmax of logits, and its gradient";
  let description = [{
    loss = −Σ over the minibatch of log softmax(logits)[labels] / N, and dlogits
    is its gradient with respect to the logits.

    Constraints:
    - (C1) logits is N, C, and labels has N class indices.
    - (C2) loss is a scalar, dlogits of the type of logits.

    Example:

    ```mlir
    %loss, %dlogits = train.softmax_cross_entropy %logits, %labels
        : (tensor<8x10xf32>, tensor<8xi64>) -> (tensor<f32>, tensor<8x10xf32>)
    ```
  }];
  let arguments = (ins Train_FloatTensor:$logits, Train_LabelTensor:$labels);
  let results = (outs Train_FloatTensor:$loss, Train_FloatTensor:$dlogits);
  let assemblyFormat = [{
    $logits `,` $labels attr-dict `:` functional-type(operands, results)
  }];
}

def Train_MeanSquaredErrorOp : Train_LossOp<"mean_squared_error"> {
  let summary = "mean of the squared difference, and its gradient";
  let description = [{
    loss = Σ (x − target)² / number of elements, and dx is its gradient with
    respect to x.

    Constraints:
    - (C1) target has the type of x.
    - (C2) loss is a scalar, dx of the type of x.

    Example:

    ```mlir
    %loss, %dx = train.mean_squared_error %x, %target
        : (tensor<8x10xf32>, tensor<8x10xf32>) -> (tensor<f32>, tensor<8x10xf32>)
    ```
  }];
  let arguments = (ins Train_FloatTensor:$x, Train_FloatTensor:$target);
  let results = (outs Train_FloatTensor:$loss, Train_FloatTensor:$dx);
  let assemblyFormat = [{
    $x `,` $target attr-dict `:` functional-type(operands, results)
  }];
}

#endif // TAKT_DIALECT_TRAIN_TRAINLOSSOPS_TD
