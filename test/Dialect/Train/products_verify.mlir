// RUN: takt-opt %s -verify-diagnostics -split-input-file
// Constraints of conv, conv_dgrad, conv_wgrad, gemm and matmul.

func.func @conv_c1(%x: tensor<2x3x8xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error @+1 {{'train.conv' op rank of w is 4, expected 3}}
  %0 = train.conv %x, %w : (tensor<2x3x8xf32>, tensor<4x3x3x3xf32>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @conv_c1_rank(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'train.conv' op rank of x is 2, expected a number from 3 to 5}}
  %0 = train.conv %x, %w : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @conv_c2_groups(%x: tensor<2x3x8xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error @+1 {{'train.conv' op groups is 2, expected a divisor of 3 input and 4 output channels}}
  %0 = train.conv %x, %w {groups = 2 : i64} : (tensor<2x3x8xf32>, tensor<4x3x3xf32>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @conv_c2_zero_groups(%x: tensor<2x3x8xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error @+1 {{'train.conv' op groups is 0, expected a divisor of 3 input and 4 output channels}}
  %0 = train.conv %x, %w {groups = 0 : i64} : (tensor<2x3x8xf32>, tensor<4x3x3xf32>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @conv_c2_channels(%x: tensor<2x4x8xf32>, %w: tensor<4x4x3xf32>) {
  // expected-error @+1 {{'train.conv' op size of axis 1 of w is 4, expected 2}}
  %0 = train.conv %x, %w {groups = 2 : i64} : (tensor<2x4x8xf32>, tensor<4x4x3xf32>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @conv_c3_count(%x: tensor<2x3x8xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error @+1 {{'train.conv' op length of strides is 2, expected 1}}
  %0 = train.conv %x, %w {strides = array<i64: 1, 1>} : (tensor<2x3x8xf32>, tensor<4x3x3xf32>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @conv_c3_stride(%x: tensor<2x3x8xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error @+1 {{'train.conv' op strides[0] is 0, expected a number from 1 to 4194304}}
  %0 = train.conv %x, %w {strides = array<i64: 0>} : (tensor<2x3x8xf32>, tensor<4x3x3xf32>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @conv_c3_pad(%x: tensor<2x3x8xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error @+1 {{'train.conv' op pads_begin[0] is -1, expected a number from 0 to 4194304}}
  %0 = train.conv %x, %w {pads_begin = array<i64: -1>} : (tensor<2x3x8xf32>, tensor<4x3x3xf32>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @conv_c3_huge_pad(%x: tensor<2x3x8xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error @+1 {{'train.conv' op pads_end[0] is 9223372036854775807, expected a number from 0 to 4194304}}
  %0 = train.conv %x, %w {pads_end = array<i64: 9223372036854775807>} : (tensor<2x3x8xf32>, tensor<4x3x3xf32>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @conv_c3_dilation(%x: tensor<2x3x8xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error @+1 {{'train.conv' op dilations[0] is -9223372036854775808, expected a number from 1 to 4194304}}
  %0 = train.conv %x, %w {dilations = array<i64: -9223372036854775808>} : (tensor<2x3x8xf32>, tensor<4x3x3xf32>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @conv_c4(%x: tensor<2x3x8xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error @+1 {{'train.conv' op extent of the window on spatial axis 0 is 9, expected a number from 1 to 8}}
  %0 = train.conv %x, %w {dilations = array<i64: 4>} : (tensor<2x3x8xf32>, tensor<4x3x3xf32>) -> tensor<2x4x1xf32>
  return
}

// -----

func.func @conv_c5(%x: tensor<2x3x8xf32>, %w: tensor<4x3x3xf32>, %b: tensor<3xf32>) {
  // expected-error @+1 {{'train.conv' op shape of b is 3, expected 4}}
  %0 = train.conv %x, %w, %b : (tensor<2x3x8xf32>, tensor<4x3x3xf32>, tensor<3xf32>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @conv_c6(%x: tensor<2x3x8xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error @+1 {{'train.conv' op result #0 has type 'tensor<2x4x4xf32>', expected 'tensor<2x4x3xf32>'}}
  %0 = train.conv %x, %w {strides = array<i64: 2>} : (tensor<2x3x8xf32>, tensor<4x3x3xf32>) -> tensor<2x4x4xf32>
  return
}

// -----

func.func @conv_element_types(%x: tensor<2x3x8xf32>, %w: tensor<4x3x3xf64>) {
  // expected-error @+1 {{'train.conv' op type of tensor #1 is tensor<4x3x3xf64>, expected elements of type f32}}
  %0 = train.conv %x, %w : (tensor<2x3x8xf32>, tensor<4x3x3xf64>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @conv_dynamic(%x: tensor<?x3x8xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error @+1 {{'train.conv' op operand #0 must be static tensor of floats of at most 8 positive sizes and 2^40 elements, but got 'tensor<?x3x8xf32>'}}
  %0 = train.conv %x, %w : (tensor<?x3x8xf32>, tensor<4x3x3xf32>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @conv_empty(%x: tensor<0x3x8xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error @+1 {{'train.conv' op operand #0 must be static tensor of floats of at most 8 positive sizes and 2^40 elements, but got 'tensor<0x3x8xf32>'}}
  %0 = train.conv %x, %w : (tensor<0x3x8xf32>, tensor<4x3x3xf32>) -> tensor<0x4x6xf32>
  return
}

// -----

func.func @conv_too_large(%x: tensor<9223372036854775807x3x9223372036854775807xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error @+1 {{'train.conv' op operand #0 must be static tensor of floats of at most 8 positive sizes and 2^40 elements, but got 'tensor<9223372036854775807x3x9223372036854775807xf32>'}}
  %0 = train.conv %x, %w : (tensor<9223372036854775807x3x9223372036854775807xf32>, tensor<4x3x3xf32>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @conv_result_too_large(%x: tensor<1048576x1x1xf32>, %w: tensor<1048577x1x1xf32>) {
  // expected-error @+1 {{'train.conv' op shape of the result is 1048576x1048577x1, expected at most 8 dimensions and 1099511627776 elements}}
  %0 = train.conv %x, %w : (tensor<1048576x1x1xf32>, tensor<1048577x1x1xf32>) -> tensor<1048576x1048576x1xf32>
  return
}

// -----

func.func @conv_dgrad_c1(%dy: tensor<2x4x5xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error @+1 {{'train.conv_dgrad' op shape of dy is 2x4x5, expected 2x4x6}}
  %0 = train.conv_dgrad %dy, %w : (tensor<2x4x5xf32>, tensor<4x3x3xf32>) -> tensor<2x3x8xf32>
  return
}

// -----

func.func @conv_wgrad_c1(%dy: tensor<2x4x6xf32>, %x: tensor<2x3x8xf32>) {
  // expected-error @+1 {{'train.conv_wgrad' op size of axis 1 of w is 2, expected 3}}
  %0 = train.conv_wgrad %x, %dy : (tensor<2x3x8xf32>, tensor<2x4x6xf32>) -> tensor<4x2x3xf32>
  return
}

// -----

func.func @conv_wgrad_c1_extent(%dy: tensor<2x4x6xf32>, %x: tensor<2x3x8xf32>) {
  // expected-error @+1 {{'train.conv_wgrad' op shape of dy is 2x4x6, expected 2x4x5}}
  %0 = train.conv_wgrad %x, %dy : (tensor<2x3x8xf32>, tensor<2x4x6xf32>) -> tensor<4x3x4xf32>
  return
}

// -----

func.func @gemm_c1(%a: tensor<2x3x4xf32>, %b: tensor<4x5xf32>) {
  // expected-error @+1 {{'train.gemm' op rank of a is 3, expected 2}}
  %0 = train.gemm %a, %b : (tensor<2x3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return
}

// -----

func.func @gemm_c2(%a: tensor<3x4xf32>, %b: tensor<4x5xf32>) {
  // expected-error @+1 {{'train.gemm' op shape of b is 4x5, expected 4 for axis 1, as a has shape 3x4}}
  %0 = train.gemm %a, %b {trans_b = true} : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @gemm_c3(%a: tensor<3x4xf32>, %b: tensor<4x5xf32>, %c: tensor<3xf32>) {
  // expected-error @+1 {{'train.gemm' op shape of an operand is 3, expected one that broadcasts with 3x5}}
  %0 = train.gemm %a, %b, %c : (tensor<3x4xf32>, tensor<4x5xf32>, tensor<3xf32>) -> tensor<3x5xf32>
  return
}

// -----

func.func @gemm_c3_direction(%a: tensor<1x4xf32>, %b: tensor<4x5xf32>, %c: tensor<3x5xf32>) {
  // expected-error @+1 {{'train.gemm' op shape of c is 3x5, expected one that broadcasts to 1x5}}
  %0 = train.gemm %a, %b, %c : (tensor<1x4xf32>, tensor<4x5xf32>, tensor<3x5xf32>) -> tensor<3x5xf32>
  return
}

// -----

func.func @gemm_result(%a: tensor<3x4xf32>, %b: tensor<4x5xf32>) {
  // expected-error @+1 {{'train.gemm' op result #0 has type 'tensor<5x3xf32>', expected 'tensor<3x5xf32>'}}
  %0 = train.gemm %a, %b : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<5x3xf32>
  return
}

// -----

func.func @gemm_nan(%a: tensor<3x4xf32>, %b: tensor<4x5xf32>) {
  // expected-error @+1 {{custom op 'train.gemm' 'train.gemm' op attribute 'alpha' failed to satisfy constraint: finite 32-bit float attribute}}
  %0 = train.gemm %a, %b {alpha = 0x7FC00000 : f32} : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return
}

// -----

func.func @gemm_double_attribute(%a: tensor<3x4xf32>, %b: tensor<4x5xf32>) {
  // expected-error @+1 {{custom op 'train.gemm' 'train.gemm' op attribute 'alpha' failed to satisfy constraint: finite 32-bit float attribute}}
  %0 = train.gemm %a, %b {alpha = 1.0 : f64} : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return
}

// -----

func.func @matmul_c1(%a: tensor<4xf32>, %b: tensor<4x5xf32>) {
  // expected-error @+1 {{'train.matmul' op rank of a is 1, expected a number from 2 to 8}}
  %0 = train.matmul %a, %b : (tensor<4xf32>, tensor<4x5xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @matmul_c2(%a: tensor<2x3x4xf32>, %b: tensor<5x4xf32>) {
  // expected-error @+1 {{'train.matmul' op shape of b is 5x4, expected 4 for axis 0, as a has shape 2x3x4}}
  %0 = train.matmul %a, %b : (tensor<2x3x4xf32>, tensor<5x4xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @matmul_c3(%a: tensor<2x3x4xf32>, %b: tensor<3x4x5xf32>) {
  // expected-error @+1 {{'train.matmul' op shape of an operand is 3, expected one that broadcasts with 2}}
  %0 = train.matmul %a, %b : (tensor<2x3x4xf32>, tensor<3x4x5xf32>) -> tensor<2x3x5xf32>
  return
}
