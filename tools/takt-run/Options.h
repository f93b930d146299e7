//===- Options.h - the command line of takt-run -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TOOLS_TAKT_RUN_OPTIONS_H
#define TAKT_TOOLS_TAKT_RUN_OPTIONS_H

#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace takt {

struct Options {
  std::string program;
  std::string data, weights;
  std::string saveWeights, saveGradients, saveOutputs;
  std::string saveOnnx, model; ///< both or none
  std::string checkpoint;
  uint64_t checkpointEvery = 0;
  bool resume = false;
  bool forward = false; ///< only a forward program will do
  bool sequential = false, verify = false, printStaleness = false;
  bool profile = false;
  bool shuffle = true;
  uint64_t seed = 0;
  std::optional<uint64_t> iterations;
  std::optional<double> learningRate;
  std::vector<std::pair<std::string, double>> scalars; ///< by name
};

/// Reads the command line; ends the program for --help and unknown options.
/// Fails on options that contradict each other or are out of range.
llvm::Expected<Options> readOptions(int argc, char **argv);

} // namespace takt

#endif // TAKT_TOOLS_TAKT_RUN_OPTIONS_H
