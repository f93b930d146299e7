//===- Split.h - D tasks cut in two -----------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_SPLIT_H
#define TAKT_TRANSFORMS_SPLIT_H

#include "mlir/IR/BuiltinOps.h"
#include "takt/Scheduling/TaskGraph.h"
#include <string>

namespace takt {

/// A Cut by the task's name; see there.
struct NamedCut {
  std::string task;
  CutAxis axis;
  int64_t at;
  bool sliceAtProducer[2] = {false, false};
};

/// The cuts of a schedule by their tasks' names, in `graph`, the uncut one.
llvm::SmallVector<NamedCut> nameCuts(const TaskGraph &graph,
                                     llvm::ArrayRef<Cut> cuts);

/// Parses "TASK:AXIS:AT" with an optional ":SLICED", AXIS one of channel,
/// batch, reduction, SLICED one of 0, 1, 01: the parts whose operands are
/// sliced where they are produced. TASK may contain colons.
/// Fails with the text and what was expected.
llvm::Expected<NamedCut> parseCut(llvm::StringRef text);

/// Rewrites the matrix product of each named D task X.D into two parts in the
/// tasks X.D.0 and X.D.1, and a concatenation or sum in X.D.join, where the
/// rest of X.D follows. What formTasks gives afterwards is what
/// takt::applyCuts makes of its graph before.
///
/// A slice of a weight at its producer becomes a parameter of kind derived,
/// which the weight's update keeps up to date; a slice of a gradient joins the
/// task that produces the gradient.
///
/// Fails with a diagnostic, before anything is changed, unless verifyTasks
/// holds, or if a cut names no D task, one that is not a single matrix product,
/// or an axis or index that is not legal there.
mlir::LogicalResult split(mlir::ModuleOp module, llvm::ArrayRef<NamedCut> cuts);

} // namespace takt

#endif // TAKT_TRANSFORMS_SPLIT_H
