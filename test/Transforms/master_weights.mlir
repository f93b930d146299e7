// RUN: takt-opt %s --train-master-weights --split-input-file | FileCheck %s
// RUN: takt-opt %s --takt-step-pipeline="loss=mse optimizer=momentum scale-loss=true" --split-input-file | FileCheck %s --check-prefix=STEP

// The master is f32, and so is all that updates it. What is frozen stays.
// CHECK-LABEL: module @masters
// CHECK: train.parameter @w : tensor<4x3xf32> = dense<5.000000e-01> {kind = #train.parameter_kind<trainable>}
// CHECK: train.parameter @b : tensor<3xf32> = dense<[1.000000e+00, 2.000000e+00, -5.000000e-01]> {kind = #train.parameter_kind<trainable>}
// CHECK: train.parameter @c : tensor<3xbf16> = dense<1.000000e+00>
// CHECK: %[[MASTER:.*]] = train.read @w : tensor<4x3xf32>
// CHECK: %[[W:.*]] = train.cast %[[MASTER]] : (tensor<4x3xf32>) -> tensor<4x3xbf16>
// CHECK: train.gemm %arg0, %[[W]], %{{.*}} : (tensor<2x4xbf16>, tensor<4x3xbf16>, tensor<3xbf16>) -> tensor<2x3xbf16>

// The loss is f32. Gradients of activations are 16-bit, those of parameters are
// never rounded: what they are computed from is cast first.
// STEP-LABEL: module @masters
// STEP: train.parameter @w.momentum : tensor<4x3xf32>
// STEP: %[[Y:.*]] = train.mul {{.*}} -> tensor<2x3xbf16>
// STEP: %[[WIDE:.*]] = train.cast %[[Y]] {train.kind = "F"
// STEP: %[[LOSS:.*]], %[[DLOSS:.*]] = train.mean_squared_error %[[WIDE]], %arg1
// STEP: %[[SCALED:.*]] = train.scale_gradient %[[DLOSS]] {train.kind = "D"{{.*}} : tensor<2x3xf32>
// STEP: %[[DY:.*]] = train.cast %[[SCALED]] {train.kind = "D"{{.*}} -> tensor<2x3xbf16>
// STEP: %[[DG:.*]] = train.mul %[[DY]]{{.*}}train.kind = "D"
// The weight's gradient, divided by the scale:
// STEP-DAG: %[[WIDE_X:.*]] = train.cast %arg0 {train.kind = "W"{{.*}} -> tensor<2x4xf32>
// STEP-DAG: %[[WIDE_DG:.*]] = train.cast %[[DG]] {train.kind = "W"{{.*}} -> tensor<2x3xf32>
// STEP-DAG: %[[DW:.*]] = train.gemm %[[WIDE_X]], %[[WIDE_DG]] {{.*}}train.kind = "W"{{.*}} -> tensor<4x3xf32>
// STEP-DAG: %[[TRUE_DW:.*]] = train.scale_gradient %[[DW]] {divide = true, train.kind = "W"
// STEP: train.momentum %{{.*}}, %[[TRUE_DW]], %{{.*}} : tensor<4x3xf32>
module @masters attributes {train.batch = 2 : i64} {
  train.parameter @w : tensor<4x3xbf16> = dense<0.5> {kind = #train.parameter_kind<trainable>}
  train.parameter @b : tensor<3xbf16> = dense<[1.0, 2.0, -0.5]> {kind = #train.parameter_kind<trainable>}
  train.parameter @c : tensor<3xbf16> = dense<1.0> {kind = #train.parameter_kind<constant>}
  func.func @main(%x: tensor<2x4xbf16> {train.name = "x"}) -> (tensor<2x3xbf16> {train.name = "y"}) {
    %w = train.read @w : tensor<4x3xbf16>
    %b = train.read @b : tensor<3xbf16>
    %c = train.read @c : tensor<3xbf16>
    %g = train.gemm %x, %w, %b : (tensor<2x4xbf16>, tensor<4x3xbf16>, tensor<3xbf16>) -> tensor<2x3xbf16>
    %y = train.mul %g, %c : (tensor<2x3xbf16>, tensor<3xbf16>) -> tensor<2x3xbf16>
    return %y : tensor<2x3xbf16>
  }
}

// -----

// The backward pass casts the weight itself: its own version, and no copy of it is
// kept for it.
// STEP-LABEL: module @again
// STEP: %[[MASTER:.*]] = train.read @w2
// STEP: %[[F:.*]] = train.cast %[[MASTER]] {train.kind = "F"
// STEP: train.gemm %{{.*}}, %[[F]] {{.*}}train.kind = "F"
// STEP: %[[D:.*]] = train.cast %[[MASTER]] {train.kind = "D"
// STEP: train.gemm %{{.*}}, %[[D]] {{.*}}train.kind = "D"
module @again attributes {train.batch = 2 : i64} {
  train.parameter @w1 : tensor<4x3xf16> = dense<0.5> {kind = #train.parameter_kind<trainable>}
  train.parameter @w2 : tensor<3x3xf16> = dense<0.5> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<2x4xf16> {train.name = "x"}) -> (tensor<2x3xf16> {train.name = "y"}) {
    %w1 = train.read @w1 : tensor<4x3xf16>
    %h = train.gemm %x, %w1 : (tensor<2x4xf16>, tensor<4x3xf16>) -> tensor<2x3xf16>
    %w2 = train.read @w2 : tensor<3x3xf16>
    %y = train.gemm %h, %w2 : (tensor<2x3xf16>, tensor<3x3xf16>) -> tensor<2x3xf16>
    return %y : tensor<2x3xf16>
  }
}

// -----

// What a batch normalization takes in f32 is kept in 16 bits: its dgrad and its wgrad
// cast it again, each in its own task, that of the dgrad being the next layer's D.
// STEP-LABEL: module @activation
// STEP: %[[H:.*]] = train.conv %{{.*}}train.task = "conv.F"
// STEP: %[[FH:.*]] = train.cast %[[H]] {{.*}}train.task = "conv.F"
// STEP: train.batch_norm %[[FH]]
// STEP-DAG: %[[DH:.*]] = train.cast %[[H]] {train.kind = "D"{{.*}}train.task = "out.D"
// STEP-DAG: train.batch_norm_dgrad %{{.*}}, %[[DH]]
// STEP-DAG: %[[WH:.*]] = train.cast %[[H]] {train.kind = "W"{{.*}}train.task = "conv.W"
// STEP-DAG: train.batch_norm_wgrad %{{.*}}, %[[WH]]
module @activation attributes {train.batch = 2 : i64} {
  train.parameter @w : tensor<3x4x1xf16> = dense<0.5> {kind = #train.parameter_kind<trainable>}
  train.parameter @s : tensor<3xf32> = dense<1.0> {kind = #train.parameter_kind<trainable>}
  train.parameter @m : tensor<3xf32> = dense<0.0> {kind = #train.parameter_kind<state>}
  train.parameter @v : tensor<15x2xf32> = dense<1.0> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<2x4x5xf16> {train.name = "x"}) -> (tensor<2x2xf32> {train.name = "z"}) {
    %w = train.read @w : tensor<3x4x1xf16>
    %s = train.read @s : tensor<3xf32>
    %m = train.read @m : tensor<3xf32>
    %h = train.conv %x, %w : (tensor<2x4x5xf16>, tensor<3x4x1xf16>) -> tensor<2x3x5xf16> loc("conv")
    %wide = train.cast %h : (tensor<2x3x5xf16>) -> tensor<2x3x5xf32>
    %y, %mean, %std, %nm, %nv = train.batch_norm %wide, %s, %s, %m, %s
        : (tensor<2x3x5xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>)
        -> (tensor<2x3x5xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>)
    %v = train.read @v : tensor<15x2xf32>
    %flat = train.reshape %y : (tensor<2x3x5xf32>) -> tensor<2x15xf32>
    %z = train.gemm %flat, %v : (tensor<2x15xf32>, tensor<15x2xf32>) -> tensor<2x2xf32> loc("out")
    return %z : tensor<2x2xf32>
  }
}
