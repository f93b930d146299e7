//===- ReplicaParameters.cpp - parameters of replicated layers ------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReplicaParameters.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace takt;

RankedTensorType takt::withRows(Type type, int64_t rows) {
  auto tensor = cast<RankedTensorType>(type);
  SmallVector<int64_t> dims(tensor.getShape());
  if (!dims.empty())
    dims[0] = rows;
  return tensor.clone(dims);
}

/// Rows of an initial value. What is large stays where it is.
static ElementsAttr sliceRows(ElementsAttr whole, RankedTensorType type,
                              int64_t begin) {
  if (whole.getShapedType() == type)
    return whole;
  auto bytes = static_cast<size_t>(train::getBytes(type));
  size_t from = bytes / train::getRows(type) * begin;
  if (auto dense = dyn_cast<DenseElementsAttr>(whole)) {
    if (dense.isSplat())
      return dense.resizeSplat(type);
    return DenseElementsAttr::getFromRawBuffer(
        type, dense.getRawData().slice(from, bytes));
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(whole);
  AsmResourceBlob *blob =
      resource ? resource.getRawHandle().getBlob() : nullptr;
  if (!blob || blob->getData().size() < from + bytes)
    return {};
  return DenseResourceElementsAttr::get(
      type, resource.getRawHandle().getKey(),
      AsmResourceBlob(blob->getData().slice(from, bytes), 1, {},
                      /*dataIsMutable=*/false));
}

void ReplicaParameters::add(train::WriteOp write, bool isState, int64_t layer) {
  auto parameter = symbols.lookup<train::ParameterOp>(write.getParameter());
  versions[parameter.getSymName()] = {parameter, isState, layer, {}, {}};
}

Versions *ReplicaParameters::find(StringRef parameter) {
  auto found = versions.find(parameter);
  return found == versions.end() ? nullptr : &found->second;
}

FailureOr<train::ParameterOp>
ReplicaParameters::createPart(Versions &of, const Twine &name, int64_t begin,
                              int64_t rows, int64_t update) {
  train::ParameterOp whole = of.original;
  std::string text = name.str();
  if (Operation *other = symbols.lookup(text)) {
    InFlightDiagnostic diagnostic =
        whole.emitError("replicas need a parameter '")
        << text << "', but the name is taken";
    diagnostic.attachNote(other->getLoc()) << "by this";
    return diagnostic;
  }
  RankedTensorType type = withRows(whole.getType(), rows);
  ElementsAttr initial = sliceRows(*whole.getInitialValue(), type, begin);
  if (!initial)
    return whole.emitError("cannot divide the initial value"), failure();
  OpBuilder at(whole);
  auto part = train::ParameterOp::create(at, whole.getLoc(), text, type,
                                         whole.getKind(), initial);
  symbols.insert(part);
  part.setTensor(whole.getSymName());
  part.setBegin(begin);
  part.setUpdate(update);
  part.setLastUpdate(rounds(of.layer) - 1);
  if (whole.getKind() == ParameterKind::Trainable && delays[of.layer] > 0)
    part.setDelay(delays[of.layer]);
  return part;
}

/// Of each replica its last state first, and of all replicas that of replica 0.
LogicalResult ReplicaParameters::createStates(Versions &of) {
  of.parts.resize(minibatches);
  int64_t last = rounds(of.layer) - 1;
  for (int64_t replica = 0; replica < count(of.layer); ++replica)
    for (int64_t i = 0; i <= last; ++i) {
      int64_t round = (i + last) % (last + 1);
      int64_t m = round * count(of.layer) + replica;
      FailureOr<train::ParameterOp> part =
          createPart(of, nameInMinibatch(of.original.getSymName(), m), 0,
                     train::getRows(of.original.getType()), round);
      if (failed(part))
        return failure();
      of.parts[m].push_back(*part);
    }
  return success();
}

/// The last update's parts first: they are the result. Nobody but the next
/// update reads the optimizer's state.
LogicalResult ReplicaParameters::createWeights(Versions &of) {
  int64_t shards = count(of.layer), last = rounds(of.layer) - 1;
  int64_t rows = train::getRows(of.original.getType());
  of.parts.assign(last + 1, SmallVector<train::ParameterOp>(shards));
  of.latest.assign(shards, nullptr);
  bool onlyLast = of.original.getKind() == ParameterKind::OptimizerState;
  for (int64_t i = 0; i <= (onlyLast ? 0 : last); ++i) {
    int64_t round = (i + last) % (last + 1);
    for (int64_t shard = 0; shard < shards; ++shard) {
      auto [begin, end] = rowsOfShard(rows, shard, shards);
      if (begin == end)
        continue;
      FailureOr<train::ParameterOp> part =
          createPart(of,
                     nameOfShard(of.original.getSymName(),
                                 round * shards + shards - 1, shard, shards),
                     begin, end - begin, round);
      if (failed(part))
        return failure();
      of.parts[round][shard] = *part;
    }
  }
  return success();
}

LogicalResult ReplicaParameters::create() {
  for (auto &[name, of] : versions)
    if (failed(of.isState ? createStates(of) : createWeights(of)))
      return failure();
  return success();
}

void ReplicaParameters::eraseOriginals() {
  for (auto &[name, of] : versions)
    of.original.erase();
}
