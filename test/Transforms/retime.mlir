// RUN: takt-opt %s --train-differentiate="optimizer=momentum" --train-form-tasks -o %t.mlir
// RUN: takt-opt %t.mlir --train-retime="delays=2,0" --train-verify-step --train-verify-tasks -o %t.retimed.mlir
// RUN: FileCheck %s < %t.retimed.mlir
// RUN: not takt-opt %t.mlir --train-retime="delays=2" 2>&1 | FileCheck %s --check-prefix=COUNT
// RUN: not takt-opt %t.mlir --train-retime="delays=2,-1" 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not takt-opt %t.retimed.mlir --train-retime="delays=2,0" 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not takt-opt %s --train-retime="delays=2,0" 2>&1 | FileCheck %s --check-prefix=EARLY

// Only layer 0 is delayed: its weight and bias, but not their optimizer state.
// CHECK: train.parameter @fc0.weight : {{.*}}delay = 2 : i64
// CHECK-NOT: delay
// CHECK: train.parameter @fc0.bias : {{.*}}delay = 2 : i64
// CHECK-NOT: delay
// CHECK: func.func @main
// CHECK: %[[DW0:.*]] = train.gemm {{.*}}train.task = "fc0.W"
// CHECK: %[[DB0:.*]] = train.reduce_sum {{.*}}train.task = "fc0.W"
// CHECK: %[[G:.*]] = train.delay %[[DW0]] by 2 {train.kind = "U"}
// CHECK: train.momentum %{{.*}}, %[[G]], %{{.*}}train.task = "fc0.U"
// CHECK: %[[H:.*]] = train.delay %[[DB0]] by 2
// CHECK: train.momentum %{{.*}}, %[[H]], %{{.*}}train.task = "fc0.U"
// CHECK-NOT: train.delay
// CHECK: train.momentum {{.*}}train.task = "fc1.U"

// COUNT: error: expected one delay for each of 2 layers, found 1
// NEGATIVE: error: delay of layer "fc1" is -1, expected at least 0
// TWICE: error: the step is retimed already
// EARLY: error: delays are set after tasks are formed, but there is no 'train.layers'
module @net attributes {train.batch = 4 : i64} {
  train.parameter @fc0.weight : tensor<8x8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc0.bias : tensor<8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc1.weight : tensor<8x8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
    %w0 = train.read @fc0.weight : tensor<8x8xf32>
    %b0 = train.read @fc0.bias : tensor<8xf32>
    %w1 = train.read @fc1.weight : tensor<8x8xf32>
    %0 = train.gemm %x, %w0, %b0 : (tensor<4x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<4x8xf32> loc("fc0")
    %1 = train.gemm %0, %w1 : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("fc1")
    return %1 : tensor<4x8xf32>
  }
}
