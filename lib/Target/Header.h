//===- Header.h - what encoding and decoding share --------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TARGET_HEADER_H
#define TAKT_LIB_TARGET_HEADER_H

#include "takt/Target/Container.h"
#include <map>

namespace takt {

/// What a field of an instruction means; see Isa.def.
enum class OperandField : uint8_t {
  None,
  Kernel,
  Transfer,
  Host,
  Semaphore,
  Count,
  Scalar
};

/// Meanings of a, b and c of an opcode; all None when it is illegal.
std::array<OperandField, 3> operandsOf(Opcode op);

inline OperandField operandOf(Opcode op) { return operandsOf(op)[0]; }

/// Sections by their types, in the order of the file.
using Sections = std::map<SectionType, std::vector<uint8_t>>;

/// Content of every section of the program but of 'machine' and 'data', which
/// the program has as they are in the file.
llvm::Expected<Sections> encodeSections(const Program &program);

} // namespace takt

#endif // TAKT_LIB_TARGET_HEADER_H
