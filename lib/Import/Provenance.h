//===- Provenance.h - where initializers come from --------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_PROVENANCE_H
#define TAKT_LIB_IMPORT_PROVENANCE_H

#include "takt/Support/Onnx.h"
#include "llvm/ADT/StringSet.h"

namespace takt::import {

/// The initializers that PyTorch's exporter says are none of the network's
/// parameters, in the metadata of the graph's values: buffers, constants, and
/// what it computed from constants alone, such as the cosines of a rotary
/// embedding. What it made of a parameter, such as its transposition, is one.
llvm::StringSet<> notParameters(const onnx::GraphProto &graph);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_PROVENANCE_H
