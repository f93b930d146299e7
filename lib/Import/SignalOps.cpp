//===- SignalOps.cpp - discrete Fourier transforms ------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include <cmath>

using namespace mlir;
using namespace takt::import;

/// Most elements of a transform's matrix.
static constexpr int64_t kMaxMatrix = int64_t(1) << 24;

namespace {
struct Fourier {
  int64_t axis;
  int64_t inputs;  ///< numbers along the axis that are taken
  int64_t length;  ///< of the transform; behind the inputs are zeros
  int64_t outputs; ///< all of them or, of numbers that are real, one side
  int64_t parts;   ///< of an input: 1 if it is real, else 2
  bool inverse;
};
} // namespace

/// A row for every part of an input, a column for every part of an output: of
/// exp(∓2πi k n / length), for the inverse by length.
static SmallVector<float> fourierMatrix(const Fourier &fourier) {
  SmallVector<float> matrix;
  double scale = fourier.inverse ? 1.0 / fourier.length : 1;
  double sign = fourier.inverse ? 1 : -1;
  for (int64_t n = 0; n < fourier.inputs; ++n)
    for (int64_t part = 0; part < fourier.parts; ++part)
      for (int64_t k = 0; k < fourier.outputs; ++k) {
        // The product is taken modulo the length while it is exact.
        double angle = 2 * M_PI * double(k * n % fourier.length) /
                       static_cast<double>(fourier.length);
        double real = scale * std::cos(angle);
        double imaginary = scale * sign * std::sin(angle);
        matrix.push_back(part == 0 ? real : -imaginary);
        matrix.push_back(part == 0 ? imaginary : real);
      }
  return matrix;
}

/// One product: the axis and the parts of its numbers are a matrix's rows.
static Value transform(Emit &emit, Value x, const Fourier &fourier) {
  int64_t rank = rankOf(x), rows = fourier.inputs * fourier.parts;
  x = emit.slice(x, fourier.axis, 0, fourier.inputs);
  Dims order = axesOf(rank);
  std::swap(order[fourier.axis], order[rank - 2]);
  Value last = emit.transpose(x, order);
  if (!last)
    return nullptr;
  Dims dims(shapeOf(last));
  dims[rank - 2] = fourier.outputs;
  dims[rank - 1] = 2;
  Value matrix =
      emit.floats(fourierMatrix(fourier), {rows, 2 * fourier.outputs}, x);
  Value product = emit.matmul(
      emit.reshape(last, {typeOf(x).getNumElements() / rows, rows}), matrix);
  return emit.transpose(emit.reshape(product, dims), order);
}

/// The last axis has real and imaginary parts.
static LogicalResult convertDft(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("input");
  std::optional<Dims> length = bind.optionalIntegers("dft_length");
  std::optional<Dims> axes;
  if (node.since >= 20)
    axes = bind.optionalIntegers("axis");
  int64_t axis = node.since >= 20 ? -2 : bind.integer("axis", 1);
  bool inverse = bind.flag("inverse", false);
  bool onesided = bind.flag("onesided", false);
  if (failed(bind.finish()))
    return failure();
  int64_t rank = rankOf(x), parts = rank ? shapeOf(x).back() : 0;
  if (rank < 2 || (parts != 1 && parts != 2))
    return node.invalid() << "has an input of " << shapeText(shapeOf(x))
                          << ", expected an axis of 1 or 2 parts behind others";
  if ((length && length->size() != 1) || (axes && axes->size() != 1))
    return node.invalid() << "has more than one axis or length";
  FailureOr<int64_t> at = resolveAxis(node, axes ? axes->front() : axis, rank);
  if (failed(at))
    return failure();
  if (*at == rank - 1)
    return node.invalid() << "transforms the axis of the parts";
  if (onesided && (inverse || parts == 2))
    return node.invalid() << "is one-sided, but not of real numbers forwards";
  int64_t size = shapeOf(x)[*at];
  int64_t count = length ? length->front() : size;
  if (count < 1)
    return node.invalid() << "has length " << count << ", expected at least 1";
  Fourier fourier{*at,   std::min(size, count),
                  count, onesided ? count / 2 + 1 : count,
                  parts, inverse};
  if (count > kMaxMatrix ||
      fourier.inputs * parts > kMaxMatrix / (2 * fourier.outputs))
    return node.unsupported()
           << "transforms " << count << " numbers, for which "
           << "a matrix is too large";
  Emit emit(node);
  return emit.define(transform(emit, x, fourier));
}

void takt::import::addSignalOps(Registry &registry) {
  registry.add("DFT", {17, 20}, convertDft,
               "train.matmul; axis and length known at import");
}
