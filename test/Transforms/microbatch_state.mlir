// RUN: takt-opt %s --takt-step-pipeline="loss=mse" --train-microbatch=count=3 --train-verify-tasks | FileCheck %s

// Running statistics pass from microbatch to microbatch and are written once.
// CHECK: %[[M:.*]] = train.read @bn.mean
// CHECK: %[[V:.*]] = train.read @bn.var
// CHECK: %{{.*}}, %{{.*}}, %{{.*}}, %[[M0:.*]], %[[V0:.*]] = train.batch_norm %{{.*}}, %{{.*}}, %{{.*}}, %[[M]], %[[V]] {{.*}}train.task = "conv.F.m0"
// CHECK: %{{.*}}, %{{.*}}, %{{.*}}, %[[M1:.*]], %[[V1:.*]] = train.batch_norm %{{.*}}, %{{.*}}, %{{.*}}, %[[M0]], %[[V0]] {{.*}}train.task = "conv.F.m1"
// CHECK-NOT: train.write
// CHECK: %{{.*}}, %{{.*}}, %{{.*}}, %[[M2:.*]], %[[V2:.*]] = train.batch_norm %{{.*}}, %{{.*}}, %{{.*}}, %[[M1]], %[[V1]] {{.*}}train.task = "conv.F.m2"
// CHECK: train.write @bn.mean, %[[M2]]
// CHECK: train.write @bn.var, %[[V2]]
// CHECK-NOT: train.write @bn.mean
module @m attributes {train.batch = 4 : i64} {
  train.parameter @w : tensor<3x2x1x1xf32> = dense<0.1> {kind = #train.parameter_kind<trainable>}
  train.parameter @bn.scale : tensor<3xf32> = dense<1.0> {kind = #train.parameter_kind<trainable>}
  train.parameter @bn.bias : tensor<3xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
  train.parameter @bn.mean : tensor<3xf32> = dense<0.0> {kind = #train.parameter_kind<state>}
  train.parameter @bn.var : tensor<3xf32> = dense<1.0> {kind = #train.parameter_kind<state>}
  func.func @main(%x: tensor<4x2x1x1xf32>) -> tensor<4x3x1x1xf32> {
    %w = train.read @w : tensor<3x2x1x1xf32>
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
