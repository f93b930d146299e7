// RUN: takt-opt %s -verify-diagnostics -split-input-file
// Constraints of broadcasting arithmetic, reduction and movement.

func.func @add_c1(%a: tensor<8x16xf32>, %b: tensor<8xf32>) {
  // expected-error @+1 {{'train.add' op shape of an operand is 8, expected one that broadcasts with 8x16}}
  %0 = train.add %a, %b : (tensor<8x16xf32>, tensor<8xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @mul_result(%a: tensor<8x16xf32>, %b: tensor<3x1x1xf32>) {
  // expected-error @+1 {{'train.mul' op result #0 has type 'tensor<8x16xf32>', expected 'tensor<3x8x16xf32>'}}
  %0 = train.mul %a, %b : (tensor<8x16xf32>, tensor<3x1x1xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @mul_too_large(%a: tensor<2097152x1xf32>, %b: tensor<1x2097152xf32>) {
  // expected-error @+1 {{'train.mul' op shape of the result is 2097152x2097152, expected at most 8 dimensions and 1099511627776 elements}}
  %0 = train.mul %a, %b : (tensor<2097152x1xf32>, tensor<1x2097152xf32>) -> tensor<1xf32>
  return
}

// -----

func.func @sum_c1() {
  // expected-error @+1 {{'train.sum' op number of operands is 0, expected at least 1}}
  %0 = train.sum : () -> tensor<8xf32>
  return
}

// -----

func.func @sum_c2(%a: tensor<8xf32>, %b: tensor<1xf32>, %c: tensor<4xf32>) {
  // expected-error @+1 {{'train.sum' op shape of an operand is 4, expected one that broadcasts with 8}}
  %0 = train.sum %a, %b, %c : (tensor<8xf32>, tensor<1xf32>, tensor<4xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @sum_element_types(%a: tensor<8xf32>, %b: tensor<8xf64>) {
  // expected-error @+1 {{'train.sum' op type of tensor #1 is tensor<8xf64>, expected elements of type f32}}
  %0 = train.sum %a, %b : (tensor<8xf32>, tensor<8xf64>) -> tensor<8xf32>
  return
}

// -----

func.func @reduce_sum_c1_range(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.reduce_sum' op axes[0] is 2, expected a number from 0 to 1}}
  %0 = train.reduce_sum %x {axes = array<i64: 2>} : (tensor<8x16xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @reduce_sum_c1_twice(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.reduce_sum' op axes[1] is 1, expected an axis that is not listed yet}}
  %0 = train.reduce_sum %x {axes = array<i64: 1, 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @reduce_sum_c2(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.reduce_sum' op shape of y is 16, expected 8x1 or 8}}
  %0 = train.reduce_sum %x {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<16xf32>
  return
}

// -----

func.func @reduce_sum_element_types(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.reduce_sum' op type of tensor #1 is tensor<8xf64>, expected elements of type f32}}
  %0 = train.reduce_sum %x {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<8xf64>
  return
}

// -----

func.func @concat_c1() {
  // expected-error @+1 {{'train.concat' op number of operands is 0, expected at least 1}}
  %0 = train.concat {axis = 0 : i64} : () -> tensor<8xf32>
  return
}

// -----

func.func @concat_c1_rank(%a: tensor<8x2xf32>, %b: tensor<8xf32>) {
  // expected-error @+1 {{'train.concat' op rank of operand #1 is 1, expected 2}}
  %0 = train.concat %a, %b {axis = 0 : i64} : (tensor<8x2xf32>, tensor<8xf32>) -> tensor<16x2xf32>
  return
}

// -----

func.func @concat_c2(%a: tensor<8x2xf32>) {
  // expected-error @+1 {{'train.concat' op axis is 2, expected a number from 0 to 1}}
  %0 = train.concat %a, %a {axis = 2 : i64} : (tensor<8x2xf32>, tensor<8x2xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @concat_c3(%a: tensor<8x2xf32>, %b: tensor<4x2xf32>) {
  // expected-error @+1 {{'train.concat' op shape of operand #1 is 4x2, expected 8x2}}
  %0 = train.concat %a, %b {axis = 1 : i64} : (tensor<8x2xf32>, tensor<4x2xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @slice_c1(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.slice' op axis is 2, expected a number from 0 to 1}}
  %0 = train.slice %x {axis = 2 : i64, begin = 0 : i64} : (tensor<8x16xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @slice_c2(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.slice' op shape of y is 4x4, expected 8x4}}
  %0 = train.slice %x {axis = 1 : i64, begin = 0 : i64} : (tensor<8x16xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @slice_c2_element_type(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.slice' op type of tensor #1 is tensor<8x4xf64>, expected elements of type f32}}
  %0 = train.slice %x {axis = 1 : i64, begin = 0 : i64} : (tensor<8x16xf32>) -> tensor<8x4xf64>
  return
}

// -----

func.func @slice_c3(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.slice' op begin is 13, expected a number from 0 to 12}}
  %0 = train.slice %x {axis = 1 : i64, begin = 13 : i64} : (tensor<8x16xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @slice_c3_extent(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.slice' op extent of y on axis 1 is 17, expected a number from 1 to 16}}
  %0 = train.slice %x {axis = 1 : i64, begin = 0 : i64} : (tensor<8x16xf32>) -> tensor<8x17xf32>
  return
}

// -----

func.func @slice_c3_negative(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.slice' op begin is -1, expected a number from 0 to 12}}
  %0 = train.slice %x {axis = 1 : i64, begin = -1 : i64} : (tensor<8x16xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @reshape_c1(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.reshape' op number of elements of y is 120, expected 128}}
  %0 = train.reshape %x : (tensor<8x16xf32>) -> tensor<8x15xf32>
  return
}

// -----

func.func @reshape_rank(%x: tensor<8xf32>) {
  // expected-error @+1 {{'train.reshape' op result #0 must be static tensor of numbers or i1 of at most 8 positive sizes and 2^40 elements, but got 'tensor<8x1x1x1x1x1x1x1x1xf32>'}}
  %0 = train.reshape %x : (tensor<8xf32>) -> tensor<8x1x1x1x1x1x1x1x1xf32>
  return
}

// -----

func.func @transpose_c1_count(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.transpose' op length of permutation is 1, expected 2}}
  %0 = train.transpose %x {permutation = array<i64: 0>} : (tensor<8x16xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @transpose_c1_range(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.transpose' op permutation[1] is 2, expected a number from 0 to 1}}
  %0 = train.transpose %x {permutation = array<i64: 0, 2>} : (tensor<8x16xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @transpose_c1_twice(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.transpose' op permutation[1] is 1, expected an axis that is not taken yet}}
  %0 = train.transpose %x {permutation = array<i64: 1, 1>} : (tensor<8x16xf32>) -> tensor<16x16xf32>
  return
}

// -----

func.func @transpose_result(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.transpose' op result #0 has type 'tensor<8x16xf32>', expected 'tensor<16x8xf32>'}}
  %0 = train.transpose %x {permutation = array<i64: 1, 0>} : (tensor<8x16xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @scale_without_value(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.scale' op requires attribute 'value'}}
  %0 = train.scale %x : tensor<8x16xf32>
  return
}

// -----

func.func @binary_c1(%a: tensor<8x16xf32>, %b: tensor<8xf32>) {
  // expected-error @+1 {{'train.binary' op shape of an operand is 8, expected one that broadcasts with 8x16}}
  %0 = train.binary sub %a, %b : (tensor<8x16xf32>, tensor<8xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @binary_function(%a: tensor<8x16xf32>) {
  // expected-error @+1 {{'gelu' is none of sub, div, pow, max, min, prelu}}
  %0 = train.binary gelu %a, %a : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @binary_dgrad_c1(%dy: tensor<16xf32>, %a: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.binary_dgrad' op shape of dy is 16, expected 8x16}}
  %0 = train.binary_dgrad div %dy, %a, %a {operand = 0 : i64} : (tensor<16xf32>, tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<16xf32>
  return
}

// -----

func.func @binary_dgrad_c2(%a: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.binary_dgrad' op operand is 2, expected a number from 0 to 1}}
  %0 = train.binary_dgrad div %a, %a, %a {operand = 2 : i64} : (tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @unary_type(%x: tensor<8xf32>) {
  // expected-error @+1 {{'train.unary' op attribute 'alpha' failed to satisfy constraint: finite 32-bit float attribute}}
  %0 = train.unary power %x {alpha = 2.0 : f64} : tensor<8xf32>
  return
}

// -----

func.func @reduce_max_c1(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.reduce_max' op axes[1] is 1, expected an axis that is not listed yet}}
  %0 = train.reduce_max %x {axes = array<i64: 1, 1>} : (tensor<8x16xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @reduce_max_c2(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.reduce_max' op shape of y is 16, expected 8x1 or 8}}
  %0 = train.reduce_max %x {axes = array<i64: 1>} : (tensor<8x16xf32>) -> tensor<16xf32>
  return
}

// -----

func.func @reduce_max_dgrad_c2(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.reduce_max_dgrad' op shape of dy is 8x16, expected 8x1 or 8}}
  %0 = train.reduce_max_dgrad %x, %x {axes = array<i64: 1>} : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @reduce_max_dgrad_c3(%dy: tensor<8xf32>, %x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.reduce_max_dgrad' op shape of dx is 16x8, expected 8x16}}
  %0 = train.reduce_max_dgrad %dy, %x {axes = array<i64: 1>} : (tensor<8xf32>, tensor<8x16xf32>) -> tensor<16x8xf32>
  return
}

// -----

func.func @expand_c1(%x: tensor<8x1xf32>) {
  // expected-error @+1 {{'train.expand' op shape of y is 1x4, expected 8x4}}
  %0 = train.expand %x : (tensor<8x1xf32>) -> tensor<1x4xf32>
  return
}

// -----

func.func @pad_c1_length(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.pad' op length of begins is 1, expected 2}}
  %0 = train.pad constant %x {begins = array<i64: 1>, ends = array<i64: 0, 0>} : (tensor<8x16xf32>) -> tensor<9x16xf32>
  return
}

// -----

func.func @pad_no_number(%x: tensor<8x3xf32>) {
  // expected-error @+1 {{'train.pad' op attribute 'value' failed to satisfy constraint: 32-bit float attribute that is a number}}
  %0 = train.pad constant %x {begins = array<i64: 0, 0>, ends = array<i64: 0, 3>, value = 0x7FC00000 : f32} : (tensor<8x3xf32>) -> tensor<8x6xf32>
  return
}

// -----

func.func @pad_c1_reflect(%x: tensor<8x3xf32>) {
  // expected-error @+1 {{'train.pad' op ends[1] is 3, expected a number from 0 to 2}}
  %0 = train.pad reflect %x {begins = array<i64: 0, 0>, ends = array<i64: 0, 3>} : (tensor<8x3xf32>) -> tensor<8x6xf32>
  return
}

// -----

func.func @pad_dgrad_c1(%dy: tensor<8x6xf32>) {
  // expected-error @+1 {{'train.pad_dgrad' op shape of dy is 8x6, expected 8x7}}
  %0 = train.pad_dgrad edge %dy {begins = array<i64: 0, 0>, ends = array<i64: 0, 3>} : (tensor<8x6xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @normalize_c1(%x: tensor<8x6xf32>) {
  // expected-error @+1 {{'train.normalize' op axis is 2, expected a number from 0 to 1}}
  %0:2 = train.normalize %x {axis = 2 : i64} : (tensor<8x6xf32>) -> (tensor<8x6xf32>, tensor<8xf32>)
  return
}

// -----

func.func @normalize_c2(%x: tensor<8x6xf32>) {
  // expected-error @+1 {{'train.normalize' op result #1 has type 'tensor<8x6xf32>', expected 'tensor<8xf32>'}}
  %0:2 = train.normalize %x {axis = 1 : i64} : (tensor<8x6xf32>) -> (tensor<8x6xf32>, tensor<8x6xf32>)
  return
}

// -----

func.func @normalize_c3(%x: tensor<8x6xf32>) {
  // expected-error @+1 {{'train.normalize' op epsilon is -1.000000, expected at least 0}}
  %0:2 = train.normalize %x {axis = 1 : i64, epsilon = -1.0 : f32} : (tensor<8x6xf32>) -> (tensor<8x6xf32>, tensor<8xf32>)
  return
}

// -----

func.func @normalize_dgrad_c3(%x: tensor<8x6xf32>) {
  // expected-error @+1 {{'train.normalize_dgrad' op shape of inv_std is 8x6, expected 8}}
  %0 = train.normalize_dgrad %x, %x, %x {axis = 1 : i64} : (tensor<8x6xf32>, tensor<8x6xf32>, tensor<8x6xf32>) -> tensor<8x6xf32>
  return
}

// -----

func.func @top_k_c1(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.top_k' op axis is 2, expected a number from 0 to 1}}
  %0:2 = train.top_k %x {axis = 2 : i64, largest = true} : (tensor<8x16xf32>) -> (tensor<8x3xf32>, tensor<8x3xi64>)
  return
}

// -----

func.func @top_k_c2(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.top_k' op shape of y is 7x3, expected 8x3}}
  %0:2 = train.top_k %x {axis = 1 : i64, largest = true} : (tensor<8x16xf32>) -> (tensor<7x3xf32>, tensor<7x3xi64>)
  return
}

// -----

func.func @top_k_c2_extent(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.top_k' op extent of y on axis 1 is 17, expected a number from 1 to 16}}
  %0:2 = train.top_k %x {axis = 1 : i64, largest = true} : (tensor<8x16xf32>) -> (tensor<8x17xf32>, tensor<8x17xi64>)
  return
}

// -----

func.func @top_k_c3(%x: tensor<8x16xf32>) {
  // expected-error @+1 {{'train.top_k' op shape of indices is 8x4, expected 8x3}}
  %0:2 = train.top_k %x {axis = 1 : i64, largest = true} : (tensor<8x16xf32>) -> (tensor<8x3xf32>, tensor<8x4xi64>)
  return
}
