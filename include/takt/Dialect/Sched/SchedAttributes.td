//===- SchedAttributes.td - attributes of the sched dialect -*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_SCHED_SCHEDATTRIBUTES_TD
#define TAKT_DIALECT_SCHED_SCHEDATTRIBUTES_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "takt/Dialect/Sched/SchedDialect.td"

class Sched_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::takt::sched";
  let genSpecializedAttr = 0;
}

class Sched_EnumAttr<EnumAttrInfo info, string mnemonic>
    : EnumAttr<Sched_Dialect, info, mnemonic>;

// The values are those of the scheduling library's enumerations.
def Sched_Kind : Sched_Enum<"Kind", "kind of a task", [
  I32EnumAttrCase<"Forward", 0, "F">, I32EnumAttrCase<"Dgrad", 1, "D">,
  I32EnumAttrCase<"Wgrad", 2, "W">, I32EnumAttrCase<"Update", 3, "U">
]>;
def Sched_KindAttr : Sched_EnumAttr<Sched_Kind, "kind">;

def Sched_Class : Sched_Enum<"Class", "class of a value", [
  I32EnumAttrCase<"Activation", 0, "activation">,
  I32EnumAttrCase<"Gradient", 1, "gradient">,
  I32EnumAttrCase<"Weight", 2, "weight">,
  I32EnumAttrCase<"WeightGradient", 3, "weight_gradient">,
  I32EnumAttrCase<"State", 4, "state">,
  I32EnumAttrCase<"Input", 5, "input">
]>;
def Sched_ClassAttr : Sched_EnumAttr<Sched_Class, "class">;

def Sched_Axis : Sched_Enum<"Axis", "axis of a cut", [
  I32EnumAttrCase<"Channel", 0, "channel">,
  I32EnumAttrCase<"Batch", 1, "batch">,
  I32EnumAttrCase<"Reduction", 2, "reduction">
]>;
def Sched_AxisAttr : Sched_EnumAttr<Sched_Axis, "axis">;

def Sched_Reader : Sched_Enum<"Reader", "which operations read a value", [
  I32EnumAttrCase<"Unknown", 0, "unknown">,
  I32EnumAttrCase<"Product", 1, "product">,
  I32EnumAttrCase<"Fused", 2, "fused">,
  I32EnumAttrCase<"Both", 3, "both">
]>;

def Sched_Semantics : Sched_Enum<"ScheduleSemantics", "what is computed", [
  I32EnumAttrCase<"Synchronous", 0, "synchronous">,
  I32EnumAttrCase<"Delayed", 1, "delayed">
]>;
def Sched_SemanticsAttr : Sched_EnumAttr<Sched_Semantics, "semantics">;

def Sched_Weights : Sched_Enum<"Weights", "which weights dgrads read", [
  I32EnumAttrCase<"Stash", 0, "stash">,
  I32EnumAttrCase<"Latest", 1, "latest">,
  I32EnumAttrCase<"Average", 2, "average">
]>;
def Sched_WeightsAttr : Sched_EnumAttr<Sched_Weights, "weights">;

def Sched_Status : Sched_Enum<"ScheduleStatus", "how good a solution is", [
  I32EnumAttrCase<"Optimal", 0, "optimal">,
  I32EnumAttrCase<"Feasible", 1, "feasible">
]>;
def Sched_StatusAttr : Sched_EnumAttr<Sched_Status, "status">;

def Sched_WorkAttr : AttrDef<Sched_Dialect, "Work"> {
  let mnemonic = "work";
  let summary = "what one operation of a task asks of a processor";
  let description = [{
    `count` matrix products of m×k times k×n (count 0: none), `elementwise`
    element operations besides, and the bytes read and written. A cost model
    turns it into cycles. `rows_in` of the bytes read are of operands with a row
    per sample; a cut by samples divides these. `rows` of an update's are the
    indices of the first axis among which replicas divide it. `recomputed` is
    forward work that a dgrad or wgrad does once more.

    Example: `#sched.work<m = 512, n = 64, k = 576, count = 1, elementwise = 0,
    bytes_in = 4096, bytes_out = 1024, type = f32>`
  }];
  let parameters = (ins "int64_t":$m, "int64_t":$n, "int64_t":$k,
    "int64_t":$count, "int64_t":$elementwise, "int64_t":$bytes_in,
    "int64_t":$bytes_out, "::mlir::Type":$type,
    DefaultValuedParameter<"int64_t", "0">:$rows_in,
    DefaultValuedParameter<"int64_t", "0">:$rows,
    DefaultValuedParameter<"bool", "false">:$recomputed);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Sched_UseAttr : AttrDef<Sched_Dialect, "Use"> {
  let mnemonic = "use";
  let summary = "a consumer of a value";
  let description = [{
    The task, by how many iterations it comes after the producer, whether the
    delay of the producer's layer is added to that, and which of the task's
    operations read the value: its matrix `product`, the `fused` others, or
    `both`. A cut gives each part what it reads; where nothing is said, the cut
    infers it.

    Example: `#sched.use<@conv1.F, distance 1, delayed, by product>`
  }];
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$task,
    "int64_t":$distance, "bool":$delayed, "::takt::sched::Reader":$reader);
  let hasCustomAssemblyFormat = 1;
}

def Sched_CutOptionAttr : AttrDef<Sched_Dialect, "CutOption"> {
  let mnemonic = "cut_option";
  let summary = "an axis along which a task may be cut, and its extent";
  let parameters = (ins "::takt::sched::Axis":$axis, "int64_t":$extent);
  let assemblyFormat = "`<` $axis `,` $extent `>`";
}

#endif // TAKT_DIALECT_SCHED_SCHEDATTRIBUTES_TD
