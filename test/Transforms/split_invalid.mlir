// RUN: takt-opt %s --train-differentiate="loss=mse" --train-form-tasks -o %t.mlir
// RUN: not takt-opt %t.mlir --train-split="cuts=fc9.D:channel:1" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not takt-opt %t.mlir --train-split="cuts=fc1.U:channel:1" 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not takt-opt %t.mlir --train-split="cuts=fc1.D:channel:8" 2>&1 | FileCheck %s --check-prefix=BOUND
// RUN: not takt-opt %t.mlir --train-split="cuts=fc1.D:channel:0" 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not takt-opt %t.mlir --train-split="cuts=fc1.D:channel:1,fc1.D:batch:1" 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not takt-opt %t.mlir --train-split="cuts=fc1.D:rows:1" 2>&1 | FileCheck %s --check-prefix=AXIS
// RUN: not takt-opt %s --train-split="cuts=fc1.D:channel:1" 2>&1 | FileCheck %s --check-prefix=EARLY

// NAME: error: there is no task 'fc9.D' to cut
// KIND: error: task 'fc1.U' has not one matrix product that can be cut
// BOUND: error: cut of task 'fc1.D' at 8, expected increasing indices from 1 to 7
// ZERO: error: cut of task 'fc1.D' at 0, expected increasing indices from 1 to 7
// TWICE: error: task 'fc1.D' is cut twice
// AXIS: error: expected a cut as TASK:channel|batch|reduction:AT+… or TASK:AXIS:AT+…:PART+…, found 'fc1.D:rows:1'
// EARLY: error: tasks are cut after they are formed, but there is no 'train.layers'
module @net attributes {train.batch = 4 : i64} {
  train.parameter @fc0.weight : tensor<8x8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc1.weight : tensor<8x8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
    %w0 = train.read @fc0.weight : tensor<8x8xf32>
    %w1 = train.read @fc1.weight : tensor<8x8xf32>
    %0 = train.gemm %x, %w0 : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("fc0")
    %1 = train.gemm %0, %w1 : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("fc1")
    return %1 : tensor<4x8xf32>
  }
}
