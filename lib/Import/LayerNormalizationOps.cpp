//===- LayerNormalizationOps.cpp - normalization of what is behind an axis ===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// ONNX's own, and onnxruntime's with the addition before it fused to it.
//
//===----------------------------------------------------------------------===//

#include "Normalize.h"
#include "Registry.h"

using namespace mlir;
using namespace takt::import;
namespace train = takt::train;

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

LogicalResult takt::import::checkEpsilon(const Node &node, float epsilon) {
  if (epsilon >= 0)
    return success();
  return node.invalid() << "has epsilon " << epsilon << ", expected at least 0";
}

FailureOr<Value> takt::import::emitNormalize(Node &node, Value x, int64_t axis,
                                             float epsilon) {
  auto op = node.create<train::NormalizeOp>(
      x, node.attributes().integer("axis", axis).number("epsilon", epsilon));
  if (failed(op))
    return failure();
  return op->getY();
}

FailureOr<Value> takt::import::emitAffine(Node &node, Value x, Value scale,
                                          Value bias) {
  Emit emit(node);
  Value y = emit.mul(x, scale);
  if (bias)
    y = emit.add(y, bias);
  if (!y)
    return failure();
  if (y.getType() != x.getType())
    return node.invalid() << "has a scale or bias that makes "
                          << shapeText(shapeOf(y)) << " of "
                          << shapeText(shapeOf(x));
  return y;
}

static Dims axesFrom(int64_t axis, int64_t rank) {
  Dims axes(axesOf(rank));
  axes.erase(axes.begin(), axes.begin() + axis);
  return axes;
}

/// The root of the mean square of x, or of what is given as its square.
static Value emitRoot(Emit &emit, Value square, ArrayRef<int64_t> axes,
                      float epsilon) {
  Value mean = emit.mean(square, axes);
  return emit.unary(takt::UnaryFunction::Sqrt,
                    emit.add(mean, emit.filled(epsilon, {}, square)));
}

namespace {
/// A normalization over the axes from `axis` on.
struct LayerNorm {
  Value x, scale, bias;
  int64_t axis;
  float epsilon;
  bool centred; ///< or by the root of its mean square only
};
} // namespace

/// The mean, where there is one, and the reciprocal of the deviation, which are
/// outputs from `output` on; the axes are kept at 1.
static LogicalResult defineStatistics(Node &node, const LayerNorm &norm,
                                      int output) {
  Emit emit(node);
  Value x = norm.x;
  Dims axes = axesFrom(norm.axis, rankOf(x));
  if (norm.centred) {
    if (node.isUsed(output) && failed(emit.define(output, emit.mean(x, axes))))
      return failure();
    ++output;
  }
  if (!node.isUsed(output))
    return success();
  Value centred = norm.centred ? emit.sub(x, emit.mean(x, axes)) : x;
  Value deviation =
      emitRoot(emit, emit.mul(centred, centred), axes, norm.epsilon);
  return emit.define(output,
                     emit.unary(takt::UnaryFunction::Reciprocal, deviation));
}

static LogicalResult defineNorm(Node &node, const LayerNorm &norm) {
  FailureOr<Value> normal = failure();
  if (norm.centred) {
    normal = emitNormalize(node, norm.x, norm.axis, norm.epsilon);
  } else {
    Emit emit(node);
    Value root = emitRoot(emit, emit.mul(norm.x, norm.x),
                          axesFrom(norm.axis, rankOf(norm.x)), norm.epsilon);
    if (Value quotient = emit.div(norm.x, root))
      normal = quotient;
  }
  if (failed(normal))
    return failure();
  FailureOr<Value> y = emitAffine(node, *normal, norm.scale, norm.bias);
  return failed(y) ? failure() : node.define(0, *y);
}

//===----------------------------------------------------------------------===//
// Of one tensor
//===----------------------------------------------------------------------===//

/// LayerNormalization before opset 17 and SimplifiedLayerNormalization are
/// onnxruntime's, which has put them into the default domain.
template <bool centred, int outputs>
static LogicalResult convertLayerNormalization(Node &node) {
  Binder bind(node);
  LayerNorm norm;
  norm.x = bind.tensor("X");
  norm.scale = bind.tensor("Scale");
  norm.bias = centred ? bind.optionalTensor("B") : Value();
  norm.axis = bind.integer("axis", -1);
  norm.epsilon = bind.number("epsilon", 1e-5f);
  norm.centred = centred;
  bind.integer("stash_type", 1); // sums are in double precision anyway
  if (failed(bind.finish(outputs)) || failed(checkEpsilon(node, norm.epsilon)))
    return failure();
  FailureOr<int64_t> axis = resolveAxis(node, norm.axis, rankOf(norm.x));
  if (failed(axis))
    return failure();
  norm.axis = *axis;
  if (outputs > 1 && failed(defineStatistics(node, norm, 1)))
    return failure();
  return defineNorm(node, norm);
}

//===----------------------------------------------------------------------===//
// Of a sum
//===----------------------------------------------------------------------===//

/// The sum of input, skip and bias is output #3.
template <bool centred>
static LogicalResult convertSkipLayerNormalization(Node &node) {
  constexpr int kSum = 3;
  Binder bind(node);
  Value x = bind.tensor("input"), skip = bind.tensor("skip");
  LayerNorm norm;
  norm.scale = bind.tensor("gamma");
  norm.bias = centred ? bind.optionalTensor("beta") : Value();
  Value offset = bind.optionalTensor("bias");
  norm.epsilon = bind.number("epsilon", 1e-12f);
  norm.centred = centred;
  if (failed(bind.finish(kSum + 1)) || failed(checkEpsilon(node, norm.epsilon)))
    return failure();
  if (!centred && node.isUsed(1))
    return node.unsupported() << "has output #1, the mean, which is used";
  Emit emit(node);
  norm.x = emit.add(x, skip);
  if (offset)
    norm.x = emit.add(norm.x, offset);
  if (!norm.x)
    return failure();
  if (norm.x.getType() != x.getType() || rankOf(x) < 1)
    return node.invalid() << "has a skip or bias that makes "
                          << shapeText(shapeOf(norm.x)) << " of "
                          << shapeText(shapeOf(x));
  norm.axis = rankOf(x) - 1;
  if (failed(defineStatistics(node, norm, centred ? 1 : 2)) ||
      failed(node.define(kSum, norm.x)))
    return failure();
  return defineNorm(node, norm);
}

namespace {
/// The inputs of an EmbedLayerNormalization, null where they are left out.
struct Embedding {
  Value ids, segments, words, positions, segmentTable, mask, positionIds;
};
} // namespace

/// How many of each sample's words the mask has; 0 without a mask.
static LogicalResult defineMaskIndex(Node &node, const Embedding &embedding) {
  if (!node.isUsed(1))
    return success();
  Emit emit(node);
  Type narrow = IntegerType::get(node.loc.getContext(), 32);
  if (!embedding.mask)
    return emit.define(1, emit.integers(Dims(shapeOf(embedding.ids)[0], 0),
                                        shapeOf(embedding.ids)[0],
                                        onnx::TensorProto::INT32));
  // Integers have no sum along an axis but the running one.
  Value mask = embedding.mask;
  Value ones = emit.cast(emit.compare(takt::CompareFunction::Equal, mask,
                                      emit.filled(1, {}, mask)),
                         IntegerType::get(mask.getContext(), 64));
  Value counts = emit.cumSum(ones, 1, /*exclusive=*/false, /*reverse=*/true);
  Value first = emit.reshape(emit.slice(counts, 1, 0, 1), shapeOf(mask)[0]);
  return emit.define(1, emit.cast(first, narrow));
}

static Value emitEmbedding(Node &node, const Embedding &embedding) {
  Emit emit(node);
  Value sum = emit.gather(embedding.words, embedding.ids, 0);
  int64_t length = shapeOf(embedding.ids)[1];
  Value place = embedding.positionIds
                    ? emit.gather(embedding.positions, embedding.positionIds, 0)
                    : emit.slice(embedding.positions, 0, 0, length);
  sum = emit.add(sum, place);
  if (embedding.segments)
    sum = emit.add(sum,
                   emit.gather(embedding.segmentTable, embedding.segments, 0));
  return sum;
}

static LogicalResult checkEmbedding(const Node &node,
                                    const Embedding &embedding) {
  if (failed(expectRank(node, "input_ids", embedding.ids, 2)) ||
      failed(expectRank(node, "word_embedding", embedding.words, 2)) ||
      failed(expectRank(node, "position_embedding", embedding.positions, 2)))
    return failure();
  if (!embedding.segments != !embedding.segmentTable)
    return node.invalid() << "has one of segment_ids and segment_embedding, "
                             "expected both or none";
  if (embedding.mask &&
      failed(expectShape(node, "mask", embedding.mask, shapeOf(embedding.ids))))
    return failure();
  if (!embedding.positionIds &&
      shapeOf(embedding.positions)[0] < shapeOf(embedding.ids)[1])
    return node.invalid() << "has " << shapeOf(embedding.positions)[0]
                          << " positions for " << shapeOf(embedding.ids)[1]
                          << " words";
  return success();
}

/// Words, positions and segments looked up and added; the sum normalized.
static LogicalResult convertEmbedLayerNormalization(Node &node) {
  Binder bind(node);
  Embedding embedding;
  LayerNorm norm;
  embedding.ids = bind.indices("input_ids");
  embedding.segments = bind.optionalIndices("segment_ids");
  embedding.words = bind.tensor("word_embedding");
  embedding.positions = bind.tensor("position_embedding");
  embedding.segmentTable = bind.optionalTensor("segment_embedding");
  norm.scale = bind.tensor("gamma");
  norm.bias = bind.tensor("beta");
  embedding.mask = bind.optionalIndices("mask");
  embedding.positionIds = bind.optionalIndices("position_ids");
  norm.epsilon = bind.number("epsilon", 1e-12f);
  norm.centred = true;
  int64_t maskType = bind.integer("mask_index_type", 0);
  if (failed(bind.finish(/*outputs=*/3)) ||
      failed(checkEpsilon(node, norm.epsilon)) ||
      failed(checkEmbedding(node, embedding)))
    return failure();
  if (maskType != 0)
    return node.unsupported()
           << "has attribute 'mask_index_type' " << maskType << ", expected 0";
  norm.x = emitEmbedding(node, embedding);
  if (!norm.x)
    return failure();
  norm.axis = rankOf(norm.x) - 1;
  if (failed(defineMaskIndex(node, embedding)) ||
      failed(node.define(2, norm.x)))
    return failure();
  return defineNorm(node, norm);
}

void takt::import::addLayerNormalizationOps(Registry &registry) {
  StringRef layer = "train.normalize, mul, add";
  StringRef root = "train.mul, reduce_sum, unary sqrt, binary div";
  registry.add("LayerNormalization", {1, 17},
               convertLayerNormalization</*centred=*/true, /*outputs=*/3>,
               layer);
  registry.add("RMSNormalization", {23},
               convertLayerNormalization</*centred=*/false, /*outputs=*/1>,
               root);
  registry.add("SimplifiedLayerNormalization", {1},
               convertLayerNormalization</*centred=*/false, /*outputs=*/2>,
               root);
  registry.add(kOnnxRuntime, "LayerNormalization", {1},
               convertLayerNormalization</*centred=*/true, /*outputs=*/3>,
               layer);
  registry.add(kOnnxRuntime, "SimplifiedLayerNormalization", {1},
               convertLayerNormalization</*centred=*/false, /*outputs=*/2>,
               root);
  registry.add(kOnnxRuntime, "SkipLayerNormalization", {1},
               convertSkipLayerNormalization</*centred=*/true>,
               "train.add, normalize, mul");
  registry.add(kOnnxRuntime, "SkipSimplifiedLayerNormalization", {1},
               convertSkipLayerNormalization</*centred=*/false>,
               "train.add, mul, reduce_sum, unary sqrt, binary div");
  registry.add(kOnnxRuntime, "EmbedLayerNormalization", {1},
               convertEmbedLayerNormalization,
               "train.gather, slice, add, normalize, mul");
}
