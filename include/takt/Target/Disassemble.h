//===- Disassemble.h - a program as a listing -------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_DISASSEMBLE_H
#define TAKT_TARGET_DISASSEMBLE_H

#include "takt/Target/Program.h"
#include "llvm/Support/raw_ostream.h"

namespace takt {

/// What a listing shows; everything by default.
struct ListingOptions {
  bool regions = true, parameters = true, code = true;
};

/// Writes a listing: summary, regions, parameters, and each processor's
/// instructions with stage, task, operands and predicted cycles.
void disassemble(const Program &program, llvm::raw_ostream &os,
                 const ListingOptions &options = {});

/// Writes header and section table of a container that decodeHeader accepts.
llvm::Error listHeader(llvm::ArrayRef<uint8_t> bytes, llvm::raw_ostream &os);

/// Writes the instruction set and the kernels as a reference page (Markdown).
void emitIsaReference(llvm::raw_ostream &os);

} // namespace takt

#endif // TAKT_TARGET_DISASSEMBLE_H
