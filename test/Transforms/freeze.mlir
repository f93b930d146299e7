// RUN: takt-opt %s --train-freeze=patterns=conv.* | FileCheck %s --check-prefix=FROZEN
// RUN: takt-opt %s --takt-step-pipeline="freeze=conv.*" | FileCheck %s --check-prefix=LOW
// RUN: takt-opt %s --takt-step-pipeline="freeze=fc1.weight,fc2.*" | FileCheck %s --check-prefix=HIGH
// RUN: not takt-opt %s --train-freeze=patterns=fc9.* 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not takt-opt %s --train-freeze=patterns=scale 2>&1 | FileCheck %s --check-prefix=CONSTANT
// RUN: not takt-opt %s --train-freeze=patterns=* 2>&1 | FileCheck %s --check-prefix=ALL
// RUN: not takt-opt %s "--train-freeze=patterns=fc[" 2>&1 | FileCheck %s --check-prefix=MALFORMED

// FROZEN: train.parameter @conv.weight {{.*}}frozen, kind = #train.parameter_kind<constant>
// FROZEN: train.parameter @fc1.weight {{.*}}kind = #train.parameter_kind<trainable>
// FROZEN: train.parameter @scale {{.*}}{kind = #train.parameter_kind<constant>}

// Below the lowest layer that is trained there is no D, and of what is frozen no W
// and no U: what is left are the F of three layers, the D, W and U of the last one,
// and the W and U of the one before.
// LOW-NOT: conv.D
// LOW-NOT: conv.W
// LOW: train.task = "conv.F"
// LOW-NOT: train.task = "conv.{{[DWU]}}"
// LOW-NOT: train.task = "fc1.D"
// LOW: train.task = "fc2.D"
// LOW-NOT: train.task = "conv.{{[DWU]}}"
// LOW-NOT: train.task = "fc1.D"
// LOW: train.task = "fc1.W"
// LOW: train.task = "fc1.U"
// LOW-NOT: train.task = "conv.{{[DWU]}}"

// A frozen layer above a trained one passes the gradient on.
// HIGH-NOT: train.task = "fc{{[12]}}.{{[WU]}}"
// HIGH: train.task = "fc2.D"
// HIGH: train.task = "fc1.D"
// HIGH-NOT: train.task = "fc{{[12]}}.{{[WU]}}"
// HIGH: train.task = "conv.W"
// HIGH: train.task = "conv.U"
// HIGH-NOT: train.task = "fc{{[12]}}.{{[WU]}}"

// NONE: error: freeze=fc9.*: no parameter has such a name, expected for example 'fc1.weight', 'fc2.weight' or 'conv.weight'
// CONSTANT: error: freeze=scale: expected a trainable parameter, found 'scale', which is of kind 'constant'
// ALL: error: freeze: all 3 trainable parameters are frozen, expected one to be left
// MALFORMED: error: freeze=fc[: invalid glob pattern, unmatched '['
module @m attributes {train.batch = 2 : i64} {
  train.parameter @conv.weight : tensor<2x1x1x1xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc1.weight : tensor<5x8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc2.weight : tensor<3x5xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @scale : tensor<f32> = dense<0.5> {kind = #train.parameter_kind<constant>}
  func.func @main(%x: tensor<2x1x2x2xf32> {train.name = "x"}) -> (tensor<2x3xf32> {train.name = "y"}) {
    %w0 = train.read @conv.weight : tensor<2x1x1x1xf32>
    %w1 = train.read @fc1.weight : tensor<5x8xf32>
    %w2 = train.read @fc2.weight : tensor<3x5xf32>
    %s = train.read @scale : tensor<f32>
    %0 = train.conv %x, %w0 : (tensor<2x1x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<2x2x2x2xf32> loc("conv")
    %1 = train.reshape %0 : (tensor<2x2x2x2xf32>) -> tensor<2x8xf32> loc("flatten")
    %2 = train.gemm %1, %w1 {trans_b = true} : (tensor<2x8xf32>, tensor<5x8xf32>) -> tensor<2x5xf32> loc("fc1")
    %3 = train.mul %2, %s : (tensor<2x5xf32>, tensor<f32>) -> tensor<2x5xf32> loc("scaled")
    %4 = train.gemm %3, %w2 {trans_b = true} : (tensor<2x5xf32>, tensor<3x5xf32>) -> tensor<2x3xf32> loc("fc2")
    return %4 : tensor<2x3xf32>
  }
}
