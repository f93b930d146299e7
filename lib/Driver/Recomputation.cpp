//===- Recomputation.cpp - which activations are made again ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/Recomputation.h"
#include "mlir/IR/Diagnostics.h"
#include "takt/Scheduling/MicrobatchNames.h"
#include "takt/Scheduling/Objective.h"
#include "takt/Transforms/Recompute.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include <set>

using namespace mlir;
using namespace takt;

namespace {
using Values = std::vector<std::string>; ///< sorted

struct Candidate : Recomputable {
  double held = 0; ///< bytes, see Holding
};

/// What a schedule says of a value of the undivided, uncut step.
struct Holding {
  /// Bytes on average that the forward pass keeps of it for backward, where
  /// memory is short.
  double bytes = 0;
  /// Some reader is on another processor; what is made again there would take
  /// what the first processor has.
  bool isSentOn = false;
};

class RecomputationSearch {
public:
  RecomputationSearch(const TrainingStep &step, StringRef scheduler,
                      const Machine &machine, const CostModel &cost,
                      const CompileOptions &options)
      : step(step), scheduler(scheduler), machine(machine), cost(cost),
        options(options), trial(options), unlimited(machine) {
    trial.memoryAttempts = std::min(trial.memoryAttempts, kTrialAttempts);
    for (ProcessorClass &on : unlimited.classes)
      on.memoryBytes = 0;
  }

  FailureOr<CompiledStep> run();
  FailureOr<std::vector<TrainingStep>> steps();

private:
  FailureOr<TrainingStep> stepWith(const Values &values) const;
  FailureOr<CompiledStep> compile(TrainingStep own,
                                  const CompileOptions &how) const;
  FailureOr<CompiledStep> compileWith(const Values &values) const;

  bool isMemoryLimited() const;
  std::vector<bool> shortOfMemory(const Schedule &schedule) const;
  llvm::StringMap<Holding> holdings(const Schedule &schedule) const;
  Values notSentOn(const Schedule &schedule) const;
  void order(const Schedule &schedule);

  FailureOr<CompiledStep> runFull();
  FailureOr<CompiledStep> runAuto();
  LogicalResult prepare();
  llvm::Expected<Schedule> scheduleFreely(const TrainingStep &own) const {
    return schedule(scheduler, {own.graph.get(), &unlimited, &cost},
                    options.scheduling);
  }
  size_t countOf(double share) const;
  Values choice(size_t count, size_t spacing) const;
  size_t best() const;
  bool isHopeless(const TrainingStep &own, double share = 0) const;
  bool fitsAtOnce(const TrainingStep &own) const;
  bool attempt(const Values &values);
  bool attemptNow(TrainingStep own);
  void attemptLater();
  void attemptMore();

  const TrainingStep &step;
  StringRef scheduler;
  const Machine &machine;
  const CostModel &cost;
  const CompileOptions &options;
  /// Another choice may fit where a scheduler would have to be asked many
  /// times.
  static constexpr int kTrialAttempts = 10;
  CompileOptions trial;
  Machine unlimited;
  std::vector<Candidate> all; ///< the most memory for the time first
  /// Of the step that makes nothing again, without limits of memory.
  std::optional<Schedule> free;
  std::vector<CompiledStep> found;
  std::set<Values> tried;
  std::vector<Values> later; ///< that do not fit at once
};
} // namespace

FailureOr<TrainingStep>
RecomputationSearch::stepWith(const Values &values) const {
  return stepFor(step, weightVersions(scheduler, options.scheduling), values);
}

FailureOr<CompiledStep>
RecomputationSearch::compile(TrainingStep own,
                             const CompileOptions &how) const {
  CompiledStep result;
  result.step = std::move(own);
  FailureOr<ScheduledProgram> program = compileSchedule(
      result.step, scheduler, machine, cost, how, &result.module);
  if (failed(program))
    return failure();
  result.scheduled = std::move(*program);
  return std::move(result);
}

FailureOr<CompiledStep>
RecomputationSearch::compileWith(const Values &values) const {
  FailureOr<TrainingStep> own = stepWith(values);
  if (failed(own))
    return failure();
  return compile(std::move(*own), options);
}

//===----------------------------------------------------------------------===//
// What a schedule says
//===----------------------------------------------------------------------===//

bool RecomputationSearch::isMemoryLimited() const {
  return llvm::any_of(machine.classes, [](const ProcessorClass &of) {
    return of.memoryBytes > 0;
  });
}

/// By processor. A program needs more than its schedule says: so nearly full
/// ones, too. All, where none has a limit.
std::vector<bool>
RecomputationSearch::shortOfMemory(const Schedule &schedule) const {
  std::vector<bool> result;
  Problem problem{step.graph.get(), &unlimited, &cost};
  for (auto [p, bytes] : llvm::enumerate(peakMemory(problem, schedule))) {
    int64_t limit = machine.processorClass(p).memoryBytes;
    result.push_back(limit > 0 ? bytes > limit - limit / 8
                               : !isMemoryLimited());
  }
  return result;
}

/// By the step's value: kept from its F to its last reader in the backward
/// pass. Parts and shares of a value count for the value.
llvm::StringMap<Holding>
RecomputationSearch::holdings(const Schedule &schedule) const {
  std::vector<bool> isShort = shortOfMemory(schedule);
  llvm::StringMap<Holding> result;
  for (const Candidate &value : all)
    result[value.value];
  for (const takt::Value &value : schedule.graph.values) {
    if (value.producer < 0 || value.kind != ValueClass::Activation)
      continue;
    const Task &producer = schedule.graph.tasks[value.producer];
    const Placement &made = schedule.tasks[value.producer];
    std::string whole =
        withoutMicrobatch(value.sliceOf.empty() ? value.name : value.sliceOf,
                          producer.microbatch);
    auto it = result.find(whole);
    if (it == result.end() && producer.part != kWhole)
      it = result.find(StringRef(whole).rsplit('.').first);
    if (it == result.end())
      continue;
    int64_t last = made.start;
    bool matters = false;
    for (const Use &use : value.uses) {
      const Placement &reader = schedule.tasks[use.task];
      it->second.isSentOn |= reader.processor != made.processor;
      if (schedule.graph.tasks[use.task].kind == TaskKind::Forward)
        continue;
      last = std::max(last, reader.start + reader.cycles);
      matters |= isShort[reader.processor] || isShort[made.processor];
    }
    if (matters)
      it->second.bytes += static_cast<double>(value.bytes) *
                          static_cast<double>(last - made.start) /
                          static_cast<double>(schedule.interval);
  }
  return result;
}

Values RecomputationSearch::notSentOn(const Schedule &schedule) const {
  auto held = holdings(schedule);
  Values values;
  for (const Candidate &value : all)
    if (!held[value.value].isSentOn)
      values.push_back(value.value);
  llvm::sort(values);
  return values;
}

/// By bytes held for the cycles that it takes to make them again; of those that
/// are sent on, or held where there is room, by their size.
void RecomputationSearch::order(const Schedule &schedule) {
  auto held = holdings(schedule);
  std::vector<std::pair<std::pair<double, double>, Candidate>> keyed;
  for (Candidate &value : all) {
    Task task;
    task.work = value.work;
    auto cycles = static_cast<double>(
        taskCycles(cost, task, machine.classes.front()).value_or(0) + 1);
    const Holding &holding = held[value.value];
    value.held = holding.isSentOn ? 0 : holding.bytes;
    std::pair merit(value.held / cycles,
                    static_cast<double>(value.bytes) / cycles);
    keyed.push_back({merit, std::move(value)});
  }
  llvm::stable_sort(
      keyed, [](const auto &a, const auto &b) { return a.first > b.first; });
  all.clear();
  for (auto &[merit, value] : keyed)
    all.push_back(std::move(value));
}

//===----------------------------------------------------------------------===//
// Choices
//===----------------------------------------------------------------------===//

LogicalResult RecomputationSearch::prepare() {
  auto values = recomputableValues(*step.module);
  FailureOr<TrainingStep> plain = stepWith({});
  if (failed(values) || failed(plain))
    return failure();
  for (Recomputable &value : *values)
    all.push_back({std::move(value)});
  llvm::Expected<Schedule> schedule = scheduleFreely(*plain);
  if (!schedule)
    return step.module.get().emitError()
           << llvm::toString(schedule.takeError());
  free = std::move(*schedule);
  order(*free);
  return success();
}

/// How many values hold that share of what may be made again.
size_t RecomputationSearch::countOf(double share) const {
  double total = 0, sum = 0;
  for (const Candidate &value : all)
    total += value.held;
  for (auto [index, value] : llvm::enumerate(all))
    if ((sum += value.held) >= share * total)
      return index + 1;
  return all.size();
}

/// The first values in order, without every `spacing`-th product among them (0:
/// with all), which cuts what is made again at once into pieces.
Values RecomputationSearch::choice(size_t count, size_t spacing) const {
  auto chosen = llvm::to_vector(
      llvm::make_pointer_range(llvm::ArrayRef(all).take_front(count)));
  llvm::sort(chosen, [](const Candidate *a, const Candidate *b) {
    return a->number < b->number;
  });
  Values values;
  size_t products = 0;
  for (const Candidate *value : chosen) {
    bool isProduct = llvm::any_of(
        value->work, [](const Work &work) { return work.gemm.count > 0; });
    if (spacing == 0 || !isProduct || ++products % spacing != 0)
      values.push_back(value->value);
  }
  llvm::sort(values);
  return values;
}

/// The index of what is best so far.
size_t RecomputationSearch::best() const {
  Objective objective = options.scheduling.objective;
  if (objective.empty())
    objective = {{Criterion::Interval, options.scheduling.intervalTolerance}};
  std::vector<Figures> figures;
  for (const CompiledStep &of : found)
    figures.push_back(figuresOf(of.scheduled));
  return chooseBest(figures, objective);
}

/// Whether no schedule of a step can be shorter than the best one so far by
/// more than a share of it.
bool RecomputationSearch::isHopeless(const TrainingStep &own,
                                     double share) const {
  const Objective &objective = options.scheduling.objective;
  bool wantsSpeed =
      objective.empty() || objective.front().criterion == Criterion::Interval;
  return wantsSpeed && !found.empty() &&
         static_cast<double>(leastBound({own.graph.get(), &machine, &cost})) >=
             static_cast<double>(found[best()].scheduled.interval) *
                 (1 - share);
}

/// Whether the scheduler finds a schedule that fits without being told to save
/// memory: then it is found soon.
bool RecomputationSearch::fitsAtOnce(const TrainingStep &own) const {
  llvm::Expected<Schedule> schedule = scheduleFreely(own);
  if (!schedule)
    return llvm::consumeError(schedule.takeError()), false;
  Problem problem{own.graph.get(), &unlimited, &cost};
  for (auto [p, bytes] : llvm::enumerate(peakMemory(problem, *schedule)))
    if (int64_t limit = machine.processorClass(p).memoryBytes;
        limit > 0 && bytes > limit)
      return false;
  return true;
}

/// Whether it is the best one so far. What will take long waits in `later`.
bool RecomputationSearch::attempt(const Values &values) {
  if (!tried.insert(values).second)
    return false;
  FailureOr<TrainingStep> own = stepWith(values);
  if (failed(own) || isHopeless(*own))
    return false;
  if (!fitsAtOnce(*own)) {
    later.push_back(values);
    return false;
  }
  return attemptNow(std::move(*own));
}

/// What fails is not told: others may do.
bool RecomputationSearch::attemptNow(TrainingStep own) {
  ScopedDiagnosticHandler silence(step.module.get().getContext(),
                                  [](Diagnostic &) { return success(); });
  FailureOr<CompiledStep> result = compile(std::move(own), trial);
  if (failed(result))
    return false;
  found.push_back(std::move(*result));
  return best() + 1 == found.size();
}

/// In what waited, schedulers save memory on their own; where they would gain
/// little, they are not asked.
void RecomputationSearch::attemptLater() {
  constexpr double kWorthwhile = 0.02;
  for (const Values &values : later)
    if (FailureOr<TrainingStep> own = stepWith(values);
        succeeded(own) && !isHopeless(*own, kWorthwhile))
      attemptNow(std::move(*own));
}

/// More and more values, in one piece or in several; then between the best
/// choice and the next smaller one.
void RecomputationSearch::attemptMore() {
  constexpr double kShares[] = {0.125, 0.25, 0.5, 0.75, 1};
  constexpr size_t kSpacings[] = {0, 4, 2};
  constexpr int kRefinements = 3;
  size_t count = 0, spacing = 0, tooFew = 0, previous = 0;
  for (double share : kShares) {
    size_t next = countOf(share);
    for (size_t every : kSpacings)
      if (attempt(choice(next, every))) {
        tooFew = previous;
        count = next;
        spacing = every;
      }
    previous = next;
  }
  attempt(notSentOn(*free));
  for (int i = 0; i < kRefinements && count > tooFew + 1; ++i) {
    size_t middle = tooFew + (count - tooFew) / 2;
    (attempt(choice(middle, spacing)) ? count : tooFew) = middle;
  }
}

//===----------------------------------------------------------------------===//
// Searches
//===----------------------------------------------------------------------===//

/// Which processors there are borders between may change with what is made
/// again; then the values that cross the new borders are kept.
FailureOr<CompiledStep> RecomputationSearch::runFull() {
  constexpr int kRounds = 3;
  if (failed(prepare()))
    return failure();
  Values values = notSentOn(*free);
  for (int round = 1;; ++round) {
    FailureOr<CompiledStep> result = compileWith(values);
    if (failed(result))
      return failure();
    Values next = notSentOn(result->scheduled.schedule);
    if (next == values || round == kRounds)
      return result;
    values = std::move(next);
  }
}

FailureOr<CompiledStep> RecomputationSearch::runAuto() {
  bool wantsMemory =
      llvm::any_of(options.scheduling.objective, [](ObjectiveTerm term) {
        return term.criterion == Criterion::Memory;
      });
  if (!isMemoryLimited() && !wantsMemory)
    return compileWith({});
  if (failed(prepare()))
    return failure();
  attempt({});
  if (found.empty() || wantsMemory ||
      found.front().scheduled.interval > free->interval)
    attemptMore();
  attemptLater();
  if (found.empty())
    return compileWith({}); // says what is missing
  return std::move(found[best()]);
}

FailureOr<CompiledStep> RecomputationSearch::run() {
  switch (options.recomputation) {
  case Recomputation::Full:
    return runFull();
  case Recomputation::Auto:
    return runAuto();
  case Recomputation::None:
    break;
  }
  return compileWith({});
}

FailureOr<std::vector<TrainingStep>> RecomputationSearch::steps() {
  std::vector<Values> choices;
  if (options.recomputation != Recomputation::None && failed(prepare()))
    return failure();
  if (options.recomputation != Recomputation::Full)
    choices.push_back({});
  if (options.recomputation == Recomputation::Auto)
    for (double share : {0.25, 0.5, 0.75, 1.0})
      choices.push_back(choice(countOf(share), 0));
  if (options.recomputation != Recomputation::None)
    choices.push_back(notSentOn(*free));
  std::vector<TrainingStep> result;
  for (const Values &values : choices) {
    FailureOr<TrainingStep> own = stepWith(values);
    if (failed(own))
      return failure();
    result.push_back(std::move(*own));
  }
  return std::move(result);
}

FailureOr<CompiledStep>
takt::compileWithRecomputation(const TrainingStep &step, StringRef scheduler,
                               const Machine &machine, const CostModel &cost,
                               const CompileOptions &options) {
  return RecomputationSearch(step, scheduler, machine, cost, options).run();
}

FailureOr<std::vector<TrainingStep>>
takt::recomputationSteps(const TrainingStep &step, StringRef scheduler,
                         const Machine &machine, const CostModel &cost,
                         const CompileOptions &options) {
  return RecomputationSearch(step, scheduler, machine, cost, options).steps();
}
