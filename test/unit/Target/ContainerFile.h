//===- ContainerFile.h - files taken apart and put together ----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_TARGET_CONTAINERFILE_H
#define TAKT_TEST_UNIT_TARGET_CONTAINERFILE_H

#include "takt/Target/Container.h"

namespace takt::test {

using Bytes = std::vector<uint8_t>;

Bytes fileOf(const Program &program);

/// Empty if the bytes are accepted.
std::string refusal(llvm::ArrayRef<uint8_t> bytes);

/// Where header and section table of an accepted file end.
size_t endOfTable(llvm::ArrayRef<uint8_t> file);

/// The section must be there.
SectionEntry entryOf(llvm::ArrayRef<uint8_t> file, SectionType type);

/// A section of a file that a test puts together.
struct Section {
  uint32_t type;
  bool required;
  Bytes bytes;
};

std::vector<Section> sectionsOf(llvm::ArrayRef<uint8_t> file);

/// A file of these sections in this order, its header like that of `original`.
Bytes assemble(llvm::ArrayRef<uint8_t> original,
               llvm::ArrayRef<Section> sections);

Bytes withoutOptionalSections(llvm::ArrayRef<uint8_t> file);

} // namespace takt::test

#endif // TAKT_TEST_UNIT_TARGET_CONTAINERFILE_H
