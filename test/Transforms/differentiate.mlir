// RUN: takt-opt %s --train-differentiate --split-input-file | FileCheck %s
// RUN: takt-opt %s --train-differentiate --train-verify-step --split-input-file -o /dev/null

// A chain: the first layer has no D, gradients come in reverse, updates last.
// CHECK-LABEL: module @chain
// CHECK: func.func @main(%[[X:.*]]: tensor<8x16xf32> {train.name = "input"}, %[[LABEL:.*]]: tensor<8xi64> {train.name = "label"})
// CHECK-SAME: -> (tensor<f32> {train.name = "loss"}, tensor<8x10xf32> {train.name = "logits"})
// CHECK: %[[W1:.*]] = train.read @fc1.weight {train.kind = "F"}
// CHECK: %[[B1:.*]] = train.read @fc1.bias {train.kind = "F"}
// CHECK: %[[H:.*]] = train.gemm %[[X]], %[[W1]], %[[B1]] {{.*}}train.kind = "F"
// CHECK: %[[R:.*]] = train.relu %[[H]] {train.kind = "F", train.node = "relu"}
// CHECK: %[[W2:.*]] = train.read @fc2.weight
// CHECK: %[[Y:.*]] = train.gemm %[[R]], %[[W2]] {{.*}}train.kind = "F"
// CHECK: %[[LOSS:.*]], %[[DY:.*]] = train.softmax_cross_entropy %[[Y]], %[[LABEL]] {train.kind = "F"
// CHECK: %[[DR:.*]] = train.gemm %[[DY]], %[[W2]] {{.*}}train.kind = "D"
// CHECK: %[[DW2:.*]] = train.gemm {{.*}}train.kind = "W"
// CHECK: %[[DH:.*]] = train.relu_dgrad %[[DR]], %[[R]] {train.kind = "D", train.node = "relu"}
// CHECK-NOT: train.kind = "D"
// CHECK: %[[DW1:.*]] = train.gemm {{.*}}train.kind = "W"
// CHECK: %[[DB1:.*]] = train.reduce_sum %[[DH]] {{.*}}train.kind = "W"
// CHECK: %[[OLD:.*]] = train.read @fc1.weight {train.kind = "U"}
// CHECK: %[[NEW:.*]] = train.sgd %[[OLD]], %[[DW1]] {{.*}}train.kind = "U", train.node = "fc1.weight"
// CHECK: train.write @fc1.weight, %[[NEW]] {train.kind = "U"}
// CHECK: train.write @fc1.bias
// CHECK: train.write @fc2.weight
// CHECK: return %[[LOSS]], %[[Y]]
module @chain attributes {train.batch = 8 : i64} {
  train.parameter @fc1.weight : tensor<32x16xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc1.bias : tensor<32xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc2.weight : tensor<10x32xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<8x16xf32> {train.name = "input"}) -> (tensor<8x10xf32> {train.name = "logits"}) {
    %w1 = train.read @fc1.weight : tensor<32x16xf32>
    %b1 = train.read @fc1.bias : tensor<32xf32>
    %h = train.gemm %x, %w1, %b1 {trans_b = true} : (tensor<8x16xf32>, tensor<32x16xf32>, tensor<32xf32>) -> tensor<8x32xf32>
    %r = train.relu %h : tensor<8x32xf32>
    %w2 = train.read @fc2.weight : tensor<10x32xf32>
    %y = train.gemm %r, %w2 {trans_b = true} : (tensor<8x32xf32>, tensor<10x32xf32>) -> tensor<8x10xf32>
    return %y : tensor<8x10xf32>
  }
}

// -----

// A final softmax, here behind a reshape, is skipped by the loss and stays an
// output; its gradient is not built.
// CHECK-LABEL: module @softmax
// CHECK: %[[Z:.*]] = train.conv
// CHECK: %[[S:.*]] = train.softmax %[[Z]]
// CHECK: %[[OUT:.*]] = train.reshape %[[S]]
// CHECK: %[[LOGITS:.*]] = train.reshape %[[Z]] {train.kind = "F"
// CHECK: %[[LOSS:.*]], %[[D:.*]] = train.softmax_cross_entropy %[[LOGITS]]
// CHECK: %[[DZ:.*]] = train.reshape %[[D]] {train.kind = "D"
// CHECK-NOT: softmax_dgrad
// CHECK: train.conv_wgrad %{{.*}}, %[[DZ]]
// CHECK: return %[[LOSS]], %[[OUT]]
module @softmax attributes {train.batch = 4 : i64} {
  train.parameter @w : tensor<5x3x1x1xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<4x3x1x1xf32>) -> (tensor<4x5xf32> {train.name = "p"}) {
    %w = train.read @w : tensor<5x3x1x1xf32>
    %z = train.conv %x, %w : (tensor<4x3x1x1xf32>, tensor<5x3x1x1xf32>) -> tensor<4x5x1x1xf32>
    %s = train.softmax %z {axis = 1 : i64} : tensor<4x5x1x1xf32>
    %p = train.reshape %s : (tensor<4x5x1x1xf32>) -> tensor<4x5xf32>
    return %p : tensor<4x5xf32>
  }
}

// -----

// Fan-out: the gradients of a value with two uses are added once, in D; those
// of a parameter with two reads in W.
// CHECK-LABEL: module @fan_out
// CHECK: %[[DH:.*]] = train.sum %{{.*}}, %{{.*}} {train.kind = "D", train.node = "relu"}
// CHECK: train.relu_dgrad %[[DH]]
// CHECK: %[[DW:.*]] = train.sum %{{.*}}, %{{.*}} {train.kind = "W"
// CHECK: train.sgd %{{.*}}, %[[DW]]
// CHECK-NOT: train.sgd
module @fan_out attributes {train.batch = 4 : i64} {
  train.parameter @w : tensor<6x6xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
    %w = train.read @w : tensor<6x6xf32>
    %a = train.gemm %x, %w : (tensor<4x6xf32>, tensor<6x6xf32>) -> tensor<4x6xf32>
    %r = train.relu %a : tensor<4x6xf32>
    %w2 = train.read @w : tensor<6x6xf32>
    %b = train.gemm %r, %w2 : (tensor<4x6xf32>, tensor<6x6xf32>) -> tensor<4x6xf32>
    %c = train.add %r, %b : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
    return %c : tensor<4x6xf32>
  }
}

// -----

// Batch norm: one W operation for scale and bias, and the running statistics
// stay a matter of F. A frozen parameter gets no update.
// CHECK-LABEL: module @batch_norm
// CHECK: train.write @bn.mean, %{{.*}} {train.kind = "F"}
// CHECK-COUNT-1: train.batch_norm_wgrad
// CHECK-NOT: train.batch_norm_wgrad
// CHECK: train.write @bn.scale
// CHECK: train.write @bn.bias
// CHECK-NOT: train.write @frozen
module @batch_norm attributes {train.batch = 4 : i64} {
  train.parameter @frozen : tensor<3x2x1x1xf32> = dense<0.1> {kind = #train.parameter_kind<constant>}
  train.parameter @bn.scale : tensor<3xf32> = dense<1.0> {kind = #train.parameter_kind<trainable>}
  train.parameter @bn.bias : tensor<3xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
  train.parameter @bn.mean : tensor<3xf32> = dense<0.0> {kind = #train.parameter_kind<state>}
  train.parameter @bn.var : tensor<3xf32> = dense<1.0> {kind = #train.parameter_kind<state>}
  func.func @main(%x: tensor<4x2x1x1xf32>) -> tensor<4x3x1x1xf32> {
    %w = train.read @frozen : tensor<3x2x1x1xf32>
    %s = train.read @bn.scale : tensor<3xf32>
    %b = train.read @bn.bias : tensor<3xf32>
    %m = train.read @bn.mean : tensor<3xf32>
    %v = train.read @bn.var : tensor<3xf32>
    %c = train.conv %x, %w : (tensor<4x2x1x1xf32>, tensor<3x2x1x1xf32>) -> tensor<4x3x1x1xf32>
    %y, %mean, %inv, %nm, %nv = train.batch_norm %c, %s, %b, %m, %v : (tensor<4x3x1x1xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<4x3x1x1xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>)
    train.write @bn.mean, %nm : tensor<3xf32>
    train.write @bn.var, %nv : tensor<3xf32>
    return %y : tensor<4x3x1x1xf32>
  }
}

// -----

// The gradient of a parameter that is the gradient of an activation as it
// stands still gets an operation of kind W.
// CHECK-LABEL: module @identity
// CHECK: %[[LOSS:.*]], %[[D:.*]] = train.softmax_cross_entropy
// CHECK: %[[W:.*]] = train.reduce_sum %[[D]] {axes = array<i64>, train.kind = "W"
// CHECK: train.sgd %{{.*}}, %[[W]]
module @identity attributes {train.batch = 2 : i64} {
  train.parameter @w : tensor<2x3xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %w = train.read @w : tensor<2x3xf32>
    %y = train.add %x, %w : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}

// -----

// A node that uses a matrix step by step: its gradient is one product of all
// steps, one behind the other.
// CHECK-LABEL: module @steps
// CHECK-DAG: %[[DY:.*]] = train.concat %{{.*}}, %{{.*}} {axis = 0 : i64, train.kind = "W", train.node = "rnn_1"} : {{.*}} -> tensor<4x3xf32>
// CHECK-DAG: %[[H:.*]] = train.concat %{{.*}}, %{{.*}} {axis = 0 : i64, train.kind = "W", train.node = "rnn_1"} : {{.*}} -> tensor<4x3xf32>
// CHECK: %[[W:.*]] = train.gemm %[[DY]], %[[H]] {train.kind = "W", train.node = "rnn_1", trans_a = true}
// CHECK-NOT: train.kind = "W"
// CHECK: train.sgd %{{.*}}, %[[W]]
module @steps attributes {train.batch = 2 : i64} {
  train.parameter @w : tensor<3x3xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %w = train.read @w : tensor<3x3xf32>
    %h = train.matmul %x, %w {trans_b = true} : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32> loc(#rnn)
    %y = train.matmul %h, %w {trans_b = true} : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32> loc(#rnn)
    return %y : tensor<2x3xf32>
  }
}
#rnn = loc("rnn")

// -----

// A tensor that is taken apart: its gradient is put together, with zeros where
// nothing was taken. Slices that overlap are added.
// CHECK-LABEL: module @slices
// CHECK: %[[FIRST:.*]] = train.pad constant %[[D1:.*]] {begins = array<i64: 0, 1>, ends = array<i64: 0, 1>, {{.*}} : (tensor<2x1xf32>) -> tensor<2x3xf32>
// CHECK: %[[LAST:.*]] = train.pad constant %[[D4:.*]] {begins = array<i64: 0, 0>, ends = array<i64: 0, 1>, {{.*}} : (tensor<2x1xf32>) -> tensor<2x2xf32>
// CHECK: train.concat %[[FIRST]], %{{.*}}, %[[LAST]] {axis = 1 : i64, train.kind = "D"{{.*}} -> tensor<2x6xf32>
// CHECK-LABEL: module @overlap
// CHECK: train.sum %{{.*}}, %{{.*}} {train.kind = "D"
module @slices attributes {train.batch = 2 : i64} {
  train.parameter @w : tensor<6x6xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<2x6xf32>) -> tensor<2x1xf32> {
    %w = train.read @w : tensor<6x6xf32>
    %h = train.matmul %x, %w : (tensor<2x6xf32>, tensor<6x6xf32>) -> tensor<2x6xf32>
    %c = train.slice %h {axis = 1 : i64, begin = 4 : i64} : (tensor<2x6xf32>) -> tensor<2x1xf32>
    %a = train.slice %h {axis = 1 : i64, begin = 1 : i64} : (tensor<2x6xf32>) -> tensor<2x1xf32>
    %b = train.slice %h {axis = 1 : i64, begin = 3 : i64} : (tensor<2x6xf32>) -> tensor<2x1xf32>
    %ab = train.mul %a, %b : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
    %y = train.mul %ab, %c : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
    return %y : tensor<2x1xf32>
  }
}

// -----

module @overlap attributes {train.batch = 2 : i64} {
  train.parameter @w : tensor<6x6xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<2x6xf32>) -> tensor<2x4xf32> {
    %w = train.read @w : tensor<6x6xf32>
    %h = train.matmul %x, %w : (tensor<2x6xf32>, tensor<6x6xf32>) -> tensor<2x6xf32>
    %a = train.slice %h {axis = 1 : i64, begin = 1 : i64} : (tensor<2x6xf32>) -> tensor<2x4xf32>
    %b = train.slice %h {axis = 1 : i64, begin = 2 : i64} : (tensor<2x6xf32>) -> tensor<2x4xf32>
    %y = train.mul %a, %b : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
    return %y : tensor<2x4xf32>
  }
}

// -----

// A parameter that is read once and used twice, by layers of their own: the sum
// of its gradients belongs to the last of them.
// CHECK-LABEL: module @tied
// CHECK: %[[W2:.*]] = train.gemm {{.*}}train.kind = "W", train.node = "gemm_1"
// CHECK: %[[W1:.*]] = train.gemm {{.*}}train.kind = "W", train.node = "gemm"
// CHECK: %[[W:.*]] = train.sum %[[W2]], %[[W1]] {train.kind = "W", train.node = "gemm_1"}
// CHECK: train.sgd %{{.*}}, %[[W]]
module @tied attributes {train.batch = 2 : i64} {
  train.parameter @w : tensor<3x3xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %w = train.read @w : tensor<3x3xf32>
    %h = train.gemm %x, %w : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
    %y = train.gemm %h, %w : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}
