//===- Tool.cpp - what all command-line tools have in common --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/Tool.h"
#include "takt/Support/Printable.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

void takt::registerVersion() {
  cl::SetVersionPrinter([](raw_ostream &os) {
    os << "Takt " TAKT_VERSION "\nLLVM " LLVM_VERSION_STRING "\n";
  });
}

int takt::exitCode(StringRef tool, Error error) {
  if (!error)
    return 0;
  if (std::string message = toString(std::move(error)); !message.empty())
    errs() << tool << ": error: " << printable(message) << "\n";
  return 1;
}
