// RUN: takt-opt %s --takt-step-pipeline --train-microbatch=count=2 --train-verify-step --train-verify-tasks | FileCheck %s
// RUN: takt-opt %s --takt-step-pipeline --train-microbatch=count=1 | FileCheck %s --check-prefix=ONE
// RUN: not takt-opt %s --takt-step-pipeline --train-microbatch=count=0 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not takt-opt %s --takt-step-pipeline --train-microbatch=count=2 --train-microbatch=count=2 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not takt-opt %s --takt-step-pipeline="loss=none" --train-microbatch=count=2 2>&1 | FileCheck %s --check-prefix=FORWARD

// Inputs have the samples of both; each task takes its own.
// CHECK: train.batch = 4 : i64
// CHECK: func.func @main(%[[X:.*]]: tensor<4x3xf32>, %[[L:.*]]: tensor<4xi64> {{.*}}) -> (tensor<f32> {{.*}}, tensor<4x5xf32>
// CHECK: %[[W:.*]] = train.read @w
// CHECK: %[[X0:.*]] = train.slice %[[X]] {axis = 0 : i64, begin = 0 : i64, {{.*}}train.task = "gemm.F.m0"} : (tensor<4x3xf32>) -> tensor<2x3xf32>
// CHECK: %[[Y0:.*]] = train.gemm %[[X0]], %[[W]] {{.*}}train.microbatch = 0 : i64, train.node = "gemm.m0", train.task = "gemm.F.m0"
// CHECK: %[[D0:.*]] = train.dropout %[[Y0]] {{.*}}seed = [[SEED:[0-9]+]] : i64
// CHECK: %[[L0:.*]] = train.slice %[[L]] {{.*}}begin = 0
// CHECK: %[[LOSS0:.*]], %[[E0:.*]] = train.softmax_cross_entropy %[[D0]], %[[L0]]
// The gradient is of the mean of both losses.
// CHECK: %[[S0:.*]] = train.scale %[[E0]] {{.*}}value = 5.000000e-01
// CHECK: train.dropout %[[S0]] {{.*}}seed = [[SEED]] : i64
// CHECK: %[[XW0:.*]] = train.slice %[[X]] {{.*}}train.task = "gemm.W.m0"
// CHECK: %[[G0:.*]] = train.gemm {{.*}}, %[[XW0]] {{.*}}train.task = "gemm.W.m0"

// The weight is read once; another mask is drawn.
// CHECK-NOT: train.read
// CHECK: train.slice %[[X]] {axis = 0 : i64, begin = 2 : i64
// CHECK: train.dropout
// CHECK-NOT: seed = [[SEED]] : i64
// CHECK: %[[LOSS1:.*]], %{{.*}} = train.softmax_cross_entropy
// CHECK: %[[G1:.*]] = train.gemm {{.*}}train.task = "gemm.W.m1"
// CHECK: %[[G:.*]] = train.add %[[G0]], %[[G1]] {{.*}}train.task = "gemm.W.m1"

// One update, on the sum.
// CHECK: %[[NEW:.*]] = train.sgd %{{.*}}, %[[G]] {{.*}}train.microbatch = 1 : i64, {{.*}}train.task = "gemm.U"
// CHECK: train.write @w, %[[NEW]]
// CHECK-NOT: train.sgd
// CHECK: %[[TOTAL:.*]] = train.add %[[LOSS0]], %[[LOSS1]]
// CHECK: %[[LOSS:.*]] = train.scale %[[TOTAL]] {{.*}}value = 5.000000e-01
// CHECK: %[[ALL:.*]] = train.concat %{{.*}}, %{{.*}} {axis = 0 : i64
// CHECK: return %[[LOSS]], %[[ALL]]

// ONE-NOT: train.microbatch
// ZERO: error: {{.*}}expected at least 1 microbatch, found 0
// TWICE: error: {{.*}}the step is divided into microbatches already
// FORWARD: error: {{.*}}a forward pass is not divided into microbatches
module @m attributes {train.batch = 2 : i64} {
  train.parameter @w : tensor<5x3xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x5xf32> {
    %w = train.read @w : tensor<5x3xf32>
    %y = train.gemm %x, %w {trans_b = true} : (tensor<2x3xf32>, tensor<5x3xf32>) -> tensor<2x5xf32>
    %d = train.dropout %y {ratio = 0.5 : f32, seed = 7 : i64} : tensor<2x5xf32>
    return %d : tensor<2x5xf32>
  }
}
