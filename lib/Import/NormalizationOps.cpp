//===- NormalizationOps.cpp - all kinds of normalization ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Normalize.h"
#include "Registry.h"

using namespace mlir;
using namespace takt::import;
namespace train = takt::train;

/// A vector per channel under a shape that broadcasts over the axes behind it.
static FailureOr<Value> perChannel(Node &node, Value vector, int64_t rank) {
  Dims dims(rank - 1, 1);
  dims[0] = typeOf(vector).getNumElements();
  return node.reshape(vector, dims);
}

//===----------------------------------------------------------------------===//
// Batch normalization
//===----------------------------------------------------------------------===//

namespace {
/// A batch normalization taken apart.
struct BatchNorm {
  Value x, scale, bias, mean, variance; ///< all of one type
  Type element;                         ///< of the node's own x
  std::string meanName, varianceName;
  float epsilon, momentum;
  bool usesMinibatch = false; ///< its statistics, not the running ones
};
} // namespace

/// 16-bit floats as f32, in which statistics are computed and kept.
static Value inF32(Emit &emit, Value x) {
  if (!x || !train::isShortFloatTensor(x.getType()))
    return x;
  return emit.cast(x, Float32Type::get(x.getContext()));
}

/// Running statistics that are used as they are: no parameters of training, but
/// state of a forward pass, which takes what training left.
static FailureOr<Value> bindFrozen(Node &node, const Operand &operand,
                                   StringRef role) {
  if (!operand.constant)
    return node.toValue(operand, role);
  if (!node.training() && !operand.constant->isInteger())
    return node.graph.parameters.readState(node.graph.builder,
                                           *operand.constant, node.subject());
  Constant fixed = *operand.constant;
  fixed.fixed = true;
  return node.graph.parameters.read(node.graph.builder, fixed, node.subject());
}

/// Running statistics that are written back. Fails unless the operand is a
/// constant, which becomes state.
static FailureOr<Value> bindState(Node &node, const Operand &operand,
                                  StringRef role) {
  if (!operand.constant || operand.constant->isInteger())
    return node.unsupported() << "has no float constant for " << role;
  return node.graph.parameters.readState(node.graph.builder, *operand.constant,
                                         node.subject());
}

/// Before opset 14 what is in training form has the outputs of training.
static bool isInTrainingForm(const Node &node, bool trainingMode) {
  if (node.since >= 14)
    return trainingMode;
  return llvm::any_of(llvm::drop_begin(node.proto.output()),
                      [](const std::string &name) { return !name.empty(); });
}

static bool usesMinibatch(const Node &node, bool trainingMode) {
  if (!node.training())
    return false;
  switch (node.graph.batchNorm) {
  case takt::BatchNormMode::AsModel:
    return isInTrainingForm(node, trainingMode);
  case takt::BatchNormMode::Training:
    return true;
  case takt::BatchNormMode::Frozen:
    return false;
  }
  llvm_unreachable("unknown mode of batch normalization");
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
  if (node.since < 7)
    bind.flag("is_test", false);
  bool trainingMode = node.since >= 14 && bind.flag("training_mode", false);
  if (failed(bind.finish(/*outputs=*/node.since >= 14 ? 3 : 5)))
    return failure();
  if (!spatial)
    return node.unsupported() << "has statistics per element (spatial = 0), "
                                 "expected one per channel";
  if (norm.epsilon < 0)
    return node.invalid() << "has epsilon " << norm.epsilon
                          << ", expected at least 0";
  norm.usesMinibatch = usesMinibatch(node, trainingMode);
  auto *bindStatistic = norm.usesMinibatch ? bindState : bindFrozen;
  FailureOr<Value> meanValue = bindStatistic(node, mean, "mean");
  if (failed(meanValue))
    return failure();
  FailureOr<Value> varianceValue = bindStatistic(node, variance, "var");
  if (failed(varianceValue))
    return failure();
  Emit emit(node);
  norm.element = elementOf(norm.x);
  norm.mean = inF32(emit, *meanValue);
  norm.variance = inF32(emit, *varianceValue);
  norm.x = emit.castLike(norm.x, norm.mean);
  norm.scale = emit.castLike(norm.scale, norm.mean);
  norm.bias = emit.castLike(norm.bias, norm.mean);
  if (!norm.x || !norm.scale || !norm.bias)
    return failure();
  if (norm.usesMinibatch) {
    norm.meanName = mean.constant->name;
    norm.varianceName = variance.constant->name;
  }
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
  Emit emit(node);
  if (failed(emit.define(0, emit.cast(op->getY(), norm.element))) ||
      failed(node.define(1, op->getNewRunningMean())) ||
      failed(node.define(2, op->getNewRunningVar())))
    return failure();
  return node.define(3, op->getMean());
}

/// sqrt(variance + epsilon)
static FailureOr<Value> emitDeviation(Node &node, const BatchNorm &norm) {
  Constant epsilon;
  epsilon.name = node.proto.output(0) + ".epsilon";
  epsilon.type = onnxType(elementOf(norm.variance));
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
  auto root = node.createTyped<train::UnaryOp>(
      norm.variance.getType(), sum->getResult(),
      node.attributes().keyword("function", takt::UnaryFunction::Sqrt));
  if (failed(root))
    return failure();
  return Value(root->getResult());
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
  FailureOr<Value> deviation = emitDeviation(node, norm);
  if (failed(deviation))
    return failure();
  auto factor = node.create<train::BinaryOp>(
      {norm.scale, *deviation},
      node.attributes().keyword("function", takt::BinaryFunction::Div));
  if (failed(factor))
    return failure();
  auto shift = node.create<train::MulOp>({norm.mean, factor->getResult()});
  if (failed(shift))
    return failure();
  auto offset = node.create<train::BinaryOp>(
      {norm.bias, shift->getResult()},
      node.attributes().keyword("function", takt::BinaryFunction::Sub));
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
  Emit emit(node);
  return emit.define(
      emit.cast(emit.add(scaled->getResult(), *added), norm.element));
}

static LogicalResult convertBatchNormalization(Node &node) {
  FailureOr<BatchNorm> norm = bindBatchNorm(node);
  if (failed(norm) || failed(checkVectors(node, *norm)))
    return failure();
  return norm->usesMinibatch ? emitTraining(node, *norm)
                             : emitForward(node, *norm);
}

//===----------------------------------------------------------------------===//
// Normalization of each sample
//===----------------------------------------------------------------------===//

/// Mean 0 and variance 1 over the listed axes, with the reference's own
/// epsilon.
static LogicalResult convertMeanVarianceNormalization(Node &node) {
  constexpr float kEpsilon = 1e-9f;
  Binder bind(node);
  Value x = bind.tensor("X");
  Dims listed = bind.list("axes").value_or(Dims{0, 2, 3});
  if (failed(bind.finish()))
    return failure();
  FailureOr<SmallVector<bool>> marked = markAxes(node, listed, rankOf(x));
  if (failed(marked))
    return failure();
  Dims axes;
  for (auto [axis, isMarked] : llvm::enumerate(*marked))
    if (isMarked)
      axes.push_back(axis);
  Emit emit(node);
  Value centred = emit.sub(x, emit.mean(x, axes));
  Value variance = emit.mean(emit.mul(centred, centred), axes);
  Value deviation = emit.unary(takt::UnaryFunction::Sqrt, variance);
  return emit.define(
      emit.div(centred, emit.add(deviation, emit.filled(kEpsilon, {}, x))));
}

/// x by its norm along an axis.
static LogicalResult convertLpNormalization(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("input");
  int64_t axis = bind.integer("axis", -1), p = bind.integer("p", 2, 1, 2);
  if (failed(bind.finish()))
    return failure();
  FailureOr<int64_t> at = resolveAxis(node, axis, rankOf(x));
  if (failed(at))
    return failure();
  Emit emit(node);
  Value each =
      p == 1 ? emit.unary(takt::UnaryFunction::Abs, x) : emit.mul(x, x);
  Value norm = emit.reduceSum(each, *at);
  if (p == 2)
    norm = emit.unary(takt::UnaryFunction::Sqrt, norm);
  return emit.define(emit.div(x, norm));
}

/// Fails unless x has at least `least` axes, and scale and bias have `size`
/// elements each.
static LogicalResult checkAffine(const Node &node, Value x, int64_t least,
                                 ArrayRef<int64_t> scale,
                                 ArrayRef<int64_t> bias, int64_t size) {
  if (typeOf(x).getRank() < least)
    return node.invalid() << "has an input of rank " << typeOf(x).getRank()
                          << ", expected at least " << least;
  for (auto [name, shape] : {std::pair("scale", scale), std::pair("B", bias)})
    if (shape != ArrayRef(size))
      return node.invalid() << "has shape " << shapeText(shape) << " of "
                            << name << ", expected " << size;
  return success();
}

/// Whether a Constant node says that all elements are `number`.
static FailureOr<bool> isLiteral(Node &node, const Operand &operand,
                                 float number) {
  if (!operand.constant || !operand.constant->literal ||
      operand.constant->isInteger())
    return false;
  FailureOr<ElementsAttr> values =
      node.graph.reader.elements(*operand.constant, node.subject());
  if (failed(values))
    return failure();
  return values->isSplat() &&
         values->getSplatValue<APFloat>().convertToDouble() == number;
}

/// Every channel of every sample by itself. By ones and zeros that a Constant
/// node has it is how exporters write other normalizations: these are no
/// parameters.
static LogicalResult convertInstanceNormalization(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("input");
  Operand scale = bind.operand("scale"), bias = bind.operand("B");
  float epsilon = bind.number("epsilon", 1e-5f);
  if (failed(bind.finish()) || failed(checkEpsilon(node, epsilon)))
    return failure();
  int64_t rank = shapeOf(x).size();
  if (failed(checkAffine(node, x, 3, scale.shape(), bias.shape(),
                         rank > 1 ? shapeOf(x)[1] : 0)))
    return failure();
  FailureOr<Value> normal = emitNormalize(node, x, 2, epsilon);
  FailureOr<bool> ones = isLiteral(node, scale, 1);
  FailureOr<bool> zeros = isLiteral(node, bias, 0);
  if (failed(normal) || failed(ones) || failed(zeros))
    return failure();
  if (*ones && *zeros)
    return node.define(0, *normal);
  FailureOr<Value> factor = node.toValue(scale, "scale");
  FailureOr<Value> offset = node.toValue(bias, "B");
  if (failed(factor) || failed(offset))
    return failure();
  factor = perChannel(node, *factor, rank);
  offset = perChannel(node, *offset, rank);
  if (failed(factor) || failed(offset))
    return failure();
  FailureOr<Value> y = emitAffine(node, *normal, *factor, *offset);
  return failed(y) ? failure() : node.define(0, *y);
}

/// Channels in groups. Scale and bias are for groups before opset 21, then for
/// channels.
static LogicalResult convertGroupNormalization(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X"), scale = bind.tensor("scale"),
        bias = bind.tensor("bias");
  int64_t groups = bind.requiredInteger("num_groups");
  float epsilon = bind.number("epsilon", 1e-5f);
  bool ofChannels = node.since >= 21;
  if (ofChannels)
    bind.integer("stash_type", 1); // sums are in double precision anyway
  if (failed(bind.finish()) || failed(checkEpsilon(node, epsilon)))
    return failure();
  int64_t affine = ofChannels && rankOf(x) > 1 ? shapeOf(x)[1] : groups;
  if (failed(checkAffine(node, x, 3, shapeOf(scale), shapeOf(bias), affine)))
    return failure();
  Dims dims(shapeOf(x));
  if (groups < 1 || dims[1] % groups != 0)
    return node.invalid() << "has num_groups " << groups
                          << ", expected a divisor of " << dims[1];
  int64_t elements = typeOf(x).getNumElements();
  FailureOr<Value> grouped =
      node.reshape(x, {dims[0], groups, elements / (dims[0] * groups)});
  int64_t affineRank = ofChannels ? rankOf(x) : 3;
  FailureOr<Value> factor = perChannel(node, scale, affineRank);
  FailureOr<Value> offset = perChannel(node, bias, affineRank);
  if (failed(grouped) || failed(factor) || failed(offset))
    return failure();
  FailureOr<Value> normal = emitNormalize(node, *grouped, 2, epsilon);
  if (failed(normal))
    return failure();
  if (ofChannels)
    normal = node.reshape(*normal, dims);
  if (failed(normal))
    return failure();
  FailureOr<Value> y = emitAffine(node, *normal, *factor, *offset);
  if (failed(y))
    return failure();
  FailureOr<Value> shaped = node.reshape(*y, dims);
  return failed(shaped) ? failure() : node.define(0, *shaped);
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
  registry.add("BatchNormalization", {6, 7, 9, 14, 15},
               convertBatchNormalization,
               "train.batch_norm; arithmetic on running statistics in forward "
               "mode");
  registry.add("MeanVarianceNormalization", {9, 13},
               convertMeanVarianceNormalization,
               "train.reduce_sum, mul, unary sqrt, binary div");
  registry.add("LpNormalization", {1, 22}, convertLpNormalization,
               "train.reduce_sum, unary sqrt, binary div");
  registry.add("InstanceNormalization", {6, 22}, convertInstanceNormalization,
               "train.normalize, mul, add");
  registry.add("GroupNormalization", {18, 21}, convertGroupNormalization,
               "train.normalize, mul, add");
  registry.add("LRN", {1, 13}, convertLrn, "train.lrn");
}
