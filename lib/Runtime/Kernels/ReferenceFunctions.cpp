//===- ReferenceFunctions.cpp - functions element by element --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementwiseLoops.h"
#include "Functions.h"

using namespace llvm;

namespace takt {

namespace {

/// use(f) for the function that word 0 names.
template <typename T, typename Use>
Error withUnary(const KernelCall &call, Use use) {
  functions::Coefficients<T> words = {T(call.floatWord(1)),
                                      T(call.floatWord(2))};
  switch (static_cast<UnaryFunction>(call.words[0])) {
#define TAKT_UNARY(Name, mnemonic, code, formula)                              \
  case UnaryFunction::Name:                                                    \
    return use(functions::Name<T>{words});
#include "takt/Target/Functions.def"
  }
  return call.fail("unknown function");
}

template <typename T, typename Use>
Error withBinary(const KernelCall &call, Use use) {
  switch (static_cast<BinaryFunction>(call.words[0])) {
#define TAKT_BINARY(Name, mnemonic, code, formula)                             \
  case BinaryFunction::Name:                                                   \
    return use(functions::Name<T>());
#include "takt/Target/Functions.def"
  }
  return call.fail("unknown function");
}

} // namespace

template <typename T> Error referenceUnary(const KernelCall &call) {
  return withUnary<T>(call, [&](auto f) {
    return map<T>(call, [=](T x) { return f.value(x); });
  });
}

template <typename T> Error referenceUnaryDgrad(const KernelCall &call) {
  return withUnary<T>(call, [&](auto f) {
    return zip<T>(call, [=](T dy, T x) { return dy * f.slope(x); });
  });
}

template <typename T> Error referenceBinary(const KernelCall &call) {
  return withElementType(call.results[0].type, [&](auto zero) {
    using Element = decltype(zero);
    if constexpr (std::is_integral_v<Element>) {
      auto function = static_cast<BinaryFunction>(call.words[0]);
      return zipBroadcast<Element>(call, [=](Element a, Element b) {
        return functions::ofIntegers(function, a, b);
      });
    } else {
      return withBinary<Element>(call, [&](auto f) {
        return zipBroadcast<Element>(
            call, [=](Element a, Element b) { return f.value(a, b); });
      });
    }
  });
}

template <typename T> Error referenceBinaryDgrad(const KernelCall &call) {
  bool second = call.words[1] == 1;
  return withBinary<T>(call, [&](auto f) {
    return second
               ? zipBroadcast3<T>(
                     call, [=](T dy, T a, T b) { return dy * f.slopeB(a, b); })
               : zipBroadcast3<T>(
                     call, [=](T dy, T a, T b) { return dy * f.slopeA(a, b); });
  });
}

TAKT_INSTANTIATE_REFERENCE(Unary)
TAKT_INSTANTIATE_REFERENCE(UnaryDgrad)
TAKT_INSTANTIATE_REFERENCE(Binary)
TAKT_INSTANTIATE_REFERENCE(BinaryDgrad)

} // namespace takt
