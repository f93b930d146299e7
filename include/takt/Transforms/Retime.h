//===- Retime.h - delays on the gradients -----------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_RETIME_H
#define TAKT_TRANSFORMS_RETIME_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace takt {

/// By how many updates the weights that D reads are newer than those of F.
struct NamedLead {
  std::string parameter;
  int64_t updates = 0;
};

/// Reads "PARAMETER:UPDATES", the form of the pass option.
llvm::Expected<NamedLead> parseLead(llvm::StringRef text);

/// Puts `delayPerLayer[l]` delays on the edge W_l -> U_l of every layer: a
/// train.delay before each update's gradient where the delay is not 0, and the
/// attribute `delay` on every parameter that the layer's U writes (trainable
/// and derived ones; optimizer state is never delayed).
///
/// `leads` name the weights of which D reads a version that is so many updates
/// newer than the one that F reads: the attribute `lead` of these parameters,
/// and how far back their reconstructions go, each with an average whose decay
/// is reconstructionDecay(lead).
///
/// Fails with a diagnostic unless verifyTasks holds, or if the step is retimed
/// already, the number of delays is not that of the layers, a delay is
/// negative, a lead is not from 0 to 1 more than its delay, or no weight has
/// its name.
mlir::LogicalResult retime(mlir::ModuleOp module,
                           llvm::ArrayRef<int64_t> delayPerLayer,
                           llvm::ArrayRef<NamedLead> leads = {});

/// Decay of the average of steps from which the weights of `updates` updates
/// ago are reconstructed: (n − 1) / (n + 1), under which the mean age of the
/// average, 1 / (1 − decay) updates, is that of the last n steps, (n + 1) / 2.
/// Exact for n = 1; 0 for n = 0.
float reconstructionDecay(int64_t updates);

} // namespace takt

#endif // TAKT_TRANSFORMS_RETIME_H
