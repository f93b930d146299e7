//===- KernelCheck.cpp - is a kernel descriptor safe to run? --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/KernelCheck.h"
#include "KernelRules.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include <cmath>

using namespace llvm;

namespace takt {

namespace {

/// Most tensors that a variadic operand list may have.
constexpr size_t kMaxVariadic = 1 << 16;
constexpr size_t kMaxRank = 8;

/// A list of Kernels.def, "x, w, b?" or "x*", cut into names.
struct TensorList {
  explicit TensorList(StringRef text) {
    SmallVector<StringRef, 4> parts;
    text.split(parts, ',', -1, /*KeepEmpty=*/false);
    for (StringRef part : parts) {
      StringRef name = part.trim();
      bool optional = name.consume_back("?");
      bool variadic = name.consume_back("*");
      names.push_back(name);
      least += optional ? 0 : 1;
      most = variadic ? kMaxVariadic : most + 1;
    }
  }

  SmallVector<StringRef, 5> names;
  size_t least = 0, most = 0;
};

/// The signature of a kernel, as Kernels.def spells it.
struct SignatureText {
  StringRef operands, results, words;
};

bool findSignature(KernelId id, SignatureText &text) {
  switch (id) {
#define TAKT_KERNEL(Name, mnemonic, code, operands, results, words)            \
  case KernelId::Name:                                                         \
    text = {operands, results, words};                                         \
    return true;
#include "takt/Target/Kernels.def"
  }
  return false;
}

Error checkCount(const KernelSubject &subject, StringRef what, size_t count,
                 const TensorList &list) {
  if (count >= list.least && count <= list.most)
    return Error::success();
  return subject.expectRange("number of " + what, count, list.least, list.most);
}

/// Checks the number of words, and that floats among them are numbers.
Error checkWords(const KernelSubject &subject, StringRef text) {
  ArrayRef<uint32_t> words = subject.kernel.words;
  SmallVector<StringRef, 8> fields;
  text.split(fields, ',', -1, /*KeepEmpty=*/false);
  // The first word, where there is a list, is the lists' length.
  size_t length = 0;
  if (text.contains("[n]")) {
    if (words.empty())
      return subject.fail("it has no attribute words");
    if (words[0] > kMaxRank)
      return subject.expectRange("n", words[0], 0, kMaxRank);
    length = words[0];
  }
  size_t expected = 0;
  for (StringRef field : fields)
    expected += field.ends_with("[n]") ? length : 1;
  if (words.size() != expected)
    return subject.expectRange("number of attribute words", words.size(),
                               expected, expected);
  size_t position = 0;
  for (StringRef field : fields) {
    StringRef name = field.trim();
    if (name.consume_back(":f") && !std::isfinite(wordToFloat(words[position])))
      return subject.failValue(name, "not finite", "a finite number");
    if (name.consume_back(":x") && std::isnan(wordToFloat(words[position])))
      return subject.failValue(name, "no number", "a number");
    position += name.ends_with("[n]") ? length : 1;
  }
  return Error::success();
}

/// Checks a tensor's shape by itself.
Error checkTensor(const KernelSubject &subject, const NamedShape &tensor) {
  if (Error error = subject.expectRank(tensor, 0, kMaxRank))
    return error;
  int64_t elements = 1;
  for (auto [i, dim] : enumerate(tensor.dims)) {
    if (dim < 1 || dim > kMaxTensorElements / elements)
      return subject.expectRange("dimension " + Twine(i) + " of " + tensor.name,
                                 dim, 1, kMaxTensorElements / elements);
    elements *= dim;
  }
  return Error::success();
}

/// Every tensor has one of the element types.
Error checkElementTypes(const KernelSubject &subject) {
  auto check = [&](const NamedShape &tensor, ElementType type) {
    return elementBytes(type) != 0
               ? Error::success()
               : subject.failValue("type of " + tensor.name, "no element type",
                                   "one of the element types");
  };
  for (auto [i, tensor] : enumerate(subject.kernel.operands))
    if (Error error = check(subject.in(i), tensor.type))
      return error;
  for (auto [i, tensor] : enumerate(subject.kernel.results))
    if (Error error = check(subject.out(i), tensor.type))
      return error;
  return Error::success();
}

Error checkTypes(const KernelSubject &subject, TypeRule rule) {
  const Kernel &kernel = subject.kernel;
  if (rule == TypeRule::Own)
    return checkElementTypes(subject);
  ElementType common = kernel.results[0].type;
  bool ofFloats = rule == TypeRule::Float || rule == TypeRule::Labels;
  bool accepted = ofFloats ? isFloatType(common)
                           : rule == TypeRule::Any || common != ElementType::I1;
  if (elementBytes(common) == 0 || !accepted)
    return subject.failValue("type of " + subject.out(0).name, name(common),
                             ofFloats ? "a type of floats"
                                      : "a type of numbers");
  for (auto [i, tensor] : enumerate(kernel.operands)) {
    bool isLabels = rule == TypeRule::Labels && i == 1;
    if (Error error = subject.expectType(subject.in(i), tensor.type,
                                         isLabels ? ElementType::I64 : common))
      return error;
  }
  for (auto [i, tensor] : enumerate(kernel.results))
    if (Error error = subject.expectType(subject.out(i), tensor.type, common))
      return error;
  return Error::success();
}

} // namespace

Error checkKernel(const Kernel &kernel) {
  SignatureText text;
  if (!findSignature(kernel.id, text))
    return createStringError("unknown kernel 0x" +
                             utohexstr(static_cast<uint16_t>(kernel.id)));
  TensorList operands(text.operands), results(text.results);
  KernelSubject subject(kernel, operands.names, results.names);
  if (Error error =
          checkCount(subject, "operands", kernel.operands.size(), operands))
    return error;
  if (Error error =
          checkCount(subject, "results", kernel.results.size(), results))
    return error;
  for (size_t i = 0; i < kernel.operands.size(); ++i)
    if (Error error = checkTensor(subject, subject.in(i)))
      return error;
  for (size_t i = 0; i < kernel.results.size(); ++i)
    if (Error error = checkTensor(subject, subject.out(i)))
      return error;
  KernelRule rule = kernelRule(kernel.id);
  if (Error error = checkTypes(subject, rule.types))
    return error;
  if (Error error = checkWords(subject, text.words))
    return error;
  return rule.shapes(subject);
}

//===----------------------------------------------------------------------===//
// KernelSubject
//===----------------------------------------------------------------------===//

static NamedShape named(ArrayRef<StringRef> names, size_t i,
                        const TensorRef &tensor) {
  // Only a variadic list has more tensors than names, and it is the only list.
  if (i < names.size() && names.size() > 1)
    return {names[i].str(), tensor.dims};
  return {(names[0] + (i ? "[" + Twine(i) + "]" : Twine())).str(), tensor.dims};
}

NamedShape KernelSubject::in(size_t i) const {
  return named(operandNames, i, kernel.operands[i]);
}

NamedShape KernelSubject::out(size_t i) const {
  return named(resultNames, i, kernel.results[i]);
}

Error KernelSubject::fail(const Twine &message) const {
  return createStringError(mnemonic(kernel.id) + ": " + message);
}

Error KernelSubject::failValue(const Twine &name, const Twine &value,
                               const Twine &expected) const {
  return fail(name + " is " + value + ", expected " + expected);
}

Error KernelSubject::expectShape(const NamedShape &tensor,
                                 ArrayRef<int64_t> dims) const {
  if (tensor.dims == dims)
    return Error::success();
  return failValue("shape of " + tensor.name, shapeText(tensor.dims),
                   shapeText(dims));
}

Error KernelSubject::expectRank(const NamedShape &tensor, size_t least,
                                size_t most) const {
  return expectRange("rank of " + tensor.name, tensor.rank(), least, most);
}

Error KernelSubject::expectType(const NamedShape &tensor, ElementType type,
                                ElementType expected) const {
  if (type == expected)
    return Error::success();
  return failValue("type of " + tensor.name,
                   takt::name(type).empty() ? "no element type"
                                            : takt::name(type),
                   takt::name(expected));
}

Error KernelSubject::expectRange(const Twine &name, int64_t value,
                                 int64_t least, int64_t most) const {
  if (value >= least && value <= most)
    return Error::success();
  if (least == most)
    return failValue(name, Twine(value), Twine(least));
  return failValue(name, Twine(value), Twine(least) + " to " + Twine(most));
}

float wordToFloat(uint32_t word) { return llvm::bit_cast<float>(word); }

} // namespace takt
