//===- Split.h - tasks cut in parts -----------------------------*- C++ -*-===//
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
  llvm::SmallVector<int64_t, 2> at;
  llvm::SmallVector<bool, 2> sliceAtProducer;
};

/// The cuts of a schedule by their tasks' names, in `graph`, the uncut one.
llvm::SmallVector<NamedCut> nameCuts(const TaskGraph &graph,
                                     llvm::ArrayRef<Cut> cuts);

/// Parses "TASK:AXIS:AT" with an optional ":SLICED", AXIS one of channel,
/// batch, reduction, AT one or more indices as in 8+16+24, SLICED the numbers
/// of the parts whose operands are sliced where they are produced, as in 0+2.
/// TASK may contain colons. Fails with the text and what was expected.
llvm::Expected<NamedCut> parseCut(llvm::StringRef text);

/// Rewrites each named task X into the parts X.0, X.1, … and X.join, which
/// concatenates or adds their results. Parts do all of a rowwise task that is
/// cut by batch, otherwise the matrix product, and X.join the rest. What
/// formTasks gives afterwards is what takt::applyCuts makes of its graph
/// before.
///
/// A slice of a weight at its producer becomes a parameter of kind derived,
/// which the weight's update keeps up to date; a slice of another value joins
/// the task that produces the value, and if that is cut by batch too, its parts
/// are read.
///
/// Fails with a diagnostic, before anything is changed, unless verifyTasks
/// holds, or if a cut names a task that has not the one matrix product, or an
/// axis or index that is not legal there.
mlir::LogicalResult split(mlir::ModuleOp module, llvm::ArrayRef<NamedCut> cuts);

} // namespace takt

#endif // TAKT_TRANSFORMS_SPLIT_H
