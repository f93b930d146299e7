//===- LossOps.cpp - losses with weights ----------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"

using namespace mlir;
using takt::CompareFunction;
using takt::UnaryFunction;
using namespace takt::import;

namespace {
/// What both losses have beside the scores.
struct Likelihood {
  Value labels;  ///< in i64
  Value weights; ///< per class; null: 1
  std::string reduction;
  std::optional<int64_t> ignored; ///< a label that counts nothing
};
} // namespace

static FailureOr<Likelihood> bindLikelihood(Node &node, Binder &bind,
                                            int outputs) {
  Likelihood loss;
  loss.labels = bind.indices("labels");
  loss.weights = bind.optionalTensor("weights");
  loss.reduction = bind.text("reduction", "mean");
  if (bind.attribute("ignore_index"))
    loss.ignored = bind.integer("ignore_index", 0);
  if (failed(bind.finish(outputs)))
    return failure();
  if (loss.reduction != "none" && loss.reduction != "sum" &&
      loss.reduction != "mean")
    return node.invalid() << "has reduction '" << loss.reduction
                          << "', expected none, sum or mean";
  return loss;
}

/// Fails unless the scores are N, C, … for labels N, … and there are C weights.
static LogicalResult checkLikelihood(const Node &node, Value scores,
                                     const Likelihood &loss) {
  Dims expected(shapeOf(scores));
  if (expected.size() < 2)
    return node.invalid() << "has scores of rank " << expected.size()
                          << ", expected at least 2";
  int64_t classes = expected[1];
  expected.erase(expected.begin() + 1);
  if (shapeOf(loss.labels) != ArrayRef(expected))
    return node.invalid() << "has labels of " << shapeText(shapeOf(loss.labels))
                          << ", expected " << shapeText(expected);
  if (loss.weights && shapeOf(loss.weights) != ArrayRef(classes))
    return node.invalid() << "has weights of "
                          << shapeText(shapeOf(loss.weights)) << ", expected "
                          << classes;
  return success();
}

/// −weight · log likelihood of the label, per label, and its sum or mean, which
/// is by the sum of the weights.
static Value likelihood(Emit &emit, Value logs, const Likelihood &loss) {
  Dims one(shapeOf(logs));
  one[1] = 1;
  ArrayRef<int64_t> shape = shapeOf(loss.labels);
  Value labels = loss.labels, counts;
  // An ignored label need not be a class.
  if (loss.ignored) {
    Value ignored = emit.compare(CompareFunction::Equal, labels,
                                 emit.integers(*loss.ignored, {}));
    counts = emit.invert(ignored);
    labels = emit.where(counts, labels, emit.integers(0, {}));
  }
  Value each = emit.negate(emit.reshape(
      emit.gatherElements(logs, emit.reshape(labels, one), 1), shape));
  Value weights;
  if (loss.weights)
    weights = emit.gather(loss.weights, labels, 0);
  else if (counts)
    weights = emit.filled(1, shape, logs);
  if (counts)
    weights = emit.where(counts, weights, emit.filled(0, {}, logs));
  if (weights)
    each = emit.mul(each, weights);
  // 0 · ∞ is no loss of a label that is ignored.
  if (counts)
    each = emit.where(counts, each, emit.filled(0, {}, logs));
  if (loss.reduction == "none")
    return each;
  Dims axes = axesOf(shape.size());
  Value sum = emit.reshape(emit.reduceSum(each, axes), {});
  if (loss.reduction == "sum")
    return sum;
  if (!weights)
    return emit.reshape(emit.mean(each, axes), {});
  return emit.div(sum, emit.reshape(emit.reduceSum(weights, axes), {}));
}

static LogicalResult convertNegativeLogLikelihood(Node &node) {
  Binder bind(node);
  Value logs = bind.tensor("input");
  FailureOr<Likelihood> loss = bindLikelihood(node, bind, 1);
  if (failed(loss) || failed(checkLikelihood(node, logs, *loss)))
    return failure();
  Emit emit(node);
  return emit.define(likelihood(emit, logs, *loss));
}

static LogicalResult convertSoftmaxCrossEntropy(Node &node) {
  Binder bind(node);
  Value scores = bind.tensor("scores");
  FailureOr<Likelihood> loss = bindLikelihood(node, bind, 2);
  if (failed(loss) || failed(checkLikelihood(node, scores, *loss)))
    return failure();
  Emit emit(node);
  Value logs = emit.logSoftmax(scores, 1);
  if (node.isUsed(1) && failed(emit.define(1, logs)))
    return failure();
  return emit.define(likelihood(emit, logs, *loss));
}

void takt::import::addLossOps(Registry &registry) {
  registry.add("NegativeLogLikelihoodLoss", {12, 13, 22},
               convertNegativeLogLikelihood,
               "train.gather_elements, train.mul, train.reduce_sum");
  registry.add("SoftmaxCrossEntropyLoss", {12, 13}, convertSoftmaxCrossEntropy,
               "train.log_softmax, gather_elements, mul, reduce_sum");
}
