//===- StateOps.cpp - parameters and delays -------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"

using namespace mlir;
using namespace takt::train;
using takt::ParameterKind;
using takt::TaskKind;

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

void ParameterOp::build(OpBuilder &builder, OperationState &state,
                        StringRef name, RankedTensorType type,
                        ParameterKind kind, ElementsAttr initialValue) {
  build(builder, state, builder.getStringAttr(name), TypeAttr::get(type),
        initialValue, ParameterKindAttr::get(builder.getContext(), kind),
        /*delay=*/{}, /*lead=*/{}, /*base=*/{}, /*axis=*/{}, /*begin=*/{},
        /*tensor=*/{}, /*update=*/{}, /*last_update=*/{}, /*frozen=*/{},
        /*sym_visibility=*/{});
}

void ParameterOp::build(OpBuilder &builder, OperationState &state,
                        StringRef name, RankedTensorType type, StringRef base,
                        int64_t axis, int64_t begin) {
  build(builder, state, builder.getStringAttr(name), TypeAttr::get(type),
        /*initial_value=*/{},
        ParameterKindAttr::get(builder.getContext(), ParameterKind::Derived),
        /*delay=*/{}, /*lead=*/{},
        FlatSymbolRefAttr::get(builder.getContext(), base),
        builder.getI64IntegerAttr(axis), builder.getI64IntegerAttr(begin),
        /*tensor=*/{}, /*update=*/{}, /*last_update=*/{}, /*frozen=*/{},
        /*sym_visibility=*/{});
}

LogicalResult ParameterOp::verify() {
  ParameterKind kind = getKind();
  bool derived = kind == ParameterKind::Derived;
  if (derived == getInitialValue().has_value())
    return emitOpError(derived
                           ? "has an initial value, expected none for kind "
                             "'derived'"
                           : "has no initial value, expected one for kind '")
           << (derived ? "" : stringifyParameterKind(kind))
           << (derived ? "" : "'");
  if (ElementsAttr value = getInitialValueAttr())
    if (value.getShapedType() != getType())
      return emitOpError("initial value has type ")
             << value.getShapedType() << ", expected " << getType();
  if (getFrozen() && kind != ParameterKind::Constant)
    return emitOpError("is frozen and of kind '")
           << stringifyParameterKind(kind) << "', expected kind 'constant'";
  if (std::optional<int64_t> delay = getDelay()) {
    if (*delay < 0)
      return emitOpError("delay is ") << *delay << ", expected at least 0";
    if (!derived && kind != ParameterKind::Trainable)
      return emitOpError("has a delay and is of kind '")
             << stringifyParameterKind(kind)
             << "', expected 'trainable' or 'derived'";
  }
  if (std::optional<int64_t> lead = getLead()) {
    if (*lead < 0 || *lead > getDelayOrZero() + 1)
      return emitOpError("lead is ")
             << *lead << ", expected 0 to 1 more than the delay of "
             << getDelayOrZero();
    if (!derived && kind != ParameterKind::Trainable)
      return emitOpError("has a lead and is of kind '")
             << stringifyParameterKind(kind)
             << "', expected 'trainable' or 'derived'";
  }
  bool isPart = getTensor().has_value();
  for (auto [name, present] :
       {std::pair("base", getBase().has_value()),
        std::pair("axis", getAxis().has_value()),
        std::pair("begin", getBegin().has_value() != isPart)})
    if (present != derived)
      return emitOpError(derived ? "has no '" : "has '")
             << name << "' and is of kind '" << stringifyParameterKind(kind)
             << "'";
  return verifyPart();
}

/// C5.
LogicalResult ParameterOp::verifyPart() {
  ParameterKind kind = getKind();
  bool isPart = getTensor().has_value();
  if (isPart &&
      (kind == ParameterKind::Derived || kind == ParameterKind::Constant))
    return emitOpError("is of a 'tensor' and of kind '")
           << stringifyParameterKind(kind) << "'";
  if (getUpdate().has_value() != isPart ||
      getLastUpdate().has_value() != isPart)
    return emitOpError(isPart ? "has no" : "has")
           << " 'update' and 'last_update', expected them with a 'tensor'";
  int64_t last = getLastUpdateOrZero(), update = getUpdateOrZero();
  if (update < 0 || last < update || last > UINT16_MAX)
    return emitOpError("is written behind update ")
           << update << " of 0 to " << last
           << ", expected one of them, and at most " << UINT16_MAX;
  return success();
}

int64_t ParameterOp::getReadDistance(TaskKind reader) {
  takt::Parameter parameter;
  parameter.delay = getDelayOrZero();
  parameter.lead = getLeadOrZero();
  parameter.update = getUpdateOrZero();
  parameter.lastUpdate = getLastUpdateOrZero();
  return readDistance(parameter, reader);
}

/// The parameter of that name around `op`; null, with a diagnostic, if there is
/// none.
static ParameterOp lookupParameter(Operation *op, FlatSymbolRefAttr name,
                                   SymbolTableCollection &tables) {
  auto parameter =
      tables.lookupNearestSymbolFrom<ParameterOp>(op, name.getAttr());
  if (!parameter)
    op->emitOpError("parameter is ")
        << name << ", expected the name of a train.parameter";
  return parameter;
}

LogicalResult ParameterOp::verifySymbolUses(SymbolTableCollection &tables) {
  FlatSymbolRefAttr name = getBaseAttr();
  if (!name)
    return success();
  ParameterOp base = lookupParameter(*this, name, tables);
  if (!base)
    return failure();
  if (base.getKind() == ParameterKind::Derived)
    return emitOpError("base ") << name << " is derived itself";
  Reporter reporter(*this);
  RankedTensorType type = getTensorType(), whole = base.getTensorType();
  int64_t axis = *getAxis();
  if (failed(reporter.expectTensors({whole, type}, isTensor)) ||
      failed(expectAxis(reporter, axis, whole.getShape())))
    return failure();
  Dims expected(whole.getShape());
  int64_t &extent = expected[axis];
  int64_t available = extent;
  if (type.getRank() == whole.getRank())
    extent = type.getDimSize(axis);
  if (failed(
          reporter.expectShape("the parameter", type.getShape(), expected)) ||
      failed(reporter.expectRange("extent on axis " + Twine(axis), extent, 1,
                                  available)))
    return failure();
  return reporter.expectRange("begin", *getBegin(), 0, available - extent);
}

//===----------------------------------------------------------------------===//
// Reads and writes
//===----------------------------------------------------------------------===//

/// Fails unless the parameter exists and has the type; null then.
static ParameterOp verifyAccess(Operation *op, FlatSymbolRefAttr name,
                                Type type, SymbolTableCollection &tables) {
  ParameterOp parameter = lookupParameter(op, name, tables);
  if (!parameter || parameter.getType() == type)
    return parameter;
  InFlightDiagnostic error = op->emitOpError("type is ")
                             << type << ", expected " << parameter.getType();
  error.attachNote(parameter.getLoc()) << "the parameter is declared here";
  return nullptr;
}

void ReadOp::build(OpBuilder &builder, OperationState &state,
                   ParameterOp parameter) {
  build(builder, state, parameter.getType(),
        FlatSymbolRefAttr::get(parameter.getSymNameAttr()));
}

LogicalResult ReadOp::verifySymbolUses(SymbolTableCollection &tables) {
  return success(verifyAccess(*this, getParameterAttr(), getType(), tables) !=
                 nullptr);
}

LogicalResult WriteOp::verifySymbolUses(SymbolTableCollection &tables) {
  ParameterOp parameter =
      verifyAccess(*this, getParameterAttr(), getValue().getType(), tables);
  if (!parameter)
    return failure();
  if (parameter.getKind() != ParameterKind::Constant)
    return success();
  InFlightDiagnostic error = emitOpError("parameter ")
                             << getParameterAttr()
                             << " is of kind 'constant', expected one that may "
                                "be written";
  error.attachNote(parameter.getLoc()) << "the parameter is declared here";
  return error;
}

//===----------------------------------------------------------------------===//
// Delays
//===----------------------------------------------------------------------===//

LogicalResult DelayOp::verify() {
  int64_t delay = getDelay();
  if (delay < 0)
    return emitOpError("delay is ") << delay << ", expected at least 0";
  return success();
}

OpFoldResult DelayOp::fold(FoldAdaptor) {
  return getDelay() == 0 ? getInput() : OpFoldResult();
}
