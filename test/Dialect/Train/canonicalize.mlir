// RUN: takt-opt %s -canonicalize -split-input-file | FileCheck %s

// CHECK-LABEL: func.func @reshape_of_reshape
// CHECK-SAME: %[[X:.*]]: tensor<8x16xf32>
// CHECK-NEXT: %[[Y:.*]] = train.reshape %[[X]] : (tensor<8x16xf32>) -> tensor<128xf32>
// CHECK-NEXT: return %[[Y]]
func.func @reshape_of_reshape(%x: tensor<8x16xf32>) -> tensor<128xf32> {
  %0 = train.reshape %x : (tensor<8x16xf32>) -> tensor<4x32xf32>
  %1 = train.reshape %0 : (tensor<4x32xf32>) -> tensor<128xf32>
  return %1 : tensor<128xf32>
}

// CHECK-LABEL: func.func @reshape_back
// CHECK-SAME: %[[X:.*]]: tensor<8x16xf32>
// CHECK-NEXT: return %[[X]]
func.func @reshape_back(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = train.reshape %x : (tensor<8x16xf32>) -> tensor<4x32xf32>
  %1 = train.reshape %0 : (tensor<4x32xf32>) -> tensor<8x16xf32>
  return %1 : tensor<8x16xf32>
}

// CHECK-LABEL: func.func @reshape_identity
// CHECK-NOT: train.reshape
func.func @reshape_identity(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = train.reshape %x : (tensor<8x16xf32>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// y[i, j, k] = x'[k, i, j] and x'[a, b, c] = x[c, a, b]: y[i, j, k] = x[j, k, i].
// CHECK-LABEL: func.func @transpose_of_transpose
// CHECK-SAME: %[[X:.*]]: tensor<2x3x4xf32>
// CHECK-NEXT: %[[Y:.*]] = train.transpose %[[X]] {permutation = array<i64: 2, 0, 1>} : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
// CHECK-NEXT: return %[[Y]]
func.func @transpose_of_transpose(%x: tensor<2x3x4xf32>) -> tensor<4x2x3xf32> {
  %0 = train.transpose %x {permutation = array<i64: 1, 2, 0>} : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
  %1 = train.transpose %0 {permutation = array<i64: 1, 2, 0>} : (tensor<3x4x2xf32>) -> tensor<4x2x3xf32>
  return %1 : tensor<4x2x3xf32>
}

// CHECK-LABEL: func.func @transpose_back
// CHECK-SAME: %[[X:.*]]: tensor<2x3x4xf32>
// CHECK-NEXT: return %[[X]]
func.func @transpose_back(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = train.transpose %x {permutation = array<i64: 1, 2, 0>} : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
  %1 = train.transpose %0 {permutation = array<i64: 2, 0, 1>} : (tensor<3x4x2xf32>) -> tensor<2x3x4xf32>
  return %1 : tensor<2x3x4xf32>
}

// CHECK-LABEL: func.func @transpose_identity
// CHECK-NOT: train.transpose
func.func @transpose_identity(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = train.transpose %x {permutation = array<i64: 0, 1>} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// CHECK-LABEL: func.func @nothing_to_do
// CHECK-SAME: %[[X:.*]]: tensor<8x16xf32>
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @nothing_to_do(%x: tensor<8x16xf32>) -> (tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>) {
  %0 = train.dropout %x {ratio = 0.0 : f32} : tensor<8x16xf32>
  %1 = train.sum %x : (tensor<8x16xf32>) -> tensor<8x16xf32>
  %2 = train.scale %x {value = 1.0 : f32} : tensor<8x16xf32>
  %3 = train.concat %x {axis = 1 : i64} : (tensor<8x16xf32>) -> tensor<8x16xf32>
  %4 = train.slice %x {axis = 1 : i64, begin = 0 : i64} : (tensor<8x16xf32>) -> tensor<8x16xf32>
  %5 = train.delay %x by 0 : tensor<8x16xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>
}

// CHECK-LABEL: func.func @something_to_do
// CHECK: train.dropout
// CHECK: train.sum
// CHECK: train.scale
// CHECK: train.concat
// CHECK: train.slice
// CHECK: train.delay
func.func @something_to_do(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = train.dropout %x {ratio = 0.5 : f32} : tensor<8x16xf32>
  %1 = train.sum %0, %x : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  %2 = train.scale %1 {value = 2.0 : f32} : tensor<8x16xf32>
  %3 = train.concat %2, %x {axis = 1 : i64} : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x32xf32>
  %4 = train.slice %3 {axis = 1 : i64, begin = 8 : i64} : (tensor<8x32xf32>) -> tensor<8x16xf32>
  %5 = train.delay %4 by 1 : tensor<8x16xf32>
  return %5 : tensor<8x16xf32>
}

// -----

// What no one uses goes, except writes.

// CHECK: train.parameter @unread
train.parameter @unread : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
// CHECK-LABEL: func.func @dead
// CHECK-SAME: %[[V:.*]]: tensor<2xf32>
// CHECK-NEXT: train.write @unread, %[[V]]
// CHECK-NEXT: return
func.func @dead(%v: tensor<2xf32>) {
  %0 = train.read @unread : tensor<2xf32>
  %1 = train.relu %0 : tensor<2xf32>
  train.write @unread, %v : tensor<2xf32>
  return
}
