// RUN: takt-opt %s -verify-diagnostics -split-input-file
// Constraints of parameters, delays, losses and optimizers.

// expected-error @+1 {{'train.parameter' op has no initial value, expected one for kind 'trainable'}}
train.parameter @p : tensor<2xf32> {kind = #train.parameter_kind<trainable>}

// -----

// expected-error @+1 {{'train.parameter' op has an initial value, expected none for kind 'derived'}}
train.parameter @p : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<derived>, base = @q, axis = 0 : i64, begin = 0 : i64}

// -----

// expected-error @+1 {{'train.parameter' op initial value has type 'tensor<3xf32>', expected 'tensor<2xf32>'}}
"train.parameter"() {sym_name = "p", type = tensor<2xf32>, initial_value = dense<0.0> : tensor<3xf32>, kind = #train.parameter_kind<state>} : () -> ()

// -----

// expected-error @+1 {{parameter kind is 'weight', expected trainable, state, optimizer, constant or derived}}
train.parameter @p : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<weight>}

// -----

// expected-error @+1 {{custom op 'train.parameter' initial value is @q, expected dense elements of type 'tensor<2xf32>'}}
train.parameter @p : tensor<2xf32> = @q {kind = #train.parameter_kind<trainable>}

// -----

// expected-error @+1 {{'train.parameter' op attribute 'type' failed to satisfy constraint: type attribute of static tensor of numbers or i1 of at most 8 positive sizes and 2^40 elements}}
train.parameter @p : tensor<0xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}

// -----

// expected-error @+1 {{'train.parameter' op delay is -1, expected at least 0}}
train.parameter @p : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>, delay = -1 : i64}

// -----

// expected-error @+1 {{'train.parameter' op has a delay and is of kind 'state', expected 'trainable' or 'derived'}}
train.parameter @p : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<state>, delay = 1 : i64}

// -----

// expected-error @+1 {{'train.parameter' op has 'begin' and is of kind 'trainable'}}
train.parameter @p : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>, begin = 0 : i64}

// -----

// expected-error @+1 {{'train.parameter' op has no 'update' and 'last_update', expected them with a 'tensor'}}
train.parameter @p : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>, begin = 0 : i64, tensor = "q", update = 0 : i64}

// -----

// expected-error @+1 {{'train.parameter' op has 'update' and 'last_update', expected them with a 'tensor'}}
train.parameter @p : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>, last_update = 0 : i64}

// -----

// expected-error @+1 {{'train.parameter' op is written behind update 2 of 0 to 1, expected one of them, and at most 65535}}
train.parameter @p : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>, begin = 0 : i64, tensor = "q", update = 2 : i64, last_update = 1 : i64}

// -----

// expected-error @+1 {{'train.parameter' op is of a 'tensor' and of kind 'constant'}}
train.parameter @p : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<constant>, begin = 0 : i64, tensor = "q", update = 0 : i64, last_update = 0 : i64}

// -----

// expected-error @+1 {{'train.parameter' op has 'base' and is of kind 'constant'}}
train.parameter @p : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<constant>, base = @q}

// -----

// expected-error @+1 {{'train.parameter' op has no 'begin' and is of kind 'derived'}}
train.parameter @p : tensor<2xf32> {kind = #train.parameter_kind<derived>, base = @q, axis = 0 : i64}

// -----

// expected-error @+1 {{'train.parameter' op parameter is @q, expected the name of a train.parameter}}
train.parameter @p : tensor<2xf32> {kind = #train.parameter_kind<derived>, base = @q, axis = 0 : i64, begin = 0 : i64}

// -----

// expected-error @+1 {{'train.parameter' op base @q is derived itself}}
train.parameter @q : tensor<4xf32> {kind = #train.parameter_kind<derived>, base = @q, axis = 0 : i64, begin = 0 : i64}

// -----

train.parameter @q : tensor<4x4xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
// expected-error @+1 {{'train.parameter' op shape of the parameter is 2x2, expected 2x4}}
train.parameter @p : tensor<2x2xf32> {kind = #train.parameter_kind<derived>, base = @q, axis = 0 : i64, begin = 0 : i64}

// -----

train.parameter @q : tensor<4x4xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
// expected-error @+1 {{'train.parameter' op begin is 3, expected a number from 0 to 2}}
train.parameter @p : tensor<2x4xf32> {kind = #train.parameter_kind<derived>, base = @q, axis = 0 : i64, begin = 3 : i64}

// -----

train.parameter @q : tensor<4x4xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
// expected-error @+1 {{'train.parameter' op type of tensor #1 is tensor<2x4xf64>, expected elements of type f32}}
train.parameter @p : tensor<2x4xf64> {kind = #train.parameter_kind<derived>, base = @q, axis = 0 : i64, begin = 0 : i64}

// -----

train.parameter @q : tensor<4x4xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
// expected-error @+1 {{'train.parameter' op axis is 2, expected a number from 0 to 1}}
train.parameter @p : tensor<4x4xf32> {kind = #train.parameter_kind<derived>, base = @q, axis = 2 : i64, begin = 0 : i64}

// -----

func.func @parameter_in_function() {
  // expected-error @+1 {{'train.parameter' op expects parent op 'builtin.module'}}
  train.parameter @p : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
  return
}

// -----

func.func @read_c1() {
  // expected-error @+1 {{'train.read' op parameter is @main, expected the name of a train.parameter}}
  %0 = train.read @main : tensor<2xf32>
  return
}

// -----

// expected-note @+1 {{the parameter is declared here}}
train.parameter @p : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
func.func @read_c1_type() {
  // expected-error @+1 {{'train.read' op type is 'tensor<3xf32>', expected 'tensor<2xf32>'}}
  %0 = train.read @p : tensor<3xf32>
  return
}

// -----

func.func @write_c1(%v: tensor<2xf32>) {
  // expected-error @+1 {{'train.write' op parameter is @p, expected the name of a train.parameter}}
  train.write @p, %v : tensor<2xf32>
  return
}

// -----

// expected-note @+1 {{the parameter is declared here}}
train.parameter @p : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<constant>}
func.func @write_c2(%v: tensor<2xf32>) {
  // expected-error @+1 {{'train.write' op parameter @p is of kind 'constant', expected one that may be written}}
  train.write @p, %v : tensor<2xf32>
  return
}

// -----

func.func @delay_c1(%v: tensor<2xf32>) {
  // expected-error @+1 {{'train.delay' op delay is -1, expected at least 0}}
  %0 = train.delay %v by -1 : tensor<2xf32>
  return
}

// -----

func.func @softmax_cross_entropy_c1_rank(%x: tensor<8xf32>, %l: tensor<8xi64>) {
  // expected-error @+1 {{'train.softmax_cross_entropy' op rank of logits is 1, expected a number from 2 to 8}}
  %0:2 = train.softmax_cross_entropy %x, %l : (tensor<8xf32>, tensor<8xi64>) -> (tensor<f32>, tensor<8xf32>)
  return
}

// -----

func.func @softmax_cross_entropy_c1_samples(%x: tensor<8x10x5xf32>, %l: tensor<10x5xi64>) {
  // expected-error @+1 {{'train.softmax_cross_entropy' op axis is 0, expected a number from 1 to 2}}
  %0:2 = train.softmax_cross_entropy %x, %l {axis = 0 : i64} : (tensor<8x10x5xf32>, tensor<10x5xi64>) -> (tensor<f32>, tensor<8x10x5xf32>)
  return
}

// -----

func.func @softmax_cross_entropy_c1_range(%x: tensor<8x10x5xf32>, %l: tensor<8x10xi64>) {
  // expected-error @+1 {{'train.softmax_cross_entropy' op axis is 3, expected a number from 1 to 2}}
  %0:2 = train.softmax_cross_entropy %x, %l {axis = 3 : i64} : (tensor<8x10x5xf32>, tensor<8x10xi64>) -> (tensor<f32>, tensor<8x10x5xf32>)
  return
}

// -----

func.func @softmax_cross_entropy_c2_samples(%x: tensor<8x10xf32>, %l: tensor<10xi64>) {
  // expected-error @+1 {{'train.softmax_cross_entropy' op shape of labels is 10, expected 8}}
  %0:2 = train.softmax_cross_entropy %x, %l : (tensor<8x10xf32>, tensor<10xi64>) -> (tensor<f32>, tensor<8x10xf32>)
  return
}

// -----

func.func @softmax_cross_entropy_c2_tokens(%x: tensor<8x10x5xf32>, %l: tensor<8x5xi64>) {
  // expected-error @+1 {{'train.softmax_cross_entropy' op shape of labels is 8x5, expected 8x10}}
  %0:2 = train.softmax_cross_entropy %x, %l {axis = 2 : i64} : (tensor<8x10x5xf32>, tensor<8x5xi64>) -> (tensor<f32>, tensor<8x10x5xf32>)
  return
}

// -----

func.func @softmax_cross_entropy_c2_type(%x: tensor<8x10xf32>, %l: tensor<8xi32>) {
  // expected-error @+1 {{'train.softmax_cross_entropy' op operand #1 must be static tensor of i64 of at most 8 positive sizes and 2^40 elements, but got 'tensor<8xi32>'}}
  %0:2 = train.softmax_cross_entropy %x, %l : (tensor<8x10xf32>, tensor<8xi32>) -> (tensor<f32>, tensor<8x10xf32>)
  return
}

// -----

func.func @softmax_cross_entropy_c3(%x: tensor<8x10xf32>, %l: tensor<8xi64>) {
  // expected-error @+1 {{'train.softmax_cross_entropy' op result #0 has type 'tensor<1xf32>', expected 'tensor<f32>'}}
  %0:2 = train.softmax_cross_entropy %x, %l : (tensor<8x10xf32>, tensor<8xi64>) -> (tensor<1xf32>, tensor<8x10xf32>)
  return
}

// -----

func.func @mean_squared_error_c1(%x: tensor<8x10xf32>, %t: tensor<8xf32>) {
  // expected-error @+1 {{'train.mean_squared_error' op shape of target is 8, expected 8x10}}
  %0:2 = train.mean_squared_error %x, %t : (tensor<8x10xf32>, tensor<8xf32>) -> (tensor<f32>, tensor<8x10xf32>)
  return
}

// -----

func.func @momentum_types(%w: tensor<8xf32>, %v: tensor<4xf32>) {
  // expected-error @+1 {{'train.momentum' op operand #2 has type 'tensor<4xf32>', expected 'tensor<8xf32>' as operand #0}}
  %0:2 = "train.momentum"(%w, %w, %v) : (tensor<8xf32>, tensor<8xf32>, tensor<4xf32>) -> (tensor<8xf32>, tensor<8xf32>)
  return
}

// -----

func.func @adam_c1(%w: tensor<8xf32>) {
  // expected-error @+1 {{'train.adam' op beta2 is 1.000000, expected at least 0 and less than 1}}
  %0:3 = train.adam %w, %w, %w, %w {beta2 = 1.0 : f32} : tensor<8xf32>
  return
}

// -----

func.func @adam_c2(%w: tensor<8xf32>) {
  // expected-error @+1 {{'train.adam' op epsilon is -1.000000, expected at least 0}}
  %0:3 = train.adam %w, %w, %w, %w {epsilon = -1.0 : f32} : tensor<8xf32>
  return
}
