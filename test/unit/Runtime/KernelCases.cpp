//===- KernelCases.cpp - random kernels and their buffers -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelCases.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <limits>

using namespace llvm;

namespace takt::test {

using Dims = SmallVector<int64_t, 4>;

int64_t pick(Random &random, int64_t least, int64_t most) {
  // Not std::uniform_int_distribution, whose numbers differ by library.
  return least + int64_t(random() % uint64_t(most - least + 1));
}

std::vector<KernelId> allKernels() {
  return {
#define TAKT_KERNEL(Name, mnemonic, code, operands, results, words)            \
  KernelId::Name,
#include "takt/Target/Kernels.def"
  };
}

//===----------------------------------------------------------------------===//
// Random kernels
//===----------------------------------------------------------------------===//

namespace {

uint32_t floatBits(float value) { return llvm::bit_cast<uint32_t>(value); }

Kernel make(KernelId id, ArrayRef<uint32_t> words, ArrayRef<Dims> operands,
            ArrayRef<Dims> results) {
  Kernel kernel;
  kernel.id = id;
  kernel.words.assign(words.begin(), words.end());
  auto tensor = [](const Dims &dims) {
    TensorRef ref;
    ref.dims = dims;
    return ref;
  };
  for (const Dims &dims : operands)
    kernel.operands.push_back(tensor(dims));
  for (const Dims &dims : results)
    kernel.results.push_back(tensor(dims));
  return kernel;
}

Dims randomDims(Random &random, size_t least, size_t most) {
  Dims dims;
  for (int64_t i = pick(random, least, most); i > 0; --i)
    dims.push_back(pick(random, 1, 5));
  return dims;
}

/// Some of the operands of an operation that broadcasts to `dims`.
Dims broadcastOperand(Random &random, const Dims &dims) {
  Dims operand(dims.begin() + pick(random, 0, dims.size()), dims.end());
  for (int64_t &dim : operand)
    dim = pick(random, 0, 2) ? dim : 1;
  return operand;
}

Kernel elementwise(KernelId id, Random &random, size_t operands, size_t results,
                   ArrayRef<uint32_t> words = {}) {
  Dims dims = randomDims(random, 0, 4);
  return make(id, words, SmallVector<Dims>(operands, dims),
              SmallVector<Dims>(results, dims));
}

Kernel broadcasting(KernelId id, Random &random, size_t operands) {
  Dims dims = randomDims(random, 0, 4);
  SmallVector<Dims> shapes = {dims};
  while (shapes.size() < operands)
    shapes.push_back(broadcastOperand(random, dims));
  std::swap(shapes.front(), shapes[pick(random, 0, operands - 1)]);
  return make(id, {}, shapes, dims);
}

/// Any function of enumeration E.
template <typename E> uint32_t pickFunction(Random &random) {
  uint32_t last = 1;
  while (!name(E(last + 1)).empty())
    ++last;
  return pick(random, 1, last);
}

Kernel unary(KernelId id, Random &random) {
  SmallVector<uint32_t> words = {pickFunction<UnaryFunction>(random),
                                 floatBits(0.3f), floatBits(0.8f)};
  return elementwise(id, random, id == KernelId::Unary ? 1 : 2, 1, words);
}

Kernel binary(KernelId id, Random &random) {
  Kernel kernel = broadcasting(KernelId::Binary, random, 2);
  kernel.id = id;
  kernel.words = {pickFunction<BinaryFunction>(random)};
  if (id == KernelId::Binary)
    return kernel;
  kernel.operands.insert(kernel.operands.begin(), kernel.results[0]);
  kernel.words.push_back(pick(random, 0, 1));
  return kernel;
}

/// Words and shapes of a sliding window.
struct RandomWindow {
  /// A pool's windows each hold an element and may hang over the end.
  RandomWindow(Random &random, bool isPool, bool isDilated) {
    for (int64_t n = pick(random, 1, 3), i = 0; i < n; ++i) {
      int64_t k = pick(random, 1, 3), s = pick(random, 1, 3);
      int64_t d = isDilated ? pick(random, 1, 2) : 1;
      int64_t extent = d * (k - 1) + 1;
      int64_t most = isPool ? k / 2 : 2;
      int64_t before = pick(random, 0, most), after = pick(random, 0, most);
      int64_t size = extent + pick(random, 0, 5);
      int64_t last = size + before + after - extent;
      int64_t windows = last / s + 1;
      bool rest = last % s != 0 && windows * s - before < size;
      if (isPool && rest && pick(random, 0, 1))
        ++windows;
      in.push_back(size);
      out.push_back(windows);
      kernel.push_back(k);
      strides.push_back(s);
      begins.push_back(before);
      ends.push_back(after);
      dilations.push_back(d);
    }
  }

  static Dims with(int64_t a, int64_t b, const Dims &spatial) {
    Dims dims = {a, b};
    dims.append(spatial);
    return dims;
  }
  SmallVector<uint32_t> words(ArrayRef<uint32_t> head,
                              ArrayRef<Dims> lists) const {
    SmallVector<uint32_t> words = {uint32_t(in.size())};
    words.append(head.begin(), head.end());
    for (const Dims &list : lists)
      words.append(list.begin(), list.end());
    return words;
  }

  Dims in, out, kernel, strides, begins, ends, dilations;
};

Kernel convolution(KernelId id, Random &random) {
  RandomWindow w(random, false, true);
  uint32_t groups = pick(random, 1, 3);
  int64_t ci = pick(random, 1, 4), co = pick(random, 1, 4),
          n = pick(random, 1, 3);
  bool hasBias = pick(random, 0, 1);
  Dims x = w.with(n, groups * ci, w.in), y = w.with(n, groups * co, w.out);
  Dims weights = w.with(groups * co, ci, w.kernel);
  auto words = w.words(groups, {w.strides, w.begins, w.ends, w.dilations});
  if (id == KernelId::ConvDgrad)
    return make(id, words, {y, weights}, x);
  if (id == KernelId::ConvWgrad)
    return make(id, words, {x, y}, weights);
  if (hasBias)
    return make(id, words, {x, weights, Dims{weights[0]}}, y);
  return make(id, words, {x, weights}, y);
}

Kernel pool(KernelId id, Random &random) {
  bool isMax = id == KernelId::MaxPool || id == KernelId::MaxPoolDgrad;
  RandomWindow w(random, true, true);
  int64_t n = pick(random, 1, 3), c = pick(random, 1, 3);
  Dims x = w.with(n, c, w.in), y = w.with(n, c, w.out);
  Dims lists[] = {w.kernel, w.strides, w.begins, w.ends, w.dilations};
  if (isMax)
    return id == KernelId::MaxPool ? make(id, w.words({}, lists), x, y)
                                   : make(id, w.words({}, lists), {y, x}, x);
  bool isNorm = id == KernelId::LpPool || id == KernelId::LpPoolDgrad;
  uint32_t own = pick(random, 0, 1);
  auto words = w.words(isNorm ? floatBits(own ? 2.0f : 3.5f) : own, lists);
  if (id == KernelId::AveragePoolDgrad)
    return make(id, words, y, x);
  if (id == KernelId::LpPoolDgrad)
    return make(id, words, {y, x, y}, x);
  Kernel kernel = make(id, words, x, y);
  if (id == KernelId::MaxPoolIndices)
    kernel.results[0].type = ElementType::I64;
  return kernel;
}

Kernel globalPool(KernelId id, Random &random) {
  Dims x = randomDims(random, 3, 5), y(x.size(), 1);
  y[0] = x[0];
  y[1] = x[1];
  return id == KernelId::GlobalAveragePool ? make(id, {}, x, y)
                                           : make(id, {}, y, x);
}

Kernel matrixProduct(KernelId id, Random &random) {
  uint32_t ta = pick(random, 0, 1), tb = pick(random, 0, 1);
  int64_t m = pick(random, 1, 9), n = pick(random, 1, 9),
          k = pick(random, 1, 9);
  Dims a = ta ? Dims{k, m} : Dims{m, k}, b = tb ? Dims{n, k} : Dims{k, n};
  if (id == KernelId::Gemm) {
    SmallVector<uint32_t> words = {ta, tb, floatBits(0.5), floatBits(1.5)};
    SmallVector<Dims> operands = {a, b};
    if (pick(random, 0, 1))
      operands.push_back(broadcastOperand(random, {m, n}));
    return make(id, words, operands, Dims{m, n});
  }
  Dims y = randomDims(random, 0, 2);
  Dims batchB = broadcastOperand(random, y);
  a.insert(a.begin(), y.begin(), y.end());
  b.insert(b.begin(), batchB.begin(), batchB.end());
  y.append({m, n});
  return make(id, {ta, tb}, {a, b}, y);
}

Kernel batchNorm(KernelId id, Random &random) {
  Dims x = randomDims(random, 2, 5);
  x[0] += 2; // two elements per channel at least: a variance
  Dims c = {x[1]};
  if (id == KernelId::BatchNorm)
    return make(id, {floatBits(1e-3f), floatBits(0.9f)}, {x, c, c, c, c},
                {x, c, c, c, c});
  if (id == KernelId::BatchNormApply)
    return make(id, {}, {x, c, c, c, c}, x);
  if (id == KernelId::BatchNormDgrad)
    return make(id, {}, {x, x, c, c, c}, x);
  return make(id, {}, {x, x, c, c}, {c, c});
}

Kernel responseNorm(KernelId id, Random &random) {
  Dims x = randomDims(random, 2, 4);
  SmallVector<uint32_t> words = {uint32_t(pick(random, 1, 5)), floatBits(0.3f),
                                 floatBits(0.75f), floatBits(1.5f)};
  return id == KernelId::Lrn ? make(id, words, x, x)
                             : make(id, words, {x, x}, x);
}

Kernel alongAxis(KernelId id, Random &random, size_t operands) {
  Dims x = randomDims(random, 1, 4);
  return make(id, uint32_t(pick(random, 0, x.size() - 1)),
              SmallVector<Dims>(operands, x), x);
}

Kernel movement(KernelId id, Random &random) {
  Dims x = randomDims(random, 1, 4), y = x;
  uint32_t axis = pick(random, 0, x.size() - 1);
  if (id == KernelId::Reshape) {
    std::shuffle(y.begin(), y.end(), random);
    return make(id, {}, x, y);
  }
  if (id == KernelId::Slice) {
    y[axis] = pick(random, 1, x[axis]);
    return make(id, {axis, uint32_t(pick(random, 0, x[axis] - y[axis]))}, x, y);
  }
  if (id == KernelId::Concat) {
    Dims other = x;
    other[axis] = pick(random, 1, 4);
    y[axis] = 2 * x[axis] + other[axis];
    return make(id, axis, {x, other, x}, y);
  }
  SmallVector<uint32_t> words = {uint32_t(x.size())};
  for (uint32_t i = 0; i < x.size(); ++i)
    words.push_back(i);
  std::shuffle(words.begin() + 1, words.end(), random);
  for (size_t i = 0; i < x.size(); ++i)
    y[i] = x[words[1 + i]];
  return make(id, words, x, y);
}

Kernel reduction(KernelId id, Random &random) {
  Dims x = randomDims(random, 0, 4), y;
  SmallVector<uint32_t> words = {0};
  bool keeps = pick(random, 0, 1);
  for (uint32_t axis = 0; axis < x.size(); ++axis) {
    bool isReduced = pick(random, 0, 1);
    if (isReduced)
      words.push_back(axis);
    if (!isReduced || keeps)
      y.push_back(isReduced ? 1 : x[axis]);
  }
  words[0] = words.size() - 1;
  return id == KernelId::ReduceMaxDgrad ? make(id, words, {y, x}, x)
                                        : make(id, words, x, y);
}

Kernel padding(KernelId id, Random &random) {
  uint32_t mode = pickFunction<PadMode>(random);
  Dims x = randomDims(random, 0, 4), y = x;
  SmallVector<uint32_t> words = {uint32_t(x.size()), mode};
  if (id == KernelId::Pad)
    words.push_back(floatBits(0.5f));
  for (int list = 0; list < 2; ++list)
    for (size_t axis = 0; axis < x.size(); ++axis) {
      bool mirrors = PadMode(mode) == PadMode::Reflect;
      int64_t pad = pick(random, 0, mirrors ? x[axis] - 1 : 3);
      words.push_back(pad);
      y[axis] += pad;
    }
  return id == KernelId::Pad ? make(id, words, x, y) : make(id, words, y, x);
}

ElementType pickType(Random &random, ArrayRef<ElementType> types) {
  return types[pick(random, 0, int64_t(types.size()) - 1)];
}

constexpr ElementType kAllTypes[] = {ElementType::F32, ElementType::I32,
                                     ElementType::I64, ElementType::I1};

Kernel cast(Random &random) {
  Kernel kernel = elementwise(KernelId::Cast, random, 1, 1);
  kernel.operands[0].type = pickType(random, kAllTypes);
  kernel.results[0].type = pickType(random, kAllTypes);
  return kernel;
}

Kernel comparison(Random &random) {
  Kernel kernel = broadcasting(KernelId::Compare, random, 2);
  kernel.words = {pickFunction<CompareFunction>(random)};
  kernel.operands[0].type = kernel.operands[1].type =
      pickType(random, kAllTypes);
  kernel.results[0].type = ElementType::I1;
  return kernel;
}

Kernel choice(KernelId id, Random &random) {
  bool isDgrad = id == KernelId::WhereDgrad;
  Kernel kernel = broadcasting(id, random, isDgrad ? 2 : 3);
  if (isDgrad) {
    kernel.words = {uint32_t(pick(random, 1, 2))};
    kernel.operands[0].dims = kernel.results[0].dims;
    kernel.operands[1].type = ElementType::I1;
    return kernel;
  }
  kernel.operands[0].type = ElementType::I1;
  ElementType type = pickType(random, kAllTypes);
  kernel.operands[1].type = kernel.operands[2].type = kernel.results[0].type =
      type;
  return kernel;
}

/// Indices along axes of at least two elements.
Kernel indexing(KernelId id, Random &random) {
  Dims x = randomDims(random, 1, 4);
  uint32_t axis = pick(random, 0, x.size() - 1);
  x[axis] += 1;
  bool ofAxis = id == KernelId::Gather || id == KernelId::GatherDgrad;
  Dims indices = ofAxis ? randomDims(random, 0, 2) : x;
  Dims y = indices;
  if (ofAxis) {
    y.assign(x.begin(), x.begin() + axis);
    y.append(indices);
    y.append(x.begin() + axis + 1, x.end());
  } else {
    indices[axis] = y[axis] = pick(random, 1, 4);
  }
  bool isDgrad =
      id == KernelId::GatherDgrad || id == KernelId::GatherElementsDgrad;
  Kernel kernel = isDgrad ? make(id, axis, {y, indices}, x)
                          : make(id, axis, {x, indices}, y);
  if (id == KernelId::ScatterElements)
    kernel = make(id, {pickFunction<ScatterMode>(random), axis},
                  {x, indices, indices}, x);
  kernel.operands[1].type = ElementType::I64;
  return kernel;
}

Kernel ordering(KernelId id, Random &random) {
  Kernel kernel = alongAxis(id, random, 1);
  uint32_t axis = kernel.words[0];
  kernel.words.push_back(pick(random, 0, 1));
  if (id == KernelId::CumSum) {
    kernel.words.push_back(pick(random, 0, 1));
    return kernel;
  }
  TensorRef &y = kernel.results[0];
  y.dims[axis] = id == KernelId::ArgMax ? 1 : pick(random, 1, y.dims[axis]);
  if (id == KernelId::TopK)
    kernel.results.push_back(y);
  kernel.results.back().type = ElementType::I64;
  return kernel;
}

Kernel normalization(KernelId id, Random &random) {
  Dims x = randomDims(random, 1, 4);
  x.back() += 2; // a variance
  uint32_t axis = pick(random, 0, x.size() - 1);
  Dims invStd(x.begin(), x.begin() + axis);
  if (id == KernelId::Normalize)
    return make(id, {axis, floatBits(1e-2f)}, x, {x, invStd});
  return make(id, axis, {x, x, invStd}, x);
}

Kernel optimizer(KernelId id, Random &random) {
  uint32_t flag = pick(random, 0, 1);
  uint32_t rate = floatBits(pick(random, 0, 1) ? 1.0f : 0.5f);
  uint32_t limit = floatBits(pick(random, 0, 1) ? 0.0f : 0.5f);
  if (id == KernelId::Sgd)
    return elementwise(id, random, 2, 1, {floatBits(0.01f), rate, limit});
  if (id == KernelId::Momentum)
    return elementwise(id, random, 3, 2,
                       {floatBits(0.9f), flag, floatBits(0.01f), rate, limit});
  return elementwise(id, random, 4, 3,
                     {floatBits(0.9f), floatBits(0.99f), floatBits(1e-3f),
                      floatBits(0.01f), flag, rate, limit});
}

Kernel loss(KernelId id, Random &random) {
  if (id == KernelId::MeanSquaredError) {
    Dims x = randomDims(random, 0, 3);
    return make(id, {}, {x, x}, {Dims{}, x});
  }
  Dims x = randomDims(random, 2, 4), labels = x;
  uint32_t axis = pick(random, 1, x.size() - 1);
  labels.erase(labels.begin() + axis);
  Kernel kernel = make(id, axis, {x, labels}, {Dims{}, x});
  kernel.operands[1].type = ElementType::I64;
  return kernel;
}

} // namespace

Kernel randomKernel(KernelId id, Random &random) {
  switch (id) {
  case KernelId::Conv:
  case KernelId::ConvDgrad:
  case KernelId::ConvWgrad:
    return convolution(id, random);
  case KernelId::MaxPool:
  case KernelId::MaxPoolDgrad:
  case KernelId::AveragePool:
  case KernelId::AveragePoolDgrad:
  case KernelId::MaxPoolIndices:
  case KernelId::LpPool:
  case KernelId::LpPoolDgrad:
    return pool(id, random);
  case KernelId::GlobalAveragePool:
  case KernelId::GlobalAveragePoolDgrad:
    return globalPool(id, random);
  case KernelId::Gemm:
  case KernelId::MatMul:
    return matrixProduct(id, random);
  case KernelId::BatchNorm:
  case KernelId::BatchNormApply:
  case KernelId::BatchNormDgrad:
  case KernelId::BatchNormWgrad:
    return batchNorm(id, random);
  case KernelId::Lrn:
  case KernelId::LrnDgrad:
    return responseNorm(id, random);
  case KernelId::Softmax:
  case KernelId::LogSoftmax:
    return alongAxis(id, random, 1);
  case KernelId::SoftmaxDgrad:
  case KernelId::LogSoftmaxDgrad:
    return alongAxis(id, random, 2);
  case KernelId::Add:
  case KernelId::Mul:
    return broadcasting(id, random, 2);
  case KernelId::Sum:
    return broadcasting(id, random, 3);
  case KernelId::Unary:
  case KernelId::UnaryDgrad:
    return unary(id, random);
  case KernelId::Binary:
  case KernelId::BinaryDgrad:
    return binary(id, random);
  case KernelId::Concat:
  case KernelId::Reshape:
  case KernelId::Slice:
  case KernelId::Transpose:
    return movement(id, random);
  case KernelId::ReduceSum:
  case KernelId::ReduceMax:
  case KernelId::ReduceMaxDgrad:
    return reduction(id, random);
  case KernelId::Expand: {
    Kernel kernel = broadcasting(id, random, 2);
    kernel.operands.pop_back();
    return kernel;
  }
  case KernelId::Pad:
  case KernelId::PadDgrad:
    return padding(id, random);
  case KernelId::Cast:
    return cast(random);
  case KernelId::Compare:
    return comparison(random);
  case KernelId::Where:
  case KernelId::WhereDgrad:
    return choice(id, random);
  case KernelId::Gather:
  case KernelId::GatherDgrad:
  case KernelId::GatherElements:
  case KernelId::GatherElementsDgrad:
  case KernelId::ScatterElements:
    return indexing(id, random);
  case KernelId::ArgMax:
  case KernelId::TopK:
  case KernelId::CumSum:
    return ordering(id, random);
  case KernelId::Normalize:
  case KernelId::NormalizeDgrad:
    return normalization(id, random);
  case KernelId::Sgd:
  case KernelId::Momentum:
  case KernelId::Adam:
    return optimizer(id, random);
  case KernelId::Fade:
  case KernelId::Reconstruct:
    // In the first minibatch, one that keeps what it finds and one that does
    // not.
    return elementwise(id, random, 2, 1,
                       {uint32_t(pick(random, 0, 1)), floatBits(0.6f)});
  case KernelId::SumSquares:
    return make(id, {}, randomDims(random, 0, 4), Dims{});
  case KernelId::ClipFactor:
    return make(id, {}, {Dims{}, Dims{}, Dims{}}, Dims{});
  case KernelId::SoftmaxCrossEntropy:
  case KernelId::MeanSquaredError:
    return loss(id, random);
  case KernelId::LeakyRelu:
    return elementwise(id, random, 1, 1, floatBits(0.2f));
  case KernelId::LeakyReluDgrad:
    return elementwise(id, random, 2, 1, floatBits(0.2f));
  case KernelId::Scale:
    return elementwise(id, random, 1, 1, floatBits(-1.25f));
  case KernelId::ScaleGradient:
    return elementwise(id, random, 1, 1, {uint32_t(pick(random, 0, 1))});
  case KernelId::RandomUniform:
  case KernelId::RandomNormal:
    return make(id, {floatBits(0.5f), floatBits(2), 77}, {},
                randomDims(random, 0, 4));
  case KernelId::Dropout:
    return elementwise(id, random, 1, 1, {floatBits(0.4f), 77});
  case KernelId::Relu:
  case KernelId::Sigmoid:
  case KernelId::Tanh:
    return elementwise(id, random, 1, 1);
  case KernelId::ReluDgrad:
  case KernelId::SigmoidDgrad:
  case KernelId::TanhDgrad:
    return elementwise(id, random, 2, 1);
  }
  return {};
}

Kernel withFloats(Kernel kernel, ElementType type) {
  auto change = [&](TensorRef &tensor) {
    if (tensor.type == ElementType::F32)
      tensor.type = type;
  };
  for (TensorRef &tensor : kernel.operands)
    change(tensor);
  for (TensorRef &tensor : kernel.results)
    change(tensor);
  return kernel;
}

Kernel asDouble(Kernel kernel) {
  return withFloats(std::move(kernel), ElementType::F64);
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

Buffer::Buffer(ElementType type, ArrayRef<int64_t> dims)
    : type(type), dims(dims) {
  void *memory = nullptr;
  int64_t bytes = TensorView{type, dims, nullptr}.bytes();
  if (posix_memalign(&memory, 64, bytes) != 0)
    throw std::bad_alloc();
  data.reset(memory);
}

double Buffer::get(int64_t i) const {
  return visitElement(type, [&](auto zero) {
    return static_cast<double>(static_cast<decltype(zero) *>(data.get())[i]);
  });
}

void Buffer::set(int64_t i, double value) {
  visitElement(type, [&](auto zero) {
    using Element = decltype(zero);
    auto &element = static_cast<Element *>(data.get())[i];
    if constexpr (isFloat16<Element>)
      element = Element(roundToOdd(value));
    else
      element = static_cast<Element>(value);
  });
}

Bench::Bench(const Kernel &kernel, Random random) : kernel(kernel) {
  context.minibatch = 3;
  context.scalars = scalars;
  for (const TensorRef &tensor : kernel.operands)
    operands.emplace_back(tensor.type, tensor.dims);
  for (size_t i = 0; i < operands.size(); ++i)
    fillOperand(i, random);
  for (const TensorRef &tensor : kernel.results) {
    results.emplace_back(tensor.type, tensor.dims);
    for (int64_t k = 0; k < results.back().elements(); ++k)
      results.back().set(k, isFloatType(tensor.type) ? std::nan("") : 1);
  }
}

/// |value|, brought to where a function of one number is defined.
static float intoDomain(const Kernel &kernel, float value) {
  bool isUnary =
      kernel.id == KernelId::Unary || kernel.id == KernelId::UnaryDgrad;
  auto function = isUnary ? UnaryFunction(kernel.words[0]) : UnaryFunction::Abs;
  switch (function) {
  case UnaryFunction::Asin:
  case UnaryFunction::Acos:
  case UnaryFunction::Atanh:
  case UnaryFunction::Tan:
    return std::fmod(std::fabs(value), 0.9f);
  case UnaryFunction::Acosh:
    return 1.1f + std::fabs(value);
  default:
    return std::fabs(value);
  }
}

/// The integers that operand `i` may have.
static std::pair<int64_t, int64_t> integerRange(const Kernel &kernel,
                                                size_t i) {
  auto alongAxis = [&](const TensorRef &x, size_t axisWord) {
    int64_t size = x.dims[kernel.words[axisWord]];
    return std::pair(-size, size - 1);
  };
  switch (kernel.id) {
  case KernelId::SoftmaxCrossEntropy:
    return {0, kernel.operands[0].dims[kernel.words[0]] - 1};
  case KernelId::Gather:
  case KernelId::GatherElements:
    return i == 1 ? alongAxis(kernel.operands[0], 0)
                  : std::pair<int64_t, int64_t>(0, 1);
  case KernelId::GatherDgrad:
  case KernelId::GatherElementsDgrad:
    return alongAxis(kernel.results[0], 0);
  case KernelId::ScatterElements:
    return i == 1 ? alongAxis(kernel.operands[0], 1)
                  : std::pair<int64_t, int64_t>(0, 1);
  default:
    return {0, 1};
  }
}

void Bench::fillOperand(size_t i, Random &random) {
  KernelId id = kernel.id;
  bool isPositive = (id == KernelId::Adam && i == 3) || id == KernelId::Unary ||
                    id == KernelId::Binary || id == KernelId::ClipFactor ||
                    (id == KernelId::NormalizeDgrad && i == 2) ||
                    (id == KernelId::UnaryDgrad && i == 1) ||
                    (id == KernelId::BinaryDgrad && i >= 1) ||
                    (id == KernelId::BatchNorm && i == 4) ||
                    (id == KernelId::BatchNormDgrad && i == 4) ||
                    (id == KernelId::BatchNormWgrad && i == 3);
  std::normal_distribution<float> normal;
  TensorRef &tensor = kernel.operands[i];
  for (int64_t k = 0; k < operands[i].elements(); ++k)
    if (isFloatType(tensor.type)) {
      float value = normal(random);
      operands[i].set(k, isPositive ? intoDomain(kernel, value) : value);
    } else {
      auto [least, most] = integerRange(kernel, i);
      operands[i].set(k, pick(random, least, most));
    }
}

std::vector<TensorView> Bench::views(const std::vector<Buffer> &buffers) const {
  std::vector<TensorView> views;
  for (const Buffer &buffer : buffers)
    views.push_back(buffer.view());
  return views;
}

Error Bench::runReference() {
  return runReferenceKernel(kernel.id, kernel.words, views(operands),
                            views(results), context);
}

Error Bench::runFast(KernelLibrary &library, uint64_t key) {
  return library.run(key, kernel.id, kernel.words, views(operands),
                     views(results), context);
}

std::vector<double> Bench::resultValues() const {
  std::vector<double> values;
  for (const Buffer &result : results)
    for (int64_t i = 0; i < result.elements(); ++i)
      values.push_back(result.get(i));
  return values;
}

} // namespace takt::test
