//===- Parse.cpp - pipeline problems as text ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/Pipeline.h"
#include "takt/Support/Yaml.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"

using namespace takt;
using namespace llvm;

static constexpr int64_t kMaxProcessors = 4096;
static constexpr int64_t kMaxStages = 1 << 16;
static constexpr int64_t kMaxMicrobatches = 1 << 20;
static constexpr int64_t kMaxTasks = int64_t(1) << 27;
static constexpr int64_t kMaxCycles = int64_t(1) << 40;
/// Makespans and their sums stay far from overflow.
static constexpr int64_t kMaxTotal = int64_t(1) << 60;

namespace {
using Version = Ranged<1, 1>;
using Processors = Ranged<1, kMaxProcessors>;
using Microbatches = Ranged<1, kMaxMicrobatches>;
using Repeats = Ranged<0, kMaxStages>;
using Cycles = Ranged<0, kMaxCycles>;

/// A decimal number, counted in millionths: memory may be in any unit.
struct Decimal {
  static constexpr int kDigits = 6;
  static constexpr int64_t kOne = 1000000;
  static constexpr int64_t kMax = int64_t(1) << 40;
  int64_t millionths = 0;
  bool operator==(const Decimal &o) const { return millionths == o.millionths; }
};

struct StageMemory {
  std::array<Decimal, kPipelineKinds> change;
};

struct StageText {
  std::array<Cycles, kPipelineKinds> cycles;
  StageMemory memory;
};

/// What a memory limit is not.
struct NoMapping {};

/// One limit for all processors, or one each.
struct Limits {
  bool all = true;
  std::vector<Decimal> values;
};

struct PipelineText {
  Version version;
  Processors processors;
  Microbatches microbatches;
  std::vector<StageText> stages;
  Repeats repeat;
  Cycles transfer;
  std::optional<Limits> limits;
};
} // namespace

LLVM_YAML_IS_SEQUENCE_VECTOR(StageText)
LLVM_YAML_IS_FLOW_SEQUENCE_VECTOR(Decimal)

/// Millionths of a decimal number without exponent, or nullopt.
static std::optional<int64_t> parseDecimal(StringRef text) {
  bool negative = text.consume_front("-");
  auto [whole, fraction] = text.split('.');
  if (fraction.size() > Decimal::kDigits ||
      (text.contains('.') && fraction.empty()))
    return std::nullopt;
  int64_t units = 0, parts = 0;
  if (whole.getAsInteger(10, units) || units < 0 || units > Decimal::kMax)
    return std::nullopt;
  std::string digits = fraction.str();
  digits.resize(Decimal::kDigits, '0');
  if (StringRef(digits).getAsInteger(10, parts) || parts < 0)
    return std::nullopt;
  int64_t value = units * Decimal::kOne + parts;
  return negative ? -value : value;
}

namespace llvm::yaml {
template <> struct ScalarTraits<Decimal> {
  static void output(const Decimal &v, void *, raw_ostream &os) {
    os << v.millionths;
  }
  static StringRef input(StringRef text, void *, Decimal &v) {
    std::optional<int64_t> value = parseDecimal(text);
    if (!value)
      return "expected a decimal number of at most 6 digits behind the point";
    v.millionths = *value;
    return {};
  }
  static QuotingType mustQuote(StringRef) { return QuotingType::None; }
};

template <> struct PolymorphicTraits<Limits> {
  static NodeKind getKind(const Limits &limits) {
    return limits.all ? NodeKind::Scalar : NodeKind::Sequence;
  }
  static Decimal &getAsScalar(Limits &limits) {
    limits.all = true;
    limits.values.resize(1);
    return limits.values.front();
  }
  static std::vector<Decimal> &getAsSequence(Limits &limits) {
    limits.all = false;
    return limits.values;
  }
  static NoMapping &getAsMap(Limits &) {
    static NoMapping none;
    return none;
  }
};

template <> struct MappingTraits<NoMapping> {
  static void mapping(IO &io, NoMapping &) {
    io.setError(
        "memory_limit is a number, or a list of one for each processor");
  }
};

template <> struct MappingTraits<StageMemory> {
  static void mapping(IO &io, StageMemory &memory) {
    io.mapOptional("forward", memory.change[0]);
    io.mapOptional("dgrad", memory.change[1]);
    io.mapOptional("wgrad", memory.change[2]);
  }
};

template <> struct MappingTraits<StageText> {
  static void mapping(IO &io, StageText &stage) {
    io.mapRequired("forward", stage.cycles[0]);
    io.mapRequired("dgrad", stage.cycles[1]);
    io.mapRequired("wgrad", stage.cycles[2]);
    io.mapOptional("memory", stage.memory);
  }
};

template <> struct MappingTraits<PipelineText> {
  static void mapping(IO &io, PipelineText &text) {
    io.mapRequired("takt-pipeline", text.version);
    io.mapRequired("processors", text.processors);
    io.mapRequired("microbatches", text.microbatches);
    io.mapRequired("stages", text.stages);
    io.mapOptional("repeat_last_stage", text.repeat);
    io.mapOptional("transfer_cycles", text.transfer);
    io.mapOptional("memory_limit", text.limits);
  }
  static std::string validate(IO &, PipelineText &text);
};
} // namespace llvm::yaml

static int64_t stageCount(const PipelineText &text) {
  return int64_t(text.stages.size()) + text.repeat.value;
}

/// Adds a figure that counts several times; whether that is too much.
static bool addOverflows(int64_t &sum, int64_t figure, int64_t times) {
  int64_t product;
  return MulOverflow(figure, times, product) ||
         AddOverflow(sum, product, sum) || sum > kMaxTotal;
}

/// All work, each transfer once: what bounds every time of every schedule.
static bool totalOverflows(const PipelineText &text) {
  int64_t sum = 0;
  auto add = [&](int64_t cycles, int64_t times) {
    return addOverflows(sum, cycles, times);
  };
  for (size_t s = 0; s < text.stages.size(); ++s) {
    bool last = s + 1 == text.stages.size();
    int64_t times =
        (last ? text.repeat.value + 1 : 1) * text.microbatches.value;
    for (const Cycles &cycles : text.stages[s].cycles)
      if (add(cycles.value, times))
        return true;
  }
  return add(text.transfer.value,
             2 * stageCount(text) * text.microbatches.value);
}

std::string
llvm::yaml::MappingTraits<PipelineText>::validate(IO &, PipelineText &text) {
  if (text.stages.empty())
    return "expected at least one stage";
  int64_t stages = stageCount(text);
  if (stages > kMaxStages)
    return "the problem has " + std::to_string(stages) +
           " stages, expected at most " + std::to_string(kMaxStages);
  if (stages % text.processors.value != 0)
    return "the problem has " + std::to_string(stages) +
           " stages, expected a multiple of its " +
           std::to_string(text.processors.value) + " processors";
  if (stages * text.microbatches.value * kPipelineKinds > kMaxTasks)
    return "the problem has more than " + std::to_string(kMaxTasks) + " tasks";
  if (totalOverflows(text))
    return "the problem's total work is more than " +
           std::to_string(kMaxTotal) + " cycles";
  if (text.limits && !text.limits->all &&
      int64_t(text.limits->values.size()) != text.processors.value)
    return "memory_limit lists " + std::to_string(text.limits->values.size()) +
           " limits, expected one, or one for each of " +
           std::to_string(text.processors.value) + " processors";
  if (text.limits)
    for (const Decimal &limit : text.limits->values)
      if (limit.millionths < 0)
        return "memory_limit is negative";
  return {};
}

/// The largest power of ten that divides every memory figure of the text.
static int64_t commonUnit(const PipelineText &text) {
  int64_t unit = Decimal::kOne;
  auto reduce = [&](const Decimal &value) {
    while (value.millionths % unit != 0)
      unit /= 10;
  };
  for (const StageText &stage : text.stages)
    for (const Decimal &change : stage.memory.change)
      reduce(change);
  if (text.limits)
    for (const Decimal &limit : text.limits->values)
      reduce(limit);
  return unit;
}

static PipelineProblem toProblem(const PipelineText &text, StringRef file) {
  PipelineProblem problem;
  problem.name = sys::path::stem(file).str();
  problem.processors = int(text.processors.value);
  problem.microbatches = int(text.microbatches.value);
  problem.transferCycles = text.transfer.value;
  int64_t unit = commonUnit(text);
  problem.memoryScale = Decimal::kOne / unit;
  for (const StageText &from : text.stages) {
    PipelineStage stage;
    for (int kind = 0; kind < kPipelineKinds; ++kind) {
      stage.cycles[kind] = from.cycles[kind].value;
      stage.memory[kind] = from.memory.change[kind].millionths / unit;
    }
    problem.stages.push_back(stage);
  }
  problem.stages.resize(stageCount(text), problem.stages.back());
  if (text.limits)
    for (const Decimal &limit : text.limits->values)
      problem.memoryLimit.push_back(limit.millionths / unit);
  if (problem.memoryLimit.size() == 1)
    problem.memoryLimit.resize(problem.processors, problem.memoryLimit.front());
  return problem;
}

/// All changes of memory: what bounds whatever a processor holds.
static bool memoryOverflows(const PipelineProblem &problem) {
  int64_t sum = 0;
  for (const PipelineStage &stage : problem.stages)
    for (int64_t change : stage.memory)
      if (addOverflows(sum, std::abs(change), problem.microbatches))
        return true;
  return false;
}

Expected<PipelineProblem> takt::parsePipeline(MemoryBufferRef text) {
  Expected<PipelineText> read =
      readYaml<PipelineText>(text, "expected a pipeline problem");
  if (!read)
    return read.takeError();
  PipelineProblem problem = toProblem(*read, text.getBufferIdentifier());
  if (memoryOverflows(problem))
    return createStringError(text.getBufferIdentifier() +
                             ": the problem's changes of memory add up to more "
                             "than " +
                             Twine(kMaxTotal) + " of its smallest unit");
  return problem;
}
