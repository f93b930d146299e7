//===- TrainOpBase.td - base classes of train operations ---*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAINOPBASE_TD
#define TAKT_DIALECT_TRAIN_TRAINOPBASE_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "takt/Dialect/Train/TrainAttributes.td"
include "takt/Dialect/Train/TrainInterfaces.td"

class Train_Op<string mnemonic, list<Trait> traits = []>
    : Op<Train_Dialect, mnemonic, traits>;

// All operands and results have one type; says which has not.
def Train_HasOneType : NativeOpTrait<"HasOneType"> {
  let cppNamespace = "::takt::train";
}
def Train_OneType
    : TraitList<[Train_HasOneType, SameOperandsAndResultType]>;

// Result types follow from operands and attributes. The types given are checked
// against the inferred ones, with one message.
def Train_VerifiesInference : NativeOpTrait<"VerifiesInference"> {
  let cppNamespace = "::takt::train";
}
def Train_Inferred
    : TraitList<[Train_VerifiesInference, InferTypeOpAdaptor]>;

// A kernel of Kernels.def. `answers` are the methods of KernelOpInterface that
// the operation defines itself: getKernelWords where it has attributes, getWork
// where it is not element-wise, and how results are made again where that is not
// by the same operation.
class Train_KernelOp<string mnemonic, list<Trait> traits = [],
                     list<string> answers = []>
    : Train_Op<mnemonic, !listconcat([Pure], traits,
        [DeclareOpInterfaceMethods<KernelOpInterface, answers>])>;

defvar Train_Words = ["getKernelWords"];
defvar Train_WordsAndWork = ["getKernelWords", "getWork"];

defvar Train_Again = ["canMakeAgain", "makeAgain"];

defvar Train_Differentiable =
    DeclareOpInterfaceMethods<DifferentiableOpInterface>;
defvar Train_Cuttable = DeclareOpInterfaceMethods<CuttableOpInterface>;

// All operands and results have a row per sample, which depend on each other
// row by row; or the operation itself says what it does.
defvar Train_Rowwise = DeclareOpInterfaceMethods<RowwiseOpInterface>;
defvar Train_RowRule =
    DeclareOpInterfaceMethods<RowwiseOpInterface, ["getRowRule"]>;
defvar Train_RowOperands =
    DeclareOpInterfaceMethods<RowwiseOpInterface, ["readsRows"]>;
defvar Train_RowRuleAndOperands =
    DeclareOpInterfaceMethods<RowwiseOpInterface, ["getRowRule", "readsRows"]>;

#endif // TAKT_DIALECT_TRAIN_TRAINOPBASE_TD
