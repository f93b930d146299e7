//===- StreamDialect.cpp - the stream dialect -----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/DialectImplementation.h"
#include "takt/Dialect/Stream/Stream.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace takt::stream;

#include "takt/Dialect/Stream/StreamDialect.cpp.inc"

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

/// Instructions are what stands in a processor.
static bool isInstruction(Operation &op) {
  return isa_and_nonnull<ProcessorOp>(op.getParentOp());
}

LogicalResult ProgramOp::verifyRegions() {
  for (Operation &op : getBody().front())
    if (op.getDialect() != getOperation()->getDialect())
      return op.emitOpError("is not a part of a program (C1)");
  return success();
}

LogicalResult ProcessorOp::verifyRegions() {
  for (Operation &op : getBody().front())
    if (op.getDialect() != getOperation()->getDialect() || !isInstruction(op))
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
