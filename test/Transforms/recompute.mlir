// RUN: takt-opt %s --train-differentiate="loss=mse" --train-form-tasks -o %t.mlir
// RUN: takt-opt %t.mlir --train-recompute="values=relu0.F.relu,relu1.F.relu" --train-verify-step --train-verify-tasks | FileCheck %s
// RUN: takt-opt %t.mlir --train-recompute="values=norm.F.batch_norm" --train-verify-tasks | FileCheck %s --check-prefix=NORM
// RUN: takt-opt %t.mlir --train-recompute="values=relu1.F.relu" --train-microbatch=count=2 --train-verify-tasks | FileCheck %s --check-prefix=MICRO
// RUN: takt-opt %t.mlir --train-recompute="values=relu1.F.relu" --train-form-tasks=print -o /dev/null | FileCheck %s --check-prefix=GRAPH
// RUN: not takt-opt %t.mlir --train-recompute="values=fc9.F.gemm" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not takt-opt %t.mlir --train-recompute="values=fc0.F.gemm" 2>&1 | FileCheck %s --check-prefix=UNREAD
// RUN: not takt-opt %t.mlir --train-recompute="values=norm.F.batch_norm#1" 2>&1 | FileCheck %s --check-prefix=STATISTIC
// RUN: not takt-opt %t.mlir --train-microbatch=count=2 --train-recompute="values=relu1.F.relu" 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not takt-opt %t.mlir --train-retime="delays=0,0,0" --train-recompute="values=relu1.F.relu" --train-recompute="values=relu0.F.relu" 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not takt-opt %s --train-recompute="values=relu1.F.relu" 2>&1 | FileCheck %s --check-prefix=EARLY

// Both layers again, from the input on, in the D that needs them first.
// CHECK: %[[W0:.*]] = train.read @fc0.weight
// CHECK: %[[W1:.*]] = train.read @fc1.weight
// CHECK: %[[F0:.*]] = train.gemm %{{.*}}, %[[W0]] {train.kind = "F"
// CHECK: %[[DX:.*]] = train.gemm %{{.*}} {train.kind = "D", {{.*}}train.task = "fc2.D"
// CHECK: %[[A0:.*]] = train.gemm %arg0, %[[W0]] {train.kind = "D", train.layer = 2 : i64, train.node = "fc0", train.recomputed, train.task = "fc2.D"}
// CHECK: %[[R0:.*]] = train.relu %[[A0]] {{.*}}train.recomputed, train.task = "fc2.D"
// CHECK: %[[A1:.*]] = train.gemm %[[R0]], %[[W1]] {{.*}}train.recomputed, train.task = "fc2.D"
// CHECK: %[[R1:.*]] = train.relu %[[A1]] {{.*}}train.recomputed, train.task = "fc2.D"
// CHECK: train.relu_dgrad %{{.*}}, %[[R1]]
// CHECK: train.relu_dgrad %{{.*}}, %[[R0]] {train.kind = "D", {{.*}}train.task = "fc1.D"

// With the statistics of the forward pass, which are small.
// NORM: %{{.*}}, %[[MEAN:.*]], %[[STD:.*]], %{{.*}}, %{{.*}} = train.batch_norm
// NORM-NOT: train.batch_norm %
// NORM: train.batch_norm_apply %{{.*}}, %{{.*}}, %{{.*}}, %[[MEAN]], %[[STD]] {{.*}}train.recomputed

// MICRO: train.recomputed, train.task = "fc2.D.m0"
// MICRO: train.recomputed, train.task = "fc2.D.m1"

// GRAPH: task fc2.D layer 2 gemm 4x8x8*1 again gemm 4x8x8*1 again elementwise 32 elementwise
// GRAPH: activation relu1.again.relu 128 bytes fc2.D -> fc1.W

// NAME: error: there is no activation 'fc9.F.gemm' that can be made again
// UNREAD: error: value 'fc0.F.gemm' is not read by the backward pass
// STATISTIC: error: there is no activation 'norm.F.batch_norm#1' that can be made again
// ORDER: error: values are made again before a step is divided into microbatches or retimed, and once
// EARLY: error: expected the layers' names in 'train.layers'
module @net attributes {train.batch = 4 : i64} {
  train.parameter @fc0.weight : tensor<8x8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc1.weight : tensor<8x8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc2.weight : tensor<8x8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @scale : tensor<8xf32> = dense<1.0> {kind = #train.parameter_kind<trainable>}
  train.parameter @bias : tensor<8xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
  train.parameter @mean : tensor<8xf32> = dense<0.0> {kind = #train.parameter_kind<state>}
  train.parameter @var : tensor<8xf32> = dense<1.0> {kind = #train.parameter_kind<state>}
  func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
    %w0 = train.read @fc0.weight : tensor<8x8xf32>
    %w1 = train.read @fc1.weight : tensor<8x8xf32>
    %w2 = train.read @fc2.weight : tensor<8x8xf32>
    %s = train.read @scale : tensor<8xf32>
    %b = train.read @bias : tensor<8xf32>
    %m = train.read @mean : tensor<8xf32>
    %v = train.read @var : tensor<8xf32>
    %0 = train.gemm %x, %w0 : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("fc0")
    %1 = train.relu %0 : tensor<4x8xf32> loc("relu0")
    %2 = train.gemm %1, %w1 : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("fc1")
    %3 = train.relu %2 : tensor<4x8xf32> loc("relu1")
    %4:5 = train.batch_norm %3, %s, %b, %m, %v : (tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) loc("norm")
    %5 = train.gemm %4#0, %w2 : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("fc2")
    train.write @mean, %4#3 : tensor<8xf32>
    train.write @var, %4#4 : tensor<8xf32>
    return %5 : tensor<4x8xf32>
  }
}
