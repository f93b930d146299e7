//===- StreamInstructionOps.td - one operation per opcode -*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_STREAM_STREAMINSTRUCTIONOPS_TD
#define TAKT_DIALECT_STREAM_STREAMINSTRUCTIONOPS_TD

include "takt/Dialect/Stream/StreamRecordOps.td"

// The operand fields a, b and c mean what Isa.def says; a field that is not
// written is 0.
class Stream_Instruction<string mnemonic, string text>
    : Stream_Op<mnemonic, [HasParent<"ProcessorOp">]> {
  let summary = text;
  let description = [{
    An instruction; `docs/generated/isa.md` says what its fields mean.

    Example:
    ```mlir
    stream.}] # mnemonic # [{ a = 1 b = 2 stage 3
    ```
  }];
  let arguments = (ins
    DefaultValuedAttr<I64Attr, "0">:$a, DefaultValuedAttr<I64Attr, "0">:$b,
    DefaultValuedAttr<I64Attr, "0">:$c, DefaultValuedAttr<I64Attr, "0">:$stage);
  let assemblyFormat = [{
    (`a` `=` $a^)? (`b` `=` $b^)? (`c` `=` $c^)? (`stage` $stage^)? attr-dict
  }];
}

def Stream_ExecuteOp : Stream_Instruction<"execute", "run kernel a">;
def Stream_LoadOp : Stream_Instruction<"load", "host copy a, towards the processor">;
def Stream_StoreOp : Stream_Instruction<"store", "host copy a, towards the host">;
def Stream_SendOp : Stream_Instruction<"send", "start transfer a">;
def Stream_ReceiveOp : Stream_Instruction<"receive", "wait for transfer a">;
def Stream_WaitOp : Stream_Instruction<"wait", "wait until semaphore a is at least m + 1 - b">;
def Stream_SignalOp : Stream_Instruction<"signal", "add 1 to semaphore a">;
def Stream_BarrierOp : Stream_Instruction<"barrier", "wait for all processors at barrier a">;
def Stream_LoopOp : Stream_Instruction<"loop", "run the next a instructions N + b times, N = scalar c">;
def Stream_EndLoopOp : Stream_Instruction<"end_loop", "end of the loop body">;
def Stream_FenceOp : Stream_Instruction<"fence", "wait until every send is complete">;
def Stream_CheckpointOp : Stream_Instruction<"checkpoint", "the host may save or stop here">;
def Stream_NopOp : Stream_Instruction<"nop", "do nothing">;
def Stream_HaltOp : Stream_Instruction<"halt", "end with status a">;

#endif // TAKT_DIALECT_STREAM_STREAMINSTRUCTIONOPS_TD
