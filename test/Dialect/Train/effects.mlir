// Reads and operations that compute the same are one; writes all stay.
// RUN: takt-opt %s -cse | FileCheck %s

train.parameter @p : tensor<2xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}

// CHECK-LABEL: func.func @main
// CHECK-NEXT: %[[R:.*]] = train.read @p
// CHECK-NEXT: %[[A:.*]] = train.dropout %[[R]] {seed = 1 : i64}
// CHECK-NEXT: %[[B:.*]] = train.dropout %[[R]] {seed = 2 : i64}
// CHECK-NEXT: train.write @p, %[[A]]
// CHECK-NEXT: train.write @p, %[[A]]
// CHECK-NEXT: return %[[A]], %[[A]], %[[B]]
func.func @main() -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %0 = train.read @p : tensor<2xf32>
  %1 = train.read @p : tensor<2xf32>
  %2 = train.dropout %0 {seed = 1 : i64} : tensor<2xf32>
  %3 = train.dropout %1 {seed = 1 : i64} : tensor<2xf32>
  %4 = train.dropout %1 {seed = 2 : i64} : tensor<2xf32>
  train.write @p, %2 : tensor<2xf32>
  train.write @p, %3 : tensor<2xf32>
  return %2, %3, %4 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}
