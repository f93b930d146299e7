// RUN: takt-opt %s --train-verify-tasks --split-input-file --verify-diagnostics

// T1: layers.
// expected-error @+1 {{expected the layers' names in 'train.layers'}}
module @no_layers {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %y = train.relu %x {train.kind = "F", train.node = "a", train.task = "a.F", train.layer = 0 : i64} : tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}

// -----

// T1: a layer within them.
module @layer_out_of_range attributes {train.layers = ["a"]} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @+1 {{expected a task in 'train.task' and a layer below 1 in 'train.layer'}}
    %y = train.relu %x {train.kind = "F", train.node = "a", train.task = "a.F", train.layer = 1 : i64} : tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}

// -----

// T1: nothing else has a task.
module @read_in_task attributes {train.layers = ["a"]} {
  train.parameter @w : tensor<2x3xf32> = dense<0.0> {kind = #train.parameter_kind<constant>}
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @+1 {{operation is not executed and belongs to no task}}
    %w = train.read @w {train.kind = "F", train.task = "a.F"} : tensor<2x3xf32>
    return %w : tensor<2x3xf32>
  }
}

// -----

// T2: one layer per task.
module @two_layers attributes {train.layers = ["a", "b"]} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-note @+1 {{first operation of the task}}
    %y = train.relu %x {train.kind = "F", train.node = "a", train.task = "a.F", train.layer = 0 : i64} : tensor<2x3xf32>
    // expected-error @+1 {{task 'a.F' is in layer 1 here and in layer 0 elsewhere}}
    %z = train.relu %y {train.kind = "F", train.node = "b", train.task = "a.F", train.layer = 1 : i64} : tensor<2x3xf32>
    return %z : tensor<2x3xf32>
  }
}

// -----

// T2: the name tells layer and kind.
module @strange_name attributes {train.layers = ["a"]} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @+1 {{task 'a.X' is not named after its layer 'a' and a kind}}
    %y = train.relu %x {train.kind = "F", train.node = "a", train.task = "a.X", train.layer = 0 : i64} : tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}

// -----

// T3: values flow forward.
// expected-error @+1 {{a.F}}
module @against_the_order attributes {train.layers = ["a", "b"]} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %y = train.relu %x {train.kind = "F", train.node = "b", train.task = "b.F", train.layer = 1 : i64} : tensor<2x3xf32>
    %z = train.relu %y {train.kind = "F", train.node = "a", train.task = "a.F", train.layer = 0 : i64} : tensor<2x3xf32>
    return %z : tensor<2x3xf32>
  }
}
