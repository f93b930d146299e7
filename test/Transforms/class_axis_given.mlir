// The axis of the classes that the user names, also from the end.
// RUN: takt-opt %s --train-differentiate=class-axis=1 | FileCheck %s
// RUN: takt-opt %s --train-differentiate=class-axis=-3 | FileCheck %s
// RUN: takt-opt %s --takt-step-pipeline=class-axis=1 | FileCheck %s
// RUN: not takt-opt %s --train-differentiate=class-axis=4 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not takt-opt %s --train-differentiate=class-axis=-4 2>&1 | FileCheck %s --check-prefix=BATCH
// RANGE: error: class axis is 4, expected 1 to 3 or -3 to -1 for logits of 'tensor<4x5x6x7xf32>'
// BATCH: error: class axis is -4, expected 1 to 3 or -3 to -1 for logits of

// A softmax along another axis is a part of the model.
// CHECK: %[[S:.*]] = train.softmax %
// CHECK: train.softmax_cross_entropy %[[S]], %{{.*}} {train.kind = "F"{{.*}} (tensor<4x5x6x7xf32>, tensor<4x6x7xi64>)
// CHECK: train.softmax_dgrad
module @attention attributes {train.batch = 4 : i64} {
  train.parameter @w : tensor<5x3x1x1xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<4x3x6x7xf32> {train.name = "x"}) -> (tensor<4x5x6x7xf32> {train.name = "y"}) {
    %w = train.read @w : tensor<5x3x1x1xf32>
    %z = train.conv %x, %w : (tensor<4x3x6x7xf32>, tensor<5x3x1x1xf32>) -> tensor<4x5x6x7xf32>
    %s = train.softmax %z {axis = 3 : i64} : tensor<4x5x6x7xf32>
    return %s : tensor<4x5x6x7xf32>
  }
}
