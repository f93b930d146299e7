//===- TensorParts.h - tensors in several parameters, internal --*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parameters of one name are parts, versions or copies of one tensor: see
// Program.h. Validation has seen to it that they make up all of it.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_TENSORPARTS_H
#define TAKT_LIB_RUNTIME_TENSORPARTS_H

#include "takt/Support/Npz.h"
#include "takt/Target/Program.h"

namespace takt::runtime {

/// What parameters hold, in the program's order.
struct Part {
  uint32_t parameter;
  Array value;
};

/// The tensors, in the order of their first parameters. Of equal parts the
/// first one counts.
std::vector<Array> joinParts(const Program &program, std::vector<Part> parts);

} // namespace takt::runtime

#endif // TAKT_LIB_RUNTIME_TENSORPARTS_H
