//===- FastMatrix.cpp - matrix products by oneDNN -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dnnl.h"
#include "Matrix.h"
#include <algorithm>

using namespace llvm;

namespace takt {

namespace {

/// A gemm or a batch of products by oneDNN's sgemm, which takes plain
/// matrices, transposed or not.
class SgemmKernel : public PreparedKernel {
public:
  explicit SgemmKernel(const KernelCall &call) : product(call) {
    // Where all of a batch have the same matrix on the right, their rows are
    // those of one product.
    bool shared = call.inDims(1).size() == 2;
    if (call.id == KernelId::MatMul && shared && !product.transA)
      product.mergeBatch(call);
  }

  Error run(const KernelCall &call, Workspace &) override {
    bool isGemm = call.id == KernelId::Gemm;
    float alpha = isGemm ? call.floatWord(2) : 1;
    Error result = Error::success();
    product.forEachPair(call, [&](int64_t a, int64_t b, int64_t y) {
      const MatrixProduct &p = product;
      auto status = dnnl::sgemm(
          p.transA ? 'T' : 'N', p.transB ? 'T' : 'N', p.rows, p.columns,
          p.inner, alpha, call.in<float>(0) + a, p.transA ? p.rows : p.inner,
          call.in<float>(1) + b, p.transB ? p.inner : p.columns, 0,
          call.out<float>(0) + y, p.columns);
      if (status != dnnl::status::success && !result)
        result = call.fail("oneDNN's sgemm failed");
    });
    if (isGemm && call.operands.size() == 3)
      addBias<float>(call, call.floatWord(3));
    return result;
  }

private:
  MatrixProduct product;
};

} // namespace

std::unique_ptr<PreparedKernel> prepareMatrixProduct(const KernelCall &call) {
  return std::make_unique<SgemmKernel>(call);
}

} // namespace takt
