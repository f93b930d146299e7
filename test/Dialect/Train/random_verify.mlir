// RUN: takt-opt %s -split-input-file -verify-diagnostics

func.func @random_uniform_c1() {
  // expected-error @+1 {{'train.random_uniform' op low is 1.000000, expected less than high, which is 1.000000}}
  %0 = train.random_uniform {low = 1.0 : f32} : tensor<8xf32>
  return
}

// -----

func.func @random_uniform_c2() {
  // expected-error @+1 {{'train.random_uniform' op seed is -1, expected a number from 0 to 4294967295}}
  %0 = train.random_uniform {seed = -1 : i64} : tensor<8xf32>
  return
}

// -----

func.func @random_normal_c1() {
  // expected-error @+1 {{'train.random_normal' op scale is -1.000000, expected at least 0}}
  %0 = train.random_normal {scale = -1.0 : f32} : tensor<8xf32>
  return
}

// -----

func.func @random_normal_c2() {
  // expected-error @+1 {{'train.random_normal' op seed is 4294967296, expected a number from 0 to 4294967295}}
  %0 = train.random_normal {seed = 4294967296 : i64} : tensor<8xf32>
  return
}

// -----

func.func @random_normal_integers() {
  // expected-error @+1 {{'train.random_normal' op result #0 must be static tensor of floats of at most 8 positive sizes and 2^40 elements, but got 'tensor<8xi64>'}}
  %0 = train.random_normal : tensor<8xi64>
  return
}
