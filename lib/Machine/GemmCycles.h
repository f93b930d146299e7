//===- GemmCycles.h - the built-in cost models ------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_MACHINE_GEMMCYCLES_H
#define TAKT_LIB_MACHINE_GEMMCYCLES_H

#include "takt/Machine/CostModel.h"

namespace takt {

std::unique_ptr<CostModel> createMacsModel();
std::unique_ptr<CostModel> createSystolicModel();
std::unique_ptr<CostModel> createRooflineModel();
/// Reads the measurements of `path`; what they lack is answered by systolic,
/// then by roofline. Fails with "PATH:LINE: message".
llvm::Expected<std::unique_ptr<CostModel>>
createProfileModel(llvm::StringRef path);

/// Cycles of the vector unit; 0 on a processor without one.
int64_t vectorCycles(int64_t elementwise, const ProcessorClass &on);

} // namespace takt

#endif // TAKT_LIB_MACHINE_GEMMCYCLES_H
