// RUN: takt-opt %s --train-differentiate="optimizer=momentum" --train-form-tasks --train-reconstruct-weights --train-verify-step --train-verify-tasks -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: takt-opt %t.mlir --train-retime="delays=2,4 leads=fc0.weight:1,fc1.weight.earlier:4" --train-verify-step --train-verify-tasks -o %t.retimed.mlir
// RUN: FileCheck %s --check-prefix=LEAD < %t.retimed.mlir
// RUN: not takt-opt %t.mlir --train-retime="delays=2,4 leads=fc2.weight:1" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not takt-opt %t.mlir --train-retime="delays=2,4 leads=fc0.weight:4" 2>&1 | FileCheck %s --check-prefix=LONG
// RUN: not takt-opt %t.mlir --train-retime="delays=2,4 leads=fc0.weight" 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: sed "s/@fc1.bias/@fc1.weight.earlier/" %s | not takt-opt --train-differentiate --train-reconstruct-weights 2>&1 | FileCheck %s --check-prefix=TAKEN
// RUN: sed '/train.reconstruct/s/updates = 4/updates = 3/' %t.retimed.mlir | not takt-opt --train-verify-tasks 2>&1 | FileCheck %s --check-prefix=PAIR

// The first layer has no dgrad and the bias no reader but forward: only the
// second layer's weight is reconstructed.
// CHECK: train.parameter @fc0.weight :
// CHECK-NOT: earlier
// CHECK: train.parameter @fc1.weight.earlier : tensor<8x8xf32> {axis = 0 : i64, base = @fc1.weight, begin = 0 : i64, kind = #train.parameter_kind<derived>}
// CHECK: %[[E:.*]] = train.read @fc1.weight.earlier
// CHECK: %[[W:.*]] = train.read @fc1.weight
// CHECK: train.gemm %{{.*}}, %[[W]]{{.*}}train.kind = "F"
// CHECK: train.gemm %{{.*}}, %[[E]] {{.*}}train.kind = "D"
// CHECK: %[[OLD:.*]] = train.read @fc1.weight {train.kind = "U"}
// CHECK: %[[FADED:.*]] = train.fade %[[E]], %[[OLD]] {train.kind = "U", train.layer = 1 : i64, {{.*}}train.task = "fc1.U"}
// CHECK: %[[NEW:.*]], %{{.*}} = train.momentum %[[OLD]]
// CHECK: train.write @fc1.weight, %[[NEW]]
// CHECK: %[[NEXT:.*]] = train.reconstruct %[[FADED]], %[[NEW]] {{.*}}train.task = "fc1.U"
// CHECK: train.write @fc1.weight.earlier, %[[NEXT]]

// LEAD: train.parameter @fc0.weight {{.*}}delay = 2 : i64, kind = {{.*}}lead = 1 : i64
// LEAD: train.parameter @fc1.weight :
// LEAD-NOT: lead
// LEAD: train.parameter @fc1.weight.earlier {{.*}}delay = 4 : i64, kind = {{.*}}lead = 4 : i64
// LEAD: train.fade {{.*}}decay = 6.000000e-01 : f32, {{.*}}updates = 4 : i64
// LEAD: train.reconstruct {{.*}}decay = 6.000000e-01 : f32, {{.*}}updates = 4 : i64

// NONE: error: there is no weight 'fc2.weight' that could have a lead
// FORM: error: expected a lead as PARAMETER:UPDATES, found 'fc0.weight'
// LONG: error: lead of parameter 'fc0.weight' is 4, expected 0 to 1 more than its delay of 2
// TAKEN: error: the reconstruction of a weight needs a parameter 'fc1.weight.earlier', but the name is taken
// TAKEN: note: by this
// PAIR: error: expected the faded operand to be of a train.fade with the same updates and decay
module @net attributes {train.batch = 4 : i64} {
  train.parameter @fc0.weight : tensor<8x8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc1.weight : tensor<8x8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @fc1.bias : tensor<8xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
    %w0 = train.read @fc0.weight : tensor<8x8xf32>
    %w1 = train.read @fc1.weight : tensor<8x8xf32>
    %b1 = train.read @fc1.bias : tensor<8xf32>
    %0 = train.gemm %x, %w0 : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("fc0")
    %1 = train.gemm %0, %w1, %b1 : (tensor<4x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<4x8xf32> loc("fc1")
    return %1 : tensor<4x8xf32>
  }
}
