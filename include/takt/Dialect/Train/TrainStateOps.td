//===- TrainStateOps.td - parameters and delays ------------*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAINSTATEOPS_TD
#define TAKT_DIALECT_TRAIN_TRAINSTATEOPS_TD

include "mlir/IR/SymbolInterfaces.td"
include "takt/Dialect/Train/TrainOpBase.td"

def Train_ParameterResource : Resource<"::takt::train::ParameterResource">;

def Train_ParameterOp : Train_Op<"parameter",
    [Symbol, HasParent<"::mlir::ModuleOp">,
     DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a named tensor that outlives the minibatch";
  let description = [{
    Declares a tensor that the training step reads with `train.read` and, unless
    it is constant, writes with `train.write`. Its name is the ONNX initializer's,
    verbatim.

    `delay` = d means that the update of minibatch t applies the gradient of
    minibatch t − d. `lead` = n means that operations of kind D and W read a
    version that is n updates newer than the one that those of kind F read. A
    parameter of kind `derived` is kept up by the update of the parameter `base`,
    and begins as the indices `begin` to `begin` + extent of axis `axis` of that.

    In a step of several minibatches with replicas, parameters with the same
    `tensor` are parts of the tensor of that name, each of its indices from `begin`
    on of axis 0, versions of a part, or replicas' own states. The step makes
    `last_update` + 1 updates of the tensor; `update` says after which of them it
    is written, and `delay` and `lead` count these updates.

    A `frozen` parameter is constant only because the user said so.

    Constraints:
    - (C1) `initial_value` is given unless the kind is `derived`, and has the
      parameter's type.
    - (C2) `delay` is at least 0, `lead` from 0 to 1 + `delay`, and only a trainable
      or derived parameter has them.
    - (C3) exactly a derived parameter has `base` and `axis`, and exactly one of these
      or with a `tensor` has `begin`; `base` is a parameter that is not derived
      itself.
    - (C4) a derived parameter has its base's element type and shape except on
      `axis`, where it lies inside the base.
    - (C5) exactly a parameter with a `tensor` has `update` and `last_update`, with
      0 ≤ `update` ≤ `last_update` ≤ 65535; it is neither constant nor derived.
    - (C6) only a constant parameter is `frozen`.

    Example:

    ```mlir
    train.parameter @conv1.weight : tensor<6x1x5x5xf32> = dense<0.1> {
      kind = #train.parameter_kind<trainable>}
    train.parameter @conv1.weight.0 : tensor<2x1x5x5xf32> {
      kind = #train.parameter_kind<derived>,
      base = @conv1.weight, axis = 0 : i64, begin = 4 : i64}
    ```
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    TypeAttrOf<Train_Tensor>:$type,
    OptionalAttr<ElementsAttr>:$initial_value,
    Train_ParameterKindAttr:$kind,
    OptionalAttr<I64Attr>:$delay,
    OptionalAttr<I64Attr>:$lead,
    OptionalAttr<FlatSymbolRefAttr>:$base,
    OptionalAttr<I64Attr>:$axis,
    OptionalAttr<I64Attr>:$begin,
    OptionalAttr<StrAttr>:$tensor,
    OptionalAttr<I64Attr>:$update,
    OptionalAttr<I64Attr>:$last_update,
    UnitAttr:$frozen,
    OptionalAttr<StrAttr>:$sym_visibility);
  let builders = [
    OpBuilder<(ins "::llvm::StringRef":$name, "::mlir::RankedTensorType":$type,
      "::takt::ParameterKind":$kind, "::mlir::ElementsAttr":$initialValue)>,
    OpBuilder<(ins "::llvm::StringRef":$name, "::mlir::RankedTensorType":$type,
      "::llvm::StringRef":$base, "int64_t":$axis, "int64_t":$begin)>
  ];
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getTensorType() {
      return ::mlir::cast<::mlir::RankedTensorType>(getType());
    }
    /// Delay in updates, 0 where none is given.
    int64_t getDelayOrZero() { return getDelay().value_or(0); }
    /// Lead in updates, 0 where none is given.
    int64_t getLeadOrZero() { return getLead().value_or(0); }
    /// Name of the tensor that it is all or a part of.
    ::llvm::StringRef getTensorName() {
      return getTensor().value_or(getSymName());
    }
    /// Of an iteration's updates the one behind which it is written.
    int64_t getUpdateOrZero() { return getUpdate().value_or(0); }
    int64_t getLastUpdateOrZero() { return getLastUpdate().value_or(0); }
    /// By how many iterations a reader comes after what it reads.
    int64_t getReadDistance(::takt::TaskKind reader);
    ::llvm::LogicalResult verifyPart();
  }];
  let assemblyFormat = [{
    $sym_name `:` custom<TypeAndInitialValue>($type, $initial_value) attr-dict
  }];
  let hasVerifier = 1;
}

def Train_ReadOp : Train_Op<"read",
    [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the current version of a parameter";
  let description = [{
    Gives the version of the parameter that this minibatch works on, whatever
    writes of the same step come before it.

    Constraints:
    - (C1) `parameter` names a `train.parameter` of the result's type.

    Example:

    ```mlir
    %w = train.read @conv1.weight : tensor<6x1x5x5xf32>
    ```
  }];
  let arguments = (ins
    Arg<FlatSymbolRefAttr, "the parameter",
        [MemRead<Train_ParameterResource>]>:$parameter);
  let results = (outs Train_Tensor:$value);
  let builders = [OpBuilder<(ins "::takt::train::ParameterOp":$parameter)>];
  let assemblyFormat = "$parameter attr-dict `:` type($value)";
}

def Train_WriteOp : Train_Op<"write",
    [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "sets the next version of a parameter";
  let description = [{
    Makes the value the parameter's next version.

    Constraints:
    - (C1) `parameter` names a `train.parameter` of the value's type.
    - (C2) the parameter is not constant.

    Example:

    ```mlir
    train.write @conv1.weight, %new : tensor<6x1x5x5xf32>
    ```
  }];
  let arguments = (ins
    Arg<FlatSymbolRefAttr, "the parameter",
        [MemWrite<Train_ParameterResource>]>:$parameter,
    Train_Tensor:$value);
  let assemblyFormat = "$parameter `,` $value attr-dict `:` type($value)";
}

def Train_DelayOp : Train_Op<"delay",
    [Pure, Train_OneType]> {
  let summary = "a value of an earlier minibatch";
  let description = [{
    In minibatch t the result is what the operand was in minibatch t − `delay`.
    It stands between a weight gradient and its update; in the first `delay`
    minibatches there is no such value and the update does nothing.

    Constraints:
    - (C1) `delay` is at least 0.

    Example:

    ```mlir
    %old = train.delay %dw by 4 : tensor<10x64xf32>
    ```
  }];
  let arguments = (ins Train_FloatTensor:$input, I64Attr:$delay);
  let results = (outs Train_FloatTensor:$output);
  let assemblyFormat = "$input `by` $delay attr-dict `:` type($input)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

#endif // TAKT_DIALECT_TRAIN_TRAINSTATEOPS_TD
