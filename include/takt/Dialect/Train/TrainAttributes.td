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
include "mlir/IR/EnumAttr.td"
include "takt/Dialect/Train/TrainDialect.td"

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

// The predicates are functions of Train.h, so that shape inference can ask the
// same before operands are verified.
def Train_FloatTensor : Type<
  CPred<"::takt::train::isFloatTensor($_self)">,
  "static tensor of f32 or f64 with at most 8 dimensions, each positive",
  "::mlir::RankedTensorType">;

def Train_LabelTensor : Type<
  CPred<"::takt::train::isLabelTensor($_self)">,
  "static tensor of i64 with at most 8 dimensions, each positive",
  "::mlir::RankedTensorType">;

// What a parameter or an operation that only moves elements may hold.
def Train_Tensor : Type<
  CPred<"::takt::train::isTensor($_self)">,
  "static tensor of f32, f64, i32, i64 or i1 with at most 8 dimensions, each "
  "positive",
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

class Train_DefaultF32<string value> : DefaultValuedAttr<Train_F32Attr, value>;

// One number per spatial dimension. Empty: the default for each of them.
def Train_PerDimension : DefaultValuedAttr<DenseI64ArrayAttr, "{}">;

def Train_Flag : DefaultValuedAttr<BoolAttr, "false">;

// The enumeration itself is takt::ParameterKind of Target/Program.h.
def Train_ParameterKind : I32EnumAttr<"ParameterKind",
    "what a parameter is for", [
  I32EnumAttrCase<"Trainable", 1, "trainable">,
  I32EnumAttrCase<"State", 2, "state">,
  I32EnumAttrCase<"OptimizerState", 3, "optimizer">,
  I32EnumAttrCase<"Constant", 4, "constant">,
  I32EnumAttrCase<"Derived", 5, "derived">
]> {
  let cppNamespace = "::takt";
  let genSpecializedAttr = 0;
}

def Train_ParameterKindAttr
    : EnumAttr<Train_Dialect, Train_ParameterKind, "parameter_kind"> {
  let cppNamespace = "::takt::train";
  let assemblyFormat = "`<` $value `>`";
  let description = [{
    - `trainable`: updated by the optimizer, possibly delayed
    - `state`: written by a forward operation (running statistics)
    - `optimizer`: state of the optimizer (momentum)
    - `constant`: never written
    - `derived`: a slice of another parameter, written by that one's update

    Example: `#train.parameter_kind<trainable>`
  }];
}

#endif // TAKT_DIALECT_TRAIN_TRAINATTRIBUTES_TD
