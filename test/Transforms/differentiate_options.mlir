// RUN: not takt-opt %s --train-differentiate="optimizer=momentum momentum=1" 2>&1 | FileCheck %s --check-prefix=MOMENTUM
// RUN: not takt-opt %s --train-differentiate="beta2=-0.5" 2>&1 | FileCheck %s --check-prefix=BETA
// RUN: not takt-opt %s --train-differentiate="epsilon=0" 2>&1 | FileCheck %s --check-prefix=EPSILON
// RUN: not takt-opt %s --train-differentiate="weight-decay=nan" 2>&1 | FileCheck %s --check-prefix=DECAY
// RUN: not takt-opt %s --train-differentiate="optimizer=momentum" 2>&1 | FileCheck %s --check-prefix=TAKEN

// MOMENTUM: error: momentum is 1.{{0*e[+]?0*}}, expected a number from 0 to below 1
// BETA: error: beta2 is -5.{{0*}}e-01, expected a number from 0 to below 1
// EPSILON: error: epsilon is 0.{{.*}}, expected a positive number
// DECAY: error: weight decay is nan, expected a number of at least 0
// TAKEN: error: the optimizer needs a parameter 'w.momentum', but the name is taken
// TAKEN: note: by this
module @m attributes {train.batch = 2 : i64} {
  train.parameter @w : tensor<4x3xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @w.momentum : tensor<4x3xf32> = dense<0.1> {kind = #train.parameter_kind<constant>}
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x4xf32> {
    %w = train.read @w : tensor<4x3xf32>
    %y = train.gemm %x, %w {trans_b = true} : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
    return %y : tensor<2x4xf32>
  }
}
