//===- ParameterGroups.h - settings of some parameters ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_PARAMETERGROUPS_H
#define TAKT_TRANSFORMS_PARAMETERGROUPS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>

namespace takt {

/// Trainable parameters, by a pattern of their names (llvm::GlobPattern), whose
/// updates differ from those of the others: a parameter group of PyTorch.
struct ParameterGroup {
  std::string pattern;
  /// The learning rate over that of the program, which is a run-time scalar
  /// and may follow a schedule.
  double learningRateFactor = 1;
  std::optional<double> weightDecay; ///< nullopt: that of all others

  /// As parseParameterGroup reads it.
  std::string text() const;
};

/// Reads "GLOB:SETTING=X,…" with the settings `learning-rate-factor` and
/// `weight-decay`, of which each is there at most once and at least one is;
/// the last colon ends the pattern. Fails if a number is negative or not
/// finite.
llvm::Expected<ParameterGroup> parseParameterGroup(llvm::StringRef text);

} // namespace takt

#endif // TAKT_TRANSFORMS_PARAMETERGROUPS_H
