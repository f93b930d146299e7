//===- RecurrentOps.cpp - recurrent layers, step by step ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// RNN, GRU and LSTM are unrolled: one product of all inputs by W, and for each
// step one of the hidden state by R and what the gates do with both.
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using takt::BinaryFunction;
using takt::CompareFunction;
using takt::UnaryFunction;
using namespace takt::import;
namespace train = takt::train;

/// Most steps that are unrolled.
static constexpr int64_t kMaxSteps = 4096;

namespace {
enum class Cell { Rnn, Gru, Lstm };

/// A layer taken apart, time first.
struct Layer {
  Cell cell;
  Value x, w, r, b, lengths, h, c, p;
  std::string direction;
  std::vector<std::string> activations; ///< of all directions
  float clip = 0;                       ///< 0: none
  bool resetsProduct = false;           ///< linear_before_reset of a GRU
  bool batchFirst = false;
  int64_t steps, batch, inputs, hidden;

  int64_t gates() const {
    return cell == Cell::Rnn ? 1 : cell == Cell::Gru ? 3 : 4;
  }
  int64_t directions() const { return direction == "bidirectional" ? 2 : 1; }
  size_t functions() const {
    return cell == Cell::Rnn ? 1 : cell == Cell::Gru ? 2 : 3;
  }
};

/// What a layer gives: all hidden states, the last one, the last cell state.
struct States {
  Value all, h, c;
};

/// One direction of a layer.
class Unroller {
public:
  Unroller(Emit &emit, const Layer &layer, int64_t index)
      : emit(emit), layer(layer), index(index),
        backwards(layer.direction == "reverse" || index == 1) {}

  States run();

private:
  Value ofDirection(Value tensor, llvm::ArrayRef<int64_t> shape);
  Value gate(Value gates, int64_t i);
  Value activate(size_t function, Value x);
  Value peephole(Value gate, int64_t i, Value c);
  Value project();
  void step(Value fromX);
  void stepRnn(Value fromX);
  void stepGru(Value fromX);
  void stepLstm(Value fromX);
  Value keepWithin(int64_t t, Value next, Value otherwise);

  Emit &emit;
  const Layer &layer;
  int64_t index;
  bool backwards;
  Value recurrent, recurrentBias, peepholes, h, c;
};
} // namespace

//===----------------------------------------------------------------------===//
// A step
//===----------------------------------------------------------------------===//

/// The direction's part of a parameter.
Value Unroller::ofDirection(Value tensor, ArrayRef<int64_t> shape) {
  if (!tensor)
    return {};
  return emit.reshape(emit.slice(tensor, 0, index, 1), shape);
}

Value Unroller::gate(Value gates, int64_t i) {
  if (!gates)
    return {};
  return emit.slice(gates, rankOf(gates) - 1, i * layer.hidden, layer.hidden);
}

Value Unroller::activate(size_t function, Value x) {
  if (layer.clip != 0)
    x = emit.unary(UnaryFunction::Clip, x, -layer.clip, layer.clip);
  StringRef name = layer.activations[index * layer.functions() + function];
  if (name == "sigmoid")
    return emit.sigmoid(x);
  if (name == "tanh")
    return emit.tanh(x);
  if (name == "relu")
    return emit.unary(UnaryFunction::ThresholdedRelu, x, 0);
  if (name == "hardsigmoid")
    return emit.unary(UnaryFunction::HardSigmoid, x, 0.2f, 0.5f);
  if (name == "elu")
    return emit.unary(UnaryFunction::Elu, x, 1);
  return emit.unary(name == "softsign" ? UnaryFunction::Softsign
                                       : UnaryFunction::Softplus,
                    x);
}

/// All inputs by W, with its bias: steps × batch × gates.
Value Unroller::project() {
  int64_t width = layer.gates() * layer.hidden;
  Value w = ofDirection(layer.w, {width, layer.inputs});
  Value rows = emit.reshape(layer.x, {layer.steps * layer.batch, layer.inputs});
  Value y = emit.matmul(rows, w, /*transposeB=*/true);
  recurrent = ofDirection(layer.r, {width, layer.hidden});
  if (Value bias = ofDirection(layer.b, 2 * width)) {
    y = emit.add(y, emit.slice(bias, 0, 0, width));
    recurrentBias = emit.slice(bias, 0, width, width);
  }
  return emit.reshape(y, {layer.steps, layer.batch, width});
}

void Unroller::stepRnn(Value fromX) {
  Value fromH = emit.matmul(h, recurrent, true);
  if (recurrentBias)
    fromH = emit.add(fromH, recurrentBias);
  h = activate(0, emit.add(fromX, fromH));
}

/// Gates z, r and h. The reset gate is on the hidden state or on its product.
void Unroller::stepGru(Value fromX) {
  int64_t hidden = layer.hidden;
  Value upper = emit.slice(recurrent, 0, 0, 2 * hidden);
  Value lower = emit.slice(recurrent, 0, 2 * hidden, hidden);
  Value fromH = emit.matmul(h, upper, true);
  Value lowerBias;
  if (recurrentBias) {
    fromH = emit.add(fromH, emit.slice(recurrentBias, 0, 0, 2 * hidden));
    lowerBias = emit.slice(recurrentBias, 0, 2 * hidden, hidden);
  }
  Value z = gate(fromX, 0), r = gate(fromX, 1);
  z = activate(0, emit.add(z, gate(fromH, 0)));
  r = activate(0, emit.add(r, gate(fromH, 1)));
  Value candidate = layer.resetsProduct
                        ? emit.matmul(h, lower, true)
                        : emit.matmul(emit.mul(r, h), lower, true);
  if (lowerBias)
    candidate = emit.add(candidate, lowerBias);
  if (layer.resetsProduct)
    candidate = emit.mul(r, candidate);
  candidate = activate(1, emit.add(gate(fromX, 2), candidate));
  // (1 − z) · candidate + z · h
  h = emit.add(candidate, emit.mul(z, emit.sub(h, candidate)));
}

Value Unroller::peephole(Value gate, int64_t i, Value state) {
  if (!peepholes)
    return gate;
  Value weights = emit.slice(peepholes, 0, i * layer.hidden, layer.hidden);
  return emit.add(gate, emit.mul(weights, state));
}

/// Gates i, o, f and c.
void Unroller::stepLstm(Value fromX) {
  Value fromH = emit.matmul(h, recurrent, true);
  if (recurrentBias)
    fromH = emit.add(fromH, recurrentBias);
  Value all = emit.add(fromX, fromH);
  Value input = activate(0, peephole(gate(all, 0), 0, c));
  Value forget = activate(0, peephole(gate(all, 2), 2, c));
  Value candidate = activate(1, gate(all, 3));
  Value kept = emit.mul(forget, c);
  c = emit.add(kept, emit.mul(input, candidate));
  Value output = activate(0, peephole(gate(all, 1), 1, c));
  // The cell state is not clipped.
  Layer unclipped = layer;
  unclipped.clip = 0;
  h = emit.mul(output, Unroller(emit, unclipped, index).activate(2, c));
}

void Unroller::step(Value fromX) {
  switch (layer.cell) {
  case Cell::Rnn:
    return stepRnn(fromX);
  case Cell::Gru:
    return stepGru(fromX);
  case Cell::Lstm:
    return stepLstm(fromX);
  }
}

/// What samples have whose sequence is longer than t, and what the others have.
Value Unroller::keepWithin(int64_t t, Value next, Value otherwise) {
  if (!layer.lengths)
    return next;
  Value inside =
      emit.compare(CompareFunction::Less, emit.integers(t, {}), layer.lengths);
  return emit.where(emit.reshape(inside, {layer.batch, 1}), next, otherwise);
}

States Unroller::run() {
  Dims state = {layer.batch, layer.hidden};
  Value projected = project();
  peepholes = ofDirection(layer.p, 3 * layer.hidden);
  h = layer.h ? ofDirection(layer.h, state) : emit.filled(0, state, layer.x);
  if (layer.cell == Cell::Lstm)
    c = layer.c ? ofDirection(layer.c, state) : emit.filled(0, state, layer.x);
  SmallVector<Value> all(layer.steps);
  for (int64_t i = 0; i < layer.steps; ++i) {
    int64_t t = backwards ? layer.steps - 1 - i : i;
    Value lastH = h, lastC = c;
    step(emit.reshape(emit.slice(projected, 0, t, 1),
                      {layer.batch, layer.gates() * layer.hidden}));
    if (!h)
      return {};
    Value shown = h;
    if (layer.lengths) {
      shown = keepWithin(t, h, emit.filled(0, {}, h));
      h = keepWithin(t, h, lastH);
      c = c ? keepWithin(t, c, lastC) : c;
    }
    all[t] = emit.reshape(shown, {1, 1, layer.batch, layer.hidden});
  }
  Dims last = {1, layer.batch, layer.hidden};
  return {emit.concat(all, 0), emit.reshape(h, last),
          c ? emit.reshape(c, last) : Value()};
}

//===----------------------------------------------------------------------===//
// Binding
//===----------------------------------------------------------------------===//

static LogicalResult bindActivations(Node &node, Binder &bind, Layer &layer) {
  if (const auto *listed = bind.attribute("activations")) {
    for (const std::string &name : listed->strings())
      layer.activations.push_back(StringRef(name).lower());
  } else {
    static constexpr StringLiteral names[] = {"sigmoid", "tanh", "tanh"};
    for (int64_t i = 0; i < layer.directions(); ++i)
      for (size_t k = 0; k < layer.functions(); ++k)
        layer.activations.push_back(layer.cell == Cell::Rnn ? "tanh"
                                                            : names[k].str());
  }
  if (layer.activations.size() != layer.functions() * layer.directions())
    return node.invalid() << "has " << layer.activations.size()
                          << " activations, expected "
                          << layer.functions() * layer.directions();
  for (StringRef name : {"activation_alpha", "activation_beta"})
    if (bind.attribute(name))
      return node.unsupported() << "has attribute '" << name << "'";
  for (StringRef name : layer.activations)
    if (!llvm::is_contained({"sigmoid", "tanh", "relu", "hardsigmoid", "elu",
                             "softsign", "softplus"},
                            name))
      return node.unsupported()
             << "has activation '" << name
             << "', expected sigmoid, tanh, relu, hardsigmoid, elu, softsign "
                "or softplus";
  return success();
}

static FailureOr<Layer> bindLayer(Node &node, Cell cell) {
  Binder bind(node);
  Layer layer;
  layer.cell = cell;
  layer.x = bind.tensor("X");
  layer.w = bind.tensor("W");
  layer.r = bind.tensor("R");
  layer.b = bind.optionalTensor("B");
  layer.lengths = bind.optionalTensor("sequence_lens", Accept::Numbers);
  layer.h = bind.optionalTensor("initial_h");
  if (cell == Cell::Lstm) {
    layer.c = bind.optionalTensor("initial_c");
    layer.p = bind.optionalTensor("P");
  }
  layer.direction = bind.text("direction", "forward");
  layer.clip = bind.number("clip", 0);
  layer.batchFirst = node.since >= 14 && bind.flag("layout", false);
  if (cell == Cell::Gru)
    layer.resetsProduct = bind.integer("linear_before_reset", 0) != 0;
  bool coupled = cell == Cell::Lstm && bind.integer("input_forget", 0) != 0;
  layer.hidden = bind.integer("hidden_size", 0);
  if (failed(bindActivations(node, bind, layer)) ||
      failed(bind.finish(cell == Cell::Lstm ? 3 : 2)))
    return failure();
  if (coupled)
    return node.unsupported() << "couples its input and forget gates";
  if (layer.clip < 0)
    return node.invalid() << "has clip " << layer.clip;
  if (!llvm::is_contained({"forward", "reverse", "bidirectional"},
                          layer.direction))
    return node.invalid() << "has direction '" << layer.direction
                          << "', expected forward, reverse or bidirectional";
  if (layer.lengths && layer.direction != "forward")
    return node.unsupported() << "has lengths of sequences and direction '"
                              << layer.direction << "', expected forward";
  return layer;
}

/// Brings time to the front and checks all shapes.
static LogicalResult arrangeLayer(Node &node, Emit &emit, Layer &layer) {
  if (rankOf(layer.x) != 3 || rankOf(layer.r) != 3)
    return node.invalid() << "has X of rank " << rankOf(layer.x)
                          << " and R of rank " << rankOf(layer.r)
                          << ", expected 3";
  if (layer.batchFirst) {
    layer.x = emit.transpose(layer.x, {1, 0, 2});
    layer.h = layer.h ? emit.transpose(layer.h, {1, 0, 2}) : Value();
    layer.c = layer.c ? emit.transpose(layer.c, {1, 0, 2}) : Value();
  }
  ArrayRef<int64_t> x = shapeOf(layer.x);
  layer.steps = x[0];
  layer.batch = x[1];
  layer.inputs = x[2];
  int64_t hidden = shapeOf(layer.r)[2];
  if (layer.hidden != 0 && layer.hidden != hidden)
    return node.invalid() << "has hidden_size " << layer.hidden << ", expected "
                          << hidden << " as R";
  layer.hidden = hidden;
  int64_t width = layer.gates() * layer.hidden, n = layer.directions();
  if (failed(expectShape(node, "W", layer.w, {n, width, layer.inputs})) ||
      failed(expectShape(node, "R", layer.r, {n, width, layer.hidden})) ||
      failed(expectShape(node, "B", layer.b, {n, 2 * width})) ||
      failed(expectShape(node, "sequence_lens", layer.lengths, layer.batch)) ||
      failed(expectShape(node, "initial_h", layer.h,
                         {n, layer.batch, layer.hidden})) ||
      failed(expectShape(node, "initial_c", layer.c,
                         {n, layer.batch, layer.hidden})) ||
      failed(expectShape(node, "P", layer.p, {n, 3 * layer.hidden})))
    return failure();
  if (layer.steps > kMaxSteps)
    return node.unsupported()
           << "has " << layer.steps << " steps, expected at most " << kMaxSteps;
  if (layer.lengths)
    layer.lengths =
        emit.cast(layer.lengths, IntegerType::get(node.loc.getContext(), 64));
  return success();
}

template <Cell cell> static LogicalResult convertRecurrent(Node &node) {
  FailureOr<Layer> layer = bindLayer(node, cell);
  Emit emit(node);
  if (failed(layer) || failed(arrangeLayer(node, emit, *layer)))
    return failure();
  SmallVector<Value> all, h, c;
  for (int64_t i = 0; i < layer->directions(); ++i) {
    States states = Unroller(emit, *layer, i).run();
    if (!states.all)
      return failure();
    all.push_back(states.all);
    h.push_back(states.h);
    c.push_back(states.c);
  }
  Value outputs[] = {emit.concat(all, 1), emit.concat(h, 0),
                     cell == Cell::Lstm ? emit.concat(c, 0) : Value()};
  if (layer->batchFirst) {
    outputs[0] = emit.transpose(outputs[0], {2, 0, 1, 3});
    for (Value &last : MutableArrayRef(outputs).drop_front())
      last = last ? emit.transpose(last, {1, 0, 2}) : Value();
  }
  for (int i = 0; i < (cell == Cell::Lstm ? 3 : 2); ++i)
    if (failed(emit.define(i, outputs[i])))
      return failure();
  return success();
}

void takt::import::addRecurrentOps(Registry &registry) {
  registry.add("RNN", {7, 14, 22}, convertRecurrent<Cell::Rnn>,
               "train.matmul, add, tanh: unrolled");
  registry.add("GRU", {7, 14, 22}, convertRecurrent<Cell::Gru>,
               "train.matmul, add, mul, sigmoid, tanh: unrolled");
  registry.add("LSTM", {7, 14, 22}, convertRecurrent<Cell::Lstm>,
               "train.matmul, add, mul, sigmoid, tanh: unrolled");
}
