//===- NormalizationOps.cpp - batch and local response normalization ------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Binder.h"
#include "Registry.h"

using namespace mlir;
using namespace takt::import;
namespace train = takt::train;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// Batch normalization
//===----------------------------------------------------------------------===//

namespace {
/// A batch normalization taken apart.
struct BatchNorm {
  Value x, scale, bias, mean, variance;
  std::string meanName, varianceName;
  float epsilon, momentum;
};
} // namespace

/// Fails unless the operand is a constant, which becomes state.
static FailureOr<Value> bindState(Node &node, const Operand &operand,
                                  StringRef role) {
  if (!operand.constant || operand.constant->isInteger())
    return node.unsupported() << "has no float constant for " << role;
  return node.graph.parameters.readState(node.graph.builder, *operand.constant,
                                         node.subject());
}

static FailureOr<BatchNorm> bindBatchNorm(Node &node) {
  Binder bind(node);
  BatchNorm norm;
  norm.x = bind.tensor("X");
  norm.scale = bind.tensor("scale");
  norm.bias = bind.tensor("B");
  Operand mean = bind.operand("mean"), variance = bind.operand("var");
  norm.epsilon = bind.number("epsilon", 1e-5f);
  norm.momentum = bind.number("momentum", 0.9f);
  bool spatial = node.since >= 9 || bind.flag("spatial", true);
  // Which statistics to use is for Takt's own mode to say.
  if (node.since >= 14)
    bind.flag("training_mode", false);
  if (failed(bind.finish(/*outputs=*/node.since >= 14 ? 3 : 5)))
    return failure();
  if (!spatial)
    return node.unsupported() << "has statistics per element (spatial = 0), "
                                 "expected one per channel";
  if (norm.epsilon < 0)
    return node.invalid() << "has epsilon " << norm.epsilon
                          << ", expected at least 0";
  FailureOr<Value> meanValue = bindState(node, mean, "mean");
  if (failed(meanValue))
    return failure();
  FailureOr<Value> varianceValue = bindState(node, variance, "var");
  if (failed(varianceValue))
    return failure();
  norm.mean = *meanValue;
  norm.variance = *varianceValue;
  norm.meanName = mean.constant->name;
  norm.varianceName = variance.constant->name;
  return norm;
}

/// Statistics of the minibatch; the running ones are written back.
static LogicalResult emitTraining(Node &node, const BatchNorm &norm) {
  AttributeList attributes = node.attributes();
  attributes.number("epsilon", norm.epsilon).number("momentum", norm.momentum);
  auto op = node.create<train::BatchNormOp>(
      {norm.x, norm.scale, norm.bias, norm.mean, norm.variance}, attributes);
  if (failed(op))
    return failure();
  OpBuilder &builder = node.graph.builder;
  train::WriteOp::create(builder, node.loc, norm.meanName,
                         op->getNewRunningMean());
  train::WriteOp::create(builder, node.loc, norm.varianceName,
                         op->getNewRunningVar());
  // Outputs #3 and #4 of the versions before 14, the saved statistics, are the
  // minibatch's; what was saved for the variance is not specified.
  if (node.isUsed(4))
    return node.unsupported() << "has output #4, the saved variance, which is "
                                 "used";
  if (failed(node.define(0, op->getY())) ||
      failed(node.define(1, op->getNewRunningMean())) ||
      failed(node.define(2, op->getNewRunningVar())))
    return failure();
  return node.define(3, op->getMean());
}

/// 1 / sqrt(variance + epsilon), from operations that there are: v / (v²)^0.75
/// is local response normalization over one channel.
static FailureOr<Value> emitInverseDeviation(Node &node,
                                             const BatchNorm &norm) {
  int64_t channels = typeOf(norm.variance).getNumElements();
  Constant epsilon;
  epsilon.name = node.proto.output(0) + ".epsilon";
  epsilon.type = onnx::TensorProto::FLOAT;
  epsilon.fill = norm.epsilon;
  while (node.graph.operands.contains(epsilon.name))
    epsilon.name += "_";
  FailureOr<Value> number =
      node.graph.parameters.read(node.graph.builder, epsilon, node.subject());
  if (failed(number))
    return failure();
  auto sum = node.create<train::AddOp>({norm.variance, *number});
  if (failed(sum))
    return failure();
  FailureOr<Value> row = node.reshape(sum->getResult(), {1, channels});
  if (failed(row))
    return failure();
  AttributeList attributes = node.attributes();
  attributes.integer("size", 1).number("alpha", 1);
  attributes.number("beta", 0.75f).number("bias", 0);
  auto root = node.createTyped<train::LrnOp>(row->getType(), *row, attributes);
  if (failed(root))
    return failure();
  return node.reshape(root->getResult(), {channels});
}

/// A vector per channel under a shape that broadcasts over the axes behind it.
static FailureOr<Value> perChannel(Node &node, Value vector, int64_t rank) {
  Dims dims(rank - 1, 1);
  dims[0] = typeOf(vector).getNumElements();
  return node.reshape(vector, dims);
}

static LogicalResult checkVectors(const Node &node, const BatchNorm &norm) {
  if (typeOf(norm.x).getRank() < 2)
    return node.invalid() << "has an input of rank " << typeOf(norm.x).getRank()
                          << ", expected at least 2";
  int64_t channels = typeOf(norm.x).getDimSize(1);
  for (auto [name, value] :
       {std::pair("scale", norm.scale), std::pair("B", norm.bias),
        std::pair("mean", norm.mean), std::pair("var", norm.variance)})
    if (typeOf(value).getShape() != ArrayRef(channels))
      return node.invalid()
             << "has shape " << shapeText(typeOf(value).getShape()) << " of "
             << name << ", expected " << channels;
  return success();
}

/// y = x · factor + offset with the running statistics: factor = scale /
/// deviation, offset = bias − mean · factor. They are computed from the
/// parameters, not folded, so that the program takes other weights.
static LogicalResult emitForward(Node &node, const BatchNorm &norm) {
  for (int output : {1, 2, 3, 4})
    if (node.isUsed(output))
      return node.unsupported()
             << "has output #" << output
             << ", which is used and exists in training only";
  FailureOr<Value> inverse = emitInverseDeviation(node, norm);
  if (failed(inverse))
    return failure();
  auto factor = node.create<train::MulOp>({norm.scale, *inverse});
  if (failed(factor))
    return failure();
  auto shift = node.create<train::MulOp>({norm.mean, factor->getResult()});
  if (failed(shift))
    return failure();
  auto negative =
      node.createTyped<train::ScaleOp>(shift->getType(), shift->getResult(),
                                       node.attributes().number("value", -1));
  if (failed(negative))
    return failure();
  auto offset = node.create<train::AddOp>({norm.bias, negative->getResult()});
  if (failed(offset))
    return failure();
  int64_t rank = typeOf(norm.x).getRank();
  FailureOr<Value> wide = perChannel(node, factor->getResult(), rank);
  if (failed(wide))
    return failure();
  auto scaled = node.create<train::MulOp>({norm.x, *wide});
  if (failed(scaled))
    return failure();
  FailureOr<Value> added = perChannel(node, offset->getResult(), rank);
  if (failed(added))
    return failure();
  return node.emit<train::AddOp>({scaled->getResult(), *added});
}

static LogicalResult convertBatchNormalization(Node &node) {
  FailureOr<BatchNorm> norm = bindBatchNorm(node);
  if (failed(norm) || failed(checkVectors(node, *norm)))
    return failure();
  return node.training() ? emitTraining(node, *norm) : emitForward(node, *norm);
}

//===----------------------------------------------------------------------===//
// Local response normalization
//===----------------------------------------------------------------------===//

static LogicalResult convertLrn(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  int64_t size = bind.requiredInteger("size");
  float alpha = bind.number("alpha", 1e-4f), beta = bind.number("beta", 0.75f);
  float bias = bind.number("bias", 1);
  if (failed(bind.finish()))
    return failure();
  AttributeList attributes = node.attributes();
  attributes.integer("size", size).number("alpha", alpha);
  attributes.number("beta", beta).number("bias", bias);
  return node.emitSameType<train::LrnOp>(x, attributes);
}

void takt::import::addNormalizationOps(Registry &registry) {
  registry.add("BatchNormalization", {7, 9, 14, 15}, convertBatchNormalization,
               "train.batch_norm; arithmetic on running statistics in forward "
               "mode");
  registry.add("LRN", {1, 13}, convertLrn, "train.lrn");
}
