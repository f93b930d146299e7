//===- Stream.h - the stream dialect ----------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_STREAM_STREAM_H
#define TAKT_DIALECT_STREAM_STREAM_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"

#include "takt/Dialect/Stream/StreamDialect.h.inc"
#include "takt/Dialect/Stream/StreamEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "takt/Dialect/Stream/StreamAttributes.h.inc"

#define GET_OP_CLASSES
#include "takt/Dialect/Stream/StreamOps.h.inc"

#endif // TAKT_DIALECT_STREAM_STREAM_H
