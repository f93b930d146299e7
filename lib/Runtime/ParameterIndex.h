//===- ParameterIndex.h - whose parameter a value is ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_PARAMETERINDEX_H
#define TAKT_LIB_RUNTIME_PARAMETERINDEX_H

#include "takt/Runtime/Kernels.h"

namespace takt::runtime {

/// Finds parameters by the values that their readers and writers name.
class ParameterIndex {
public:
  static constexpr int32_t kNone = -1;

  explicit ParameterIndex(const Program &program)
      : reads(program.values.size(), kNone),
        writes(program.values.size(), kNone) {
    for (uint32_t i = 0; i < program.parameters.size(); ++i) {
      const Parameter &parameter = program.parameters[i];
      if (parameter.readValue < reads.size())
        reads[parameter.readValue] = i;
      // A parameter that nothing writes names one value twice.
      if (parameter.kind != ParameterKind::Constant &&
          parameter.writeValue != parameter.readValue &&
          parameter.writeValue < writes.size())
        writes[parameter.writeValue] = i;
    }
  }

  /// The parameter whose readers name `value`, or kNone.
  int32_t readBy(uint32_t value) const { return reads[value]; }
  /// The parameter whose update produces `value`, or kNone.
  int32_t writtenBy(uint32_t value) const { return writes[value]; }

  /// What a kernel is told of a run. Where an iteration makes several updates
  /// of the parameter that the kernel updates, they are counted.
  KernelContext contextOf(const Program &program, const Kernel &kernel,
                          uint64_t minibatch,
                          llvm::ArrayRef<double> scalars) const {
    int32_t p =
        kernel.results.empty() ? kNone : writtenBy(kernel.results[0].value);
    if (p == kNone)
      return {minibatch, scalars, 0};
    const Parameter &parameter = program.parameters[p];
    uint64_t updates = parameter.lastUpdate + uint64_t(1);
    return {minibatch * updates + parameter.update, scalars, parameter.delay};
  }

private:
  std::vector<int32_t> reads, writes;
};

/// True for the kernels that apply a gradient, operand 1, to a parameter,
/// operand 0.
inline bool isOptimizer(KernelId id) {
  return id == KernelId::Sgd || id == KernelId::Momentum ||
         id == KernelId::Adam;
}

} // namespace takt::runtime

#endif // TAKT_LIB_RUNTIME_PARAMETERINDEX_H
