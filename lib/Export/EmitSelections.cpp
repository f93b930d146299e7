//===- EmitSelections.cpp - indices and order as ONNX nodes ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emission.h"
#include "Indices.h"
#include <numeric>

using namespace mlir;
using namespace takt;

static int64_t product(ArrayRef<int64_t> dims) {
  return std::accumulate(dims.begin(), dims.end(), int64_t(1),
                         std::multiplies<int64_t>());
}

/// With the axes of the indices in front and all others behind, rows of dy are
/// added to rows of the gradient.
Term takt::gatherGradient(const Term &dy, ArrayRef<int64_t> dims,
                          const Term &indices, int64_t indexRank, int64_t axis,
                          int64_t size) {
  ArrayRef<int64_t> before = dims.take_front(axis),
                    index = dims.slice(axis, indexRank),
                    behind = dims.drop_front(axis + indexRank);
  Dims order(dims.size());
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin(), order.begin() + axis,
              order.begin() + axis + indexRank);
  int64_t rows = product(index), columns = product(before) * product(behind);
  Term sums =
      dy.filled(0, {size, columns})
          .scatterAdd(indices.reshape({rows, 1}).expand({rows, columns}),
                      dy.transpose(order).reshape({rows, columns}),
                      /*axis=*/0);
  Dims apart = {size}, back;
  apart.append(before.begin(), before.end());
  apart.append(behind.begin(), behind.end());
  for (int64_t i = 0; i < axis; ++i)
    back.push_back(i + 1);
  back.push_back(0);
  for (int64_t i = axis + 1; i < int64_t(apart.size()); ++i)
    back.push_back(i);
  return sums.reshape(apart).transpose(back);
}

static Term emitGather(Emission &emission, train::GatherOp op) {
  return emission.of(op.getX()).node(
      "Gather", {emission.of(op.getIndices())},
      NodeAttribute("axis", int64_t(op.getAxis())));
}

static Term emitGatherDgrad(Emission &emission, train::GatherDgradOp op) {
  auto axis = static_cast<int64_t>(op.getAxis());
  return gatherGradient(
      emission.of(op.getDy()), dimsOf(op.getDy()), emission.of(op.getIndices()),
      dimsOf(op.getIndices()).size(), axis, dimsOf(op.getDx())[axis]);
}

static Term emitGatherElements(Emission &emission, train::GatherElementsOp op) {
  return emission.of(op.getX()).node(
      "GatherElements", {emission.of(op.getIndices())},
      NodeAttribute("axis", int64_t(op.getAxis())));
}

static Term emitGatherElementsDgrad(Emission &emission,
                                    train::GatherElementsDgradOp op) {
  Term dy = emission.of(op.getDy());
  return dy.filled(0, dimsOf(op.getDx()))
      .scatterAdd(emission.of(op.getIndices()), dy, op.getAxis());
}

static FailureOr<Term> emitScatterElements(Emission &emission,
                                           train::ScatterElementsOp op) {
  StringRef reduction;
  switch (op.getMode()) {
  case ScatterMode::Replace:
    reduction = "none";
    break;
  case ScatterMode::Add:
    reduction = "add";
    break;
  case ScatterMode::Mul:
    reduction = "mul";
    break;
  case ScatterMode::Max:
  case ScatterMode::Min:
    return op.emitError("unsupported: ONNX has no scatter of mode '")
           << name(op.getMode()) << "' before opset 18";
  }
  return emission.of(op.getX()).node(
      "ScatterElements",
      {emission.of(op.getIndices()), emission.of(op.getUpdates())},
      {NodeAttribute("axis", int64_t(op.getAxis())),
       NodeAttribute("reduction", reduction)});
}

static Term emitArgMax(Emission &emission, train::ArgMaxOp op) {
  bool keeps = dimsOf(op.getX()).size() == dimsOf(op.getY()).size();
  return emission.of(op.getX()).node(
      "ArgMax", {},
      {NodeAttribute("axis", int64_t(op.getAxis())),
       NodeAttribute("keepdims", int64_t(keeps)),
       NodeAttribute("select_last_index", int64_t(op.getLast()))},
      ElementType::I64);
}

static Term emitTopK(Emission &emission, train::TopKOp op) {
  auto axis = static_cast<int64_t>(op.getAxis());
  Term x = emission.of(op.getX());
  auto [y, indices] =
      x.nodeOfTwo("TopK", {x.integers(dimsOf(op.getY())[axis])},
                  {NodeAttribute("axis", axis),
                   NodeAttribute("largest", int64_t(op.getLargest())),
                   NodeAttribute("sorted", int64_t(1))},
                  ElementType::I64);
  emission.define(op.getIndices(), indices);
  return y;
}

static Term emitCumSum(Emission &emission, train::CumSumOp op) {
  Term x = emission.of(op.getX());
  return x.node("CumSum", {x.integers(int64_t(op.getAxis())).reshape({})},
                {NodeAttribute("exclusive", int64_t(op.getExclusive())),
                 NodeAttribute("reverse", int64_t(op.getReverse()))});
}

void takt::addSelectionEmitters(EmitterTable &table) {
  table.add<train::GatherOp, emitGather>();
  table.add<train::GatherDgradOp, emitGatherDgrad>();
  table.add<train::GatherElementsOp, emitGatherElements>();
  table.add<train::GatherElementsDgradOp, emitGatherElementsDgrad>();
  table.addPartial<train::ScatterElementsOp, emitScatterElements>();
  table.add<train::ArgMaxOp, emitArgMax>();
  table.add<train::TopKOp, emitTopK>();
  table.add<train::CumSumOp, emitCumSum>();
}
