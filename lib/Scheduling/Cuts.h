//===- Cuts.h - the parts of a task that is cut -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_CUTS_H
#define TAKT_LIB_SCHEDULING_CUTS_H

#include "takt/Scheduling/TaskGraph.h"

namespace takt {

/// The dimension of a product that a cut along `axis` divides.
int64_t &dimensionAlong(Gemm &product, CutAxis axis);

/// Number of indices along `axis` of a task; 0 if it may not be cut so.
int64_t cutExtent(const Task &task, CutAxis axis);

/// Whether the parts of such a cut do all operations of the task.
bool dividesAll(const Task &task, CutAxis axis);

/// What a part of a cut task does: its share of the product, or of everything,
/// and the slicing of the product's operands that arrive whole.
llvm::SmallVector<Work, 2> partWork(const Task &task, const Cut &cut, int part);

/// Joining the parts' results, and what is not divided.
llvm::SmallVector<Work, 2> joinWork(const Task &task, const Cut &cut);

/// Whether the parts of a cut of `task` along `axis` need only a share of its
/// product's operand of class `value`.
bool isSliced(ValueClass value, const Task &task, CutAxis axis);

/// Whether the parts' results are added, not concatenated.
bool addsParts(CutAxis axis);

/// The indices of a part of an axis of `extent`: [partBegin, partEnd).
int64_t partBegin(const Cut &cut, int part);
int64_t partEnd(int64_t extent, const Cut &cut, int part);

/// total * n / extent without overflow.
int64_t proportion(int64_t total, int64_t n, int64_t extent);

/// An operation that only copies: `in` bytes read, `out` bytes written.
Work copyWork(TaskKind kind, ElementType type, int64_t in, int64_t out);

/// Bytes of a part's result.
int64_t partBytes(const Task &task, const Cut &cut, int part);

/// The share of `total` that falls to a part.
int64_t share(int64_t total, int64_t extent, const Cut &cut, int part);

/// The readers of a value within `task`, inferred where they are unknown.
/// `use` is one of value's uses and its task has cuts.
Reader readerOf(const TaskGraph &graph, const Value &value, const Use &use);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_CUTS_H
