//===- CommandLine.h - the command line of taktc ----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DRIVER_COMMANDLINE_H
#define TAKT_DRIVER_COMMANDLINE_H

namespace takt {

/// Runs taktc. Returns the exit code: 0, or 1 after one message on stderr; then
/// no output file was written.
int taktcMain(int argc, char **argv);

} // namespace takt

#endif // TAKT_DRIVER_COMMANDLINE_H
