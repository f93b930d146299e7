//===- TrainDialect.td - the train dialect -----------------*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAINDIALECT_TD
#define TAKT_DIALECT_TRAIN_TRAINDIALECT_TD

include "mlir/IR/DialectBase.td"

def Train_Dialect : Dialect {
  let name = "train";
  let cppNamespace = "::takt::train";
  let summary = "What a training step computes";
  let description = [{
    A neural network as parameters and tensor operations, first its forward
    graph, later the whole training step:

    ```
    ONNX ── import ──► train: forward graph in @main, parameters in the module
                          │ differentiate    gradients, loss, updates
                          │ split            tasks cut in parts
                          │ form tasks       train.task and train.layer
                          ▼
                       sched: the scheduling problem
    ```

    ```mlir
    module @perceptron attributes {train.batch = 8 : i64} {
      train.parameter @weight : tensor<10x64xf32> = dense<0.1> {
        kind = #train.parameter_kind<trainable>}
      func.func @main(%x: tensor<8x64xf32> {train.name = "input"})
          -> (tensor<8x10xf32> {train.name = "logits"}) {
        %w = train.read @weight : tensor<10x64xf32>
        %y = train.gemm %x, %w {trans_b = true}
            : (tensor<8x64xf32>, tensor<10x64xf32>) -> tensor<8x10xf32>
        return %y : tensor<8x10xf32>
      }
    }
    ```

    Every operation except those on parameters and delays is one kernel of the
    program container (`Kernels.def`), mnemonic for mnemonic, and answers for
    itself through interfaces: its kernel and cost, its gradients, its cuts.

    Tensors are static, dense and row-major, with at most 8 dimensions. What is
    trained is f32 or f64, activations may be f16 or bf16; indices and class labels
    are i64, truth values i1 (a byte each), and arithmetic on integers is that of
    i8 to i64 and ui8 to ui64. Only `train.cast` goes from one to another, and
    nothing but floats has a gradient. Operations on f16 and bf16 compute in f32 and
    round their results. Layouts are ONNX's: activations N, C, spatial…;
    convolution weights Cout, Cin / groups, spatial….

    Files: `TrainInterfaces.td` (what operations answer), `TrainAttributes.td`
    (attributes and types), `TrainStateOps.td` (parameters, delays),
    `TrainForwardOps.td`, `TrainFunctionOps.td` (functions element by element),
    `TrainShapeOps.td` (operations that move, combine and reduce),
    `TrainSelectionOps.td` (element types, choices, indices), `TrainRandomOps.td`,
    `TrainGradientOps.td`, `TrainLossOps.td`, `TrainOptimizerOps.td`.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
  let useDefaultAttributePrinterParser = 1;
}

#endif // TAKT_DIALECT_TRAIN_TRAINDIALECT_TD
