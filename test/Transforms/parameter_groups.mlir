// RUN: takt-opt %s --train-differentiate="weight-decay=0.5 clip-value=0.25 parameter-groups={fc1.*:weight-decay=0,learning-rate-factor=2},{*.bias:learning-rate-factor=0.125}" | FileCheck %s
// RUN: takt-opt %s --train-differentiate="weight-decay=0.5" | FileCheck %s --check-prefix=PLAIN
// RUN: not takt-opt %s --train-differentiate="parameter-groups={fc3.*:weight-decay=0}" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not takt-opt %s --train-differentiate="parameter-groups={fc1.*:rate=0}" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not takt-opt %s --train-differentiate="clip-value=-1" 2>&1 | FileCheck %s --check-prefix=CLIP

// The first group that matches counts: fc1.bias is not in the second one.
// CHECK: train.sgd {{.*}}{clip_value = 2.500000e-01 : f32, rate_factor = 2.000000e+00 : f32, {{.*}}train.node = "fc1.weight"
// CHECK-NOT: weight_decay
// CHECK: train.sgd {{.*}}{clip_value = 2.500000e-01 : f32, rate_factor = 2.000000e+00 : f32, {{.*}}train.node = "fc1.bias"
// CHECK: train.sgd {{.*}}{clip_value = 2.500000e-01 : f32, {{.*}}train.node = "fc2.weight", weight_decay = 5.000000e-01 : f32
// CHECK-NOT: rate_factor = 2
// CHECK: train.sgd {{.*}}{clip_value = 2.500000e-01 : f32, rate_factor = 1.250000e-01 : f32, {{.*}}train.node = "fc2.bias", weight_decay = 5.000000e-01 : f32
// PLAIN-NOT: {{clip_value|rate_factor}}
// PLAIN: weight_decay = 5.000000e-01 : f32
// NONE: error: parameter-group=fc3.*: no parameter has such a name, expected for example 'fc1.bias'
// NAME: error: parameter-group: expected learning-rate-factor=X or weight-decay=X, found 'rate=0'
// CLIP: error: clip value is -1{{.*}}, expected a number of at least 0
module @m attributes {train.batch = 2 : i64} {
  train.parameter @fc1.weight : tensor<5x3xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc1.bias : tensor<5xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc2.weight : tensor<4x5xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc2.bias : tensor<4xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x4xf32> {
    %w1 = train.read @fc1.weight : tensor<5x3xf32>
    %b1 = train.read @fc1.bias : tensor<5xf32>
    %w2 = train.read @fc2.weight : tensor<4x5xf32>
    %b2 = train.read @fc2.bias : tensor<4xf32>
    %h = train.gemm %x, %w1, %b1 {trans_b = true} : (tensor<2x3xf32>, tensor<5x3xf32>, tensor<5xf32>) -> tensor<2x5xf32>
    %y = train.gemm %h, %w2, %b2 {trans_b = true} : (tensor<2x5xf32>, tensor<4x5xf32>, tensor<4xf32>) -> tensor<2x4xf32>
    return %y : tensor<2x4xf32>
  }
}
