// RUN: takt-opt %s --train-differentiate --train-form-tasks -o %t.mlir
// RUN: takt-opt %t.mlir --train-clip-norm=limit=0.25 --train-verify-step --train-verify-tasks -o %t.clipped.mlir
// RUN: FileCheck %s < %t.clipped.mlir
// RUN: takt-opt %t.clipped.mlir --train-form-tasks=print -o /dev/null | FileCheck %s --check-prefix=TASKS
// RUN: takt-opt %t.mlir --train-microbatch=count=2 --train-clip-norm --train-verify-step --train-verify-tasks | FileCheck %s --check-prefix=MICRO
// RUN: not takt-opt %t.clipped.mlir --train-clip-norm 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not takt-opt %t.mlir --train-retime=delays=1,1 --train-clip-norm 2>&1 | FileCheck %s --check-prefix=RETIMED
// RUN: not takt-opt %t.mlir --train-clip-norm=limit=0 2>&1 | FileCheck %s --check-prefix=LIMIT
// RUN: not takt-opt %s --train-differentiate --train-clip-norm 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not takt-opt %s --train-differentiate=loss=none --train-form-tasks --train-clip-norm 2>&1 | FileCheck %s --check-prefix=FORWARD
// RUN: not takt-opt %t.clipped.mlir --train-replicate="replicas=2,1 delays=0,0" 2>&1 | FileCheck %s --check-prefix=REPLICAS

// Each W sums the squares of its gradients; one U of the first layer makes the
// factor, which adds them in the order of the updates.
// CHECK: %[[W1:.*]] = train.gemm {{.*}}train.task = "fc1.W"
// CHECK: %[[S1:.*]] = train.sum_squares %[[W1]] {{.*}}train.kind = "W"{{.*}}train.task = "fc1.W"} : (tensor<4x8xf32>) -> tensor<f32>
// CHECK: %[[S0:.*]] = train.sum_squares {{.*}}train.task = "fc0.W"}
// CHECK: %[[F:.*]] = train.clip_factor %[[S0]], %[[S1]] {limit = 2.500000e-01 : f64, train.kind = "U", train.layer = 0 : i64, train.node = "norm", train.task = "fc0.U.norm"} : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK: train.mul %{{.*}}, %[[F]] {{.*}}train.task = "fc0.U"}
// CHECK: %[[G1:.*]] = train.mul %[[W1]], %[[F]] {{.*}}train.kind = "U"{{.*}}train.task = "fc1.U"} : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
// CHECK: train.sgd %{{.*}}, %[[G1]]

// No update is before the norm, nor the norm before the last W.
// TASKS: task fc1.W
// TASKS-NEXT: task fc0.W
// TASKS-NEXT: task fc0.U.norm
// TASKS-NEXT: task fc0.U layer 0
// TASKS-NEXT: task fc1.U

// Of microbatches it is the sum.
// MICRO-COUNT-2: train.sum_squares %{{.*}}train.microbatch = 1
// MICRO-NOT: train.sum_squares
// MICRO: train.clip_factor {{.*}}limit = 1.000000e+00

// TWICE: error: the gradients are clipped already
// RETIMED: error: the step is retimed already
// LIMIT: error: clip norm is 0{{.*}}, expected a positive number
// NONE: error: gradients are clipped after tasks are formed, but there is no 'train.layers'
// FORWARD: error: there is no update whose gradient could be clipped
// REPLICAS: error: expected an optimizer's update
module @net attributes {train.batch = 4 : i64} {
  train.parameter @fc0.weight : tensor<8x8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc1.weight : tensor<4x8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<4x8xf32>) -> tensor<4x4xf32> {
    %w0 = train.read @fc0.weight : tensor<8x8xf32>
    %w1 = train.read @fc1.weight : tensor<4x8xf32>
    %0 = train.gemm %x, %w0 : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("fc0")
    %1 = train.gemm %0, %w1 {trans_b = true} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x4xf32> loc("fc1")
    return %1 : tensor<4x4xf32>
  }
}
