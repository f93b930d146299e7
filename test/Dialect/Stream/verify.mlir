// RUN: takt-opt -split-input-file -verify-diagnostics %s

stream.program "m" by "list" interval 1 batch 1 machine "" {
  // expected-error@+1 {{'builtin.module' op is not a part of a program (C1)}}
  builtin.module {}
}

// -----

stream.program "m" by "list" interval 1 batch 1 machine "" {
  // expected-error@+1 {{'stream.halt' op expects parent op 'stream.processor'}}
  stream.halt 0
}

// -----

stream.program "m" by "list" interval 1 batch 1 machine "" {
  stream.processor {
    // expected-error@+1 {{'builtin.module' op is not an instruction (C1)}}
    builtin.module {}
  }
}

// -----

stream.program "m" by "list" interval 1 batch 1 machine "" {
  stream.processor {
    // expected-error@+1 {{'stream.layer' op expects parent op 'stream.program'}}
    stream.layer "conv1"
  }
}

// -----

stream.program "m" by "list" interval 1 batch 1 machine "" {
  // expected-error@+1 {{'stream.region' op has access 'rx', expected '', 'r', 'w' or 'rw' (C1)}}
  stream.region activation on 0 bytes 64 align 64 access "rx"
}

// -----

stream.program "m" by "list" interval 1 batch 1 machine "" {
  // expected-error@+1 {{'stream.kernel' op calls kernel 'fft', which does not exist (C1)}}
  stream.kernel "fft" task 0 cycles 0 words [] operands [] results []
}

// -----

stream.program "m" by "list" interval 1 batch 1 machine "" {
  // expected-error@+1 {{'stream.kernel' op attribute 'operand_tensors' failed to satisfy constraint: tensors}}
  stream.kernel "relu" task 0 cycles 0 words [] operands [1 : i64] results []
}

// -----

// expected-error@+1 {{'stream.program' op has data of type 'tensor<2xi16>', expected a vector of i8 (C2)}}
stream.program "m" by "list" interval 1 batch 1 machine "" data dense<[1, 2]> : tensor<2xi16> {
  stream.layer "conv1"
}

// -----

stream.program "m" by "list" interval 1 batch 1 machine "" {
  // expected-error@+2 {{expected ::takt::stream::RegionKind to be one of: parameter, gradient}}
  // expected-error@+1 {{failed to parse Stream_RegionKindAttr}}
  stream.region heap on 0 bytes 64 align 64 access "rw"
}

// -----

stream.program "m" by "list" interval 1 batch 1 machine "" {
  // expected-error@+1 {{'stream.binding' op has type 'tensor<?x4xf32>', expected a static tensor of an element type of programs with at most 8 positive dimensions (C1)}}
  stream.binding "x" input : tensor<?x4xf32> in 0
}

// -----

stream.program "m" by "list" interval 1 batch 1 machine "" {
  // expected-error@+1 {{'stream.value' op has type 'f32', expected a static tensor}}
  stream.value "x" : f32
}

// -----

stream.program "m" by "list" interval 1 batch 1 machine "" {
  // expected-error@+1 {{tensor has type 'tensor<0xf32>', expected a static tensor}}
  stream.host_copy 0 at <type = tensor<0xf32>, region = 0, offset = 0, slots = 1, stride = 64, lag = 0, value = 5>
}

// -----

stream.program "m" by "list" interval 1 batch 1 machine "" {
  // expected-error@+1 {{'stream.parameter' op has a splat that is not 8 bytes (C1)}}
  stream.parameter "w" trainable layer 0 delay 0 home <type = tensor<4xf32>, region = 0, offset = 0, slots = 3, stride = 64, lag = 0, value = 5> read 1 write 5 splat [0, 0, 128, 63]
}

// -----

stream.program "m" by "list" interval 1 batch 1 machine "" {
  // expected-error@+1 {{'stream.parameter' op has a splat that is not 8 bytes (C1)}}
  stream.parameter "w" trainable layer 0 delay 0 home <type = tensor<4xf32>, region = 0, offset = 0, slots = 3, stride = 64, lag = 0, value = 5> read 1 write 5 splat [0, 0, 256, 63, 0, 0, 0, 0]
}

// -----

// expected-error@+1 {{'stream.layer' op expects parent op 'stream.program'}}
stream.layer "conv1"
