// RUN: takt-opt %s -split-input-file -verify-diagnostics | takt-opt | FileCheck %s

// CHECK: #sched.use<@b.F, by both>, #sched.use<@b.D, distance 1, by product>, #sched.use<@b.W, by fused>
sched.problem @readers {
  sched.layer "b" parameters 0 optimizer 0
  sched.task @b.F F layer 0 work []
  sched.task @b.D D layer 0 work []
  sched.task @b.W W layer 0 work []
  sched.value "x" input bytes 4 to [#sched.use<@b.F, by both>, #sched.use<@b.D, by product, distance 1>, #sched.use<@b.W, by fused>]
}

// -----

sched.problem @bad_reader {
  sched.layer "b" parameters 0 optimizer 0
  sched.task @b.F F layer 0 work []
  // expected-error @below {{expected 'product', 'fused' or 'both', found 'matrix'}}
  sched.value "x" input bytes 4 to [#sched.use<@b.F, by matrix>]
}

// -----

sched.problem @bad_word {
  sched.layer "b" parameters 0 optimizer 0
  sched.task @b.F F layer 0 work []
  // expected-error @below {{expected 'distance', 'delayed' or 'by', found 'late'}}
  sched.value "x" input bytes 4 to [#sched.use<@b.F, late>]
}
