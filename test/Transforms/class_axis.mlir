// The axis of the classes: of pixels 1, of tokens the last, that of the model's own
// softmax, or the one given; labels have the shape without it.
// RUN: takt-opt %s --train-differentiate --split-input-file | FileCheck %s

// CHECK-LABEL: module @pixels
// CHECK: %[[LABEL:[a-z0-9]+]]: tensor<4x6x7xi64> {train.name = "label"}
// CHECK: %[[Z:.*]] = train.conv
// CHECK: train.softmax_cross_entropy %[[Z]], %[[LABEL]] {train.kind = "F"
// CHECK-SAME: (tensor<4x5x6x7xf32>, tensor<4x6x7xi64>) -> (tensor<f32>, tensor<4x5x6x7xf32>)
module @pixels attributes {train.batch = 4 : i64} {
  train.parameter @w : tensor<5x3x1x1xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<4x3x6x7xf32>) -> tensor<4x5x6x7xf32> {
    %w = train.read @w : tensor<5x3x1x1xf32>
    %z = train.conv %x, %w : (tensor<4x3x6x7xf32>, tensor<5x3x1x1xf32>) -> tensor<4x5x6x7xf32>
    return %z : tensor<4x5x6x7xf32>
  }
}

// -----

// CHECK-LABEL: module @tokens
// CHECK: %[[LABEL:[a-z0-9]+]]: tensor<4x6xi64> {train.name = "label"}
// CHECK: %[[Z:.*]] = train.matmul
// CHECK: train.softmax_cross_entropy %[[Z]], %[[LABEL]] {axis = 2 : i64, train.kind = "F"
module @tokens attributes {train.batch = 4 : i64} {
  train.parameter @w : tensor<3x5xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<4x6x3xf32>) -> tensor<4x6x5xf32> {
    %w = train.read @w : tensor<3x5xf32>
    %z = train.matmul %x, %w : (tensor<4x6x3xf32>, tensor<3x5xf32>) -> tensor<4x6x5xf32>
    return %z : tensor<4x6x5xf32>
  }
}

// -----

// A softmax says where the classes are, also before a reshape; the loss is on its
// operand.
// CHECK-LABEL: module @softmax
// CHECK: %[[LABEL:[a-z0-9]+]]: tensor<4x7x2xi64> {train.name = "label"}
// CHECK: %[[Z:.*]] = train.conv
// CHECK: train.log_softmax %[[Z]]
// CHECK: %[[LOGITS:.*]] = train.reshape %[[Z]] {train.kind = "F"
// CHECK: train.softmax_cross_entropy %[[LOGITS]], %[[LABEL]] {train.kind = "F"
// CHECK-NOT: log_softmax_dgrad
module @softmax attributes {train.batch = 4 : i64} {
  train.parameter @w : tensor<5x3x1xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<4x3x14xf32>) -> tensor<4x5x7x2xf32> {
    %w = train.read @w : tensor<5x3x1xf32>
    %z = train.conv %x, %w : (tensor<4x3x14xf32>, tensor<5x3x1xf32>) -> tensor<4x5x14xf32>
    %s = train.log_softmax %z {axis = 1 : i64} : tensor<4x5x14xf32>
    %y = train.reshape %s : (tensor<4x5x14xf32>) -> tensor<4x5x7x2xf32>
    return %y : tensor<4x5x7x2xf32>
  }
}
