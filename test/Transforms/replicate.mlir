// RUN: takt-opt %s --takt-step-pipeline="optimizer=momentum" --train-replicate="replicas=2,1 delays=1,0" --train-verify-step --train-verify-tasks | FileCheck %s
// RUN: not takt-opt %s --takt-step-pipeline --train-replicate="replicas=2 delays=0" 2>&1 | FileCheck %s --check-prefix=FEW
// RUN: not takt-opt %s --takt-step-pipeline --train-replicate="replicas=2,4097 delays=0,0" 2>&1 | FileCheck %s --check-prefix=MANY
// RUN: not takt-opt %s --takt-step-pipeline --train-replicate="replicas=1,1 delays=0,0" 2>&1 | FileCheck %s --check-prefix=ONE
// RUN: not takt-opt %s --takt-step-pipeline --train-replicate="replicas=2,1 delays=0,0" --train-replicate="replicas=2,1 delays=0,0" 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not takt-opt %s --takt-step-pipeline --train-retime=delays=1,0 --train-replicate="replicas=2,1 delays=0,0" 2>&1 | FileCheck %s --check-prefix=DELAYED
// RUN: not takt-opt %s --takt-step-pipeline --train-split="cuts=b.F:channel:1:0" --train-replicate="replicas=2,1 delays=0,0" 2>&1 | FileCheck %s --check-prefix=CUT
// RUN: takt-opt %s --takt-step-pipeline="loss=none" --train-replicate="replicas=2,1 delays=0,0" --train-verify-tasks | FileCheck %s --check-prefix=FORWARD
// RUN: not takt-opt %s --train-replicate="replicas=2,1 delays=0,0" 2>&1 | FileCheck %s --check-prefix=EARLY
// RUN: sed 's/@c /@wa.m1.s0 /; s/@c$/@wa.m1.s0/; s/read @c/read @wa.m1.s0/' %s > %t.mlir
// RUN: not takt-opt %t.mlir --takt-step-pipeline --train-replicate="replicas=2,1 delays=0,0" 2>&1 | FileCheck %s --check-prefix=TAKEN

// CHECK: train.batch = 4 : i64
// CHECK-SAME: train.replicas = array<i64: 2, 1>
// Halves of the first layer's weight, and its momentum; of the second layer's the
// versions that its two updates make, the result first.
// CHECK: train.parameter @wa.m1.s0 : tensor<1x4xf32> = dense<{{.*}}1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00{{.*}}> {begin = 0 : i64, delay = 1 : i64, kind = #train.parameter_kind<trainable>, last_update = 0 : i64, tensor = "wa", update = 0 : i64}
// CHECK: train.parameter @wa.m1.s1 : tensor<2x4xf32> = dense<{{.*}}5.000000e+00, {{.*}}1.200000e+01{{.*}}> {begin = 1 : i64
// CHECK: train.parameter @wa.momentum.m1.s0 : tensor<1x4xf32>
// CHECK: train.parameter @wb.m1 : tensor<4x5xf32> {{.*}}last_update = 1 : i64, tensor = "wb", update = 1 : i64}
// CHECK: train.parameter @wb.m0 : tensor<4x5xf32> {{.*}}last_update = 1 : i64, tensor = "wb", update = 0 : i64}
// CHECK: train.parameter @wb.momentum.m1 :
// CHECK-NOT: train.parameter @wb.momentum.m0
// Each minibatch has its samples and labels, its loss and its output.
// CHECK: func.func @main(%[[X0:.*]]: tensor<2x3xf32> {train.microbatch = 0 : i64, train.name = "x"}, %[[X1:[^:]*]]: {{.*}}, %[[L0:.*]]: tensor<2xi64> {train.microbatch = 0 : i64, train.name = "label"}, %{{.*}}) -> (tensor<f32> {{.*}}, tensor<f32> {{.*}}, tensor<2x5xf32> {{.*}}, tensor<2x5xf32>
// CHECK: %[[A0:.*]] = train.read @wa.m1.s0
// CHECK: %[[A1:.*]] = train.read @wa.m1.s1
// CHECK: %[[A:.*]] = train.concat %[[A0]], %[[A1]] {axis = 0 : i64, {{.*}}train.task = "a.F.m0"}
// CHECK: train.gemm %[[X0]], %[[A]] {{.*}}train.task = "a.F.m0"
// What the update of this iteration's first minibatch makes is for the second.
// CHECK: %[[B:.*]] = train.read @wb.m1
// CHECK: train.gemm %{{.*}}, %[[B]] {{.*}}train.task = "b.F.m0"
// Each wgrad cuts its gradient.
// CHECK: %[[G0:.*]] = train.gemm {{.*}}train.task = "a.W.m0"
// CHECK: %[[G00:.*]] = train.slice %[[G0]] {axis = 0 : i64, begin = 0 : i64, {{.*}}train.name = "a.W.gemm.m0.s0", {{.*}}train.task = "a.W.m0"}
// CHECK: %[[G01:.*]] = train.slice %[[G0]] {axis = 0 : i64, begin = 1 : i64
// CHECK: %{{.*}}, %[[V:.*]] = train.momentum {{.*}}train.task = "b.U.m0"
// CHECK: train.write @wb.m0
// CHECK: train.gemm %[[X1]]
// CHECK: train.read @wb.m0
// CHECK: %[[G10:.*]] = train.slice {{.*}}train.name = "a.W.gemm.m1.s0"
// CHECK: %[[SUM:.*]] = train.sum %[[G00]], %[[G10]] {{.*}}train.shard = 0 : i64, train.task = "a.U.m1.s0"
// CHECK: %[[MEAN:.*]] = train.scale %[[SUM]] {{.*}}value = 5.000000e-01
// CHECK: train.momentum %{{.*}}, %[[MEAN]], {{.*}} : tensor<1x4xf32>
// CHECK: train.write @wa.m1.s0
// The second update of the second layer continues what the first one left.
// CHECK: train.momentum %{{.*}}, %{{.*}}, %[[V]] {{.*}}train.task = "b.U.m1"
// CHECK: train.write @wb.momentum.m1

// FEW: error: {{.*}}expected a number of replicas and a delay for each of 2 layers, found 1 and 1
// MANY: error: {{.*}}layer "b" has 4097 replicas and delay 0, expected 1 to 4096 and 0 to 4096
// ONE: error: {{.*}}expected a layer with more than one replica; train-retime sets delays without replicas
// TWICE: error: {{.*}}the step is of several microbatches or minibatches already
// DELAYED: error: {{.*}}the step is retimed already
// CUT: error: {{.*}}expected an optimizer's update: a step is replicated before its tasks are cut or weights reconstructed
// FORWARD: train.parameter @wa :
// FORWARD: train.task = "b.F.m0"
// FORWARD: train.task = "b.F.m1"
// FORWARD: return %{{.*}}, %{{.*}} : tensor<2x5xf32>, tensor<2x5xf32>
// EARLY: error: {{.*}}layers get replicas after tasks are formed, but there is no 'train.layers'
// TAKEN: error: {{.*}}replicas need a parameter 'wa.m1.s0', but the name is taken
// TAKEN: note: {{.*}}{{.*}}by this
module @two attributes {train.batch = 2 : i64} {
  train.parameter @wa : tensor<3x4xf32> = dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0]]> {kind = #train.parameter_kind<trainable>}
  train.parameter @wb : tensor<4x5xf32> = dense<0.5> {kind = #train.parameter_kind<trainable>}
  train.parameter @c : tensor<2x4xf32> = dense<0.5> {kind = #train.parameter_kind<constant>}
  func.func @main(%x: tensor<2x3xf32> {train.name = "x"}) -> (tensor<2x5xf32> {train.name = "logits"}) {
    %wa = train.read @wa : tensor<3x4xf32>
    %wb = train.read @wb : tensor<4x5xf32>
    %c = train.read @c : tensor<2x4xf32>
    %0 = train.gemm %x, %wa : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32> loc("a")
    %1 = train.add %0, %c : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32> loc("add")
    %2 = train.gemm %1, %wb : (tensor<2x4xf32>, tensor<4x5xf32>) -> tensor<2x5xf32> loc("b")
    return %2 : tensor<2x5xf32>
  }
}
