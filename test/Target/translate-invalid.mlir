// What parses and yet is no program: one line, and no crash.
// RUN: split-file %s %t
// RUN: not takt-translate --stream-to-takt %t/none.mlir -o %t.takt 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not takt-translate --stream-to-takt %t/two.mlir -o %t.takt 2>&1 | FileCheck %s --check-prefix=TWO
// RUN: not takt-translate --stream-to-takt %t/stage.mlir -o %t.takt 2>&1 | FileCheck %s --check-prefix=STAGE
// RUN: not takt-translate --stream-to-takt %t/negative.mlir -o %t.takt 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not takt-translate --stream-to-takt %t/data.mlir -o %t.takt 2>&1 | FileCheck %s --check-prefix=DATA
// RUN: not takt-translate --stream-to-takt %t/invalid.mlir -o %t.takt 2>&1 | FileCheck %s --check-prefix=INVALID
// RUN: not takt-translate --takt-to-stream %t/none.mlir 2>&1 | FileCheck %s --check-prefix=CONTAINER

// CONTAINER: error: {{.+}}

//--- none.mlir
// NONE: error: the module has 0 programs, expected 1
module {}

//--- two.mlir
// TWO: error: the module has 2 programs, expected 1
stream.program "m" by "list" interval 1 batch 1 machine "" { stream.layer "l" }
stream.program "m" by "list" interval 1 batch 1 machine "" { stream.layer "l" }

//--- stage.mlir
// STAGE: error: 'stream.nop' has 65536, which does not fit its field
stream.program "m" by "list" interval 1 batch 1 machine "" {
  stream.processor { stream.nop stage 65536 }
}

//--- negative.mlir
// NEGATIVE: error: 'stream.program' has -1, which does not fit its field
stream.program "m" by "list" interval 1 batch -1 machine "" {
  stream.layer "l"
}

//--- data.mlir
// DATA: error: 'stream.program' has 3 bytes of data, expected 4
stream.program "m" by "list" interval 1 batch 1 machine "" data dense_resource<d> : tensor<4xi8> {
  stream.layer "l"
}
{-# dialect_resources: { builtin: { d: "0x01000000010203" } } #-}

//--- invalid.mlir
// What validation finds, and nothing of the program behind the message.
// INVALID: invalid.mlir:4:1: error: the program's machine is none: machine:1:1: expected a machine file
// INVALID-NOT: builtin.module
stream.program "m" by "list" interval 1 batch 1 machine "" {
  stream.processor { stream.loop 5 plus 0 scalar 0 }
}
