//===- StreamAttributes.td - attributes of the stream dialect -*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_STREAM_STREAMATTRIBUTES_TD
#define TAKT_DIALECT_STREAM_STREAMATTRIBUTES_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "takt/Dialect/Stream/StreamDialect.td"

class Stream_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::takt::stream";
  let genSpecializedAttr = 0;
}

class Stream_EnumAttr<EnumAttrInfo info, string mnemonic>
    : EnumAttr<Stream_Dialect, info, mnemonic>;

// The values are those of the enumerations of Program.h; the conversions check
// that.
def Stream_RegionKind : Stream_Enum<"RegionKind", "what a region holds", [
  I32EnumAttrCase<"Parameter", 1, "parameter">,
  I32EnumAttrCase<"Gradient", 2, "gradient">,
  I32EnumAttrCase<"OptimizerState", 3, "optimizer_state">,
  I32EnumAttrCase<"Activation", 4, "activation">,
  I32EnumAttrCase<"Scratch", 5, "scratch">,
  I32EnumAttrCase<"HostInput", 6, "host_input">,
  I32EnumAttrCase<"HostOutput", 7, "host_output">,
  I32EnumAttrCase<"Scalars", 8, "scalars">,
  I32EnumAttrCase<"State", 9, "state">
]>;
def Stream_RegionKindAttr : Stream_EnumAttr<Stream_RegionKind, "region_kind">;

def Stream_BindingRole : Stream_Enum<"BindingRole", "what a binding is for", [
  I32EnumAttrCase<"Input", 1, "input">,
  I32EnumAttrCase<"Label", 2, "label">,
  I32EnumAttrCase<"Output", 3, "output">,
  I32EnumAttrCase<"Loss", 4, "loss">
]>;
def Stream_BindingRoleAttr : Stream_EnumAttr<Stream_BindingRole, "binding_role">;

def Stream_ParameterRole : Stream_Enum<"ParameterRole",
    "what a parameter is for", [
  I32EnumAttrCase<"Trainable", 1, "trainable">,
  I32EnumAttrCase<"State", 2, "state">,
  I32EnumAttrCase<"OptimizerState", 3, "optimizer_state">,
  I32EnumAttrCase<"Constant", 4, "constant">,
  I32EnumAttrCase<"Derived", 5, "derived">
]>;
def Stream_ParameterRoleAttr
    : Stream_EnumAttr<Stream_ParameterRole, "parameter_role">;

def Stream_Letter : Stream_Enum<"Letter", "kind of a task", [
  I32EnumAttrCase<"Forward", 0, "F">, I32EnumAttrCase<"Dgrad", 1, "D">,
  I32EnumAttrCase<"Wgrad", 2, "W">, I32EnumAttrCase<"Update", 3, "U">
]>;
def Stream_LetterAttr : Stream_EnumAttr<Stream_Letter, "letter">;

def Stream_TensorAttr : AttrDef<Stream_Dialect, "Tensor"> {
  let mnemonic = "tensor";
  let summary = "a tensor in memory";
  let description = [{
    Type and shape, region and offset of slot 0, number of slots and bytes
    between them, the lag of the instance that is read, and the number of the
    value that it is.

    Constraints:
    - C1: the type is a static tensor of an element type of programs with at most 8
      dimensions, each positive.

    Example:
    `#stream.tensor<type = tensor<4x8xf32>, region = 2, offset = 128, slots = 3,
    stride = 128, lag = -1, value = 7>`
  }];
  let parameters = (ins "::mlir::Type":$type, "uint32_t":$region,
    "uint64_t":$offset, "uint32_t":$slots, "uint64_t":$stride, "int32_t":$lag,
    "uint32_t":$value);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // TAKT_DIALECT_STREAM_STREAMATTRIBUTES_TD
