// Every operation survives text, and is found again as it was.
// RUN: takt-opt %s | takt-opt | FileCheck %s
// RUN: takt-opt %s --mlir-print-op-generic | takt-opt | FileCheck %s
// RUN: takt-opt %s --emit-bytecode | takt-opt | FileCheck %s

// CHECK-LABEL: module @states
module @states attributes {train.batch = 8 : i64} {
  // CHECK: train.parameter @conv1.weight : tensor<6x1x5x5xf32> = dense<1.000000e-01> {delay = 4 : i64, kind = #train.parameter_kind<trainable>}
  train.parameter @conv1.weight : tensor<6x1x5x5xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>, delay = 4 : i64}
  // CHECK: train.parameter @"/bn/mean" : tensor<6xf64> = dense<0.000000e+00> {kind = #train.parameter_kind<state>}
  train.parameter @"/bn/mean" : tensor<6xf64> = dense<0.0> {kind = #train.parameter_kind<state>}
  // CHECK: train.parameter @velocity : tensor<2xf32> = dense<[1.000000e+00, 2.000000e+00]> {kind = #train.parameter_kind<optimizer>}
  train.parameter @velocity : tensor<2xf32> = dense<[1.0, 2.0]> {kind = #train.parameter_kind<optimizer>}
  // CHECK: train.parameter @shape : tensor<2xi64> = dense<[3, -1]> {kind = #train.parameter_kind<constant>}
  train.parameter @shape : tensor<2xi64> = dense<[3, -1]> {kind = #train.parameter_kind<constant>}
  // CHECK: train.parameter @stored : tensor<2xf32> = dense_resource<stored> {kind = #train.parameter_kind<trainable>}
  train.parameter @stored : tensor<2xf32> = dense_resource<stored> {kind = #train.parameter_kind<trainable>}
  // CHECK: train.parameter @conv1.weight.0 : tensor<2x1x5x5xf32> {axis = 0 : i64, base = @conv1.weight, begin = 4 : i64, kind = #train.parameter_kind<derived>}
  train.parameter @conv1.weight.0 : tensor<2x1x5x5xf32> {kind = #train.parameter_kind<derived>, base = @conv1.weight, axis = 0 : i64, begin = 4 : i64}
  // CHECK-LABEL: func.func @main
  func.func @main(%v: tensor<2xf32>) {
    // CHECK: train.read @velocity : tensor<2xf32>
    %0 = train.read @velocity : tensor<2xf32>
    // CHECK: train.delay %{{.*}} by 4 {train.kind = "U"} : tensor<2xf32>
    %1 = train.delay %v by 4 {train.kind = "U"} : tensor<2xf32>
    // CHECK: train.write @velocity, %{{.*}} : tensor<2xf32>
    train.write @velocity, %1 : tensor<2xf32>
    return
  }
}

// CHECK-LABEL: func.func @products
func.func @products(%x: tensor<8x3x32x32xf32>, %w: tensor<16x3x3x3xf32>, %b: tensor<16xf32>, %m: tensor<8x64xf32>, %n: tensor<10x64xf32>, %c: tensor<10xf32>, %t: tensor<4x8x64xf32>) {
  // CHECK: train.conv %{{.*}}, %{{.*}}, %{{.*}} {pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>} : (tensor<8x3x32x32xf32>, tensor<16x3x3x3xf32>, tensor<16xf32>) -> tensor<8x16x32x32xf32>
  %0 = train.conv %x, %w, %b {pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>} : (tensor<8x3x32x32xf32>, tensor<16x3x3x3xf32>, tensor<16xf32>) -> tensor<8x16x32x32xf32>
  // CHECK: train.conv %{{.*}}, %{{.*}} {dilations = array<i64: 2, 1>, strides = array<i64: 1, 2>} : (tensor<8x3x32x32xf32>, tensor<16x3x3x3xf32>) -> tensor<8x16x28x15xf32>
  %1 = train.conv %x, %w {groups = 1 : i64, dilations = array<i64: 2, 1>, strides = array<i64: 1, 2>} : (tensor<8x3x32x32xf32>, tensor<16x3x3x3xf32>) -> tensor<8x16x28x15xf32>
  // CHECK: train.conv_dgrad %{{.*}}, %{{.*}} {pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>} : (tensor<8x16x32x32xf32>, tensor<16x3x3x3xf32>) -> tensor<8x3x32x32xf32>
  %2 = train.conv_dgrad %0, %w {pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>} : (tensor<8x16x32x32xf32>, tensor<16x3x3x3xf32>) -> tensor<8x3x32x32xf32>
  // CHECK: train.conv_wgrad %{{.*}}, %{{.*}} {pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>} : (tensor<8x3x32x32xf32>, tensor<8x16x32x32xf32>) -> tensor<16x3x3x3xf32>
  %3 = train.conv_wgrad %x, %0 {pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>} : (tensor<8x3x32x32xf32>, tensor<8x16x32x32xf32>) -> tensor<16x3x3x3xf32>
  // CHECK: train.gemm %{{.*}}, %{{.*}}, %{{.*}} {alpha = 5.000000e-01 : f32, trans_b = true} : (tensor<8x64xf32>, tensor<10x64xf32>, tensor<10xf32>) -> tensor<8x10xf32>
  %4 = train.gemm %m, %n, %c {trans_b = true, alpha = 0.5 : f32} : (tensor<8x64xf32>, tensor<10x64xf32>, tensor<10xf32>) -> tensor<8x10xf32>
  // CHECK: train.gemm %{{.*}}, %{{.*}} {trans_a = true} : (tensor<8x64xf32>, tensor<8x10xf32>) -> tensor<64x10xf32>
  %5 = train.gemm %m, %4 {trans_a = true} : (tensor<8x64xf32>, tensor<8x10xf32>) -> tensor<64x10xf32>
  // CHECK: train.matmul %{{.*}}, %{{.*}} : (tensor<4x8x64xf32>, tensor<64x10xf32>) -> tensor<4x8x10xf32>
  %6 = train.matmul %t, %5 : (tensor<4x8x64xf32>, tensor<64x10xf32>) -> tensor<4x8x10xf32>
  return
}

// CHECK-LABEL: func.func @normalization
func.func @normalization(%x: tensor<8x16x4x4xf32>, %s: tensor<16xf32>, %b: tensor<16xf32>, %m: tensor<16xf32>, %v: tensor<16xf32>) {
  // CHECK: train.batch_norm %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {momentum = 1.000000e-01 : f32} : (tensor<8x16x4x4xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> (tensor<8x16x4x4xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  %y, %mean, %inv_std, %nm, %nv = train.batch_norm %x, %s, %b, %m, %v {momentum = 0.1 : f32} : (tensor<8x16x4x4xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> (tensor<8x16x4x4xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  // CHECK: train.batch_norm_dgrad %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<8x16x4x4xf32>, tensor<8x16x4x4xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<8x16x4x4xf32>
  %dx = train.batch_norm_dgrad %y, %x, %s, %mean, %inv_std : (tensor<8x16x4x4xf32>, tensor<8x16x4x4xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<8x16x4x4xf32>
  // CHECK: train.batch_norm_wgrad %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<8x16x4x4xf32>, tensor<8x16x4x4xf32>, tensor<16xf32>, tensor<16xf32>) -> (tensor<16xf32>, tensor<16xf32>)
  %ds, %db = train.batch_norm_wgrad %y, %x, %mean, %inv_std : (tensor<8x16x4x4xf32>, tensor<8x16x4x4xf32>, tensor<16xf32>, tensor<16xf32>) -> (tensor<16xf32>, tensor<16xf32>)
  // CHECK: train.lrn %{{.*}} {bias = 2.000000e+00 : f32, size = 5 : i64} : tensor<8x16x4x4xf32>
  %l = train.lrn %x {size = 5 : i64, bias = 2.0 : f32} : tensor<8x16x4x4xf32>
  // CHECK: train.lrn_dgrad %{{.*}}, %{{.*}} {bias = 2.000000e+00 : f32, size = 5 : i64} : tensor<8x16x4x4xf32>
  %dl = train.lrn_dgrad %l, %x {size = 5 : i64, bias = 2.0 : f32} : tensor<8x16x4x4xf32>
  return
}

// CHECK-LABEL: func.func @activations
func.func @activations(%x: tensor<8x16xf64>) {
  // CHECK: train.relu %{{.*}} : tensor<8x16xf64>
  %0 = train.relu %x : tensor<8x16xf64>
  // CHECK: train.leaky_relu %{{.*}} {alpha = 2.000000e-01 : f32} : tensor<8x16xf64>
  %1 = train.leaky_relu %x {alpha = 0.2 : f32} : tensor<8x16xf64>
  // CHECK: train.sigmoid %{{.*}} : tensor<8x16xf64>
  %2 = train.sigmoid %x : tensor<8x16xf64>
  // CHECK: train.tanh %{{.*}} : tensor<8x16xf64>
  %3 = train.tanh %x : tensor<8x16xf64>
  // CHECK: train.softmax %{{.*}} {axis = 1 : i64} : tensor<8x16xf64>
  %4 = train.softmax %x {axis = 1 : i64} : tensor<8x16xf64>
  // CHECK: train.log_softmax %{{.*}} {axis = 0 : i64} : tensor<8x16xf64>
  %5 = train.log_softmax %x {axis = 0 : i64} : tensor<8x16xf64>
  // CHECK: train.dropout %{{.*}} {ratio = 2.500000e-01 : f32, seed = 7 : i64} : tensor<8x16xf64>
  %6 = train.dropout %x {ratio = 0.25 : f32, seed = 7 : i64} : tensor<8x16xf64>
  // CHECK: train.relu_dgrad %{{.*}}, %{{.*}} : tensor<8x16xf64>
  %7 = train.relu_dgrad %x, %0 : tensor<8x16xf64>
  // CHECK: train.leaky_relu_dgrad %{{.*}}, %{{.*}} {alpha = 2.000000e-01 : f32} : tensor<8x16xf64>
  %8 = train.leaky_relu_dgrad %x, %x {alpha = 0.2 : f32} : tensor<8x16xf64>
  // CHECK: train.sigmoid_dgrad %{{.*}}, %{{.*}} : tensor<8x16xf64>
  %9 = train.sigmoid_dgrad %x, %2 : tensor<8x16xf64>
  // CHECK: train.tanh_dgrad %{{.*}}, %{{.*}} : tensor<8x16xf64>
  %10 = train.tanh_dgrad %x, %3 : tensor<8x16xf64>
  // CHECK: train.softmax_dgrad %{{.*}}, %{{.*}} {axis = 1 : i64} : tensor<8x16xf64>
  %11 = train.softmax_dgrad %x, %4 {axis = 1 : i64} : tensor<8x16xf64>
  // CHECK: train.log_softmax_dgrad %{{.*}}, %{{.*}} {axis = 0 : i64} : tensor<8x16xf64>
  %12 = train.log_softmax_dgrad %x, %5 {axis = 0 : i64} : tensor<8x16xf64>
  return
}

// CHECK-LABEL: func.func @random
func.func @random() {
  // CHECK: train.random_uniform {low = -1.000000e+00 : f32} : tensor<8x16xf32>
  %0 = train.random_uniform {low = -1.0 : f32, high = 1.0 : f32} : tensor<8x16xf32>
  // CHECK: train.random_normal {scale = 5.000000e-01 : f32, seed = 4294967295 : i64} : tensor<f64>
  %1 = train.random_normal {scale = 0.5 : f32, seed = 4294967295 : i64} : tensor<f64>
  return
}

// CHECK-LABEL: func.func @pools
func.func @pools(%x: tensor<8x16x5x5xf32>) {
  // CHECK: train.max_pool %{{.*}} {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<8x16x5x5xf32>) -> tensor<8x16x2x2xf32>
  %0 = train.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<8x16x5x5xf32>) -> tensor<8x16x2x2xf32>
  // CHECK: train.max_pool %{{.*}} {ceil_mode = true, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<8x16x5x5xf32>) -> tensor<8x16x3x3xf32>
  %1 = train.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, ceil_mode = true} : (tensor<8x16x5x5xf32>) -> tensor<8x16x3x3xf32>
  // CHECK: train.max_pool_dgrad %{{.*}}, %{{.*}} {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<8x16x3x3xf32>, tensor<8x16x5x5xf32>) -> tensor<8x16x5x5xf32>
  %2 = train.max_pool_dgrad %1, %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<8x16x3x3xf32>, tensor<8x16x5x5xf32>) -> tensor<8x16x5x5xf32>
  // CHECK: train.average_pool %{{.*}} {count_include_pad = true, kernel = array<i64: 2, 2>, pads_end = array<i64: 1, 1>} : (tensor<8x16x5x5xf32>) -> tensor<8x16x5x5xf32>
  %3 = train.average_pool %x {kernel = array<i64: 2, 2>, pads_end = array<i64: 1, 1>, count_include_pad = true} : (tensor<8x16x5x5xf32>) -> tensor<8x16x5x5xf32>
  // CHECK: train.average_pool_dgrad %{{.*}} {count_include_pad = true, kernel = array<i64: 2, 2>, pads_end = array<i64: 1, 1>} : (tensor<8x16x5x5xf32>) -> tensor<8x16x5x5xf32>
  %4 = train.average_pool_dgrad %3 {kernel = array<i64: 2, 2>, pads_end = array<i64: 1, 1>, count_include_pad = true} : (tensor<8x16x5x5xf32>) -> tensor<8x16x5x5xf32>
  // CHECK: train.average_pool %{{.*}} {dilations = array<i64: 2, 1>, kernel = array<i64: 2, 2>} : (tensor<8x16x5x5xf32>) -> tensor<8x16x3x4xf32>
  %d = train.average_pool %x {kernel = array<i64: 2, 2>, dilations = array<i64: 2, 1>} : (tensor<8x16x5x5xf32>) -> tensor<8x16x3x4xf32>
  // CHECK: train.max_pool_indices %{{.*}} {column_major = true, kernel = array<i64: 2, 2>} : (tensor<8x16x5x5xf32>) -> tensor<8x16x4x4xi64>
  %i = train.max_pool_indices %x {kernel = array<i64: 2, 2>, column_major = true} : (tensor<8x16x5x5xf32>) -> tensor<8x16x4x4xi64>
  // CHECK: %[[NORM:.*]] = train.lp_pool %{{.*}} {kernel = array<i64: 2, 2>} : (tensor<8x16x5x5xf32>) -> tensor<8x16x4x4xf32>
  %n = train.lp_pool %x {kernel = array<i64: 2, 2>, p = 2.0 : f32} : (tensor<8x16x5x5xf32>) -> tensor<8x16x4x4xf32>
  // CHECK: train.lp_pool_dgrad %{{.*}}, %{{.*}}, %[[NORM]] {kernel = array<i64: 2, 2>, p = 3.000000e+00 : f32} : (tensor<8x16x4x4xf32>, tensor<8x16x5x5xf32>, tensor<8x16x4x4xf32>) -> tensor<8x16x5x5xf32>
  %g = train.lp_pool_dgrad %n, %x, %n {kernel = array<i64: 2, 2>, p = 3.0 : f32} : (tensor<8x16x4x4xf32>, tensor<8x16x5x5xf32>, tensor<8x16x4x4xf32>) -> tensor<8x16x5x5xf32>
  // CHECK: train.global_average_pool %{{.*}} : (tensor<8x16x5x5xf32>) -> tensor<8x16x1x1xf32>
  %5 = train.global_average_pool %x : (tensor<8x16x5x5xf32>) -> tensor<8x16x1x1xf32>
  // CHECK: train.global_average_pool_dgrad %{{.*}} : (tensor<8x16x1x1xf32>) -> tensor<8x16x5x5xf32>
  %6 = train.global_average_pool_dgrad %5 : (tensor<8x16x1x1xf32>) -> tensor<8x16x5x5xf32>
  return
}

// CHECK-LABEL: func.func @shapes
func.func @shapes(%x: tensor<8x16xf32>, %c: tensor<16xf32>, %i: tensor<8xi64>) {
  // CHECK: train.add %{{.*}}, %{{.*}} : (tensor<8x16xf32>, tensor<16xf32>) -> tensor<8x16xf32>
  %0 = train.add %x, %c : (tensor<8x16xf32>, tensor<16xf32>) -> tensor<8x16xf32>
  // CHECK: train.mul %{{.*}}, %{{.*}} : (tensor<16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  %1 = train.mul %c, %x : (tensor<16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  // CHECK: train.sum %{{.*}}, %{{.*}}, %{{.*}} : (tensor<8x16xf32>, tensor<8x16xf32>, tensor<16xf32>) -> tensor<8x16xf32>
  %2 = train.sum %0, %1, %c : (tensor<8x16xf32>, tensor<8x16xf32>, tensor<16xf32>) -> tensor<8x16xf32>
  // CHECK: train.scale %{{.*}} {value = -2.000000e+00 : f32} : tensor<8x16xf32>
  %3 = train.scale %x {value = -2.0 : f32} : tensor<8x16xf32>
  // CHECK: train.reduce_sum %{{.*}} {axes = array<i64: 0>} : (tensor<8x16xf32>) -> tensor<16xf32>
  %4 = train.reduce_sum %x {axes = array<i64: 0>} : (tensor<8x16xf32>) -> tensor<16xf32>
  // CHECK: train.reduce_sum %{{.*}} {axes = array<i64: 0>} : (tensor<8x16xf32>) -> tensor<1x16xf32>
  %5 = train.reduce_sum %x {axes = array<i64: 0>} : (tensor<8x16xf32>) -> tensor<1x16xf32>
  // CHECK: train.concat %{{.*}}, %{{.*}} {axis = 0 : i64} : (tensor<8x16xf32>, tensor<1x16xf32>) -> tensor<9x16xf32>
  %6 = train.concat %x, %5 {axis = 0 : i64} : (tensor<8x16xf32>, tensor<1x16xf32>) -> tensor<9x16xf32>
  // CHECK: train.slice %{{.*}} {axis = 0 : i64, begin = 8 : i64} : (tensor<9x16xf32>) -> tensor<1x16xf32>
  %7 = train.slice %6 {axis = 0 : i64, begin = 8 : i64} : (tensor<9x16xf32>) -> tensor<1x16xf32>
  // CHECK: train.reshape %{{.*}} : (tensor<8xi64>) -> tensor<2x4xi64>
  %8 = train.reshape %i : (tensor<8xi64>) -> tensor<2x4xi64>
  // CHECK: train.transpose %{{.*}} {permutation = array<i64: 1, 0>} : (tensor<8x16xf32>) -> tensor<16x8xf32>
  %9 = train.transpose %x {permutation = array<i64: 1, 0>} : (tensor<8x16xf32>) -> tensor<16x8xf32>
  return
}

// CHECK-LABEL: func.func @training
func.func @training(%x: tensor<8x10xf32>, %labels: tensor<8xi64>, %g: tensor<8x10xf32>, %m: tensor<8x10xf32>, %v: tensor<8x10xf32>, %tokens: tensor<4x6x5xf32>, %next: tensor<4x6xi64>) {
  // CHECK: train.softmax_cross_entropy %{{.*}}, %{{.*}} : (tensor<8x10xf32>, tensor<8xi64>) -> (tensor<f32>, tensor<8x10xf32>)
  %loss0, %d0 = train.softmax_cross_entropy %x, %labels : (tensor<8x10xf32>, tensor<8xi64>) -> (tensor<f32>, tensor<8x10xf32>)
  // CHECK: train.softmax_cross_entropy %{{.*}}, %{{.*}} {axis = 2 : i64} : (tensor<4x6x5xf32>, tensor<4x6xi64>) -> (tensor<f32>, tensor<4x6x5xf32>)
  %loss2, %d2 = train.softmax_cross_entropy %tokens, %next {axis = 2 : i64} : (tensor<4x6x5xf32>, tensor<4x6xi64>) -> (tensor<f32>, tensor<4x6x5xf32>)
  // CHECK: train.mean_squared_error %{{.*}}, %{{.*}} : (tensor<8x10xf32>, tensor<8x10xf32>) -> (tensor<f32>, tensor<8x10xf32>)
  %loss1, %d1 = train.mean_squared_error %x, %g : (tensor<8x10xf32>, tensor<8x10xf32>) -> (tensor<f32>, tensor<8x10xf32>)
  // CHECK: train.sgd %{{.*}}, %{{.*}} {weight_decay = 1.000000e-01 : f32} : tensor<8x10xf32>
  %0 = train.sgd %x, %g {weight_decay = 0.1 : f32} : tensor<8x10xf32>
  // CHECK: train.momentum %{{.*}}, %{{.*}}, %{{.*}} {nesterov = true} : tensor<8x10xf32>
  %1:2 = train.momentum %x, %g, %v {nesterov = true} : tensor<8x10xf32>
  // CHECK: train.adam %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {decoupled = true} : tensor<8x10xf32>
  %2:3 = train.adam %x, %g, %m, %v {decoupled = true} : tensor<8x10xf32>
  return
}

{-#
  dialect_resources: {
    builtin: {
      stored: "0x040000000000803F00000040"
    }
  }
#-}

// CHECK-LABEL: func.func @functions
func.func @functions(%x: tensor<8x16xf64>, %b: tensor<16xf64>) {
  // CHECK: train.unary clip %{{.*}} {alpha = -1.000000e+00 : f32, beta = 6.000000e+00 : f32} : tensor<8x16xf64>
  %0 = train.unary clip %x {alpha = -1.000000e+00 : f32, beta = 6.000000e+00 : f32} : tensor<8x16xf64>
  // CHECK: train.unary_dgrad gelu %{{.*}}, %{{.*}} : tensor<8x16xf64>
  %1 = train.unary_dgrad gelu %x, %x : tensor<8x16xf64>
  // CHECK: train.binary div %{{.*}}, %{{.*}} : (tensor<8x16xf64>, tensor<16xf64>) -> tensor<8x16xf64>
  %2 = train.binary div %x, %b : (tensor<8x16xf64>, tensor<16xf64>) -> tensor<8x16xf64>
  // CHECK: train.binary_dgrad max %{{.*}}, %{{.*}}, %{{.*}} {operand = 1 : i64} : (tensor<8x16xf64>, tensor<8x16xf64>, tensor<16xf64>) -> tensor<8x16xf64>
  %3 = train.binary_dgrad max %x, %x, %b {operand = 1 : i64} : (tensor<8x16xf64>, tensor<8x16xf64>, tensor<16xf64>) -> tensor<8x16xf64>
  // CHECK: train.reduce_max %{{.*}} {axes = array<i64: 1>} : (tensor<8x16xf64>) -> tensor<8xf64>
  %4 = train.reduce_max %x {axes = array<i64: 1>} : (tensor<8x16xf64>) -> tensor<8xf64>
  // CHECK: train.reduce_max_dgrad %{{.*}}, %{{.*}} {axes = array<i64: 1>} : (tensor<8xf64>, tensor<8x16xf64>) -> tensor<8x16xf64>
  %5 = train.reduce_max_dgrad %4, %x {axes = array<i64: 1>} : (tensor<8xf64>, tensor<8x16xf64>) -> tensor<8x16xf64>
  // CHECK: train.expand %{{.*}} : (tensor<16xf64>) -> tensor<8x16xf64>
  %6 = train.expand %b : (tensor<16xf64>) -> tensor<8x16xf64>
  // CHECK: train.pad reflect %{{.*}} {begins = array<i64: 1, 0>, ends = array<i64: 0, 3>} : (tensor<8x16xf64>) -> tensor<9x19xf64>
  %7 = train.pad reflect %x {begins = array<i64: 1, 0>, ends = array<i64: 0, 3>} : (tensor<8x16xf64>) -> tensor<9x19xf64>
  // CHECK: train.pad constant %{{.*}} {begins = array<i64: 1, 0>, ends = array<i64: 0, 3>, value = 0xFF800000 : f32} : (tensor<8x16xf64>) -> tensor<9x19xf64>
  %lowest = train.pad constant %x {begins = array<i64: 1, 0>, ends = array<i64: 0, 3>, value = 0xFF800000 : f32} : (tensor<8x16xf64>) -> tensor<9x19xf64>
  // CHECK: train.pad_dgrad reflect %{{.*}} {begins = array<i64: 1, 0>, ends = array<i64: 0, 3>} : (tensor<9x19xf64>) -> tensor<8x16xf64>
  %8 = train.pad_dgrad reflect %7 {begins = array<i64: 1, 0>, ends = array<i64: 0, 3>} : (tensor<9x19xf64>) -> tensor<8x16xf64>
  // CHECK: train.normalize %{{.*}} {axis = 1 : i64, epsilon = 1.000000e-03 : f32} : (tensor<8x16xf64>) -> (tensor<8x16xf64>, tensor<8xf64>)
  %9, %10 = train.normalize %x {axis = 1 : i64, epsilon = 1.000000e-03 : f32} : (tensor<8x16xf64>) -> (tensor<8x16xf64>, tensor<8xf64>)
  // CHECK: train.normalize_dgrad %{{.*}}, %{{.*}}, %{{.*}} {axis = 1 : i64} : (tensor<8x16xf64>, tensor<8x16xf64>, tensor<8xf64>) -> tensor<8x16xf64>
  %11 = train.normalize_dgrad %x, %9, %10 {axis = 1 : i64} : (tensor<8x16xf64>, tensor<8x16xf64>, tensor<8xf64>) -> tensor<8x16xf64>
  return
}
