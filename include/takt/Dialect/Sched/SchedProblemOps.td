//===- SchedProblemOps.td - operations that state a problem -*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_SCHED_SCHEDPROBLEMOPS_TD
#define TAKT_DIALECT_SCHED_SCHEDPROBLEMOPS_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "takt/Dialect/Sched/SchedAttributes.td"

class Sched_Op<string mnemonic, list<Trait> traits = []>
    : Op<Sched_Dialect, mnemonic, traits>;

def Sched_ProblemOp : Sched_Op<"problem", [
    Symbol, SymbolTable, NoTerminator, SingleBlock, NoRegionArguments,
    IsolatedFromAbove]> {
  let summary = "the cyclic task graph of one training iteration";
  let description = [{
    Layers in topological order, tasks in sequential order (every dependence of
    distance 0 goes forward in it), and the values that flow between tasks.

    Constraints:
    - C1: holds only `sched.layer`, `sched.task` and `sched.value`.
    - C2: is a well-formed task graph (`TaskGraph::check`).

    Example:
    ```mlir
    sched.problem @chain {
      sched.layer "fc" parameters 64 optimizer 0
      sched.task @fc.F F layer 0 work []
      sched.value "y" activation from @fc.F bytes 16 to []
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
}

def Sched_LayerOp : Sched_Op<"layer", [HasParent<"ProblemOp">]> {
  let summary = "a layer, numbered by its place in the problem";
  let description = [{
    Constraints:
    - C1: the sizes, in bytes, are not negative.

    Example: `sched.layer "conv1" parameters 1024 optimizer 1024`
  }];
  let arguments = (ins StrAttr:$name, I64Attr:$parameter_bytes,
                       I64Attr:$optimizer_bytes);
  let assemblyFormat = [{
    $name `parameters` $parameter_bytes `optimizer` $optimizer_bytes attr-dict
  }];
}

def Sched_TaskOp : Sched_Op<"task", [Symbol, HasParent<"ProblemOp">]> {
  let summary = "a task";
  let description = [{
    What one processor does without interruption: the operations of a layer's
    forward, dgrad, wgrad or update. `cuts` lists the axes along which the first
    operation, and by samples all of a `rowwise` task, may be cut in parts; of a
    wgrad's product the first operand is activations, or `gradient_first`; `with` names the task that must be on the same
    processor. `cycles` is the duration where the problem states it; otherwise
    the cost model answers for `work`. `memory` is a change of the processor's
    memory beside the values', from the task's start if it is positive, from its
    end if it is negative. `microbatch` is that of a synchronous step.

    Constraints:
    - C1: `layer` is the number of a layer of the problem.
    - C2: `with` names another task of the problem.

    Example:
    ```mlir
    sched.task @fc.U U layer 0 work [] with @fc.W
    sched.task @s0.F F layer 0 work [] cycles 10 memory 1
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Sched_KindAttr:$kind,
    I64Attr:$layer, TypedArrayAttrBase<Sched_WorkAttr, "work">:$work,
    OptionalAttr<TypedArrayAttrBase<Sched_CutOptionAttr, "cuts">>:$cuts,
    OptionalAttr<FlatSymbolRefAttr>:$colocated,
    OptionalAttr<I64Attr>:$cycles,
    DefaultValuedOptionalAttr<I64Attr, "0">:$memory,
    DefaultValuedOptionalAttr<I64Attr, "0">:$microbatch,
    UnitAttr:$rowwise, UnitAttr:$gradient_first);
  let assemblyFormat = [{
    $sym_name $kind `layer` $layer `work` $work (`cuts` $cuts^)?
    (`rowwise` $rowwise^)? (`gradient_first` $gradient_first^)? (`with` $colocated^)? (`cycles` $cycles^)? (`memory` $memory^)?
    (`microbatch` $microbatch^)? attr-dict
  }];
}

def Sched_ValueOp : Sched_Op<"value", [HasParent<"ProblemOp">]> {
  let summary = "a value and who reads it";
  let description = [{
    Without a producer the host supplies it. `rows` of a weight, its gradient and
    its optimizer state are the indices of the first axis, among which replicas
    divide it.

    Constraints:
    - C1: producer and uses name tasks of the problem.
    - C2: `bytes` and `rows` are not negative.

    Example:
    ```mlir
    sched.value "w" weight from @fc.U bytes 64
        to [#sched.use<@fc.F, distance 1, delayed>, #sched.use<@fc.U, distance 1>]
    ```
  }];
  let arguments = (ins StrAttr:$name, Sched_ClassAttr:$value_class,
    OptionalAttr<FlatSymbolRefAttr>:$producer, I64Attr:$bytes,
    TypedArrayAttrBase<Sched_UseAttr, "uses">:$uses,
    DefaultValuedAttr<I64Attr, "0">:$rows);
  let assemblyFormat = [{
    $name $value_class (`from` $producer^)? `bytes` $bytes (`rows` $rows^)?
    `to` $uses attr-dict
  }];
}

#endif // TAKT_DIALECT_SCHED_SCHEDPROBLEMOPS_TD
