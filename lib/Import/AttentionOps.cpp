//===- AttentionOps.cpp - attention as ONNX defines it --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "Registry.h"
#include "Rotary.h"
#include <limits>

using namespace mlir;
using namespace takt::import;

namespace {
/// The inputs and attributes of an Attention node that become an
/// import::Attention.
struct BoundAttention {
  Value query, key, value, mask, pastKey, pastValue, lengths;
  bool causal;
  int64_t heads, keyHeads, outputMode, precision;
  std::optional<float> scale;
  float softcap;
};
} // namespace

static constexpr int kPresentKey = 1, kPresentValue = 2, kProduct = 3;

static FailureOr<BoundAttention> bindAttention(Node &node) {
  Binder bind(node);
  BoundAttention bound;
  bound.query = bind.tensor("Q");
  bound.key = bind.tensor("K");
  bound.value = bind.tensor("V");
  bound.mask = bind.optionalTensor("attn_mask", Accept::Any);
  bound.pastKey = bind.optionalTensor("past_key");
  bound.pastValue = bind.optionalTensor("past_value");
  if (node.since >= 24)
    bound.lengths = bind.optionalIndices("nonpad_kv_seqlen");
  bound.causal = bind.flag("is_causal", false);
  bound.heads = bind.integer("q_num_heads", 0, 0);
  bound.keyHeads = bind.integer("kv_num_heads", 0, 0);
  bound.outputMode = bind.integer("qk_matmul_output_mode", 0, 0, 3);
  bound.precision = bind.integer("softmax_precision", 0);
  bound.scale = bind.optionalNumber("scale");
  bound.softcap = bind.number("softcap", 0);
  if (failed(bind.finish(/*outputs=*/4)))
    return failure();
  if (bound.softcap < 0)
    return node.invalid() << "has softcap " << bound.softcap
                          << ", expected at least 0";
  return bound;
}

/// The operand as batch × heads × length × size; of one that has this shape,
/// the number of heads may be left out.
static FailureOr<Value> withHeads(Node &node, StringRef role, Value x,
                                  int64_t heads) {
  if (rankOf(x) != 4)
    return splitHeads(node, role, x, heads);
  if (heads == 0 || shapeOf(x)[1] == heads)
    return x;
  return node.invalid() << "has " << role << " of " << shapeText(shapeOf(x))
                        << ", expected " << heads << " heads";
}

/// Columns that the mask lacks are not attended.
static Value completeMask(Emit &emit, Value mask, int64_t columns) {
  Dims dims(shapeOf(mask));
  if (dims.empty() || dims.back() == 1 || dims.back() >= columns)
    return mask;
  dims.back() = columns - dims.back();
  float excluded = isFloat(mask) ? -std::numeric_limits<float>::infinity() : 0;
  Value rest = emit.filled(excluded, dims, mask);
  return emit.concat({mask, rest}, dims.size() - 1);
}

/// Puts the mask, the lengths and causality into `attention`.
static LogicalResult addMasks(Node &node, const BoundAttention &bound,
                              Attention &attention) {
  Emit emit(node);
  if (bound.mask) {
    Value mask = completeMask(emit, bound.mask, attention.columns());
    if (!mask)
      return failure();
    bool isTruth = elementOf(mask).isInteger(1);
    if (!isTruth && elementOf(mask) != elementOf(attention.query))
      return node.invalid()
             << "has attn_mask of type " << elementOf(mask)
             << ", expected bool or " << elementOf(attention.query);
    (isTruth ? attention.attended : attention.bias) = mask;
  }
  if (bound.causal) {
    int64_t past = bound.pastKey ? shapeOf(bound.pastKey)[2] : 0;
    Value causal =
        emitCausal(emit, attention.rows(), attention.columns(), past);
    attention.attended = emitBoth(emit, attention.attended, causal);
    if (!causal || !attention.attended)
      return failure();
  }
  if (!bound.lengths)
    return success();
  if (failed(expectShape(node, "nonpad_kv_seqlen", bound.lengths,
                         attention.batch())))
    return failure();
  Value before = emitBefore(emit, bound.lengths, attention.columns());
  attention.attended = emitBoth(emit, attention.attended, before);
  return success(before && attention.attended);
}

/// The type that softmax_precision names; null where it names none.
static FailureOr<Type> softmaxType(const Node &node, int64_t precision) {
  if (precision == 0)
    return Type();
  Type type =
      computedType(static_cast<int32_t>(precision), node.loc.getContext());
  if (type && isa<FloatType>(type))
    return type;
  return node.invalid() << "has softmax_precision " << precision
                        << ", expected a float type";
}

static FailureOr<Attention> makeAttention(Node &node,
                                          const BoundAttention &bound) {
  FailureOr<Value> query = withHeads(node, "Q", bound.query, bound.heads);
  FailureOr<Value> key = withHeads(node, "K", bound.key, bound.keyHeads);
  FailureOr<Value> value = withHeads(node, "V", bound.value, bound.keyHeads);
  FailureOr<Type> precision = softmaxType(node, bound.precision);
  if (failed(query) || failed(key) || failed(value) || failed(precision))
    return failure();
  Attention attention;
  attention.query = *query;
  attention.key = *key;
  attention.value = *value;
  attention.scale = bound.scale.value_or(defaultScale(shapeOf(*query)[3]));
  attention.softcap = bound.softcap;
  attention.precision = *precision;
  if (failed(prependPast(node, bound.pastKey, bound.pastValue, attention)) ||
      failed(addMasks(node, bound, attention)) ||
      failed(checkAttention(node, attention)))
    return failure();
  return attention;
}

/// Output #3 is the scores after one of the steps.
static LogicalResult defineProduct(Node &node, const BoundAttention &bound,
                                   const Attention &attention,
                                   const AttentionSteps &steps) {
  if (!node.isUsed(kProduct))
    return success();
  Emit emit(node);
  switch (bound.outputMode) {
  case 0:
    return emit.define(kProduct, steps.product);
  case 1:
    if (!attention.attended)
      return emit.define(kProduct, steps.biased);
    return emit.define(
        kProduct,
        emit.where(attention.attended, steps.biased,
                   emit.filled(-std::numeric_limits<float>::infinity(), {},
                               attention.query)));
  case 2:
    if (attention.attended)
      return node.unsupported()
             << "has output #3 after the cap with a mask of bool";
    return emit.define(kProduct, steps.capped);
  default:
    return emit.define(kProduct, steps.weights);
  }
}

static LogicalResult convertAttention(Node &node) {
  FailureOr<BoundAttention> bound = bindAttention(node);
  if (failed(bound))
    return failure();
  FailureOr<Attention> attention = makeAttention(node, *bound);
  if (failed(attention))
    return failure();
  Emit emit(node);
  AttentionSteps steps = emitAttention(emit, *attention);
  bool flat = rankOf(bound->query) == 3;
  if (failed(
          emit.define(flat ? mergeHeads(emit, steps.result) : steps.result)) ||
      failed(node.define(kPresentKey, attention->key)) ||
      failed(node.define(kPresentValue, attention->value)))
    return failure();
  return defineProduct(node, *bound, *attention, steps);
}

//===----------------------------------------------------------------------===//
// Rotary position embedding
//===----------------------------------------------------------------------===//

/// With positions, a table has a row for each; without, it is of the samples'
/// own.
static LogicalResult convertRotaryEmbedding(Node &node) {
  Binder bind(node);
  Rotary rotary;
  rotary.x = bind.tensor("X");
  Operand cosine = bind.operand("cos_cache"), sine = bind.operand("sin_cache");
  Value positions = bind.optionalIndices("position_ids");
  rotary.interleaved = bind.flag("interleaved", false);
  rotary.heads = bind.integer("num_heads", 0, 0);
  rotary.size = bind.integer("rotary_embedding_dim", 0, 0);
  if (failed(bind.finish()))
    return failure();
  FailureOr<Value> cosines = angleTable(node, cosine, "cos_cache");
  FailureOr<Value> sines = angleTable(node, sine, "sin_cache");
  if (failed(cosines) || failed(sines))
    return failure();
  rotary.cosine = *cosines;
  rotary.sine = *sines;
  if (positions) {
    Emit emit(node);
    rotary.cosine = emit.gather(rotary.cosine, positions, 0);
    rotary.sine = emit.gather(rotary.sine, positions, 0);
    if (!rotary.cosine || !rotary.sine)
      return failure();
  }
  FailureOr<Value> y = emitRotary(node, rotary);
  return failed(y) ? failure() : node.define(0, *y);
}

void takt::import::addAttentionOps(Registry &registry) {
  registry.add("Attention", {23, 24}, convertAttention,
               "train.matmul, softmax, add, where, unary tanh");
  registry.add("RotaryEmbedding", {23}, convertRotaryEmbedding,
               "train.slice, mul, binary sub, add, concat");
}
