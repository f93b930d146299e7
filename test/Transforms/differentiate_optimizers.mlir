// RUN: takt-opt %s --train-differentiate="optimizer=momentum momentum=0.5 nesterov=true weight-decay=0.25" | FileCheck %s --check-prefix=MOMENTUM
// RUN: takt-opt %s --train-differentiate="optimizer=adam beta1=0.5 beta2=0.75 epsilon=0.125" | FileCheck %s --check-prefix=ADAM
// RUN: takt-opt %s --train-differentiate="optimizer=adamw weight-decay=0.5" | FileCheck %s --check-prefix=ADAMW
// RUN: takt-opt %s --train-differentiate="loss=mse" | FileCheck %s --check-prefix=MSE
// RUN: takt-opt %s --train-differentiate="loss=none" | FileCheck %s --check-prefix=NONE

// MOMENTUM: train.parameter @w.momentum : tensor<4x3xf32> = dense<0.000000e+00>
// MOMENTUM-SAME: optimizer
// MOMENTUM: %[[V:.*]] = train.read @w.momentum {train.kind = "U"}
// MOMENTUM: %[[NEW:.*]], %[[NV:.*]] = train.momentum %{{.*}}, %{{.*}}, %[[V]]
// MOMENTUM-SAME: momentum = 5.000000e-01 : f32, nesterov = true
// MOMENTUM-SAME: weight_decay = 2.500000e-01 : f32
// MOMENTUM: train.write @w, %[[NEW]]
// MOMENTUM: train.write @w.momentum, %[[NV]]

// ADAM-DAG: train.parameter @w.adam_m
// ADAM-DAG: train.parameter @w.adam_v
// ADAM: train.adam
// ADAM-SAME: beta1 = 5.000000e-01 : f32, beta2 = 7.500000e-01 : f32
// ADAM-SAME: epsilon = 1.250000e-01 : f32
// ADAM: train.write @w.adam_m
// ADAM: train.write @w.adam_v

// ADAMW: train.adam
// ADAMW-SAME: decoupled = true
// ADAMW-SAME: weight_decay = 5.000000e-01 : f32

// MSE: , %[[TARGET:[^:]*]]: tensor<2x4xf32> {train.name = "target"}
// MSE: train.mean_squared_error %{{.*}}, %[[TARGET]] {train.kind = "F"

// NONE: func.func @main(%{{.*}}: tensor<2x3xf32>) -> tensor<2x4xf32>
// NONE: train.gemm {{.*}}train.kind = "F", train.node = "gemm"
// NONE-NOT: train.kind = "W"
module @m attributes {train.batch = 2 : i64} {
  train.parameter @w : tensor<4x3xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x4xf32> {
    %w = train.read @w : tensor<4x3xf32>
    %y = train.gemm %x, %w {trans_b = true} : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
    return %y : tensor<2x4xf32>
  }
}
