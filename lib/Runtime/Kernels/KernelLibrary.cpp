//===- KernelLibrary.cpp - the fast kernels of one thread -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dnnl.h"
#include "PreparedKernel.h"
#include "Widened.h"
#include "llvm/ADT/DenseMap.h"
#include <cstdlib>
#include <mutex>
#include <new>

using namespace llvm;

namespace takt {

//===----------------------------------------------------------------------===//
// Workspace
//===----------------------------------------------------------------------===//

void Workspace::Free::operator()(void *p) const { std::free(p); }

void *Workspace::get(unsigned slot, size_t bytes) {
  Buffer &buffer = buffers[slot];
  if (buffer.size < bytes) {
    size_t size = (bytes + 63) / 64 * 64;
    buffer.data.reset(); // before the next one, to keep the peak low
    buffer.data.reset(std::aligned_alloc(64, size));
    if (!buffer.data)
      throw std::bad_alloc();
    buffer.size = size;
  }
  return buffer.data.get();
}

//===----------------------------------------------------------------------===//
// The table of fast kernels
//===----------------------------------------------------------------------===//

namespace {

/// A kernel that keeps nothing between calls.
class PlainKernel : public PreparedKernel {
public:
  explicit PlainKernel(KernelFunction function) : function(function) {}
  Error run(const KernelCall &call, Workspace &) override {
    return function(call);
  }

private:
  KernelFunction function;
};

template <KernelFunction function>
std::unique_ptr<PreparedKernel> plain(const KernelCall &) {
  return std::make_unique<PlainKernel>(function);
}

/// The f32 kernels that have a faster implementation than the reference.
PrepareFunction fastKernel(KernelId id) {
  switch (id) {
  case KernelId::Conv:
    return prepareConv;
  case KernelId::ConvDgrad:
    return prepareConvDgrad;
  case KernelId::ConvWgrad:
    return prepareConvWgrad;
  case KernelId::Gemm:
  case KernelId::MatMul:
    return prepareMatrixProduct;
  case KernelId::Unary:
    return prepareUnary;
  case KernelId::UnaryDgrad:
    return prepareUnaryDgrad;
  case KernelId::Sigmoid:
    return prepareSigmoid;
  case KernelId::Tanh:
    return prepareTanh;
  case KernelId::BatchNorm:
    return plain<fastBatchNorm>;
  case KernelId::BatchNormApply:
    return plain<fastBatchNormApply>;
  case KernelId::BatchNormDgrad:
    return plain<fastBatchNormDgrad>;
  case KernelId::BatchNormWgrad:
    return plain<fastBatchNormWgrad>;
  case KernelId::MaxPool:
    return plain<fastMaxPool>;
  case KernelId::MaxPoolDgrad:
    return plain<fastMaxPoolDgrad>;
  case KernelId::AveragePool:
    return plain<fastAveragePool>;
  case KernelId::AveragePoolDgrad:
    return plain<fastAveragePoolDgrad>;
  case KernelId::Softmax:
    return plain<fastSoftmax>;
  case KernelId::SoftmaxDgrad:
    return plain<fastSoftmaxDgrad>;
  case KernelId::LogSoftmax:
    return plain<fastLogSoftmax>;
  case KernelId::LogSoftmaxDgrad:
    return plain<fastLogSoftmaxDgrad>;
  case KernelId::SoftmaxCrossEntropy:
    return plain<fastSoftmaxCrossEntropy>;
  default:
    return nullptr;
  }
}

/// Whether oneDNN, some of whose kernels count bytes in 32 bits, may have it.
bool isSmall(const KernelCall &call) {
  constexpr int64_t kMostBytes = int64_t(1) << 31;
  auto small = [](const TensorView &t) { return t.bytes() < kMostBytes; };
  return all_of(call.operands, small) && all_of(call.results, small);
}

std::unique_ptr<PreparedKernel> prepare(const KernelCall &call);

/// Of 16-bit floats: the f32 kernel on copies of them.
class WidenedKernel : public PreparedKernel {
public:
  Error run(const KernelCall &call, Workspace &workspace) override {
    void *memory = workspace.get(Workspace::kWidened, widenedBytes(call));
    return runWidened(call, memory, [&](const KernelCall &widened) {
      if (!kernel)
        kernel = prepare(widened);
      return kernel->run(widened, workspace);
    });
  }

private:
  std::unique_ptr<PreparedKernel> kernel;
};

/// Builds one kernel at a time in the whole process. oneDNN's caches do their
/// own locking, but inside a library that the thread sanitizer cannot look
/// into; a kernel is built once per thread, so that waiting costs nothing.
std::unique_ptr<PreparedKernel> prepare(const KernelCall &call) {
  if (widenedBytes(call) > 0)
    return std::make_unique<WidenedKernel>();
  static std::mutex building;
  std::lock_guard<std::mutex> lock(building);
  ElementType type = call.results[0].type;
  PrepareFunction fast = fastKernel(call.id);
  if (fast && type == ElementType::F32 && isSmall(call)) {
    // What oneDNN does not support is left to the reference kernel.
    try {
      if (auto kernel = fast(call))
        return kernel;
    } catch (const dnnl::error &) {
    }
  }
  return std::make_unique<PlainKernel>(referenceKernel(call.id, type));
}

} // namespace

//===----------------------------------------------------------------------===//
// KernelLibrary
//===----------------------------------------------------------------------===//

struct KernelLibrary::State {
  DenseMap<uint64_t, std::unique_ptr<PreparedKernel>> kernels;
  Workspace workspace;
};

KernelLibrary::KernelLibrary() : state(std::make_unique<State>()) {}
KernelLibrary::~KernelLibrary() = default;

Error KernelLibrary::run(uint64_t cacheKey, KernelId id,
                         ArrayRef<uint32_t> words,
                         ArrayRef<TensorView> operands,
                         ArrayRef<TensorView> results,
                         const KernelContext &context) {
  KernelCall call{id, words, operands, results, context};
  useOneThread();
  try {
    std::unique_ptr<PreparedKernel> &kernel = state->kernels[cacheKey];
    if (!kernel)
      kernel = prepare(call);
    return kernel->run(call, state->workspace);
  } catch (const dnnl::error &error) {
    return call.fail(Twine("oneDNN failed: ") + error.what());
  } catch (const std::bad_alloc &) {
    return call.fail("out of memory");
  }
}

} // namespace takt
