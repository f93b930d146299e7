//===- TrainInterfaces.td - what every train operation answers itself -----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAININTERFACES_TD
#define TAKT_DIALECT_TRAIN_TRAININTERFACES_TD

include "mlir/IR/OpBase.td"

def KernelOpInterface : OpInterface<"KernelOpInterface"> {
  let cppNamespace = "::takt::train";
  let description = [{
    An operation that a processor executes as one kernel of `Kernels.def`. Its
    tensor operands and results are the kernel's, in the same order.
  }];
  let methods = [
    InterfaceMethod<"The kernel of the same mnemonic.",
      "::takt::KernelId", "getKernelId">,
    InterfaceMethod<"Appends the kernel's attribute words as Kernels.def lists "
                    "them; by default none.",
      "void", "getKernelWords",
      (ins "::llvm::SmallVectorImpl<uint32_t> &":$words), [{}],
      [{ return; }]>,
    InterfaceMethod<[{
        What the operation asks of a processor: matrix product dimensions (see
        CostModel.h for the convention) or element-wise work, and bytes. The
        task kind is left for the caller. By default one element-wise operation
        per element of the first result.
      }],
      "::takt::Work", "getWork", (ins), [{}], [{
        return ::takt::train::elementwiseWork($_op, 1);
      }]>,
    InterfaceMethod<[{
        Whether a result may be made again for the backward pass, instead of
        being kept since the forward pass. By default it may.
      }],
      "bool", "canMakeAgain", (ins "unsigned":$result), [{}], [{
        return true;
      }]>,
    InterfaceMethod<[{
        Builds what gives, bit for bit, the results that canMakeAgain, from
        these operands, and returns it; its results are the first ones of the
        operation. By default the operation itself.
      }],
      "::mlir::Operation *", "makeAgain",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::ValueRange":$operands),
      [{}], [{
        ::mlir::Operation *again = builder.clone(*$_op.getOperation());
        again->setOperands(operands);
        return again;
      }]>
  ];
}

def DifferentiableOpInterface : OpInterface<"DifferentiableOpInterface"> {
  let cppNamespace = "::takt::train";
  let description = [{
    A forward operation that builds its own gradient, one operand at a time, so
    that the input gradient (D) and the weight gradient (W) are separate
    operations and each can be left out.
  }];
  let methods = [
    InterfaceMethod<[{
        Builds the gradient of the loss with respect to operand `operand`, given
        the gradients with respect to the results (a null value where there is
        none), in the operand's type. Returns null where the operand has no
        gradient (labels, running statistics).
      }],
      "::mlir::Value", "buildOperandGradient",
      (ins "::mlir::OpBuilder &":$builder, "unsigned":$operand,
           "::llvm::ArrayRef<::mlir::Value>":$resultGradients)>
  ];
}

def CuttableOpInterface : OpInterface<"CuttableOpInterface"> {
  let cppNamespace = "::takt::train";
  let description = [{
    A matrix-product operation that can be computed in parts along an axis of
    its product: `channel` (N) or `batch` (M), whose parts are concatenated, or
    `reduction` (K), whose parts are added.
  }];
  let methods = [
    InterfaceMethod<"Appends the legal cuts with their extents.",
      "void", "getLegalCuts",
      (ins "::llvm::SmallVectorImpl<::takt::CutOption> &":$cuts)>,
    InterfaceMethod<[{
        The axis of operand `operand` that a cut along `axis` slices, or -1
        where every part needs the whole operand.
      }],
      "int64_t", "getSlicedAxis",
      (ins "::takt::CutAxis":$axis, "unsigned":$operand)>,
    InterfaceMethod<[{
        The axis of the result along which the parts are concatenated, or -1
        where they are added.
      }],
      "int64_t", "getConcatenatedAxis", (ins "::takt::CutAxis":$axis)>,
    InterfaceMethod<[{
        Builds the part [begin, end) of the operation from its sliced operands.
        Returns its result.
      }],
      "::mlir::Value", "buildPart",
      (ins "::mlir::OpBuilder &":$builder, "::takt::CutAxis":$axis,
           "int64_t":$begin, "int64_t":$end, "::mlir::ValueRange":$operands)>
  ];
}

def RowwiseOpInterface : OpInterface<"RowwiseOpInterface"> {
  let cppNamespace = "::takt::train";
  let description = [{
    An operation that may be computed for some samples at a time. A row is an
    index of axis 0, and a sample's part of a tensor is one row.
  }];
  let methods = [
    InterfaceMethod<[{
        What the same operation on some rows of its operands gives: these rows
        of all results; or a summand of the whole result; or none of both.
      }],
      "::takt::train::RowRule", "getRowRule", (ins), [{}], [{
        return ::takt::train::RowRule::Rows;
      }]>,
    InterfaceMethod<"Whether it is rows that are read of operand `operand`, "
                    "rather than all of it; by default they are.",
      "bool", "readsRows", (ins "unsigned":$operand), [{}], [{ return true; }]>
  ];
}

#endif // TAKT_DIALECT_TRAIN_TRAININTERFACES_TD
