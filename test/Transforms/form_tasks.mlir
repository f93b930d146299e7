// RUN: takt-opt %s --train-differentiate --train-form-tasks="print=true" -o %t.mlir | FileCheck %s --check-prefix=GRAPH
// RUN: FileCheck %s < %t.mlir
// RUN: takt-opt %t.mlir --train-verify-tasks --train-form-tasks="print=true" -o /dev/null | FileCheck %s --check-prefix=GRAPH

// A convolution with batch norm and relu, a second convolution, a pool and a
// classifier. Tasks are in sequential order; the first layer has no D.

// GRAPH:      layer conv parameters 352 optimizer 0
// GRAPH-NEXT: layer conv_1 parameters
// GRAPH-NEXT: layer gemm parameters
// GRAPH-NEXT: task conv.F layer 0 gemm 64x4x18*1 elementwise {{[0-9]+}} elementwise {{[0-9]+}}
// GRAPH-SAME:   cut channel:4 cut batch:4 cut reduction:2{{$}}
// GRAPH-NEXT: task conv_1.F layer 1 gemm 64x4x36*1 elementwise {{[0-9]+}} elementwise {{[0-9]+}}
// GRAPH-SAME:   cut channel:4 cut batch:4 cut reduction:4{{$}}
// GRAPH-NEXT: task gemm.F layer 2 gemm 4x3x4*1
// GRAPH-NEXT: task gemm.D layer 2 gemm 4x4x3*1
// GRAPH-SAME:   cut channel:4 cut batch:4 cut reduction:3{{$}}
// GRAPH-NEXT: task gemm.W layer 2 gemm
// GRAPH-NEXT: task gemm.U layer 2 elementwise {{[0-9]+}} with gemm.W{{$}}
// GRAPH-NEXT: task conv_1.D layer 1 gemm 64x4x36*1
// GRAPH-NEXT: task conv_1.W layer 1 gemm 36x4x64*1 cut channel:4 cut reduction:4{{$}}
// GRAPH-NEXT: task conv_1.U layer 1 elementwise 432 with conv_1.W{{$}}
// GRAPH-NEXT: task conv.W layer 0 gemm 18x4x64*1 elementwise {{[0-9]+}} cut channel:4 cut reduction:4{{$}}
// GRAPH-NEXT: task conv.U layer 0
// GRAPH-NEXT: input x 512 bytes host -> conv.F conv.W{{$}}
// GRAPH-NEXT: input label 32 bytes host -> gemm.F{{$}}
// GRAPH-NEXT: weight w1 288 bytes conv.U -> conv.F@1+delay conv.U@1{{$}}
// GRAPH-NEXT: weight scale 16 bytes conv.U -> conv.F@1+delay conv_1.D@1+delay conv.U@1{{$}}
// GRAPH-NEXT: weight bias 16 bytes conv.U -> conv.F@1+delay conv.U@1{{$}}
// GRAPH-NEXT: state mean 16 bytes conv.F -> conv.F@1{{$}}
// GRAPH-NEXT: state var 16 bytes conv.F -> conv.F@1{{$}}
// GRAPH-NEXT: weight w2 576 bytes conv_1.U -> conv_1.F@1+delay conv_1.D@1+delay conv_1.U@1{{$}}
// GRAPH-NEXT: weight w3
// GRAPH-NEXT: activation conv.F.conv 1024 bytes conv.F -> conv_1.D conv.W{{$}}
// GRAPH-NEXT: activation batch_norm.F.batch_norm#1 16 bytes conv.F -> conv_1.D conv.W{{$}}
// GRAPH-NEXT: activation batch_norm.F.batch_norm#2 16 bytes conv.F -> conv_1.D conv.W{{$}}
// GRAPH-NEXT: activation relu.F.relu 1024 bytes conv.F -> conv_1.F conv_1.D conv_1.W{{$}}
// GRAPH:      gradient loss.F.softmax_cross_entropy#1 48 bytes gemm.F -> gemm.D gemm.W{{$}}

// The batch norm after the first layer belongs to it: its D stands in the task
// of the layer behind, its W in its own.
// CHECK: module @net attributes {train.batch = 4 : i64, train.layers = ["conv", "conv_1", "gemm"]}
// CHECK: train.batch_norm %{{.*}}train.layer = 0 : i64, {{.*}}train.task = "conv.F"
// CHECK: train.relu_dgrad %{{.*}}train.layer = 1 : i64, {{.*}}train.task = "conv_1.D"
// CHECK: train.batch_norm_dgrad %{{.*}}train.layer = 1 : i64, {{.*}}train.task = "conv_1.D"
// CHECK-DAG: train.batch_norm_wgrad %{{.*}}train.layer = 0 : i64, {{.*}}train.task = "conv.W"
// CHECK: train.read @w1 {train.kind = "U"}
// CHECK: train.sgd %{{.*}}train.layer = 0 : i64, {{.*}}train.task = "conv.U"
module @net attributes {train.batch = 4 : i64} {
  train.parameter @w1 : tensor<4x2x3x3xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @scale : tensor<4xf32> = dense<1.0> {kind = #train.parameter_kind<trainable>}
  train.parameter @bias : tensor<4xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
  train.parameter @mean : tensor<4xf32> = dense<0.0> {kind = #train.parameter_kind<state>}
  train.parameter @var : tensor<4xf32> = dense<1.0> {kind = #train.parameter_kind<state>}
  train.parameter @w2 : tensor<4x4x3x3xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @w3 : tensor<3x4xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<4x2x4x4xf32> {train.name = "x"}) -> tensor<4x3xf32> {
    %w1 = train.read @w1 : tensor<4x2x3x3xf32>
    %s = train.read @scale : tensor<4xf32>
    %b = train.read @bias : tensor<4xf32>
    %m = train.read @mean : tensor<4xf32>
    %v = train.read @var : tensor<4xf32>
    %w2 = train.read @w2 : tensor<4x4x3x3xf32>
    %w3 = train.read @w3 : tensor<3x4xf32>
    %0 = train.conv %x, %w1 {pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>} : (tensor<4x2x4x4xf32>, tensor<4x2x3x3xf32>) -> tensor<4x4x4x4xf32>
    %1:5 = train.batch_norm %0, %s, %b, %m, %v : (tensor<4x4x4x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<4x4x4x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
    train.write @mean, %1#3 : tensor<4xf32>
    train.write @var, %1#4 : tensor<4xf32>
    %2 = train.relu %1#0 : tensor<4x4x4x4xf32>
    %3 = train.conv %2, %w2 {pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>} : (tensor<4x4x4x4xf32>, tensor<4x4x3x3xf32>) -> tensor<4x4x4x4xf32>
    %4 = train.global_average_pool %3 : (tensor<4x4x4x4xf32>) -> tensor<4x4x1x1xf32>
    %5 = train.reshape %4 : (tensor<4x4x1x1xf32>) -> tensor<4x4xf32>
    %6 = train.gemm %5, %w3 {trans_b = true} : (tensor<4x4xf32>, tensor<3x4xf32>) -> tensor<4x3xf32>
    return %6 : tensor<4x3xf32>
  }
}
