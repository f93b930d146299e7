//===- Labels.h - classes of samples, internal ------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_LABELS_H
#define TAKT_LIB_RUNTIME_KERNELS_LABELS_H

#include "KernelCall.h"
#include <vector>

namespace takt {

/// Operand 1 of a loss, read once, so that what was checked is what is used.
/// Fails where a label is none of [0, classes).
llvm::Expected<std::vector<int64_t>> readLabels(const KernelCall &call,
                                                int64_t classes);

} // namespace takt

#endif // TAKT_LIB_RUNTIME_KERNELS_LABELS_H
