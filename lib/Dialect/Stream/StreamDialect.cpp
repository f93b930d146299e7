//===- StreamDialect.cpp - the stream dialect -----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/DialectImplementation.h"
#include "takt/Dialect/ElementTypes.h"
#include "takt/Dialect/Stream/Stream.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace takt::stream;

#include "takt/Dialect/Stream/StreamDialect.cpp.inc"
#include "takt/Dialect/Stream/StreamEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "takt/Dialect/Stream/StreamAttributes.cpp.inc"

#define GET_OP_CLASSES
#include "takt/Dialect/Stream/StreamOps.cpp.inc"

void StreamDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "takt/Dialect/Stream/StreamAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "takt/Dialect/Stream/StreamOps.cpp.inc"
      >();
}

/// True for a tensor that programs can have in memory.
static bool isTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() || tensor.getRank() > 8)
    return false;
  return llvm::all_of(tensor.getShape(), [](int64_t d) { return d > 0; }) &&
         takt::elementType(tensor.getElementType());
}

static LogicalResult
verifyTensor(llvm::function_ref<InFlightDiagnostic()> emitError, Type type) {
  if (isTensor(type))
    return success();
  return emitError() << "has type " << type
                     << ", expected a static tensor of an element type of "
                        "programs with at most 8 positive dimensions (C1)";
}

LogicalResult
TensorAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                   Type type, uint32_t, uint64_t, uint32_t, uint64_t, int32_t,
                   uint32_t) {
  return verifyTensor([&] { return emitError() << "tensor "; }, type);
}

LogicalResult BindingOp::verify() {
  return verifyTensor([&] { return emitOpError(); }, getType());
}

LogicalResult ValueOp::verify() {
  return verifyTensor([&] { return emitOpError(); }, getType());
}

LogicalResult RegionOp::verify() {
  if (!llvm::is_contained({"", "r", "w", "rw"}, getAccess()))
    return emitOpError("has access '")
           << getAccess() << "', expected '', 'r', 'w' or 'rw' (C1)";
  return success();
}

LogicalResult ParameterOp::verify() {
  std::optional<ArrayRef<int64_t>> splat = getSplat();
  auto isByte = [](int64_t value) { return value >= 0 && value <= 255; };
  if (splat && (splat->size() != 8 || !llvm::all_of(*splat, isByte)))
    return emitOpError("has a splat that is not 8 bytes (C1)");
  return success();
}

LogicalResult ProgramOp::verify() {
  std::optional<ElementsAttr> data = getData();
  if (data && !(data->getElementType().isInteger(8) &&
                data->getShapedType().getRank() == 1))
    return emitOpError("has data of type ")
           << data->getType() << ", expected a vector of i8 (C2)";
  return success();
}

// Operations of this dialect say themselves what they may stand in (HasParent);
// what is left to check is that there are no others.
LogicalResult ProgramOp::verifyRegions() {
  for (Operation &op : getBody().front())
    if (op.getDialect() != getOperation()->getDialect())
      return op.emitOpError("is not a part of a program (C1)");
  return success();
}

LogicalResult ProcessorOp::verifyRegions() {
  for (Operation &op : getBody().front())
    if (op.getDialect() != getOperation()->getDialect())
      return op.emitOpError("is not an instruction (C1)");
  return success();
}

LogicalResult KernelOp::verify() {
  static const llvm::StringSet<> mnemonics = {
#define TAKT_KERNEL(Name, mnemonic, code, operands, results, words) mnemonic,
#include "takt/Target/Kernels.def"
  };
  if (!mnemonics.contains(getKernel()))
    return emitOpError("calls kernel '")
           << getKernel() << "', which does not exist (C1)";
  return success();
}
