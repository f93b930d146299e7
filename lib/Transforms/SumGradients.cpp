//===- SumGradients.cpp - what several uses contribute --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SumGradients.h"
#include "takt/Dialect/Train/Train.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace takt;

namespace {
/// A product of two matrices without an addend, whatever operation it is.
struct MatrixProduct {
  static std::optional<MatrixProduct> of(mlir::Value value) {
    if (auto op = value.getDefiningOp<train::GemmOp>(); op && !op.getC())
      return MatrixProduct{op.getA(), op.getB(), op.getTransA(), op.getTransB(),
                           op.getAlpha()};
    auto op = value.getDefiningOp<train::MatMulOp>();
    if (!op || op.getA().getType().getRank() != 2 ||
        op.getB().getType().getRank() != 2)
      return std::nullopt;
    return MatrixProduct{op.getA(), op.getB(), op.getTransA(), op.getTransB(),
                         1.0f};
  }
  bool isLike(const MatrixProduct &o) const {
    return transA == o.transA && transB == o.transB && alpha == o.alpha;
  }

  mlir::Value a, b;
  bool transA, transB;
  float alpha;
};
} // namespace

/// Nothing is built for a single part.
static mlir::Value concat(OpBuilder &builder, Location loc,
                          ArrayRef<mlir::Value> parts, int64_t axis) {
  if (parts.size() == 1)
    return parts.front();
  auto type = cast<RankedTensorType>(parts.front().getType());
  SmallVector<int64_t> dims(type.getShape());
  dims[axis] = 0;
  for (mlir::Value part : parts)
    dims[axis] += cast<RankedTensorType>(part.getType()).getDimSize(axis);
  return train::ConcatOp::create(builder, loc, type.clone(dims), parts, axis);
}

/// The sum of products as one product of what is multiplied, one behind the
/// other: that of a matrix that one node uses step by step. Null if they are
/// not such products.
static mlir::Value sumOfProducts(OpBuilder &builder, Location loc,
                                 ArrayRef<mlir::Value> parts) {
  SmallVector<mlir::Value> a, b;
  std::optional<MatrixProduct> first = MatrixProduct::of(parts.front());
  // The ONNX node: operations that it became have tags of their own.
  Location node = parts.front().getLoc();
  if (!isa<NameLoc>(node))
    return {};
  for (mlir::Value part : parts) {
    std::optional<MatrixProduct> product = MatrixProduct::of(part);
    if (!product || !product->isLike(*first) || part.getLoc() != node)
      return {};
    a.push_back(product->a);
    b.push_back(product->b);
  }
  mlir::Value allA = concat(builder, loc, a, first->transA ? 0 : 1);
  mlir::Value allB = concat(builder, loc, b, first->transB ? 1 : 0);
  return train::GemmOp::create(builder, loc, parts.front().getType(), allA,
                               allB, /*c=*/mlir::Value(), first->transA,
                               first->transB, first->alpha);
}

namespace {
/// The gradient of a slice: zeros before and behind it along one axis.
struct PaddedSlice {
  static std::optional<PaddedSlice> of(mlir::Value value) {
    auto pad = value.getDefiningOp<train::PadOp>();
    if (!pad || pad.getMode() != PadMode::Constant || pad.getValue() != 0.0f)
      return std::nullopt;
    std::optional<PaddedSlice> slice;
    for (auto [axis, before, behind] :
         llvm::enumerate(pad.getBegins(), pad.getEnds())) {
      if (before == 0 && behind == 0)
        continue;
      if (slice || before < 0 || behind < 0)
        return std::nullopt;
      int64_t extent = pad.getType().getDimSize(axis);
      slice = {value, pad.getX(), static_cast<int64_t>(axis), before,
               extent - behind};
    }
    return slice;
  }

  mlir::Value padded, x;
  int64_t axis, begin, end;
};
} // namespace

/// x with so many zeros before and behind it.
static mlir::Value pad(OpBuilder &builder, Location loc, mlir::Value x,
                       int64_t axis, int64_t before, int64_t behind) {
  if (before == 0 && behind == 0)
    return x;
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<int64_t> begins(type.getRank(), 0), ends(type.getRank(), 0);
  SmallVector<int64_t> dims(type.getShape());
  begins[axis] = before;
  ends[axis] = behind;
  dims[axis] += before + behind;
  return train::PadOp::create(builder, loc, type.clone(dims), PadMode::Constant,
                              x, begins, ends, 0.0f);
}

/// The slices of one axis that do not overlap, by their begins; none if some
/// do.
static SmallVector<PaddedSlice> disjointSlices(ArrayRef<mlir::Value> parts) {
  SmallVector<PaddedSlice> slices;
  for (mlir::Value part : parts)
    if (std::optional<PaddedSlice> slice = PaddedSlice::of(part);
        slice && (slices.empty() || slices.front().axis == slice->axis))
      slices.push_back(*slice);
  llvm::sort(slices, [](const PaddedSlice &a, const PaddedSlice &b) {
    return a.begin < b.begin;
  });
  for (size_t i = 1; i < slices.size(); ++i)
    if (slices[i].begin < slices[i - 1].end)
      return {};
  return slices;
}

/// The gradients of slices side by side, with zeros where nothing was taken,
/// in the place of the first of them; the other parts as they are. As many
/// sums of mostly zeros would take time and memory with the square of their
/// number.
static SmallVector<mlir::Value> joinSlices(OpBuilder &builder, Location loc,
                                           ArrayRef<mlir::Value> parts) {
  SmallVector<PaddedSlice> slices = disjointSlices(parts);
  if (slices.size() < 2)
    return SmallVector<mlir::Value>(parts);
  auto type = cast<RankedTensorType>(parts.front().getType());
  int64_t axis = slices.front().axis, last = slices.size() - 1;
  SmallVector<mlir::Value> joined;
  for (auto [index, slice] : llvm::enumerate(slices)) {
    int64_t next = static_cast<int64_t>(index) == last
                       ? type.getDimSize(axis)
                       : slices[index + 1].begin;
    joined.push_back(pad(builder, loc, slice.x, axis,
                         index == 0 ? slice.begin : 0, next - slice.end));
  }
  SmallVector<mlir::Value> result = {concat(builder, loc, joined, axis)};
  for (mlir::Value part : parts)
    if (llvm::none_of(slices, [&](const PaddedSlice &slice) {
          return slice.padded == part;
        }))
      result.push_back(part);
  return result;
}

mlir::Value takt::sumGradients(OpBuilder &builder, Location loc,
                               ArrayRef<mlir::Value> parts, TaskKind kind) {
  if (parts.size() == 1)
    return parts.front();
  if (kind == TaskKind::Wgrad)
    if (mlir::Value product = sumOfProducts(builder, loc, parts))
      return product;
  SmallVector<mlir::Value> terms = joinSlices(builder, loc, parts);
  return terms.size() == 1 ? terms.front()
                           : train::SumOp::create(
                                 builder, loc, parts.front().getType(), terms)
                                 .getResult();
}
