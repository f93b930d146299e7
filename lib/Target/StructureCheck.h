//===- StructureCheck.h - what checks of a program share --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// checkStructure takes three steps, each of which may rely on the ones before:
//
//   checkRecords   every record by itself, and the indices in it
//   checkCode      every instruction, and the descriptors that it names
//   checkValues    which of these make, keep and take each value
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TARGET_STRUCTURECHECK_H
#define TAKT_LIB_TARGET_STRUCTURECHECK_H

#include "takt/Target/Program.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace takt {

llvm::Error checkRecords(const Program &program);
llvm::Error checkCode(const Program &program);
llvm::Error checkValues(const Program &program);

/// Remembers the first thing that is wrong, and knows tensors.
class StructureCheck {
protected:
  /// What an instruction does with a tensor.
  enum class Access { Read, Write };

  explicit StructureCheck(const Program &program) : program(program) {}

  llvm::Error takeError() const;
  void fail(const llvm::Twine &message);
  /// Fails unless value < count.
  void index(uint64_t value, size_t count, const llvm::Twine &what);
  /// Bytes of one slot; fails on a shape that no memory holds.
  std::optional<int64_t> tensorBytes(ElementType type,
                                     llvm::ArrayRef<int64_t> dims,
                                     const llvm::Twine &what);
  /// A ring in a region of the processor.
  void checkTensor(const TensorRef &ref, uint32_t processor,
                   const llvm::Twine &what);
  /// A tensor that an instruction touches: it has the shape of the value that
  /// it holds, and its region allows what is done with it.
  void checkLocal(const TensorRef &ref, uint32_t processor, Access access,
                  const llvm::Twine &what);
  void checkAccess(uint32_t region, Access access, const llvm::Twine &what);
  void checkDuration(uint64_t cycles, const llvm::Twine &what);

  const Program &program;
  std::string error;

private:
  void checkPlace(const TensorRef &ref, const llvm::Twine &what);
};

} // namespace takt

#endif // TAKT_LIB_TARGET_STRUCTURECHECK_H
