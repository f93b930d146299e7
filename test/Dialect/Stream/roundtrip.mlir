// Prints what it parses: every operation, every optional part with and without.
// RUN: takt-opt %s | FileCheck %s
// RUN: takt-opt %s | takt-opt | FileCheck %s
// RUN: takt-opt --mlir-print-op-generic %s | takt-opt | FileCheck %s

// CHECK: stream.program "net" by "list" interval 100 batch 8 machine "two\0Alines" data dense<[1, 2, 3]> : tensor<3xi8> {
stream.program "net" by "list" interval 100 batch 8 machine "two\0Alines"
    data dense<[1, 2, 3]> : tensor<3xi8> {
  // CHECK-NEXT: stream.region activation on 0 bytes 1024 align 64 access "rw"
  stream.region activation on 0 bytes 1024 align 64 access "rw"
  // CHECK-NEXT: stream.region host_input bytes 64 align 64 access ""
  stream.region host_input bytes 64 align 64 access ""
  // CHECK-NEXT: stream.binding "image" input : tensor<4x4xf32> in 1
  stream.binding "image" input : tensor<4x4xf32> in 1
  // CHECK-NEXT: stream.scalar "learning_rate" 1.000000e-01
  stream.scalar "learning_rate" 0.1
  // CHECK-NEXT: stream.semaphore from 0 to 1 initial 2
  stream.semaphore from 0 to 1 initial 2
  // CHECK-NEXT: stream.value "a \22quoted\22 name" : tensor<f64>
  stream.value "a \22quoted\22 name" : tensor<f64>
  // CHECK-NEXT: stream.parameter "w" trainable layer 0 delay 2 home <type = tensor<4xf32>, region = 0, offset = 0, slots = 3, stride = 64, lag = 0, value = 5> read 1 write 5 splat [0, 0, 128, 63, 0, 0, 0, 0]
  stream.parameter "w" trainable layer 0 delay 2 home <type = tensor<4xf32>, region = 0, offset = 0, slots = 3, stride = 64, lag = 0, value = 5> read 1 write 5 splat [0, 0, 128, 63, 0, 0, 0, 0]
  // CHECK-NEXT: stream.parameter "v" derived {{.*}} write 6 base 1 axis 1 begin 2 data 64
  stream.parameter "v" derived layer 0 delay 0 home <type = tensor<4xf32>, region = 0, offset = 0, slots = 3, stride = 64, lag = 0, value = 6> read 2 write 6 base 1 axis 1 begin 2 data 64
  // CHECK-NEXT: stream.initializer 0 axis 1 begin 2 into <{{.*}}lag = -3{{.*}}>
  stream.initializer 0 axis 1 begin 2 into <type = tensor<4xf32>, region = 0, offset = 0, slots = 3, stride = 64, lag = -3, value = 5>
  // CHECK-NEXT: stream.kernel "relu" task 0 cycles 7 words [] operands [#stream.tensor<{{.*}}>] results [#stream.tensor<{{.*}}>]
  stream.kernel "relu" task 0 cycles 7 words [] operands [#stream.tensor<type = tensor<4xf32>, region = 0, offset = 0, slots = 1, stride = 64, lag = 0, value = 5>] results [#stream.tensor<type = tensor<4xf32>, region = 0, offset = 64, slots = 1, stride = 64, lag = 0, value = 6>]
  // CHECK-NEXT: stream.kernel "concat" task 0 cycles 0 words [1, 4294967295] operands [] results []
  stream.kernel "concat" task 0 cycles 0 words [1, 4294967295] operands [] results []
  // CHECK-NEXT: stream.transfer <{{.*}}> to <{{.*}}> arrival 0 completion 1 cycles 4 latency 1
  stream.transfer <type = tensor<4xf32>, region = 0, offset = 0, slots = 1, stride = 64, lag = 0, value = 5> to <type = tensor<4xf32>, region = 1, offset = 0, slots = 2, stride = 64, lag = 0, value = 5> arrival 0 completion 1 cycles 4 latency 1
  // CHECK-NEXT: stream.host_copy 0 at <{{.*}}>
  stream.host_copy 0 at <type = tensor<4xf32>, region = 0, offset = 0, slots = 1, stride = 64, lag = 0, value = 5>
  // CHECK-NEXT: stream.task "conv1.F" F layer 0 on 1 at 100 for 40
  stream.task "conv1.F" F layer 0 on 1 at 100 for 40
  // CHECK-NEXT: stream.layer "conv1"
  stream.layer "conv1"
  // CHECK-NEXT: stream.processor {
  stream.processor {
    // CHECK-NEXT: stream.loop 12 plus 3 scalar 1{{$}}
    stream.loop 12 plus 3 scalar 1
    // CHECK-NEXT: stream.load 0 stage 1{{$}}
    stream.load 0 stage 1
    // CHECK-NEXT: stream.receive 2{{$}}
    stream.receive 2
    // CHECK-NEXT: stream.wait 1 behind 3 stage 2{{$}}
    stream.wait 1 behind 3 stage 2
    // CHECK-NEXT: stream.execute 7{{$}}
    stream.execute 7 stage 0
    // CHECK-NEXT: stream.send 4{{$}}
    stream.send 4
    // CHECK-NEXT: stream.signal 5 stage 65535{{$}}
    stream.signal 5 stage 65535
    // CHECK-NEXT: stream.store 1{{$}}
    stream.store 1
    // CHECK-NEXT: stream.barrier 1{{$}}
    stream.barrier 1
    // CHECK-NEXT: stream.nop{{$}}
    stream.nop
    // A field that the opcode does not have is kept, so that a verifier of the
    // container can be shown one.
    // CHECK-NEXT: stream.nop {b = 3 : i64}
    stream.nop {b = 3 : i64}
    // CHECK-NEXT: stream.checkpoint{{$}}
    stream.checkpoint
    // CHECK-NEXT: stream.end_loop{{$}}
    stream.end_loop
    // CHECK-NEXT: stream.fence stage 2{{$}}
    stream.fence stage 2
    // CHECK-NEXT: stream.halt 0{{$}}
    stream.halt 0
  }
}
