// RUN: takt-opt %s -split-input-file -verify-diagnostics

sched.problem @layer {
  sched.layer "a" parameters 0 optimizer 0
  // expected-error@+1 {{is of layer 1, but the problem has 1 layers (C1)}}
  sched.task @a.F F layer 1 work []
}

// -----

sched.problem @colocated {
  sched.layer "a" parameters 0 optimizer 0
  // expected-error@+1 {{names task @a.W, which the problem does not have}}
  sched.task @a.U U layer 0 work [] with @a.W
}

// -----

sched.problem @use {
  sched.layer "a" parameters 0 optimizer 0
  sched.task @a.F F layer 0 work []
  // expected-error@+1 {{names task @b.F, which the problem does not have}}
  sched.value "y" activation from @a.F bytes 4 to [#sched.use<@b.F>]
}

// -----

// expected-error@+1 {{is no task graph (C2)}}
sched.problem @backwards {
  sched.layer "a" parameters 0 optimizer 0
  sched.task @a.F F layer 0 work []
  sched.task @a.W W layer 0 work []
  sched.value "y" activation from @a.W bytes 4 to [#sched.use<@a.F>]
}
