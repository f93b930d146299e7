//===- InPlace.cpp - results where operands are ---------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/InPlace.h"

using namespace takt;

namespace {
/// Which of its operands a kernel's results may replace.
enum class Replaced {
  None,
  First,       ///< operand 0
  Any,         ///< whichever has the result's shape
  NextVersion, ///< an optimizer's: what the result is the next version of
};
} // namespace

static Replaced replacedBy(KernelId id) {
  switch (id) {
  // Element by element. A binary kernel broadcasts operands, but not one that
  // has the result's shape.
  case KernelId::Add:
  case KernelId::Mul:
  case KernelId::Sum:
  case KernelId::Relu:
  case KernelId::ReluDgrad:
  case KernelId::LeakyRelu:
  case KernelId::LeakyReluDgrad:
  case KernelId::Sigmoid:
  case KernelId::SigmoidDgrad:
  case KernelId::Tanh:
  case KernelId::TanhDgrad:
  case KernelId::Scale:
  case KernelId::Dropout:
  case KernelId::Unary:
  case KernelId::UnaryDgrad:
  case KernelId::Binary:
  case KernelId::BinaryDgrad:
    return Replaced::Any;
  // Nothing moves; or row by row, of which sums are taken first.
  case KernelId::Reshape:
  case KernelId::Softmax:
  case KernelId::SoftmaxDgrad:
  case KernelId::LogSoftmax:
  case KernelId::LogSoftmaxDgrad:
    return Replaced::First;
  case KernelId::Sgd:
  case KernelId::Momentum:
  case KernelId::Adam:
    return Replaced::NextVersion;
  default:
    return Replaced::None;
  }
}

bool takt::mayOverwrite(KernelId id, size_t operand,
                        llvm::ArrayRef<int64_t> from, size_t result,
                        llvm::ArrayRef<int64_t> to) {
  if (from != to && id != KernelId::Reshape)
    return false;
  switch (replacedBy(id)) {
  case Replaced::None:
    return false;
  case Replaced::First:
    return operand == 0;
  case Replaced::Any:
    return true;
  case Replaced::NextVersion:
    return operand == (result == 0 ? 0 : result + 1);
  }
  return false;
}
