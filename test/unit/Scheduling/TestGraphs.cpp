//===- TestGraphs.cpp - task graphs for tests -----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestGraphs.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

using namespace takt;
using namespace takt::test;

namespace {
class GraphMaker {
public:
  explicit GraphMaker(llvm::ArrayRef<LayerSpec> specs)
      : specs(specs), forward(specs.size()), dgrad(specs.size(), -1),
        wgrad(specs.size()), update(specs.size()), readers(specs.size()) {}

  TaskGraph run();

private:
  int addTask(int layer, TaskKind kind, Gemm gemm);
  void addTasks();
  void addActivations();
  void addGradients();
  void addWeights();
  Value value(const std::string &name, ValueClass kind, int producer,
              int64_t bytes) {
    Value v;
    v.name = name;
    v.kind = kind;
    v.producer = producer;
    v.bytes = bytes;
    return v;
  }

  llvm::ArrayRef<LayerSpec> specs;
  TaskGraph graph;
  std::vector<int> forward, dgrad, wgrad, update;
  std::vector<std::vector<int>> readers;
};
} // namespace

int GraphMaker::addTask(int layer, TaskKind kind, Gemm gemm) {
  const LayerSpec &spec = specs[layer];
  Task task;
  task.name = spec.name + "." + letter(kind).str();
  task.kind = kind;
  task.layer = layer;
  if (gemm.count > 0) {
    Work work;
    work.kind = kind;
    work.gemm = gemm;
    int64_t inputBytes = spec.m * spec.inputChannels * 4;
    work.bytesIn = kind == TaskKind::Forward ? inputBytes + spec.weightBytes
                   : kind == TaskKind::Dgrad
                       ? spec.outputBytes + spec.weightBytes
                       : inputBytes + spec.outputBytes;
    work.bytesOut = kind == TaskKind::Forward ? spec.outputBytes
                    : kind == TaskKind::Dgrad ? inputBytes
                                              : spec.weightBytes;
    task.work.push_back(work);
  }
  auto addCuts = [&](std::initializer_list<CutOption> cuts) {
    for (const CutOption &cut : cuts)
      if (cut.extent >= 2)
        task.cuts.push_back(cut);
  };
  if (kind == TaskKind::Dgrad && spec.cuttable)
    addCuts({{CutAxis::Channel, spec.inputChannels},
             {CutAxis::Batch, spec.batch},
             {CutAxis::Reduction, spec.outputChannels}});
  if (kind == TaskKind::Forward && spec.divisible)
    addCuts({{CutAxis::Channel, spec.outputChannels},
             {CutAxis::Batch, spec.batch}});
  if (kind == TaskKind::Wgrad && spec.divisible)
    addCuts({{CutAxis::Channel, spec.outputChannels},
             {CutAxis::Reduction, spec.batch}});
  task.rowwise = spec.divisible && !task.cuts.empty();
  graph.tasks.push_back(std::move(task));
  return static_cast<int>(graph.tasks.size()) - 1;
}

void GraphMaker::addTasks() {
  int count = static_cast<int>(specs.size());
  for (int l = 0; l < count; ++l) {
    const LayerSpec &spec = specs[l];
    graph.layers.push_back({spec.name, spec.weightBytes, 0});
    forward[l] = addTask(l, TaskKind::Forward, {spec.m, spec.n, spec.k, 1});
    for (int source : spec.reads)
      readers[source].push_back(l);
  }
  for (int l = count - 1; l >= 0; --l) {
    const LayerSpec &spec = specs[l];
    int64_t kernel = spec.k / spec.inputChannels;
    if (!spec.reads.empty())
      dgrad[l] = addTask(
          l, TaskKind::Dgrad,
          {spec.m, spec.inputChannels, spec.outputChannels * kernel, 1});
    wgrad[l] = addTask(l, TaskKind::Wgrad, {spec.k, spec.n, spec.m, 1});
    update[l] = addTask(l, TaskKind::Update, {});
    graph.tasks.back().colocated = wgrad[l];
  }
}

/// A layer's output, and the mask that a reader's D applies to its result.
void GraphMaker::addActivations() {
  Value input = value("input", ValueClass::Input, -1, 64);
  for (size_t l = 0; l < specs.size(); ++l) {
    if (specs[l].reads.empty()) {
      input.uses.push_back({forward[l]});
      input.uses.push_back({wgrad[l]});
    }
    Value output = value(specs[l].name + ".y", ValueClass::Activation,
                         forward[l], specs[l].outputBytes);
    for (int reader : readers[l]) {
      output.uses.push_back({forward[reader]});
      output.uses.push_back({wgrad[reader]});
      if (specs[l].unpooledBytes == 0)
        output.uses.push_back({dgrad[reader]});
    }
    if (!output.uses.empty())
      graph.values.push_back(std::move(output));
    if (specs[l].unpooledBytes == 0)
      continue;
    Value unpooled = value(specs[l].name + ".x", ValueClass::Activation,
                           forward[l], specs[l].unpooledBytes);
    unpooled.uses.push_back({dgrad[l]});
    graph.values.push_back(std::move(unpooled));
  }
  graph.values.push_back(std::move(input));
}

/// The gradient of a layer's output goes to its D and W. Where several layers
/// read that output, the D of the first of them sums up.
void GraphMaker::addGradients() {
  for (size_t l = 0; l < specs.size(); ++l) {
    auto use = [&](Value &gradient) {
      if (dgrad[l] >= 0)
        gradient.uses.push_back({dgrad[l]});
      if (specs[l].unpooledBytes == 0)
        gradient.uses.push_back({wgrad[l]});
    };
    if (specs[l].unpooledBytes > 0) {
      Value unpooled = value(specs[l].name + ".dx", ValueClass::Gradient,
                             dgrad[l], specs[l].unpooledBytes);
      unpooled.uses.push_back({wgrad[l]});
      graph.values.push_back(std::move(unpooled));
    }
    if (readers[l].empty()) {
      Value loss = value(specs[l].name + ".dy", ValueClass::Gradient,
                         forward[l], specs[l].outputBytes);
      use(loss);
      graph.values.push_back(std::move(loss));
      continue;
    }
    int summing = readers[l].front();
    for (int reader : llvm::drop_begin(readers[l])) {
      Value part =
          value(specs[l].name + ".dy from " + specs[reader].name,
                ValueClass::Gradient, dgrad[reader], specs[l].outputBytes);
      part.uses.push_back({dgrad[summing]});
      graph.values.push_back(std::move(part));
    }
    Value gradient = value(specs[l].name + ".dy", ValueClass::Gradient,
                           dgrad[summing], specs[l].outputBytes);
    use(gradient);
    graph.values.push_back(std::move(gradient));
  }
}

void GraphMaker::addWeights() {
  for (size_t l = 0; l < specs.size(); ++l) {
    Value gradient = value(specs[l].name + ".dw", ValueClass::WeightGradient,
                           wgrad[l], specs[l].weightBytes);
    gradient.uses.push_back({update[l]});
    graph.values.push_back(std::move(gradient));
    Value weights = value(specs[l].name + ".w", ValueClass::Weight, update[l],
                          specs[l].weightBytes);
    weights.uses.push_back({forward[l], 1, true});
    if (dgrad[l] >= 0)
      weights.uses.push_back({dgrad[l], 1, true});
    weights.uses.push_back({update[l], 1, false});
    graph.values.push_back(std::move(weights));
  }
}

TaskGraph GraphMaker::run() {
  graph.name = "test";
  addTasks();
  addActivations();
  addGradients();
  addWeights();
  return std::move(graph);
}

TaskGraph takt::test::makeTrainingGraph(llvm::ArrayRef<LayerSpec> layers) {
  return GraphMaker(layers).run();
}

LayerSpec takt::test::product(int64_t m, int64_t n, int64_t k) {
  return {"", m, n, k, m, k, n, m * n * 4, n * k * 4, {}, true};
}

// Arguments are evaluated in an order of the compiler's choice: a random number
// has a statement of its own, or the graphs differ between compilers.

LayerSpec takt::test::randomProduct(std::minstd_rand &random, int64_t most) {
  int64_t m = 1 + random() % most;
  int64_t n = 1 + random() % most;
  int64_t k = 1 + random() % most;
  return product(m, n, k);
}

TaskGraph takt::test::makeLongChain(std::minstd_rand &random, int layers) {
  std::vector<LayerSpec> specs;
  for (int l = 0; l < layers; ++l) {
    int64_t n = 64 + random() % 512;
    int64_t k = 64 + random() % 512;
    specs.push_back(product(32, n, k));
  }
  return makeChain(std::move(specs));
}

TaskGraph takt::test::makeChain(std::vector<LayerSpec> layers) {
  for (auto [index, layer] : llvm::enumerate(layers)) {
    layer.name = "l" + std::to_string(index);
    if (index > 0)
      layer.reads = {static_cast<int>(index) - 1};
  }
  return makeTrainingGraph(layers);
}

TaskGraph takt::test::makeVgg16(int64_t batch) {
  std::vector<LayerSpec> layers;
  int64_t side = 224, channels = 3;
  // Output channels, then whether a 2 x 2 pool follows.
  const std::pair<int64_t, bool> convolutions[] = {
      {64, false},  {64, true},   {128, false}, {128, true},  {256, false},
      {256, false}, {256, true},  {512, false}, {512, false}, {512, true},
      {512, false}, {512, false}, {512, true}};
  for (auto [filters, isPooled] : convolutions) {
    LayerSpec layer;
    layer.m = batch * side * side;
    layer.n = layer.outputChannels = filters;
    layer.k = channels * 9;
    layer.batch = batch;
    layer.inputChannels = channels;
    side = isPooled ? side / 2 : side;
    layer.outputBytes = batch * side * side * filters * 4;
    layer.unpooledBytes = isPooled ? 4 * layer.outputBytes : 0;
    layer.weightBytes = filters * layer.k * 4;
    layer.divisible = true;
    layers.push_back(layer);
    channels = filters;
  }
  int64_t features = channels * side * side;
  for (int64_t outputs : {4096, 4096, 1000}) {
    layers.push_back(product(batch, outputs, features));
    layers.back().divisible = true;
    features = outputs;
  }
  return makeChain(std::move(layers));
}

TaskGraph takt::test::makeRandomGraph(std::minstd_rand &random, int maxLayers,
                                      bool divisible) {
  auto pick = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random() % (high - low + 1));
  };
  int count = static_cast<int>(pick(1, maxLayers));
  std::vector<LayerSpec> layers;
  for (int l = 0; l < count; ++l) {
    LayerSpec layer = randomProduct(random, 8);
    layer.name = "l" + std::to_string(l);
    layer.cuttable = pick(0, 3) > 0;
    layer.divisible = divisible;
    if (l > 0 && pick(0, 9) > 0) {
      layer.reads = {static_cast<int>(pick(std::max(0, l - 3), l - 1))};
      int other = static_cast<int>(pick(0, l - 1));
      if (pick(0, 2) == 0 && other != layer.reads[0])
        layer.reads.push_back(other);
    }
    layers.push_back(std::move(layer));
  }
  return makeTrainingGraph(layers);
}

Instance::Instance(TaskGraph graph, int64_t processors, llvm::StringRef spec)
    : graph(std::move(graph)),
      machine(llvm::cantFail(Machine::uniform(processors))),
      cost(llvm::cantFail(createCostModel(spec))) {}

Instance takt::test::makeRandomInstance(std::minstd_rand &random, int maxLayers,
                                        int64_t fewest, int64_t most) {
  TaskGraph graph = makeRandomGraph(random, maxLayers);
  return Instance(std::move(graph), fewest + random() % (most - fewest + 1));
}

void takt::test::addFastProcessor(Machine &machine) {
  ProcessorClass fast = machine.classes[0];
  fast.name = "fast";
  fast.macsPerCycle = 3;
  machine.classes.push_back(fast);
}

Schedule takt::test::scheduleOf(llvm::StringRef name, const Problem &problem,
                                const ScheduleOptions &options) {
  llvm::Expected<Schedule> result = schedule(name, problem, options);
  if (result)
    return std::move(*result);
  ADD_FAILURE() << name.str() << ": " << llvm::toString(result.takeError());
  Schedule none;
  none.interval = 1;
  return none;
}
