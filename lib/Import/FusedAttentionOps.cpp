//===- FusedAttentionOps.cpp - attention as onnxruntime fuses it ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In onnxruntime's operators masks are not absolute: what is masked gets a low
// number added, and what is masked twice gets it twice.
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "Registry.h"
#include "Rotary.h"

using namespace mlir;
using takt::BinaryFunction;
using takt::CompareFunction;
using namespace takt::import;

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

namespace {
/// What is added to the scores beside a given bias.
struct FusedMask {
  Value mask; ///< of integers, in one of several forms; null: none
  Value bias;
  bool causal;
  float filter; ///< the low number
};
} // namespace

static FusedMask bindFilter(Binder &bind) {
  FusedMask mask;
  mask.filter = bind.number("mask_filter_value", -10000);
  mask.causal = bind.flag("unidirectional", false);
  return mask;
}

/// 0 where the condition holds, else the low number.
static Value penalty(Emit &emit, Value condition, float filter, Value like) {
  Value nothing = emit.filled(0, {}, like), low = emit.filled(filter, {}, like);
  return emit.where(condition, nothing, low);
}

/// The columns that a mask lets through, under a shape that broadcasts to the
/// scores. The forms: batch lengths; these and batch starts behind them; batch
/// × columns; batch × rows × columns. Null and a diagnostic if it has none.
static Value attendedColumns(Node &node, const Attention &attention,
                             Value mask) {
  Emit emit(node);
  int64_t batch = attention.batch(), rows = attention.rows(),
          columns = attention.columns();
  Dims dims(shapeOf(mask));
  if (dims == Dims{batch})
    return emitBefore(emit, mask, columns);
  if (dims == Dims{2 * batch}) {
    Value before = emitBefore(emit, emit.slice(mask, 0, 0, batch), columns);
    Value front = emitBefore(emit, emit.slice(mask, 0, batch, batch), columns);
    return before && front ? emitBoth(emit, before, emit.invert(front))
                           : Value();
  }
  Value kept =
      emit.compare(CompareFunction::Less, emit.filled(0, {}, mask), mask);
  if (dims == Dims{batch, columns})
    return emit.reshape(kept, {batch, 1, 1, columns});
  if (dims == Dims{batch, rows, columns})
    return emit.reshape(kept, {batch, 1, rows, columns});
  node.unsupported() << "has a mask of " << shapeText(dims)
                     << ", expected lengths of " << shapeText(batch) << " or "
                     << shapeText(2 * batch) << ", or a mask of "
                     << shapeText({batch, columns}) << " or "
                     << shapeText({batch, rows, columns});
  return {};
}

/// Adds what the masks say to the bias of the attention.
static LogicalResult addMasks(Node &node, const FusedMask &mask, int64_t past,
                              Attention &attention) {
  Emit emit(node);
  Value sum = mask.bias;
  auto add = [&](Value condition) {
    Value term = penalty(emit, condition, mask.filter, attention.query);
    sum = term && sum ? emit.add(sum, term) : term;
    return success(sum != nullptr);
  };
  if (mask.mask && failed(add(attendedColumns(node, attention, mask.mask))))
    return failure();
  if (mask.causal && failed(add(emitCausal(emit, attention.rows(),
                                           attention.columns(), past))))
    return failure();
  attention.bias = sum;
  return success();
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// Refuses an input that only generation with shared buffers has.
static LogicalResult refuseInput(Node &node, const Operand &operand,
                                 StringRef role) {
  if (operand)
    return node.unsupported()
           << "has " << role << ", expected a cache without unused space";
  return success();
}

static LogicalResult refuseFlag(Node &node, bool value, StringRef name) {
  if (value)
    return node.unsupported() << "has attribute '" << name << "' 1, expected 0";
  return success();
}

/// Part `index` of a tensor along its axis, without the axis.
static Value pick(Emit &emit, Value x, int64_t axis, int64_t index) {
  if (!x)
    return {};
  Dims dims(shapeOf(x));
  dims.erase(dims.begin() + axis);
  return emit.reshape(emit.slice(x, axis, index, 1), dims);
}

/// The result, heads beside each other again.
static LogicalResult defineAttention(Node &node, const Attention &attention) {
  if (failed(checkAttention(node, attention)))
    return failure();
  Emit emit(node);
  return emit.define(mergeHeads(emit, emitAttention(emit, attention).result));
}

/// The widths of query, key and value in the packed weights.
static FailureOr<Dims> packedSizes(const Node &node,
                                   const std::optional<Dims> &given,
                                   int64_t columns) {
  if (!given && columns % 3 == 0)
    return Dims(3, columns / 3);
  if (!given)
    return node.invalid() << "has weights of " << columns
                          << " columns, expected a multiple of 3";
  int64_t sum = 0;
  for (int64_t size : *given) {
    if (size < 1 || size > columns)
      return node.invalid() << "has " << size << " in qkv_hidden_sizes";
    sum += size;
  }
  if (given->size() == 3 && sum == columns)
    return *given;
  return node.invalid() << "has qkv_hidden_sizes " << shapeText(*given)
                        << ", expected 3 numbers whose sum is " << columns;
}

namespace {
/// The inputs and attributes of an Attention node that make query, key and
/// value.
struct Projection {
  Value x, weights, bias, past;
  int64_t heads;
  std::optional<Dims> sizes;
};
} // namespace

static LogicalResult checkProjection(const Node &node, const Projection &p) {
  if (failed(expectRank(node, "input", p.x, 3)) ||
      failed(expectRank(node, "weights", p.weights, 2)))
    return failure();
  if (failed(expectShape(node, "bias", p.bias, shapeOf(p.weights)[1])))
    return failure();
  return p.past ? expectRank(node, "past", p.past, 5) : success();
}

/// One product for query, key and value, which are then taken apart; those of
/// the cache come before them.
static LogicalResult emitProjection(Node &node, const Projection &p,
                                    Attention &attention) {
  FailureOr<Dims> sizes = packedSizes(node, p.sizes, shapeOf(p.weights)[1]);
  if (failed(sizes))
    return failure();
  Emit emit(node);
  Value all = emit.matmul(p.x, p.weights);
  if (p.bias)
    all = emit.add(all, p.bias);
  if (!all)
    return failure();
  int64_t begin = 0;
  Value *results[] = {&attention.query, &attention.key, &attention.value};
  for (auto [size, result] : llvm::zip_equal(*sizes, results)) {
    Value columns = emit.slice(all, 2, begin, size);
    if (!columns)
      return failure();
    FailureOr<Value> part = splitHeads(node, "input", columns, p.heads);
    if (failed(part))
      return failure();
    *result = *part;
    begin += size;
  }
  if (!p.past)
    return success();
  Value pastKey = pick(emit, p.past, 0, 0),
        pastValue = pick(emit, p.past, 0, 1);
  if (!pastKey || !pastValue)
    return failure();
  return prependPast(node, pastKey, pastValue, attention);
}

/// Keys and values in one tensor, as `past` is.
static LogicalResult definePresent(Node &node, const Attention &attention) {
  if (!node.isUsed(1))
    return success();
  Emit emit(node);
  Dims one(shapeOf(attention.key));
  one.insert(one.begin(), 1);
  return emit.define(1, emit.concat({emit.reshape(attention.key, one),
                                     emit.reshape(attention.value, one)},
                                    0));
}

static LogicalResult convertFusedAttention(Node &node) {
  Binder bind(node);
  Projection projection;
  projection.x = bind.tensor("input");
  projection.weights = bind.tensor("weights");
  projection.bias = bind.optionalTensor("bias");
  Value maskIndex = bind.optionalIndices("mask_index");
  projection.past = bind.optionalTensor("past");
  Value scoreBias = bind.optionalTensor("attention_bias");
  Operand pastLength = bind.optionalOperand();
  projection.heads = bind.requiredInteger("num_heads");
  projection.sizes = bind.list("qkv_hidden_sizes");
  std::optional<float> scale = bind.optionalNumber("scale");
  FusedMask mask = bindFilter(bind);
  mask.mask = maskIndex;
  mask.bias = scoreBias;
  bool rotary = bind.flag("do_rotary", false);
  bool shared = bind.flag("past_present_share_buffer", false);
  bind.integer("rotary_embedding_dim", 0);
  if (failed(bind.finish(/*outputs=*/2)) ||
      failed(refuseInput(node, pastLength, "past_sequence_length")) ||
      failed(refuseFlag(node, rotary, "do_rotary")) ||
      failed(refuseFlag(node, shared, "past_present_share_buffer")) ||
      failed(checkProjection(node, projection)))
    return failure();
  Attention attention;
  if (failed(emitProjection(node, projection, attention)))
    return failure();
  attention.scale = scale.value_or(defaultScale(shapeOf(attention.query)[3]));
  int64_t past = projection.past ? shapeOf(projection.past)[3] : 0;
  if (failed(addMasks(node, mask, past, attention)) ||
      failed(definePresent(node, attention)))
    return failure();
  return defineAttention(node, attention);
}

namespace {
/// Query, key and value as a MultiHeadAttention node gives them.
struct GivenHeads {
  Value query, key, value, bias;
  int64_t heads;
};
} // namespace

/// batch × length × heads × parts × size, part `index`, as batch × heads ×
/// length × size.
static FailureOr<Value> unpack(Node &node, StringRef role, Value x,
                               const GivenHeads &given, int64_t parts,
                               int64_t index) {
  ArrayRef<int64_t> dims = shapeOf(x);
  if (failed(expectShape(node, role, x,
                         {dims[0], dims[1], given.heads, parts, dims[4]})))
    return failure();
  Emit emit(node);
  Value y = emit.transpose(pick(emit, x, 3, index), {0, 2, 1, 3});
  return orFailure(y);
}

/// The three as batch × heads × length × size. The query may have all of them,
/// the key may have the value, and what comes from another layer's cache has
/// its shape already.
static LogicalResult unpackHeads(Node &node, GivenHeads given,
                                 Attention &attention) {
  auto one = [&](StringRef role, Value x) -> FailureOr<Value> {
    if (rankOf(x) == 4 && !given.bias)
      return x;
    return splitHeads(node, role, x, given.heads);
  };
  FailureOr<Value> query = failure(), key = failure(), value = failure();
  if (!given.key && !given.value && rankOf(given.query) == 5) {
    query = unpack(node, "query", given.query, given, 3, 0);
    key = unpack(node, "query", given.query, given, 3, 1);
    value = unpack(node, "query", given.query, given, 3, 2);
  } else if (given.key && !given.value && rankOf(given.key) == 5) {
    query = splitHeads(node, "query", given.query, given.heads);
    key = unpack(node, "key", given.key, given, 2, 0);
    value = unpack(node, "key", given.key, given, 2, 1);
  } else if (given.key && given.value) {
    query = splitHeads(node, "query", given.query, given.heads);
    key = one("key", given.key);
    value = one("value", given.value);
  } else {
    return node.unsupported() << "has neither query, key and value nor one of "
                                 "the packed forms of rank 5";
  }
  if (failed(query) || failed(key) || failed(value))
    return failure();
  attention.query = *query;
  attention.key = *key;
  attention.value = *value;
  return success();
}

/// Adds the parts of the bias to query, key and value.
static LogicalResult addBias(Node &node, Value bias, Attention &attention) {
  if (!bias)
    return success();
  int64_t width = 0;
  for (Value x : {attention.query, attention.key, attention.value})
    width += shapeOf(x)[1] * shapeOf(x)[3];
  if (failed(expectShape(node, "bias", bias, width)))
    return failure();
  Emit emit(node);
  int64_t begin = 0;
  for (Value *x : {&attention.query, &attention.key, &attention.value}) {
    int64_t heads = shapeOf(*x)[1], size = shapeOf(*x)[3];
    Value part = emit.slice(bias, 0, begin, heads * size);
    *x = emit.add(*x, emit.reshape(part, {heads, 1, size}));
    if (!*x)
      return failure();
    begin += heads * size;
  }
  return success();
}

static LogicalResult convertMultiHeadAttention(Node &node) {
  Binder bind(node);
  GivenHeads given;
  given.query = bind.tensor("query");
  given.key = bind.optionalTensor("key");
  given.value = bind.optionalTensor("value");
  given.bias = bind.optionalTensor("bias");
  Value padding = bind.optionalIndices("key_padding_mask");
  Value scoreBias = bind.optionalTensor("attention_bias");
  Value pastKey = bind.optionalTensor("past_key");
  Value pastValue = bind.optionalTensor("past_value");
  Operand pastLength = bind.optionalOperand();
  Operand indirection = bind.optionalOperand();
  given.heads = bind.requiredInteger("num_heads");
  std::optional<float> scale = bind.optionalNumber("scale");
  FusedMask mask = bindFilter(bind);
  if (failed(bind.finish(/*outputs=*/3)) ||
      failed(refuseInput(node, pastLength, "past_sequence_length")) ||
      failed(refuseInput(node, indirection, "cache_indirection")))
    return failure();
  Attention attention;
  if (failed(unpackHeads(node, given, attention)) ||
      failed(addBias(node, given.bias, attention)) ||
      failed(prependPast(node, pastKey, pastValue, attention)))
    return failure();
  int64_t past = pastKey ? shapeOf(pastKey)[2] : 0;
  attention.scale = scale.value_or(defaultScale(shapeOf(attention.query)[3]));
  mask.mask = padding;
  mask.bias = scoreBias;
  if (failed(addMasks(node, mask, past, attention)) ||
      failed(node.define(1, attention.key)) ||
      failed(node.define(2, attention.value)))
    return failure();
  return defineAttention(node, attention);
}

//===----------------------------------------------------------------------===//
// Rotary position embedding
//===----------------------------------------------------------------------===//

/// Positions are given for each word, or that of the first.
static FailureOr<Value> gatherAngles(Node &node, Value table, Value positions,
                                     int64_t length) {
  Emit emit(node);
  if (shapeOf(positions) == ArrayRef<int64_t>(1)) {
    Value each = emit.add(emit.range(length), positions);
    positions = emit.reshape(each, {1, length});
  }
  Value angles = emit.gather(table, positions, 0);
  return orFailure(angles);
}

static LogicalResult convertFusedRotary(Node &node) {
  Binder bind(node);
  Rotary rotary;
  rotary.x = bind.tensor("input");
  Value positions = bind.indices("position_ids");
  Operand cosine = bind.operand("cos_cache"), sine = bind.operand("sin_cache");
  rotary.interleaved = bind.flag("interleaved", false);
  bool packed = bind.flag("is_packed_batching", false);
  rotary.heads = bind.integer("num_heads", 0, 0);
  rotary.size = bind.integer("rotary_embedding_dim", 0, 0);
  float scale = bind.number("scale", 1);
  if (failed(bind.finish()) ||
      failed(refuseFlag(node, packed, "is_packed_batching")))
    return failure();
  if (scale != 1)
    return node.unsupported() << "has scale " << scale << ", expected 1";
  FailureOr<Value> cosines = angleTable(node, cosine, "cos_cache");
  FailureOr<Value> sines = angleTable(node, sine, "sin_cache");
  if (failed(cosines) || failed(sines) ||
      failed(expectRank(node, "cos_cache", *cosines, 2)))
    return failure();
  bool flat = rankOf(rotary.x) == 3;
  if (!flat && failed(expectRank(node, "input", rotary.x, 4)))
    return failure();
  // Without a number of heads, the table has an angle for each pair of a head.
  int64_t pairs = shapeOf(*cosines)[1];
  if (flat && rotary.heads == 0 && pairs > 0)
    rotary.heads = shapeOf(rotary.x)[2] / (2 * pairs);
  int64_t length = shapeOf(rotary.x)[flat ? 1 : 2];
  cosines = gatherAngles(node, *cosines, positions, length);
  sines = gatherAngles(node, *sines, positions, length);
  if (failed(cosines) || failed(sines))
    return failure();
  rotary.cosine = *cosines;
  rotary.sine = *sines;
  FailureOr<Value> y = emitRotary(node, rotary);
  return failed(y) ? failure() : node.define(0, *y);
}

void takt::import::addFusedAttentionOps(Registry &registry) {
  registry.add(kOnnxRuntime, "Attention", {1}, convertFusedAttention,
               "train.matmul, slice, softmax, add, where");
  registry.add(kOnnxRuntime, "MultiHeadAttention", {1},
               convertMultiHeadAttention,
               "train.matmul, softmax, add, where, slice");
  registry.add(kOnnxRuntime, "RotaryEmbedding", {1}, convertFusedRotary,
               "train.gather, slice, mul, binary sub, add, concat");
}
