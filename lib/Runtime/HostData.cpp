//===- HostData.cpp - what the host feeds to a program --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Runtime/HostData.h"
#include "Random.h"
#include "takt/Target/BindingTurns.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <map>
#include <mutex>

using namespace llvm;
using namespace takt;
using namespace takt::runtime;

HostData::~HostData() = default;

static bool isSupplied(const Binding &binding) {
  return binding.kind == BindingKind::Input ||
         binding.kind == BindingKind::Label;
}

bool takt::isForwardProgram(const Program &program) {
  return none_of(program.bindings, [](const Binding &binding) {
    return binding.kind == BindingKind::Loss ||
           binding.kind == BindingKind::Label;
  });
}

static int64_t elements(const Binding &binding) {
  int64_t n = 1;
  for (int64_t d : binding.dims)
    n *= d;
  return n;
}

//===----------------------------------------------------------------------===//
// Synthetic data
//===----------------------------------------------------------------------===//

namespace {
class SyntheticData : public HostData {
public:
  SyntheticData(const Program &program, uint64_t seed)
      : program(program), turns(program), seed(seed) {
    for (const Kernel &kernel : program.kernels)
      if (kernel.id == KernelId::SoftmaxCrossEntropy)
        classes = kernel.operands[0].dims[kernel.words[0]];
  }

  void fill(uint32_t index, uint64_t iteration, void *entry) const override {
    const Binding &binding = program.bindings[index];
    // As if every name had one binding.
    SplitMix64 random({seed, turns.first(index) / turns.minibatches(),
                       turns.minibatch(index, iteration)});
    int64_t n = elements(binding);
    visitElement(binding.type, [&](auto zero) {
      using Element = decltype(zero);
      if constexpr (std::is_integral_v<Element>)
        fillClasses<Element>(random, n, entry,
                             binding.type == ElementType::I1 ? 2 : classes);
      else
        fillUniform<Element>(random, n, entry);
    });
  }

private:
  template <typename T>
  static void fillUniform(const SplitMix64 &random, int64_t n, void *entry) {
    // Uniform in [-sqrt 3, sqrt 3) has variance 1; 24 bits are exact in f32.
    const double scale = 2 * std::sqrt(3.0) / (1 << 24);
    for (int64_t i = 0; i < n; ++i)
      static_cast<T *>(entry)[i] = static_cast<T>(
          scale * static_cast<double>(random.at(i) >> 40) - std::sqrt(3.0));
  }

  template <typename T>
  static void fillClasses(const SplitMix64 &random, int64_t n, void *entry,
                          uint64_t bound) {
    for (int64_t i = 0; i < n; ++i)
      static_cast<T *>(entry)[i] =
          static_cast<T>(SplitMix64::below(random.at(i), bound));
  }

  const Program &program;
  BindingTurns turns;
  uint64_t seed;
  uint64_t classes = 2;
};
} // namespace

std::unique_ptr<HostData> takt::makeSyntheticData(const Program &program,
                                                  uint64_t seed) {
  return std::make_unique<SyntheticData>(program, seed);
}

//===----------------------------------------------------------------------===//
// Samples of arrays
//===----------------------------------------------------------------------===//

namespace {
/// Orders of the samples by epoch. The few latest are kept: processors work on
/// minibatches that are close together.
class EpochOrders {
public:
  using Order = std::shared_ptr<const std::vector<uint32_t>>;

  EpochOrders(uint64_t samples, uint64_t seed) : samples(samples), seed(seed) {}

  Order get(uint64_t epoch) {
    std::lock_guard<std::mutex> lock(mutex);
    Order &order = orders[epoch];
    if (!order)
      order = draw(epoch);
    Order result = order;
    if (orders.size() > kKept)
      orders.erase(orders.begin());
    return result;
  }

private:
  static constexpr size_t kKept = 16;

  Order draw(uint64_t epoch) const {
    std::vector<uint32_t> order(samples);
    for (uint64_t i = 0; i < samples; ++i)
      order[i] = static_cast<uint32_t>(i);
    SplitMix64 random({seed, epoch});
    for (uint64_t i = samples; i > 1; --i)
      std::swap(order[i - 1], order[SplitMix64::below(random.next(), i)]);
    return std::make_shared<const std::vector<uint32_t>>(std::move(order));
  }

  uint64_t samples, seed;
  std::mutex mutex;
  std::map<uint64_t, Order> orders;
};
} // namespace

struct ArrayData::State {
  State(const Program &program, uint64_t samples, uint64_t seed)
      : turns(program), samples(samples), orders(samples, seed) {}

  BindingTurns turns;
  uint64_t samples, batch = 1, perEpoch = 1;
  bool shuffle = false;
  EpochOrders orders;
  /// By the first binding of a name, in the binding's type.
  std::vector<Array> arrays;
};

ArrayData::ArrayData(std::unique_ptr<State> state) : state(std::move(state)) {}
ArrayData::~ArrayData() = default;

static std::string names(ArrayRef<Array> arrays) {
  if (arrays.empty())
    return "no array";
  return join(
      map_range(arrays, [](const Array &a) { return "'" + a.name + "'"; }),
      ", ");
}

static StringRef role(const Binding &binding) {
  return binding.kind == BindingKind::Label ? "label" : "input";
}

static Expected<const Array *> findSamples(const Binding &binding,
                                           ArrayRef<Array> arrays) {
  if (const Array *array = findArray(arrays, binding.name))
    return array;
  std::string expected = "'" + binding.name + "'";
  if (binding.kind == BindingKind::Label) {
    StringRef usual = isFloatType(binding.type) ? "target" : "label";
    if (const Array *array = findArray(arrays, usual))
      return array;
    if (binding.name != usual)
      expected += " or '" + usual.str() + "'";
  }
  return createStringError("the program's " + role(binding) +
                           " needs an array " + expected + ", found " +
                           names(arrays));
}

/// Whether all inputs and labels have a row for each sample. A graph of tensor
/// arithmetic may have none: inputs of different lengths, or of rank 0.
static bool hasSamples(const Program &program) {
  std::optional<int64_t> batch;
  for (const Binding &binding : program.bindings) {
    if (!isSupplied(binding))
      continue;
    if (binding.dims.empty() ||
        batch.value_or(binding.dims[0]) != binding.dims[0])
      return false;
    batch = binding.dims[0];
  }
  return true;
}

/// The array for a binding in the binding's element type: a row for each of any
/// number of samples or, if `whole`, one minibatch as it is.
static Expected<Array> samplesFor(const Binding &binding, bool whole,
                                  ArrayRef<Array> arrays) {
  Expected<const Array *> found = findSamples(binding, arrays);
  if (!found)
    return found.takeError();
  const Array &array = **found;
  ArrayRef<int64_t> dims = array.dims, needed = binding.dims;
  bool fits = whole ? dims == needed
                    : !dims.empty() && dims.drop_front() == needed.drop_front();
  if (!fits) {
    std::string expected = whole ? needed.empty() ? "scalar" : itostr(needed[0])
                                 : std::string("N");
    for (size_t axis = 1; axis < needed.size(); ++axis)
      expected += "x" + itostr(needed[axis]);
    return createStringError("array '" + array.name + "' is " +
                             describe(descriptor(array.type), array.dims) +
                             ", the program's " + role(binding) + " '" +
                             binding.name + "' needs " +
                             descriptor(binding.type) + " " + expected);
  }
  return convert(array, binding.type);
}

Expected<std::unique_ptr<ArrayData>>
ArrayData::create(const Program &program, ArrayRef<Array> arrays,
                  const SamplingOptions &options) {
  std::vector<Array> converted(program.bindings.size());
  const Array *first = nullptr;
  int64_t batch = 1;
  BindingTurns turns(program);
  bool whole = !hasSamples(program);
  for (auto [i, binding] : enumerate(program.bindings)) {
    if (!isSupplied(binding) || turns.first(i) != i)
      continue;
    Expected<Array> array = samplesFor(binding, whole, arrays);
    if (!array)
      return array.takeError();
    converted[i] = std::move(*array);
    if (whole)
      continue;
    if (!first)
      batch = binding.dims[0];
    else if (converted[i].dims[0] != first->dims[0])
      return createStringError("array '" + converted[i].name + "' has " +
                               Twine(converted[i].dims[0]) +
                               " samples, array '" + first->name + "' has " +
                               Twine(first->dims[0]));
    first = first ? first : &converted[i];
  }
  uint64_t samples = first ? first->dims[0] : batch;
  uint64_t full = samples / batch;
  uint64_t perEpoch =
      full + (options.keepIncomplete && samples % batch != 0 ? 1 : 0);
  if (perEpoch == 0)
    return createStringError("the data has " + Twine(samples) +
                             " samples, expected at least one minibatch of " +
                             Twine(batch));
  if (samples > UINT32_MAX)
    return createStringError("the data has " + Twine(samples) +
                             " samples, expected at most " + Twine(UINT32_MAX));
  auto state = std::make_unique<State>(program, samples, options.seed);
  state->batch = batch;
  state->perEpoch = perEpoch;
  state->shuffle = options.shuffle;
  state->arrays = std::move(converted);
  return std::unique_ptr<ArrayData>(new ArrayData(std::move(state)));
}

void ArrayData::fill(uint32_t binding, uint64_t iteration, void *entry) const {
  const Array &array = state->arrays[state->turns.first(binding)];
  uint64_t minibatch = state->turns.minibatch(binding, iteration);
  size_t bytes = array.data.size() / state->samples;
  EpochOrders::Order order;
  if (state->shuffle)
    order = state->orders.get(minibatch / state->perEpoch);
  uint64_t begin = minibatch % state->perEpoch * state->batch;
  for (uint64_t row = 0; row < state->batch; ++row) {
    uint64_t position = begin + row;
    uint64_t sample = position >= state->samples ? 0
                      : order                    ? (*order)[position]
                                                 : position;
    std::memcpy(static_cast<char *>(entry) + row * bytes,
                array.data.data() + sample * bytes, bytes);
  }
}

uint64_t ArrayData::samples() const { return state->samples; }
uint64_t ArrayData::samplesPerMinibatch() const { return state->batch; }
uint64_t ArrayData::minibatchesPerEpoch() const { return state->perEpoch; }
