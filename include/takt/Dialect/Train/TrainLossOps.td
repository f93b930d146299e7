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
class Train_LossOp<string mnemonic, list<string> answers = ["getWork"]>
    : Train_KernelOp<mnemonic, [Train_Inferred], answers>;

def Train_SoftmaxCrossEntropyOp
    : Train_LossOp<"softmax_cross_entropy", Train_WordsAndWork> {
  let summary = "mean cross-entropy of the softmax of logits, and its gradient";
  let description = [{
    loss = −Σ over all labels of log softmax(logits)[label] / number of labels,
    the softmax along `axis`, that of the classes; dlogits is its gradient with
    respect to the logits. A sample may have several labels: one of each token
    (logits N, L, C with `axis` 2) or pixel (N, C, H, W with `axis` 1).

    Constraints:
    - (C1) `axis` is an axis of logits other than 0, that of the samples.
    - (C2) labels has the shape of logits without `axis`, and class indices.
    - (C3) loss is a scalar, dlogits of the type of logits.

    Example:

    ```mlir
    %loss, %dlogits = train.softmax_cross_entropy %logits, %labels {axis = 2 : i64}
        : (tensor<8x32x99xf32>, tensor<8x32xi64>)
          -> (tensor<f32>, tensor<8x32x99xf32>)
    ```
  }];
  let arguments = (ins Train_FloatTensor:$logits, Train_LabelTensor:$labels,
    DefaultValuedAttr<I64Attr, "1">:$axis);
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

def Train_ScaleGradientOp : Train_KernelOp<"scale_gradient",
    [Train_OneType, Train_Rowwise], Train_Words> {
  let summary = "gradients times the scale of the loss, or divided by it";
  let description = [{
    y = S · g or, with `divide`, g / S, where S is run-time scalar 7, the scale of
    the loss; 1 in programs without that scalar. Between the two, gradients in f16
    are S times what they are, so that small ones do not become 0.

    Example:

    ```mlir
    %y = train.scale_gradient %g {divide = true} : tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$g, Train_Flag:$divide);
  let results = (outs Train_FloatTensor:$y);
  let assemblyFormat = "$g attr-dict `:` type($g)";
}

#endif // TAKT_DIALECT_TRAIN_TRAINLOSSOPS_TD
