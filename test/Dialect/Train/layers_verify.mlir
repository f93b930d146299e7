// RUN: takt-opt %s -verify-diagnostics -split-input-file
// Constraints of normalization, activations, dropout and pools.

func.func @batch_norm_c1(%x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @+1 {{'train.batch_norm' op rank of x is 1, expected a number from 2 to 8}}
  %0:5 = train.batch_norm %x, %s, %s, %s, %s : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @batch_norm_c2(%x: tensor<8x16xf32>, %s: tensor<16xf32>, %v: tensor<8xf32>) {
  // expected-error @+1 {{'train.batch_norm' op shape of running_var is 8, expected 16}}
  %0:5 = train.batch_norm %x, %s, %s, %s, %v : (tensor<8x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<8xf32>) -> (tensor<8x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @batch_norm_c2_result(%x: tensor<8x16xf32>, %s: tensor<16xf32>) {
  // expected-error @+1 {{'train.batch_norm' op result #2 has type 'tensor<8xf32>', expected 'tensor<16xf32>'}}
  %0:5 = train.batch_norm %x, %s, %s, %s, %s : (tensor<8x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> (tensor<8x16xf32>, tensor<16xf32>, tensor<8xf32>, tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @batch_norm_c3_epsilon(%x: tensor<8x16xf32>, %s: tensor<16xf32>) {
  // expected-error @+1 {{'train.batch_norm' op epsilon is -1.000000, expected at least 0}}
  %0:5 = train.batch_norm %x, %s, %s, %s, %s {epsilon = -1.0 : f32} : (tensor<8x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> (tensor<8x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @batch_norm_c3_momentum(%x: tensor<8x16xf32>, %s: tensor<16xf32>) {
  // expected-error @+1 {{'train.batch_norm' op momentum is 1.500000, expected a number from 0 to 1}}
  %0:5 = train.batch_norm %x, %s, %s, %s, %s {momentum = 1.5 : f32} : (tensor<8x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> (tensor<8x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @batch_norm_dgrad_c1(%dy: tensor<8x8xf32>, %x: tensor<8x16xf32>, %s: tensor<16xf32>) {
  // expected-error @+1 {{'train.batch_norm_dgrad' op shape of dy is 8x8, expected 8x16}}
  %0 = train.batch_norm_dgrad %dy, %x, %s, %s, %s : (tensor<8x8xf32>, tensor<8x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @batch_norm_dgrad_c2(%x: tensor<8x16xf32>, %s: tensor<16xf32>, %t: tensor<1x16xf32>) {
  // expected-error @+1 {{'train.batch_norm_dgrad' op shape of mean is 1x16, expected 16}}
  %0 = train.batch_norm_dgrad %x, %x, %s, %t, %s : (tensor<8x16xf32>, tensor<8x16xf32>, tensor<16xf32>, tensor<1x16xf32>, tensor<16xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @batch_norm_wgrad_c2(%x: tensor<8x16xf32>, %s: tensor<16xf32>, %t: tensor<8xf32>) {
  // expected-error @+1 {{'train.batch_norm_wgrad' op shape of inv_std is 8, expected 16}}
  %0:2 = train.batch_norm_wgrad %x, %x, %s, %t : (tensor<8x16xf32>, tensor<8x16xf32>, tensor<16xf32>, tensor<8xf32>) -> (tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @lrn_c1(%x: tensor<16xf32>) {
  // expected-error @+1 {{'train.lrn' op rank of x is 1, expected a number from 2 to 8}}
  %0 = train.lrn %x {size = 5 : i64} : tensor<16xf32>
  return
}

// -----

func.func @lrn_c2(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.lrn' op size is 0, expected a number from 1 to 4194304}}
  %0 = train.lrn %x {size = 0 : i64} : tensor<8x16xf32>
  return
}

// -----

func.func @lrn_dgrad_c2(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.lrn_dgrad' op size is 4194305, expected a number from 1 to 4194304}}
  %0 = train.lrn_dgrad %x, %x {size = 4194305 : i64} : tensor<8x16xf32>
  return
}

// -----

func.func @softmax_c1(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.softmax' op axis is 2, expected a number from 0 to 1}}
  %0 = train.softmax %x {axis = 2 : i64} : tensor<8x16xf32>
  return
}

// -----

func.func @log_softmax_c1(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.log_softmax' op axis is -1, expected a number from 0 to 1}}
  %0 = train.log_softmax %x {axis = -1 : i64} : tensor<8x16xf32>
  return
}

// -----

func.func @softmax_dgrad_c1(%x: tensor<f32>) {
  // expected-error @+1 {{'train.softmax_dgrad' op rank of the operand is 0, expected at least 1}}
  %0 = train.softmax_dgrad %x, %x {axis = 0 : i64} : tensor<f32>
  return
}

// -----

func.func @log_softmax_dgrad_c1(%x: tensor<8xf32>) {
  // expected-error @+1 {{'train.log_softmax_dgrad' op axis is 9223372036854775807, expected 0}}
  %0 = train.log_softmax_dgrad %x, %x {axis = 9223372036854775807 : i64} : tensor<8xf32>
  return
}

// -----

func.func @dropout_c1(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.dropout' op ratio is 1.000000, expected at least 0 and less than 1}}
  %0 = train.dropout %x {ratio = 1.0 : f32} : tensor<8x16xf32>
  return
}

// -----

func.func @dropout_c2(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.dropout' op seed is 4294967296, expected a number from 0 to 4294967295}}
  %0 = train.dropout %x {seed = 4294967296 : i64} : tensor<8x16xf32>
  return
}

// -----

func.func @leaky_relu_infinite(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{custom op 'train.leaky_relu' 'train.leaky_relu' op attribute 'alpha' failed to satisfy constraint: finite 32-bit float attribute}}
  %0 = train.leaky_relu %x {alpha = 0x7F800000 : f32} : tensor<8x16xf32>
  return
}

// -----

func.func @relu_dgrad_types(%dy: tensor<8x16xf32>, %y: tensor<8x8xf32>) {
  // expected-error @+1 {{'train.relu_dgrad' op operand #1 has type 'tensor<8x8xf32>', expected 'tensor<8x16xf32>' as operand #0}}
  %0 = "train.relu_dgrad"(%dy, %y) : (tensor<8x16xf32>, tensor<8x8xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @relu_result(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.relu' op result #0 has type 'tensor<8x8xf32>', expected 'tensor<8x16xf32>' as operand #0}}
  %0 = "train.relu"(%x) : (tensor<8x16xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @relu_integers(%x: tensor<8x16xi32>) {
  // expected-error @+1 {{'train.relu' op operand #0 must be static tensor of floats of at most 8 positive sizes and 2^40 elements, but got 'tensor<8x16xi32>'}}
  %0 = train.relu %x : tensor<8x16xi32>
  return
}

// -----

func.func @max_pool_c1(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.max_pool' op rank of x is 2, expected a number from 3 to 5}}
  %0 = train.max_pool %x {kernel = array<i64: 2>} : (tensor<8x16xf32>) -> tensor<8x15xf32>
  return
}

// -----

func.func @max_pool_c2_count(%x: tensor<1x2x8x8xf32>) {
  // expected-error @+1 {{'train.max_pool' op length of kernel is 1, expected 2}}
  %0 = train.max_pool %x {kernel = array<i64: 2>} : (tensor<1x2x8x8xf32>) -> tensor<1x2x7x7xf32>
  return
}

// -----

func.func @max_pool_c2_none(%x: tensor<1x2x8x8xf32>) {
  // expected-error @+1 {{'train.max_pool' op length of kernel is 0, expected 2}}
  %0 = train.max_pool %x {kernel = array<i64>} : (tensor<1x2x8x8xf32>) -> tensor<1x2x7x7xf32>
  return
}

// -----

func.func @max_pool_c2_zero(%x: tensor<1x2x8x8xf32>) {
  // expected-error @+1 {{'train.max_pool' op kernel[1] is 0, expected a number from 1 to 4194304}}
  %0 = train.max_pool %x {kernel = array<i64: 2, 0>} : (tensor<1x2x8x8xf32>) -> tensor<1x2x7x7xf32>
  return
}

// -----

func.func @max_pool_c3_extent(%x: tensor<1x2x8x8xf32>) {
  // expected-error @+1 {{'train.max_pool' op extent of the window on spatial axis 1 is 9, expected a number from 1 to 8}}
  %0 = train.max_pool %x {kernel = array<i64: 2, 3>, dilations = array<i64: 1, 4>} : (tensor<1x2x8x8xf32>) -> tensor<1x2x7x1xf32>
  return
}

// -----

func.func @max_pool_c3_pads(%x: tensor<1x2x8x8xf32>) {
  // expected-error @+1 {{'train.max_pool' op pads_begin[0] is 2, expected a number from 0 to 1}}
  %0 = train.max_pool %x {kernel = array<i64: 2, 2>, pads_begin = array<i64: 2, 0>} : (tensor<1x2x8x8xf32>) -> tensor<1x2x9x7xf32>
  return
}

// -----

func.func @max_pool_c4(%x: tensor<1x2x9x9xf32>) {
  // expected-error @+1 {{'train.max_pool' op result #0 has type 'tensor<1x2x5x5xf32>', expected 'tensor<1x2x4x4xf32>'}}
  %0 = train.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x2x9x9xf32>) -> tensor<1x2x5x5xf32>
  return
}

// -----

// A window more would begin in the padding behind the input.
func.func @max_pool_c4_ceil(%x: tensor<1x2x4xf32>) {
  // expected-error @+1 {{'train.max_pool' op result #0 has type 'tensor<1x2x3xf32>', expected 'tensor<1x2x2xf32>'}}
  %0 = train.max_pool %x {kernel = array<i64: 2>, strides = array<i64: 3>, pads_begin = array<i64: 1>, pads_end = array<i64: 1>, ceil_mode = true} : (tensor<1x2x4xf32>) -> tensor<1x2x3xf32>
  return
}

// -----

func.func @average_pool_c4(%x: tensor<1x2x9x9xf32>) {
  // expected-error @+1 {{'train.average_pool' op result #0 has type 'tensor<1x2x4x4xf32>', expected 'tensor<1x2x5x5xf32>'}}
  %0 = train.average_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, ceil_mode = true} : (tensor<1x2x9x9xf32>) -> tensor<1x2x4x4xf32>
  return
}

// -----

func.func @max_pool_dgrad_c1(%dy: tensor<1x2x6x6xf32>, %x: tensor<1x2x9x9xf32>) {
  // expected-error @+1 {{'train.max_pool_dgrad' op shape of dy is 1x2x6x6, expected 1x2x5x5}}
  %0 = train.max_pool_dgrad %dy, %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x2x6x6xf32>, tensor<1x2x9x9xf32>) -> tensor<1x2x9x9xf32>
  return
}

// -----

func.func @max_pool_dgrad_c2(%dy: tensor<1x2x4x4xf32>, %x: tensor<1x2x9x9xf32>) {
  // expected-error @+1 {{'train.max_pool_dgrad' op result #0 has type 'tensor<1x2x8x8xf32>', expected 'tensor<1x2x9x9xf32>'}}
  %0 = train.max_pool_dgrad %dy, %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x2x4x4xf32>, tensor<1x2x9x9xf32>) -> tensor<1x2x8x8xf32>
  return
}

// -----

func.func @average_pool_dgrad_c1(%dy: tensor<1x2x3x3xf32>) {
  // expected-error @+1 {{'train.average_pool_dgrad' op shape of dy is 1x2x3x3, expected 1x2x5x5}}
  %0 = train.average_pool_dgrad %dy {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x2x3x3xf32>) -> tensor<1x2x9x9xf32>
  return
}

// -----

func.func @average_pool_c3_dilated(%x: tensor<1x2x8x8xf32>) {
  // expected-error @+1 {{'train.average_pool' op extent of the window on spatial axis 1 is 9, expected a number from 1 to 8}}
  %0 = train.average_pool %x {kernel = array<i64: 2, 3>, dilations = array<i64: 1, 4>} : (tensor<1x2x8x8xf32>) -> tensor<1x2x7x1xf32>
  return
}

// -----

func.func @max_pool_indices_c4(%x: tensor<1x2x9x9xf32>) {
  // expected-error @+1 {{'train.max_pool_indices' op result #0 has type 'tensor<1x2x5x5xi64>', expected 'tensor<1x2x4x4xi64>'}}
  %0 = train.max_pool_indices %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x2x9x9xf32>) -> tensor<1x2x5x5xi64>
  return
}

// -----

func.func @lp_pool_c4(%x: tensor<1x2x9x9xf32>) {
  // expected-error @+1 {{'train.lp_pool' op result #0 has type 'tensor<1x2x5x5xf32>', expected 'tensor<1x2x4x4xf32>'}}
  %0 = train.lp_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x2x9x9xf32>) -> tensor<1x2x5x5xf32>
  return
}

// -----

func.func @lp_pool_c5(%x: tensor<1x2x8x8xf32>) {
  // expected-error @+1 {{'train.lp_pool' op p is 0.500000, expected at least 1}}
  %0 = train.lp_pool %x {kernel = array<i64: 2, 2>, p = 0.5 : f32} : (tensor<1x2x8x8xf32>) -> tensor<1x2x7x7xf32>
  return
}

// -----

func.func @lp_pool_dgrad_c1_dy(%dy: tensor<1x2x6x6xf32>, %x: tensor<1x2x9x9xf32>) {
  // expected-error @+1 {{'train.lp_pool_dgrad' op shape of dy is 1x2x6x6, expected 1x2x5x5}}
  %0 = train.lp_pool_dgrad %dy, %x, %dy {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x2x6x6xf32>, tensor<1x2x9x9xf32>, tensor<1x2x6x6xf32>) -> tensor<1x2x9x9xf32>
  return
}

// -----

func.func @lp_pool_dgrad_c1_y(%dy: tensor<1x2x4x4xf32>, %x: tensor<1x2x9x9xf32>, %y: tensor<1x2x5x5xf32>) {
  // expected-error @+1 {{'train.lp_pool_dgrad' op shape of y is 1x2x5x5, expected 1x2x4x4}}
  %0 = train.lp_pool_dgrad %dy, %x, %y {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x2x4x4xf32>, tensor<1x2x9x9xf32>, tensor<1x2x5x5xf32>) -> tensor<1x2x9x9xf32>
  return
}

// -----

func.func @lp_pool_dgrad_c3(%dy: tensor<1x2x4x4xf32>, %x: tensor<1x2x9x9xf32>) {
  // expected-error @+1 {{'train.lp_pool_dgrad' op p is 0.000000, expected at least 1}}
  %0 = train.lp_pool_dgrad %dy, %x, %dy {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, p = 0.0 : f32} : (tensor<1x2x4x4xf32>, tensor<1x2x9x9xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x9x9xf32>
  return
}

// -----

func.func @global_average_pool_c2(%x: tensor<1x2x9x9xf32>) {
  // expected-error @+1 {{'train.global_average_pool' op result #0 has type 'tensor<1x2xf32>', expected 'tensor<1x2x1x1xf32>'}}
  %0 = train.global_average_pool %x : (tensor<1x2x9x9xf32>) -> tensor<1x2xf32>
  return
}

// -----

func.func @global_average_pool_dgrad_c1(%dy: tensor<1x2x1x1xf32>) {
  // expected-error @+1 {{'train.global_average_pool_dgrad' op shape of dy is 1x2x1x1, expected 1x3x1x1}}
  %0 = train.global_average_pool_dgrad %dy : (tensor<1x2x1x1xf32>) -> tensor<1x3x9x9xf32>
  return
}
