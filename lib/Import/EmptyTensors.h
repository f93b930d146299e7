//===- EmptyTensors.h - tensors without elements ----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exporters leave in the graph what a network computes in general and has
// nothing of: the part of a head that a rotary embedding does not turn, or keys
// of earlier tokens. Such tensors exist at import only: their elements are
// nobody's, and where they are joined with others they vanish.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_EMPTYTENSORS_H
#define TAKT_LIB_IMPORT_EMPTYTENSORS_H

#include "Node.h"

namespace takt::import {

/// Whether it is a tensor, not of shape arithmetic, that has no elements.
bool isEmpty(const Operand &operand);

/// Defines an output of the node as a tensor of that ONNX type and a shape with
/// a 0 in it.
mlir::LogicalResult defineEmpty(Node &node, llvm::ArrayRef<int64_t> shape,
                                int32_t type, int output = 0);

/// Converts a node that works element by element, moves or joins elements and
/// has an operand without any. False for all others.
mlir::FailureOr<bool> convertOfEmpty(Node &node);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_EMPTYTENSORS_H
