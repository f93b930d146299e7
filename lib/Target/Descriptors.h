//===- Descriptors.h - 64-byte descriptors ----------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Instructions name descriptors by their number in the file. A kernel's is
// followed by its further attribute words and then its operands' and results'
// tensors; a transfer's by source and destination; a host copy's by its tensor.
// Parameters' homes and initializers' targets come last.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TARGET_DESCRIPTORS_H
#define TAKT_LIB_TARGET_DESCRIPTORS_H

#include "Records.h"

namespace takt {

/// Writes descriptors and says which number each got.
class DescriptorWriter {
public:
  explicit DescriptorWriter(Writer &out) : out(out) {}

  /// Kernels, transfers and host copies; fills the numbers below.
  void write(const Program &program);
  uint32_t write(const TensorRef &tensor);

  std::vector<uint32_t> kernels, transfers, hostCopies;

private:
  void write(const Kernel &kernel);
  template <typename T, typename Content>
  uint32_t descriptor(const Content &content);

  Writer &out;
  uint32_t count = 0;
};

/// Reads all descriptors of a section into the program, and remembers what each
/// number is.
class DescriptorReader {
public:
  DescriptorReader(Reader in, Program &program)
      : in(std::move(in)), program(program) {}

  /// The error, or empty.
  std::string read();

  /// Index into program.kernels, …, of descriptor `number`; -1 if it is none.
  int64_t kernel(uint32_t number) const {
    return find(DescriptorType::Kernel, number);
  }
  int64_t transfer(uint32_t number) const {
    return find(DescriptorType::Transfer, number);
  }
  int64_t hostCopy(uint32_t number) const {
    return find(DescriptorType::HostCopy, number);
  }
  /// A tensor that belongs to no other descriptor; null if it is none.
  const TensorRef *tensor(uint32_t number) const;

private:
  /// What a number stands for. Parts of other descriptors have no index.
  struct Entry {
    DescriptorType type;
    int64_t index = -1;
  };
  int64_t find(DescriptorType type, uint32_t number) const {
    bool isThat = number < entries.size() && entries[number].type == type;
    return isThat ? entries[number].index : -1;
  }
  void readKernel();
  void readTransfer();
  void readHostCopy();
  /// The next descriptor's type, which becomes the last entry.
  DescriptorType next();
  /// The next descriptor, which must be of T's type.
  template <typename T, typename Content> void part(Content &&content);
  /// Content of the descriptor whose type has been read.
  template <typename T, typename Content> void content(Content &&content);

  Reader in;
  Program &program;
  std::vector<Entry> entries;
  std::vector<TensorRef> tensorRefs;
};

} // namespace takt

#endif // TAKT_LIB_TARGET_DESCRIPTORS_H
