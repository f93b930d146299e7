// RUN: takt-opt %s --takt-step-pipeline="optimizer=momentum momentum=0.5" | FileCheck %s
// RUN: takt-opt %s --takt-step-pipeline="loss=none" | FileCheck %s --check-prefix=FORWARD

// Identities are gone before they get a gradient or a task.
// CHECK: train.layers = ["gemm"]
// CHECK: func.func @main
// CHECK-NOT: train.reshape
// CHECK: train.gemm {{.*}}train.task = "gemm.F"
// CHECK: train.softmax_cross_entropy {{.*}}train.task = "gemm.F"
// CHECK: train.gemm {{.*}}train.task = "gemm.W"
// CHECK: train.momentum {{.*}}momentum = 5.000000e-01 : f32{{.*}}train.task = "gemm.U"

// FORWARD: train.gemm {{.*}}train.kind = "F", train.layer = 0 : i64, train.node = "gemm", train.task = "gemm.F"
// FORWARD-NOT: train.task = "gemm.W"
module @m attributes {train.batch = 2 : i64} {
  train.parameter @w : tensor<4x3xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x4xf32> {
    %w = train.read @w : tensor<4x3xf32>
    %r = train.reshape %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
    %y = train.gemm %r, %w {trans_b = true} : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
    return %y : tensor<2x4xf32>
  }
}
