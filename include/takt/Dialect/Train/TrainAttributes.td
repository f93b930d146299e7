//===- TrainAttributes.td - attributes and types of train --*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAINATTRIBUTES_TD
#define TAKT_DIALECT_TRAIN_TRAINATTRIBUTES_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/CommonAttrConstraints.td"
include "mlir/IR/CommonTypeConstraints.td"
include "takt/Dialect/Train/TrainDialect.td"

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

// The predicates are functions of Train.h, so that shape inference can ask the
// same before operands are verified.
def Train_FloatTensor : Type<
  CPred<"::takt::train::isFloatTensor($_self)">,
  "static tensor of floats of at most 8 positive sizes and 2^40 elements",
  "::mlir::RankedTensorType">;

def Train_LabelTensor : Type<
  CPred<"::takt::train::isLabelTensor($_self)">,
  "static tensor of i64 of at most 8 positive sizes and 2^40 elements",
  "::mlir::RankedTensorType">;

def Train_BoolTensor : Type<
  CPred<"::takt::train::isBoolTensor($_self)">,
  "static tensor of i1 of at most 8 positive sizes and 2^40 elements",
  "::mlir::RankedTensorType">;

def Train_NumberTensor : Type<
  CPred<"::takt::train::isNumberTensor($_self)">,
  "static tensor of numbers of at most 8 positive sizes and 2^40 elements",
  "::mlir::RankedTensorType">;

// What a parameter or an operation that only moves elements may hold.
def Train_Tensor : Type<
  CPred<"::takt::train::isTensor($_self)">,
  "static tensor of numbers or i1 of at most 8 positive sizes and 2^40 elements",
  "::mlir::RankedTensorType">;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

// A number that the kernel takes as a single-precision word.
def Train_F32Attr : TypedAttrBase<F32, "FloatAttr",
    CPred<"::takt::train::isFiniteF32($_self)">,
    "finite 32-bit float attribute"> {
  let returnType = "float";
  let convertFromStorage = "$_self.getValue().convertToFloat()";
  let constBuilderCall = "$_builder.getF32FloatAttr($0)";
}

// The same, but it may be infinite.
def Train_ExtendedF32Attr : TypedAttrBase<F32, "FloatAttr",
    CPred<"::takt::train::isNumberF32($_self)">,
    "32-bit float attribute that is a number"> {
  let returnType = Train_F32Attr.returnType;
  let convertFromStorage = Train_F32Attr.convertFromStorage;
  let constBuilderCall = Train_F32Attr.constBuilderCall;
}

class Train_DefaultF32<string value> : DefaultValuedAttr<Train_F32Attr, value>;

// One number per spatial dimension. Empty: the default for each of them.
def Train_PerDimension : DefaultValuedAttr<DenseI64ArrayAttr, "{}">;

def Train_Flag : DefaultValuedAttr<BoolAttr, "false">;

// The enumeration is takt::ParameterKind of Target/Program.h.
def Train_ParameterKindAttr : AttrDef<Train_Dialect, "ParameterKind"> {
  let mnemonic = "parameter_kind";
  let summary = "what a parameter is for";
  let description = [{
    - `trainable`: updated by the optimizer, possibly delayed
    - `state`: written by a forward operation (running statistics)
    - `optimizer`: state of the optimizer (momentum)
    - `constant`: never written
    - `derived`: a slice of another parameter, written by that one's update

    Example: `#train.parameter_kind<trainable>`
  }];
  let parameters = (ins "::takt::ParameterKind":$value);
  let returnType = "::takt::ParameterKind";
  let convertFromStorage = "$_self.getValue()";
  let constBuilderCall =
      "::takt::train::ParameterKindAttr::get($_builder.getContext(), $0)";
  let hasCustomAssemblyFormat = 1;
}

// An enumeration of Target/Program.h by the names that takt::name gives it. In
// the text of an operation it is the bare keyword.
class Train_KeywordAttr<string enum, string keyword>
    : AttrDef<Train_Dialect, enum> {
  let mnemonic = keyword;
  let parameters = (ins "::takt::" # enum:$value);
  let returnType = "::takt::" # enum;
  let convertFromStorage = "$_self.getValue()";
  let constBuilderCall =
      "::takt::train::" # enum # "Attr::get($_builder.getContext(), $0)";
  let hasCustomAssemblyFormat = 1;
}

def Train_UnaryFunctionAttr
    : Train_KeywordAttr<"UnaryFunction", "unary_function"> {
  let summary = "a function of one number";
  let description = [{
    Listed in [the instruction set](isa.md#functions).

    Example: `#train.unary_function<gelu>`
  }];
}

def Train_BinaryFunctionAttr
    : Train_KeywordAttr<"BinaryFunction", "binary_function"> {
  let summary = "a function of two numbers";
  let description = [{
    Listed in [the instruction set](isa.md#functions).

    Example: `#train.binary_function<sub>`
  }];
}

def Train_CompareFunctionAttr
    : Train_KeywordAttr<"CompareFunction", "compare_function"> {
  let summary = "a question about two numbers";
  let description = [{
    Listed in [the instruction set](isa.md#functions).

    Example: `#train.compare_function<less>`
  }];
}

def Train_ScatterModeAttr : Train_KeywordAttr<"ScatterMode", "scatter_mode"> {
  let summary = "what becomes of an element that is updated";
  let description = [{
    Listed in [the instruction set](isa.md#functions).

    Example: `#train.scatter_mode<add>`
  }];
}

def Train_PadModeAttr : Train_KeywordAttr<"PadMode", "pad_mode"> {
  let summary = "what is around a tensor";
  let description = [{
    - `constant`: a value
    - `reflect`: the tensor mirrored at its first and last element
    - `edge`: the nearest element
    - `wrap`: the tensor over and over again

    Example: `#train.pad_mode<reflect>`
  }];
}

#endif // TAKT_DIALECT_TRAIN_TRAINATTRIBUTES_TD
