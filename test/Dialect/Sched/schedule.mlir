// RUN: takt-opt %s --sched-schedule="scheduler=sequential processors=1 cost=macs" --sched-verify="processors=1 cost=macs" | FileCheck %s --check-prefix=SEQUENTIAL
// RUN: takt-opt %s --sched-schedule="scheduler=list processors=2 cost=macs" --sched-verify="processors=2 cost=macs" | FileCheck %s --check-prefix=LIST
// RUN: takt-opt %s --sched-schedule="scheduler=pipedream processors=2 cost=macs" --sched-verify="processors=2 cost=macs" | FileCheck %s --check-prefix=PIPEDREAM
// RUN: takt-opt %s --sched-schedule="scheduler=layerpipe processors=2 cost=macs" --sched-verify="processors=2 cost=macs" | FileCheck %s --check-prefix=LAYERPIPE
// RUN: takt-opt %s --sched-schedule="scheduler=pipedream-2bw processors=2 cost=macs" --sched-verify="processors=2 cost=macs" | FileCheck %s --check-prefix=DOUBLE
// RUN: takt-opt %s --sched-schedule="scheduler=modulo processors=2 cost=macs" --sched-verify="processors=2 cost=macs" | FileCheck %s --check-prefix=MODULO
// RUN: takt-opt %s --sched-schedule="scheduler=ilp processors=2 cost=macs" --sched-verify="processors=2 cost=macs" | FileCheck %s --check-prefix=ILP
// RUN: takt-opt %s --sched-schedule="scheduler=auto processors=2 cost=macs" --sched-verify="processors=2 cost=macs" | FileCheck %s --check-prefix=AUTO
// RUN: takt-opt %s --sched-schedule="scheduler=pipedream-replicated processors=2 cost=macs" | takt-opt --sched-verify="processors=2 cost=macs" | FileCheck %s --check-prefix=REPLICATED
// RUN: takt-opt %s --sched-schedule="scheduler=pipedream-replicated processors=2 cost=macs" | sed 's/replicas 2/replicas 3/' | not takt-opt --sched-verify="processors=2 cost=macs" 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: takt-opt %s --sched-schedule="scheduler=pipedream-replicated processors=2 cost=macs" | sed 's/replicas 2/replicas 0/' | not takt-opt --sched-verify="processors=2 cost=macs" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: takt-opt %s | takt-opt | FileCheck %s --check-prefix=ROUNDTRIP

// Two equal layers of 8 MACs a task; the first has no dgrad: 5 tasks, 40 MACs.
// Sequential: 40. The list scheduler runs only the wgrads beside the chain
// F F D W: 32. PipeDream's straight partition is 16 | 24. LayerPipe may cut the
// dgrad in two: 20 | 20, and so may the modulo scheduler, which needs only one
// minibatch of delay.

// SEQUENTIAL: sched.schedule of @two by "sequential" {{.*}} interval 40
// LIST: sched.schedule of @two by "list" {{.*}} interval 32
// PIPEDREAM: sched.schedule of @two by "pipedream" {{.*}} interval 24
// LAYERPIPE: sched.schedule of @two by "layerpipe" {{.*}} interval 20
// One microbatch only, so one update behind everywhere.
// DOUBLE: sched.schedule of @two by "pipedream-2bw" delayed {{.*}} interval 24 stages 2
// DOUBLE-NEXT: sched.stage 0 delay 1
// DOUBLE-NEXT: sched.stage 1 delay 1
// MODULO: sched.schedule of @two by "modulo" {{.*}} interval 20
// ILP: sched.schedule of @two by "ilp" delayed optimal interval 20
// AUTO: sched.schedule of @two by "auto" delayed optimal interval 20

// Both layers on both processors, a minibatch on each: 40 for two. A wgrad's
// halves go to both shards of its update.
// REPLICATED: sched.schedule of @two by "pipedream-replicated" delayed optimal interval 40 stages 1
// REPLICATED-NEXT: sched.stage 0 delay 0 replicas 2
// REPLICATED-NEXT: sched.stage 0 delay 0 replicas 2
// REPLICATED: sched.place "b.F.m1" on 1
// REPLICATED: sched.place "b.U.m1.s0" on 0
// REPLICATED: sched.transfer "b.g.m0.s1" from 0 to 1
// REPLICATED: sched.transfer "b.w.m1.s0" from 0 to 1
// OTHER: error: 'sched.place' op places task 'b.U.m1.s0', which the problem does not have
// NONE: error: 'sched.schedule' op layer 'a' has 0 replicas and delay 0, expected 1 to 4096 and 0 to 4096

// ROUNDTRIP: sched.value "a.w" weight from @a.U bytes 16 to [#sched.use<@a.F, distance 1, delayed>, #sched.use<@a.U, distance 1>]
sched.problem @two {
  sched.layer "a" parameters 16 optimizer 0
  sched.layer "b" parameters 16 optimizer 0
  sched.task @a.F F layer 0 work [#sched.work<m = 2, n = 2, k = 2, count = 1, elementwise = 0, bytes_in = 32, bytes_out = 16, type = f32>]
  sched.task @b.F F layer 1 work [#sched.work<m = 2, n = 2, k = 2, count = 1, elementwise = 0, bytes_in = 32, bytes_out = 16, type = f32>]
  sched.task @b.D D layer 1 work [#sched.work<m = 2, n = 2, k = 2, count = 1, elementwise = 0, bytes_in = 32, bytes_out = 16, type = f32>] cuts [#sched.cut_option<channel, 2>, #sched.cut_option<batch, 2>]
  sched.task @b.W W layer 1 work [#sched.work<m = 2, n = 2, k = 2, count = 1, elementwise = 0, bytes_in = 32, bytes_out = 16, type = f32>]
  sched.task @b.U U layer 1 work [] with @b.W
  sched.task @a.W W layer 0 work [#sched.work<m = 2, n = 2, k = 2, count = 1, elementwise = 0, bytes_in = 32, bytes_out = 16, type = f32>]
  sched.task @a.U U layer 0 work [] with @a.W
  sched.value "x" input bytes 16 to [#sched.use<@a.F>, #sched.use<@a.W>]
  sched.value "a.y" activation from @a.F bytes 16 to [#sched.use<@b.F>, #sched.use<@b.W>]
  sched.value "b.e" gradient from @b.F bytes 16 to [#sched.use<@b.D>, #sched.use<@b.W>]
  sched.value "a.e" gradient from @b.D bytes 16 to [#sched.use<@a.W>]
  sched.value "b.g" weight_gradient from @b.W bytes 16 to [#sched.use<@b.U>]
  sched.value "a.g" weight_gradient from @a.W bytes 16 to [#sched.use<@a.U>]
  sched.value "b.w" weight from @b.U bytes 16 to [#sched.use<@b.F, distance 1, delayed>, #sched.use<@b.D, distance 1, delayed>, #sched.use<@b.U, distance 1>]
  sched.value "a.w" weight from @a.U bytes 16 to [#sched.use<@a.F, distance 1, delayed>, #sched.use<@a.U, distance 1>]
}
