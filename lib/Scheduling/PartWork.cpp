//===- PartWork.cpp - what the parts of a cut task do and read ------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cuts.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;
using llvm::SmallVector;

//===----------------------------------------------------------------------===//
// Shares
//===----------------------------------------------------------------------===//

int64_t takt::cutExtent(const Task &task, CutAxis axis) {
  for (const CutOption &option : task.cuts)
    if (option.axis == axis)
      return option.extent;
  return 0;
}

bool takt::dividesAll(const Task &task, CutAxis axis) {
  return task.rowwise && axis == sampleAxis(task.kind);
}

static bool slicesFirst(CutAxis axis) { return axis != CutAxis::Channel; }
static bool slicesSecond(CutAxis axis) { return axis != CutAxis::Batch; }
bool takt::addsParts(CutAxis axis) { return axis == CutAxis::Reduction; }

bool takt::isSliced(ValueClass value, const Task &task, CutAxis axis) {
  // The product of a W has no weights, but what it makes again may.
  if (task.kind == TaskKind::Wgrad && value == ValueClass::Weight)
    return false;
  bool isSecond = task.kind == TaskKind::Wgrad
                      ? (value == ValueClass::Gradient) != task.gradientFirst
                      : value == ValueClass::Weight;
  return isSecond ? slicesSecond(axis) : slicesFirst(axis);
}

int64_t takt::partBegin(const Cut &cut, int part) {
  return part == 0 ? 0 : cut.at[part - 1];
}

int64_t takt::partEnd(int64_t extent, const Cut &cut, int part) {
  return part + 1 == cut.parts() ? extent : cut.at[part];
}

int64_t takt::proportion(int64_t total, int64_t n, int64_t extent) {
  return total / extent * n + total % extent * n / extent;
}

int64_t takt::share(int64_t total, int64_t extent, const Cut &cut, int part) {
  return proportion(total, partEnd(extent, cut, part) - partBegin(cut, part),
                    extent);
}

int64_t &takt::dimensionAlong(Gemm &product, CutAxis axis) {
  return axis == CutAxis::Channel ? product.n
         : axis == CutAxis::Batch ? product.m
                                  : product.k;
}

static Gemm partGemm(Gemm result, CutAxis axis, int64_t extent, const Cut &cut,
                     int part) {
  int64_t &dimension = dimensionAlong(result, axis);
  // The channels of a grouped convolution are cut between groups.
  int64_t &scaled = dimension % extent == 0 ? dimension : result.count;
  scaled = share(scaled, extent, cut, part);
  return result;
}

namespace {
/// Bytes that the product reads: of a D the gradient, the weights, nothing
/// else; the bias of an F is else.
struct OperandBytes {
  int64_t first, second, others;
};
} // namespace

static OperandBytes operandBytes(const Work &product) {
  const Gemm &g = product.gemm;
  int64_t size =
      Gemm{elementBytes(product.type), g.n, g.k, g.count}.macs().value_or(
          product.bytesIn);
  int64_t second = std::min(product.bytesIn, size);
  int64_t first = product.bytesIn - second;
  if (product.kind != TaskKind::Wgrad && product.rowBytesIn > 0)
    first = std::min(first, product.rowBytesIn);
  return {first, second, product.bytesIn - first - second};
}

Work takt::copyWork(TaskKind kind, ElementType type, int64_t in, int64_t out) {
  Work work;
  work.kind = kind;
  work.type = type;
  work.elementwise = out / std::max<int64_t>(1, elementBytes(work.type));
  work.bytesIn = in;
  work.bytesOut = out;
  return work;
}

int64_t takt::partBytes(const Task &task, const Cut &cut, int part) {
  int64_t bytes = task.work[0].bytesOut;
  return addsParts(cut.axis)
             ? bytes
             : share(bytes, cutExtent(task, cut.axis), cut, part);
}

/// A share of the samples of everything.
static SmallVector<Work, 2> rowWork(const Task &task, const Cut &cut,
                                    int part) {
  int64_t extent = cutExtent(task, cut.axis);
  bool adds = addsParts(cut.axis);
  SmallVector<Work, 2> result;
  for (auto [index, whole] : llvm::enumerate(task.work)) {
    Work work = whole;
    // What is made again has samples along the axis of forward tasks.
    CutAxis axis = whole.recomputed ? sampleAxis(whole.kind) : cut.axis;
    if (whole.gemm.count > 0)
      work.gemm = partGemm(whole.gemm, axis, extent, cut, part);
    int64_t rows = whole.rowBytesIn;
    if (index == 0 && rows == 0)
      rows = adds ? whole.bytesIn : operandBytes(whole).first;
    work.bytesIn += share(rows, extent, cut, part) - rows;
    work.rowBytesIn = 0;
    work.elementwise = share(whole.elementwise, extent, cut, part);
    if (!addsParts(axis))
      work.bytesOut = share(whole.bytesOut, extent, cut, part);
    result.push_back(work);
  }
  return result;
}

SmallVector<Work, 2> takt::partWork(const Task &task, const Cut &cut,
                                    int part) {
  if (dividesAll(task, cut.axis))
    return rowWork(task, cut, part);
  int64_t extent = cutExtent(task, cut.axis);
  Work product = task.work[0];
  auto [first, second, others] = operandBytes(product);
  SmallVector<Work, 2> slices;
  auto slice = [&](int64_t &bytes) {
    int64_t whole = bytes;
    bytes = share(whole, extent, cut, part);
    if (!cut.slicesAtProducer(part))
      slices.push_back(copyWork(task.kind, product.type, whole, bytes));
  };
  if (slicesFirst(cut.axis))
    slice(first);
  if (slicesSecond(cut.axis)) {
    slice(second);
    if (others > 0)
      slice(others);
  }
  product.gemm = partGemm(product.gemm, cut.axis, extent, cut, part);
  product.bytesIn = first + second + others;
  product.rowBytesIn = 0;
  product.bytesOut = partBytes(task, cut, part);
  if (!addsParts(cut.axis))
    product.elementwise = share(product.elementwise, extent, cut, part);
  SmallVector<Work, 2> work{product};
  work.append(slices.begin(), slices.end());
  return work;
}

SmallVector<Work, 2> takt::joinWork(const Task &task, const Cut &cut) {
  int64_t bytes = 0;
  for (int part = 0; part < cut.parts(); ++part)
    bytes += partBytes(task, cut, part);
  const Work &product = task.work[0];
  SmallVector<Work, 2> work{
      copyWork(task.kind, product.type, bytes, product.bytesOut)};
  if (!dividesAll(task, cut.axis))
    llvm::append_range(work, llvm::drop_begin(task.work));
  return work;
}

//===----------------------------------------------------------------------===//
// Who reads what
//===----------------------------------------------------------------------===//

static bool isReadByWgrad(const TaskGraph &graph, const Value &value,
                          int layer) {
  return llvm::any_of(value.uses, [&](const Use &use) {
    const Task &task = graph.tasks[use.task];
    return task.kind == TaskKind::Wgrad && task.layer == layer;
  });
}

/// Without a W to tell, the gradient that is made last.
static bool isLatestGradient(const TaskGraph &graph, const Value &value,
                             int reader) {
  int layer = graph.tasks[reader].layer;
  return llvm::none_of(graph.values, [&](const Value &other) {
    return other.kind == ValueClass::Gradient &&
           llvm::any_of(other.uses,
                        [&](const Use &use) { return use.task == reader; }) &&
           (other.producer > value.producer ||
            isReadByWgrad(graph, other, layer));
  });
}

Reader takt::readerOf(const TaskGraph &graph, const Value &value,
                      const Use &use) {
  if (use.reader != Reader::Unknown)
    return use.reader;
  const Task &task = graph.tasks[use.task];
  if (task.kind == TaskKind::Wgrad)
    return Reader::Both;
  if (value.kind == ValueClass::Weight && use.delayed)
    return value.bytes == operandBytes(task.work[0]).second ? Reader::Product
                                                            : Reader::Fused;
  if (task.kind == TaskKind::Forward)
    return Reader::Product;
  if (value.kind == ValueClass::Gradient && use.distance == 0)
    return isReadByWgrad(graph, value, task.layer) ||
                   isLatestGradient(graph, value, use.task)
               ? Reader::Product
               : Reader::Fused;
  return Reader::Fused;
}
