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
  // expected-error @+1 {{'train.reshape' op result #0 must be static tensor of f32, f64, i32, i64 or i1 of at most 8 positive sizes and 2^40 elements, but got 'tensor<8x1x1x1x1x1x1x1x1xf32>'}}
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
