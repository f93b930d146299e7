//===- CostModel.h - cycles of a task ---------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_MACHINE_COSTMODEL_H
#define TAKT_MACHINE_COSTMODEL_H

#include "takt/Machine/Machine.h"
#include "takt/Support/ElementType.h"
#include "takt/Support/TaskKind.h"
#include <memory>
#include <optional>

namespace takt {

/// `count` matrix products, each M x K times K x N.
/// Convolution (im2col, per group): F: M = B*Ho*Wo, K = Ci/g*k*k, N = Co/g;
/// D: M = B*Ho*Wo (zero-free), K = Co/g*k*k, N = Ci/g; W: M = Ci/g*k*k,
/// K = B*Ho*Wo, N = Co/g; count = g. M*N*K*count is the same for all three.
struct Gemm {
  int64_t m = 0, n = 0, k = 0, count = 0;

  /// Fails (returns nullopt) on overflow of 63 bits.
  std::optional<int64_t> macs() const;
  bool operator==(const Gemm &o) const {
    return m == o.m && n == o.n && k == o.k && count == o.count;
  }
};

/// What a task, or one operation of it, asks of a processor.
struct Work {
  TaskKind kind = TaskKind::Forward;
  Gemm gemm;               ///< count 0: no matrix product
  int64_t elementwise = 0; ///< element operations besides
  int64_t bytesIn = 0, bytesOut = 0;
  /// Of bytesIn, those of operands with a row per sample, where that is known.
  int64_t rowBytesIn = 0;
  /// Of an update: the rows (indices of the first axis) of what it updates,
  /// among which replicas divide it; 0: unknown.
  int64_t rows = 0;
  ElementType type = ElementType::F32;
  /// Forward work that a D or W does once more, for an activation that was not
  /// kept. `kind` says Forward.
  bool recomputed = false;
};

/// Cycles by term, and which model answered.
struct Cost {
  int64_t compute = 0, fillDrain = 0, load = 0, store = 0, stall = 0;
  llvm::StringRef model;

  int64_t total() const { return compute + fillDrain + load + store + stall; }
};

/// Pure and thread-safe.
class CostModel {
public:
  virtual ~CostModel() = default;
  virtual llvm::StringRef name() const = 0;
  /// nullopt: this model has no answer (ask the next one).
  virtual std::optional<Cost> estimate(const Work &work,
                                       const ProcessorClass &on) const = 0;
};

/// macs | systolic | roofline | profile:FILE. A profile falls back to
/// systolic, that to roofline. Fails if the name is unknown or the file is bad.
llvm::Expected<std::unique_ptr<CostModel>>
createCostModel(llvm::StringRef spec);

} // namespace takt

#endif // TAKT_MACHINE_COSTMODEL_H
