//===- StreamInstructionOps.td - one operation per opcode -*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_STREAM_STREAMINSTRUCTIONOPS_TD
#define TAKT_DIALECT_STREAM_STREAMINSTRUCTIONOPS_TD

include "takt/Dialect/Stream/StreamRecordOps.td"

// The attributes a, b and c are the operand fields of Isa.def. `fields` prints
// those that the opcode has. Inside a loop an instruction of stage s works on
// minibatch m = trip - s, and does nothing when there is no such minibatch.
class Stream_Instruction<string mnemonic, string text, string fields,
                         string example>
    : Stream_Op<mnemonic, [HasParent<"ProcessorOp">]> {
  let summary = text;
  let description = "Example:\n``" # "`mlir\nstream." # mnemonic # example #
                    "\n``" # "`\n";
  let arguments = (ins
    DefaultValuedAttr<I64Attr, "0">:$a, DefaultValuedAttr<I64Attr, "0">:$b,
    DefaultValuedAttr<I64Attr, "0">:$c, DefaultValuedAttr<I64Attr, "0">:$stage);
  let assemblyFormat = fields # " (`stage` $stage^)? attr-dict";
}

def Stream_ExecuteOp : Stream_Instruction<"execute",
  "run kernel a on local memory", "$a", " 12 stage 3">;
def Stream_LoadOp : Stream_Instruction<"load",
  "copy minibatch m of a host input into local memory by host copy a", "$a",
  " 0 stage 3">;
def Stream_StoreOp : Stream_Instruction<"store",
  "copy a local value to entry m of a host output by host copy a", "$a",
  " 1 stage 3">;
def Stream_SendOp : Stream_Instruction<"send",
  "start transfer a; its arrival adds 1 to both its semaphores", "$a",
  " 4 stage 3">;
def Stream_ReceiveOp : Stream_Instruction<"receive",
  "wait until transfer a has arrived m + 1 times", "$a", " 4 stage 3">;
def Stream_WaitOp : Stream_Instruction<"wait",
  "wait until semaphore a is at least m + 1 - b", "$a `behind` $b",
  " 7 behind 2 stage 3">;
def Stream_SignalOp : Stream_Instruction<"signal", "add 1 to semaphore a",
  "$a", " 7 stage 3">;
def Stream_BarrierOp : Stream_Instruction<"barrier",
  "wait until every processor has reached barrier a", "$a", " 0">;
def Stream_LoopOp : Stream_Instruction<"loop",
  "run the next a instructions b times more often than scalar c says",
  "$a `plus` $b `scalar` $c", " 24 plus 4 scalar 1">;
def Stream_EndLoopOp : Stream_Instruction<"end_loop",
  "end of the loop body", "", "">;
def Stream_FenceOp : Stream_Instruction<"fence",
  "wait until every send of this processor is complete", "", " stage 3">;
def Stream_CheckpointOp : Stream_Instruction<"checkpoint",
  "the host may save or stop the program here, between two trips", "", "">;
def Stream_NopOp : Stream_Instruction<"nop", "do nothing", "", "">;
def Stream_HaltOp : Stream_Instruction<"halt",
  "end of the program with status a", "$a", " 0">;

#endif // TAKT_DIALECT_STREAM_STREAMINSTRUCTIONOPS_TD
