// RUN: takt-opt %s --train-differentiate --split-input-file --verify-diagnostics

// expected-error @+1 {{expected one function, found 0}}
module @no_main {
}

// -----

// expected-error @+1 {{no trainable parameter influences the loss}}
module @nothing_to_train {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %y = train.relu %x : tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}

// -----

module @no_classes {
  func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
    // expected-error @+1 {{softmax cross-entropy needs logits of shape batch x classes or of more dimensions, found 'tensor<2xf32>'}}
    %y = train.relu %x : tensor<2xf32>
    return %y : tensor<2xf32>
  }
}

// -----

module @indices {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x1xi64> {
    // expected-error @+1 {{softmax cross-entropy needs logits of shape batch x classes or of more dimensions, found 'tensor<2x1xi64>'}}
    %y = train.arg_max %x {axis = 1 : i64} : (tensor<2x3xf32>) -> tensor<2x1xi64>
    return %y : tensor<2x1xi64>
  }
}

// -----

module @label_taken {
  // expected-error @+1 {{the loss needs an input 'label', but the model has one of that name}}
  func.func @main(%x: tensor<2x3xf32> {train.name = "label"}) -> tensor<2x3xf32> {
    %y = train.relu %x : tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}

// -----

module @twice {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @+1 {{expected a forward graph, found an operation of kind D}}
    %y = train.relu %x {train.kind = "D"} : tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}

// -----

module @no_output {
  // expected-error @+1 {{expected an output for the loss, @main has none}}
  func.func @main(%x: tensor<2x3xf32>) {
    return
  }
}
