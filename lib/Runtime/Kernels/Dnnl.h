//===- Dnnl.h - kernels made of one oneDNN primitive ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_DNNL_H
#define TAKT_LIB_RUNTIME_KERNELS_DNNL_H

#include "PreparedKernel.h"
#include "llvm/ADT/SmallVector.h"
#include <dnnl.hpp>
#include <optional>

namespace takt {

/// The process's CPU engine. oneDNN's engines may be shared by threads.
const dnnl::engine &dnnlEngine();

/// Makes oneDNN's parallel regions run on the calling thread alone. OpenMP
/// keeps the number of threads per calling thread, so others are not affected.
void useOneThread();

/// Descriptor of a dense row-major f32 tensor.
dnnl::memory::desc plainDesc(llvm::ArrayRef<int64_t> dims);

/// A kernel that is one primitive between reorders: the program's tensors are
/// plain, the primitive may prefer other layouts.
class DnnlKernel : public PreparedKernel {
public:
  /// `attributes` must ask for a user's scratchpad. The arguments follow by
  /// addOperand and addResult.
  DnnlKernel(dnnl::primitive primitive, const dnnl::memory::desc &scratchpad);

  /// Operand `index` of the kernel, plain as `plain`, is the primitive's
  /// argument `tag` in the layout `wanted`.
  void addOperand(int tag, size_t index, const dnnl::memory::desc &plain,
                  const dnnl::memory::desc &wanted);
  void addResult(int tag, size_t index, const dnnl::memory::desc &plain,
                 const dnnl::memory::desc &wanted);

  llvm::Error run(const KernelCall &call, Workspace &workspace) override;

private:
  struct Argument {
    int tag;
    size_t index;
    dnnl::memory plain, wanted;
    /// Between the two, where they differ.
    std::optional<dnnl::reorder> reorder;
  };

  static Argument makeArgument(int tag, size_t index,
                               const dnnl::memory::desc &plain,
                               const dnnl::memory::desc &wanted, bool isResult);

  dnnl::primitive primitive;
  dnnl::stream stream;
  dnnl::memory scratchpad;
  llvm::SmallVector<Argument, 3> operands;
  llvm::SmallVector<Argument, 1> results;
};

} // namespace takt

#endif // TAKT_LIB_RUNTIME_KERNELS_DNNL_H
