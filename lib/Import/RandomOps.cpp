//===- RandomOps.cpp - random numbers -------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All of them draw in both modes, other numbers in each minibatch. Integers
// that are drawn have no gradient, so what they are drawn by gets none through
// them.
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace takt::import;
using takt::CompareFunction;
using takt::UnaryFunction;
namespace train = takt::train;

/// The bits of the seed given, or the node's own seed.
static int64_t takeSeed(const Node &node, Binder &bind) {
  std::optional<float> seed = bind.optionalNumber("seed");
  return seed ? llvm::bit_cast<uint32_t>(*seed) : node.ownSeed();
}

//===----------------------------------------------------------------------===//
// Numbers of a distribution
//===----------------------------------------------------------------------===//

namespace {
// An operation, and what ONNX and it call its numbers.
struct Uniform {
  using Op = train::RandomUniformOp;
  static constexpr StringLiteral kNames[] = {"low", "high"};
};
struct Normal {
  using Op = train::RandomNormalOp;
  static constexpr StringLiteral kNames[] = {"mean", "scale"};
};
} // namespace

/// The attributes that all have; 0 and 1 are the defaults of either pair.
template <typename Distribution>
static AttributeList takeAttributes(const Node &node, Binder &bind) {
  AttributeList attributes = node.attributes();
  attributes.number(Distribution::kNames[0],
                    bind.number(Distribution::kNames[0], 0));
  attributes.number(Distribution::kNames[1],
                    bind.number(Distribution::kNames[1], 1));
  attributes.integer("seed", takeSeed(node, bind));
  return attributes;
}

template <typename Distribution>
static LogicalResult draw(Node &node, ArrayRef<int64_t> shape, int64_t type,
                          const AttributeList &attributes) {
  Type element = computedType(type, node.loc.getContext());
  if (!element || !isa<FloatType>(element))
    return node.unsupported() << "draws elements of type " << typeName(type)
                              << ", expected floats";
  if (llvm::any_of(shape, [](int64_t dim) { return dim < 1; }) ||
      !countElements(shape))
    return node.unsupported() << "draws a tensor of shape " << shapeText(shape)
                              << ", expected 1 to 2^40 elements";
  auto op = node.createTyped<typename Distribution::Op>(
      RankedTensorType::get(shape, element), {}, attributes);
  if (failed(op))
    return failure();
  return node.define(0, op->getY());
}

template <typename Distribution>
static LogicalResult convertRandom(Node &node) {
  Binder bind(node);
  int64_t type = bind.integer("dtype", onnx::TensorProto::FLOAT);
  std::optional<Dims> shape = bind.list("shape");
  AttributeList attributes = takeAttributes<Distribution>(node, bind);
  if (failed(bind.finish()))
    return failure();
  if (!shape)
    return node.invalid() << "has no attribute 'shape'";
  return draw<Distribution>(node, *shape, type, attributes);
}

/// The element type of the operand, where there is no other.
static int64_t takeType(Binder &bind, const Operand &like) {
  return bind.integer("dtype", like.constant ? like.constant->type
                                             : onnxType(elementOf(like.value)));
}

template <typename Distribution>
static LogicalResult convertRandomLike(Node &node) {
  Binder bind(node);
  Operand like = bind.operand("input");
  if (!like)
    return bind.finish();
  int64_t type = takeType(bind, like);
  AttributeList attributes = takeAttributes<Distribution>(node, bind);
  if (failed(bind.finish()))
    return failure();
  return draw<Distribution>(node, like.shape(), type, attributes);
}

//===----------------------------------------------------------------------===//
// Choices
//===----------------------------------------------------------------------===//

/// Uniformly distributed in [0, 1), in the element type of `like`.
static Value drawUniform(Node &node, ArrayRef<int64_t> shape, Value like,
                         int64_t seed) {
  auto op = node.createTyped<train::RandomUniformOp>(
      RankedTensorType::get(shape, elementOf(like)), {},
      node.attributes().integer("seed", seed));
  return succeeded(op) ? op->getY() : Value();
}

/// 1 with the probability that the element is.
static LogicalResult convertBernoulli(Node &node) {
  Binder bind(node);
  Value probability = bind.tensor("input");
  if (!probability)
    return bind.finish();
  int64_t type = bind.integer("dtype", onnxType(elementOf(probability)));
  int64_t seed = takeSeed(node, bind);
  if (failed(bind.finish()))
    return failure();
  Type element = computedType(type, node.loc.getContext());
  if (!element)
    return node.unsupported() << "draws elements of type " << typeName(type)
                              << ", expected numbers or bool";
  Emit emit(node);
  Value drawn = drawUniform(node, shapeOf(probability), probability, seed);
  Value ones = emit.compare(CompareFunction::Less, drawn, probability);
  return emit.define(emit.cast(ones, element));
}

/// Indices by logarithms of their probabilities, up to a common summand: where
/// the sum with a number of the Gumbel distribution is the largest.
static LogicalResult convertMultinomial(Node &node) {
  Binder bind(node);
  Value logits = bind.tensor("input");
  int64_t type = bind.integer("dtype", onnx::TensorProto::INT32);
  int64_t count = bind.integer("sample_size", 1, 1);
  int64_t seed = takeSeed(node, bind);
  if (failed(bind.finish()))
    return failure();
  ArrayRef<int64_t> shape = shapeOf(logits);
  if (shape.size() != 2)
    return node.invalid() << "has an input of shape " << shapeText(shape)
                          << ", expected samples and classes";
  if (type != onnx::TensorProto::INT32 && type != onnx::TensorProto::INT64)
    return node.invalid() << "has dtype " << typeName(type)
                          << ", expected int32 or int64";
  Dims drawn = {shape[0], count, shape[1]};
  if (!countElements(drawn))
    return node.unsupported() << "draws numbers of shape " << shapeText(drawn)
                              << ", expected at most 2^40";
  Emit emit(node);
  Value uniform = drawUniform(node, drawn, logits, seed);
  Value exponential = emit.negate(emit.unary(UnaryFunction::Log, uniform));
  Value gumbel = emit.negate(emit.unary(UnaryFunction::Log, exponential));
  Value sums = emit.add(emit.reshape(logits, {shape[0], 1, shape[1]}), gumbel);
  Value classes = emit.argMax(sums, /*axis=*/2, /*last=*/false);
  return emit.define(emit.cast(emit.reshape(classes, {shape[0], count}),
                               computedType(type, node.loc.getContext())));
}

void takt::import::addRandomOps(Registry &registry) {
  registry.add("RandomUniform", {1, 22}, convertRandom<Uniform>,
               "train.random_uniform");
  registry.add("RandomUniformLike", {1, 22}, convertRandomLike<Uniform>,
               "train.random_uniform");
  registry.add("RandomNormal", {1, 22}, convertRandom<Normal>,
               "train.random_normal");
  registry.add("RandomNormalLike", {1, 22}, convertRandomLike<Normal>,
               "train.random_normal");
  registry.add("Bernoulli", {15, 22}, convertBernoulli,
               "train.random_uniform, train.compare less, train.cast");
  registry.add("Multinomial", {7, 22}, convertMultinomial,
               "train.random_uniform, unary log, add, arg_max");
}
