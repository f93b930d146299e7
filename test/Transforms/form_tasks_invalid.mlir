// RUN: takt-opt %s --train-form-tasks --split-input-file --verify-diagnostics

module @untagged {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @+1 {{expected a kind F, D, W or U in 'train.kind' before tasks are formed}}
    %y = train.relu %x : tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}

// -----

module @no_node {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @+1 {{expected a forward operation's name in 'train.node' before tasks are formed}}
    %y = train.relu %x {train.kind = "F"} : tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}

// -----

module @one_node_twice {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %y = train.relu %x {train.kind = "F", train.node = "a"} : tensor<2x3xf32>
    // expected-error @+1 {{node 'a' is already that of another forward operation}}
    %z = train.relu %y {train.kind = "F", train.node = "a"} : tensor<2x3xf32>
    return %z : tensor<2x3xf32>
  }
}

// -----

// Layers without tasks on the operations.
module @half attributes {train.layers = ["a"]} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @+1 {{expected a task in 'train.task' and a layer below 1 in 'train.layer'}}
    %y = train.relu %x {train.kind = "F", train.node = "a"} : tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}
