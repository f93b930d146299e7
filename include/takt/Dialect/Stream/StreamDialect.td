//===- StreamDialect.td - the stream dialect -*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_STREAM_STREAMDIALECT_TD
#define TAKT_DIALECT_STREAM_STREAMDIALECT_TD

include "mlir/IR/DialectBase.td"

def Stream_Dialect : Dialect {
  let name = "stream";
  let cppNamespace = "::takt::stream";
  let summary = "A program of the array as text";
  let description = [{
    The textual mirror of the program container, one to one:

    ```
    sched dialect + train dialect
          │ lowering: addresses, channels, semaphores
          ▼
    stream.program { regions, bindings, …, kernels, transfers, processors }
          │ takt-translate --stream-to-takt      ▲ --takt-to-stream
          ▼                                      │
    program.takt ────────────────────────────────┘
    ```

    Records are numbered by their order: the third `stream.region` is region 2.

    Files: `StreamAttributes.td` (kinds, tensors in memory), `StreamRecordOps.td`
    (everything that the instructions refer to), `StreamInstructionOps.td` (one
    operation per opcode).
  }];
  let useDefaultAttributePrinterParser = 1;
}

#endif // TAKT_DIALECT_STREAM_STREAMDIALECT_TD
