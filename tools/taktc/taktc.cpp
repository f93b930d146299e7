//===- taktc.cpp - the compiler driver ------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/CommandLine.h"

int main(int argc, char **argv) { return takt::taktcMain(argc, argv); }
