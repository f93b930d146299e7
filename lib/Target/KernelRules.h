//===- KernelRules.h - shape rules of kernels, internal ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// checkKernel works in two steps. KernelCheck.cpp reads the signature in
// Kernels.def and checks what follows from it: numbers of operands, results and
// words, finite floats, sane tensors. Then it asks the kernel's rule here,
// which may rely on that and relates shapes and attributes to each other.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TARGET_KERNELRULES_H
#define TAKT_LIB_TARGET_KERNELRULES_H

#include "takt/Support/ShapeText.h"
#include "takt/Target/Program.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <string>

namespace takt {

/// A tensor's shape under the name that Kernels.def gives it.
struct NamedShape {
  std::string name;
  llvm::ArrayRef<int64_t> dims;

  size_t rank() const { return dims.size(); }
  int64_t operator[](size_t i) const { return dims[i]; }
};

/// A kernel on the way through its check.
class KernelSubject {
public:
  KernelSubject(const Kernel &kernel, llvm::ArrayRef<llvm::StringRef> operands,
                llvm::ArrayRef<llvm::StringRef> results)
      : kernel(kernel), operandNames(operands), resultNames(results) {}

  const Kernel &kernel;

  size_t operands() const { return kernel.operands.size(); }
  NamedShape in(size_t i) const;
  NamedShape out(size_t i) const;
  ElementType inType(size_t i) const { return kernel.operands[i].type; }
  ElementType outType(size_t i) const { return kernel.results[i].type; }
  uint32_t word(size_t i) const { return kernel.words[i]; }

  /// "MNEMONIC: message".
  llvm::Error fail(const llvm::Twine &message) const;
  /// "NAME is VALUE, expected EXPECTED".
  llvm::Error failValue(const llvm::Twine &name, const llvm::Twine &value,
                        const llvm::Twine &expected) const;
  llvm::Error expectShape(const NamedShape &tensor,
                          llvm::ArrayRef<int64_t> dims) const;
  llvm::Error expectRank(const NamedShape &tensor, size_t least,
                         size_t most) const;
  llvm::Error expectType(const NamedShape &tensor, ElementType type,
                         ElementType expected) const;
  /// Checks that `value` is in [least, most].
  llvm::Error expectRange(const llvm::Twine &name, int64_t value, int64_t least,
                          int64_t most) const;

  /// Checks that word `i` is 0 or 1.
  llvm::Error expectFlag(const llvm::Twine &name, size_t i) const {
    return expectRange(name, word(i), 0, 1);
  }

private:
  llvm::ArrayRef<llvm::StringRef> operandNames, resultNames;
};

/// Checks that an element type is a float, as a gradient's is.
llvm::Error expectFloatType(const KernelSubject &s, const NamedShape &tensor,
                            ElementType type);

/// Checks that it is anything but a truth value.
llvm::Error expectNumberType(const KernelSubject &s, const NamedShape &tensor,
                             ElementType type);

/// Which element types a kernel's tensors may have.
enum class TypeRule {
  Float,  ///< all the same, of floats
  Number, ///< all the same, anything but i1
  Any,    ///< all the same: the kernel only moves elements
  Labels, ///< as Float, but operand 1 is i64
  Own     ///< element types, which the kernel's rule relates to each other
};

struct KernelRule {
  llvm::Error (*shapes)(const KernelSubject &);
  TypeRule types = TypeRule::Float;
};

/// The rule of a known kernel.
KernelRule kernelRule(KernelId id);

// The rules of sliding windows, in WindowRules.cpp.
llvm::Error checkConv(const KernelSubject &s);
llvm::Error checkConvDgrad(const KernelSubject &s);
llvm::Error checkConvWgrad(const KernelSubject &s);
llvm::Error checkMaxPool(const KernelSubject &s);
llvm::Error checkMaxPoolDgrad(const KernelSubject &s);
llvm::Error checkMaxPoolIndices(const KernelSubject &s);
llvm::Error checkAveragePool(const KernelSubject &s);
llvm::Error checkAveragePoolDgrad(const KernelSubject &s);
llvm::Error checkLpPool(const KernelSubject &s);
llvm::Error checkLpPoolDgrad(const KernelSubject &s);

// The rules of movement and reduction, in MovementRules.cpp.
llvm::Error checkConcat(const KernelSubject &s);
llvm::Error checkReshape(const KernelSubject &s);
llvm::Error checkTranspose(const KernelSubject &s);
llvm::Error checkSlice(const KernelSubject &s);
llvm::Error checkReduceSum(const KernelSubject &s);
llvm::Error checkReduceMaxDgrad(const KernelSubject &s);
llvm::Error checkExpand(const KernelSubject &s);
llvm::Error checkPad(const KernelSubject &s);
llvm::Error checkPadDgrad(const KernelSubject &s);
llvm::Error checkReduceMax(const KernelSubject &s);

// The rules of element types, choices and indices, in SelectionRules.cpp.
llvm::Error checkCast(const KernelSubject &s);
llvm::Error checkCompare(const KernelSubject &s);
llvm::Error checkWhere(const KernelSubject &s);
llvm::Error checkWhereDgrad(const KernelSubject &s);
llvm::Error checkGather(const KernelSubject &s);
llvm::Error checkGatherDgrad(const KernelSubject &s);
llvm::Error checkGatherElements(const KernelSubject &s);
llvm::Error checkGatherElementsDgrad(const KernelSubject &s);
llvm::Error checkScatterElements(const KernelSubject &s);
llvm::Error checkArgMax(const KernelSubject &s);
llvm::Error checkTopK(const KernelSubject &s);
llvm::Error checkCumSum(const KernelSubject &s);

/// Extends `dims` to what broadcasting it with `tensor` gives.
llvm::Error broadcast(const KernelSubject &s, const NamedShape &tensor,
                      llvm::SmallVectorImpl<int64_t> &dims);

/// Checks that a word is a code of an enumeration with names.
template <typename Enum>
llvm::Error expectNamed(const KernelSubject &s, llvm::StringRef what,
                        size_t word) {
  int64_t last = 0;
  while (!name(Enum(last + 1)).empty())
    ++last;
  return s.expectRange(what, s.word(word), 1, last);
}

/// The bits of an attribute word as a float.
float wordToFloat(uint32_t word);

} // namespace takt

#endif // TAKT_LIB_TARGET_KERNELRULES_H
