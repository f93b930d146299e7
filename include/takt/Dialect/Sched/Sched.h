//===- Sched.h - the sched dialect ------------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_SCHED_SCHED_H
#define TAKT_DIALECT_SCHED_SCHED_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"

#include "takt/Dialect/Sched/SchedDialect.h.inc"
#include "takt/Dialect/Sched/SchedEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "takt/Dialect/Sched/SchedAttributes.h.inc"

#define GET_OP_CLASSES
#include "takt/Dialect/Sched/SchedOps.h.inc"

#endif // TAKT_DIALECT_SCHED_SCHED_H
