// A printed pipeline is the one that ran: numbers have the digits that tell them
// from all others, and no more.
// RUN: takt-opt %s --dump-pass-pipeline --train-differentiate="loss=none momentum=0.30000000000000004 weight-decay=0.1 beta2=0.99999999999 epsilon=1e-12" 2>&1 | FileCheck %s
// RUN: takt-opt %s --dump-pass-pipeline --pass-pipeline="builtin.module(takt-step-pipeline{loss=none clip-value=0.12345678901234566})" 2>&1 | FileCheck %s --check-prefix=PIPELINE
// RUN: not takt-opt %s --dump-pass-pipeline --pass-pipeline="builtin.module(sched-to-stream{learning-rate=0.007000000000000001})" 2>&1 >/dev/null | FileCheck %s --check-prefix=RATE
// RUN: not takt-opt %s --train-differentiate=beta1=0.9x 2>&1 | FileCheck %s --check-prefix=TEXT
// CHECK: beta1=0.9 beta2=0.99999999999 {{.*}}clip-value=0 epsilon=1e-12 {{.*}}momentum=0.30000000000000004 {{.*}}weight-decay=0.1}
// PIPELINE: clip-value=0.12345678901234566 epsilon=1e-08
// RATE: learning-rate=0.007000000000000001
// TEXT: '0.9x' is no number

module @m attributes {train.batch = 1 : i64, train.opset = 13 : i64} {
  func.func @main(%x: tensor<1x2xf32> {train.name = "x"}) -> (tensor<1x2xf32> {train.name = "y"}) {
    %y = train.relu %x : tensor<1x2xf32>
    return %y : tensor<1x2xf32>
  }
}
