// RUN: takt-opt %s --train-verify-step --split-input-file --verify-diagnostics

// S1: a kind.
module @no_kind {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @+1 {{expected a kind F, D, W or U in 'train.kind'}}
    %y = train.relu %x {train.kind = "X"} : tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}

// -----

// S1: a node.
module @no_node {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @+1 {{expected a forward operation's name in 'train.node'}}
    %y = train.relu %x {train.kind = "F"} : tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}

// -----

// S2: from F to D to W to U only.
module @backward_flow {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-note @+1 {{produced here}}
    %y = train.relu %x {train.kind = "W", train.node = "a"} : tensor<2x3xf32>
    // expected-error @+1 {{operation of kind D takes a value of kind W}}
    %z = train.relu %y {train.kind = "D", train.node = "a"} : tensor<2x3xf32>
    return %z : tensor<2x3xf32>
  }
}

// -----

// S3: single writes.
module @written_twice {
  train.parameter @s : tensor<2x3xf32> = dense<0.0> {kind = #train.parameter_kind<state>}
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-note @+1 {{first written here}}
    train.write @s, %x {train.kind = "F"} : tensor<2x3xf32>
    // expected-error @+1 {{parameter 's' is written twice}}
    train.write @s, %x {train.kind = "F"} : tensor<2x3xf32>
    return %x : tensor<2x3xf32>
  }
}

// -----

// S3: state by F, weights by U.
module @written_by_forward {
  train.parameter @w : tensor<2x3xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @+1 {{parameter 'w' is written by kind F, expected kind U}}
    train.write @w, %x {train.kind = "F"} : tensor<2x3xf32>
    return %x : tensor<2x3xf32>
  }
}

// -----

// S4: the loss comes first.
module @no_loss {
  train.parameter @w : tensor<2x3xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
  // expected-error @+1 {{expected the scalar loss as the first result of a training step}}
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %g = train.relu %x {train.kind = "W", train.node = "a"} : tensor<2x3xf32>
    %w = train.read @w {train.kind = "U"} : tensor<2x3xf32>
    %n = train.sgd %w, %g {train.kind = "U", train.node = "w"} : tensor<2x3xf32>
    train.write @w, %n {train.kind = "U"} : tensor<2x3xf32>
    return %x : tensor<2x3xf32>
  }
}

// -----

// S5: a wgrad for every update.
module @no_wgrad {
  train.parameter @w : tensor<2x3xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %g = train.relu %x {train.kind = "D", train.node = "a"} : tensor<2x3xf32>
    %w = train.read @w {train.kind = "U"} : tensor<2x3xf32>
    // expected-error @+1 {{expected the gradient of an update to come from an operation of kind W}}
    %n = train.sgd %w, %g {train.kind = "U", train.node = "w"} : tensor<2x3xf32>
    train.write @w, %n {train.kind = "U"} : tensor<2x3xf32>
    return %x : tensor<2x3xf32>
  }
}
