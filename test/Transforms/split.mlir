// RUN: takt-opt %s --train-differentiate="loss=mse" --train-form-tasks -o %t.mlir
// RUN: takt-opt %t.mlir --train-split="cuts=fc1.D:channel:3" --train-verify-step --train-verify-tasks | FileCheck %s --check-prefix=CHANNEL
// RUN: takt-opt %t.mlir --train-split="cuts=fc1.D:batch:1:0" --train-verify-step --train-verify-tasks | FileCheck %s --check-prefix=BATCH
// RUN: takt-opt %t.mlir --train-split="cuts=fc1.D:reduction:2:0+1,fc2.D:channel:5" --train-verify-step --train-verify-tasks | FileCheck %s --check-prefix=REDUCTION

// Each part takes its share of the weight and all of the gradient; the results
// are one behind the other. What was fused behind follows the join.
// CHANNEL: %[[W:.*]] = train.read @fc1.weight {train.kind = "F"}
// CHANNEL: %[[W0:.*]] = train.slice %[[W]] {axis = 0 : i64, begin = 0 : i64, {{.*}}train.task = "fc1.D.0"} : (tensor<8x6xf32>) -> tensor<3x6xf32>
// CHANNEL: %[[P0:.*]] = train.gemm %[[DY:.*]], %[[W0]] {{.*}}train.kind = "D", train.layer = 1 : i64, train.name = "fc1.D.0", train.node = "fc1", train.task = "fc1.D.0"
// CHANNEL: %[[W1:.*]] = train.slice %[[W]] {axis = 0 : i64, begin = 3 : i64, {{.*}}train.task = "fc1.D.1"} : (tensor<8x6xf32>) -> tensor<5x6xf32>
// CHANNEL: %[[P1:.*]] = train.gemm %[[DY]], %[[W1]] {{.*}}train.task = "fc1.D.1"
// CHANNEL: %[[J:.*]] = train.concat %[[P0]], %[[P1]] {axis = 1 : i64, {{.*}}train.task = "fc1.D.join"
// CHANNEL: train.relu_dgrad %[[J]], {{.*}}train.task = "fc1.D.join"

// Part 0 gets its share of the gradient from the task that makes the gradient,
// part 1 cuts the whole one itself.
// BATCH: %[[DY:.*]] = train.gemm {{.*}}train.task = "fc2.D"
// BATCH: %[[S0:.*]] = train.slice %[[DY]] {axis = 0 : i64, begin = 0 : i64, {{.*}}train.task = "fc2.D"}
// BATCH: train.gemm %[[S0]], {{.*}}train.task = "fc1.D.0"
// BATCH: %[[S1:.*]] = train.slice %[[DY]] {axis = 0 : i64, begin = 1 : i64, {{.*}}train.task = "fc1.D.1"}
// BATCH: train.concat {{.*}}axis = 0 : i64

// Shares of an updated weight are parameters of their own, which the update
// writes; the partial sums are added. Two tasks can be cut at once.
// REDUCTION-DAG: train.parameter @"fc1.weight.slice0 for fc1.D" : tensor<8x2xf32> {axis = 1 : i64, base = @fc1.weight, begin = 0 : i64, kind = #train.parameter_kind<derived>}
// REDUCTION-DAG: train.parameter @"fc1.weight.slice1 for fc1.D" : tensor<8x4xf32> {axis = 1 : i64, base = @fc1.weight, begin = 2 : i64, kind = #train.parameter_kind<derived>}
// REDUCTION: train.concat {{.*}}train.task = "fc2.D.join"
// REDUCTION: train.slice {{.*}}begin = 0 : i64, {{.*}}train.task = "fc2.D.join"
// REDUCTION: %[[R0:.*]] = train.read @"fc1.weight.slice0 for fc1.D"
// REDUCTION: %[[A0:.*]] = train.gemm %{{.*}}, %[[R0]]
// REDUCTION: train.sum %[[A0]], %{{.*}}train.task = "fc1.D.join"
// REDUCTION: %[[NEW:.*]] = train.sgd {{.*}}train.task = "fc1.U"
// REDUCTION: train.write @fc1.weight, %[[NEW]]
// REDUCTION: train.slice %[[NEW]] {{.*}}train.kind = "U", {{.*}}train.task = "fc1.U"
// REDUCTION: train.write @"fc1.weight.slice{{[01]}} for fc1.D"
module @net attributes {train.batch = 4 : i64} {
  train.parameter @fc0.weight : tensor<8x8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc1.weight : tensor<8x6xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc2.weight : tensor<6x6xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<4x8xf32>) -> tensor<4x6xf32> {
    %w0 = train.read @fc0.weight : tensor<8x8xf32>
    %w1 = train.read @fc1.weight : tensor<8x6xf32>
    %w2 = train.read @fc2.weight : tensor<6x6xf32>
    %0 = train.gemm %x, %w0 : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("fc0")
    %1 = train.relu %0 : tensor<4x8xf32> loc("relu")
    %2 = train.gemm %1, %w1 : (tensor<4x8xf32>, tensor<8x6xf32>) -> tensor<4x6xf32> loc("fc1")
    %3 = train.gemm %2, %w2 : (tensor<4x6xf32>, tensor<6x6xf32>) -> tensor<4x6xf32> loc("fc2")
    return %3 : tensor<4x6xf32>
  }
}
