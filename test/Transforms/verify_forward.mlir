// RUN: takt-opt %s --train-verify-forward --split-input-file --verify-diagnostics

// F1: a batch size.
// expected-error @+1 {{expected a positive batch size in 'train.batch'}}
module @no_batch {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    return %x : tensor<2x3xf32>
  }
}

// -----

// F1: a result.
module @no_result attributes {train.batch = 2 : i64} {
  // expected-error @+1 {{expected at least one result of @main}}
  func.func @main(%x: tensor<2x3xf32>) {
    return
  }
}

// -----

// F1: one block.
module @declaration attributes {train.batch = 2 : i64} {
  // expected-error @+1 {{expected the function to be a single block, found 0 blocks}}
  func.func private @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32>
}

// -----

// F1: one function.
// expected-error @+1 {{expected one function, found 2}}
module @two attributes {train.batch = 2 : i64} {
  func.func private @f(tensor<2x3xf32>) -> tensor<2x3xf32>
  func.func private @g(tensor<2x3xf32>) -> tensor<2x3xf32>
}

// -----

// F2: the train dialect only.
module @call attributes {train.batch = 2 : i64} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @+1 {{expected operations of the train dialect only}}
    %y = func.call @main(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}

// -----

// F3: no gradients.
module @gradient attributes {train.batch = 2 : i64} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @+1 {{expected a forward graph, found an operation of kind W}}
    %y = train.relu %x {train.kind = "W"} : tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}

// -----

// F3: no delays.
module @delayed attributes {train.batch = 2 : i64} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @+1 {{expected a forward graph, found a delay}}
    %y = train.delay %x by 2 : tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}

// -----

// F3: only state is written.
module @written attributes {train.batch = 2 : i64} {
  train.parameter @w : tensor<2x3xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @+1 {{a forward graph writes state only, parameter 'w' is none}}
    train.write @w, %x : tensor<2x3xf32>
    return %x : tensor<2x3xf32>
  }
}
