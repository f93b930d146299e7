//===- NetworkPipeline.cpp - synchronous pipelines of networks ------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NetworkPipeline.h"
#include "Deadline.h"
#include "Memory.h"
#include "StagePartition.h"
#include "Timing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <map>

using namespace takt;

bool takt::areUpdatesCoupled(const TaskGraph &graph) {
  return llvm::any_of(graph.values, [&](const Value &value) {
    return value.producer >= 0 &&
           graph.tasks[value.producer].kind == TaskKind::Update &&
           llvm::any_of(value.uses, [&](const Use &use) {
             const Task &user = graph.tasks[use.task];
             return use.distance == 0 && user.kind == TaskKind::Update &&
                    user.layer != graph.tasks[value.producer].layer;
           });
  });
}

/// By how much each processor holds more than it can, in bytes.
static std::vector<int64_t> lacking(const Problem &problem,
                                    const Schedule &schedule) {
  std::vector<int64_t> result = peakMemory(problem, schedule);
  for (auto [processor, bytes] : llvm::enumerate(result)) {
    int64_t memory = problem.machine->processorClass(processor).memoryBytes;
    bytes = memory > 0 ? std::max<int64_t>(0, bytes - memory) : 0;
  }
  return result;
}

static bool fits(const Problem &problem, const Schedule &schedule) {
  return !llvm::errorToBool(checkMemoryFits(problem, schedule));
}

namespace {
class NetworkPipeline {
public:
  NetworkPipeline(const PipelineScheduler &scheduler, const Problem &problem,
                  const ScheduleOptions &options)
      : scheduler(scheduler), problem(problem), graph(*problem.graph),
        machine(*problem.machine), options(options),
        deadline(options.timeLimitSeconds) {
    partition();
    groupTasks();
  }

  /// With the problem's limits, or lower ones where that does not fit.
  llvm::Expected<Schedule> run() const;
  /// With higher limits, where there are any.
  std::optional<Schedule> runRelaxed() const;

private:
  void partition();
  void groupTasks();
  int64_t handOver(int64_t bytes) const;
  PipelineProblem state() const;
  void stateMemory(PipelineProblem &pipeline) const;
  void stateLimits(PipelineProblem &pipeline) const;
  std::vector<std::vector<int>> sequences(const PipelineOrder &order) const;
  llvm::Expected<Schedule>
  follow(const std::vector<std::vector<int>> &sequences) const;
  void setStages(Schedule &schedule) const;
  llvm::Expected<Schedule> solve(const PipelineProblem &pipeline) const;
  std::optional<Schedule> saveMemory(PipelineProblem pipeline,
                                     Schedule schedule) const;

  /// One stage a processor: in order. With several, who gets which is open.
  const ProcessorClass &likelyClass(int stage) const {
    return machine.processorClass(stage / scheduler.chunks);
  }
  int stageOf(int task) const { return stage[graph.tasks[task].layer]; }
  size_t group(TaskKind kind, int stage, int microbatch) const {
    return (size_t(kind) * stages + stage) * microbatches + microbatch;
  }

  const PipelineScheduler &scheduler;
  const Problem &problem;
  const TaskGraph &graph;
  const Machine &machine;
  const ScheduleOptions &options;
  Deadline deadline;
  int stages = 0, microbatches = 0;
  std::vector<int> stage; ///< by layer
  /// By kind (with updates), stage and microbatch, in the graph's order.
  std::vector<std::vector<int>> groups;
};
} // namespace

/// As many stages as the scheduler wants for each processor, of equal work.
void NetworkPipeline::partition() {
  Machine wide = machine;
  // More processors than there are links for; partitions by work need none.
  wide.interconnect = Interconnect();
  llvm::cantFail(wide.connect());
  for (ProcessorClass &of : wide.classes)
    of.count *= scheduler.chunks;
  stages = static_cast<int>(wide.processors());
  stage = partitionStages({&graph, &wide, problem.cost}).stage;
}

void NetworkPipeline::groupTasks() {
  for (const Task &task : graph.tasks)
    microbatches = std::max(microbatches, task.microbatch + 1);
  groups.resize(size_t(4) * stages * microbatches);
  for (auto [index, task] : llvm::enumerate(graph.tasks))
    groups[group(task.kind, stageOf(index), task.microbatch)].push_back(index);
}

/// What a stage's task leaves to its later kinds it holds from then on.
void NetworkPipeline::stateMemory(PipelineProblem &pipeline) const {
  for (const Value &value : graph.values) {
    if (value.producer < 0 || graph.tasks[value.producer].microbatch != 0 ||
        graph.tasks[value.producer].kind == TaskKind::Update)
      continue;
    // First and last kind that has the value, by stage.
    std::map<int, std::pair<TaskKind, TaskKind>> held;
    auto hold = [&](int task) {
      TaskKind kind = graph.tasks[task].kind;
      if (kind == TaskKind::Update || graph.tasks[task].microbatch != 0)
        return;
      auto [it, isNew] = held.try_emplace(stageOf(task), std::pair(kind, kind));
      it->second = {std::min(it->second.first, kind),
                    std::max(it->second.second, kind)};
    };
    hold(value.producer);
    for (const Use &use : value.uses)
      if (use.distance == 0)
        hold(use.task);
    for (auto [stage, kinds] : held)
      if (kinds.first != kinds.second) {
        auto &memory = pipeline.stages[stage].memory;
        memory[size_t(kinds.first)] += value.bytes;
        memory[size_t(kinds.second)] -= value.bytes;
      }
  }
}

/// What is left of each memory beside the parameters, their optimizer state and
/// their accumulated gradients. With several stages a processor, who has which
/// is for the scheduler to say: each is taken to have its share.
void NetworkPipeline::stateLimits(PipelineProblem &pipeline) const {
  if (llvm::all_of(machine.classes, [](const ProcessorClass &of) {
        return of.memoryBytes == 0;
      }))
    return;
  std::vector<int64_t> resident(machine.processors(), 0);
  int64_t all = 0;
  for (auto [layer, of] : llvm::enumerate(graph.layers)) {
    int64_t bytes = 2 * of.parameterBytes + of.optimizerBytes;
    resident[stage[layer] / scheduler.chunks] += bytes;
    all += bytes;
  }
  constexpr int64_t kUnlimited = int64_t(1) << 60;
  for (auto [processor, bytes] : llvm::enumerate(resident)) {
    int64_t memory = machine.processorClass(processor).memoryBytes;
    if (scheduler.chunks > 1)
      bytes = all / machine.processors();
    pipeline.memoryLimit.push_back(
        memory == 0 ? kUnlimited : std::max<int64_t>(0, memory - bytes));
  }
}

/// The longest that a value takes between two neighbours of the pipeline.
int64_t NetworkPipeline::handOver(int64_t bytes) const {
  auto count = static_cast<int>(machine.processors());
  int64_t longest = 0;
  auto add = [&](int from, int to) {
    longest = std::max(longest, machine.transferCycles(from, to, bytes) +
                                    machine.transferLatency(from, to));
  };
  for (int p = 1; p < count; ++p) {
    add(p - 1, p);
    add(p, p - 1);
  }
  if (scheduler.chunks > 1) {
    add(count - 1, 0);
    add(0, count - 1);
  }
  return longest;
}

PipelineProblem NetworkPipeline::state() const {
  PipelineProblem pipeline;
  pipeline.name = graph.name;
  pipeline.processors = static_cast<int>(machine.processors());
  pipeline.microbatches = microbatches;
  pipeline.stages.resize(stages);
  for (auto [index, task] : llvm::enumerate(graph.tasks))
    if (task.microbatch == 0 && task.kind != TaskKind::Update)
      pipeline.stages[stageOf(index)].cycles[size_t(task.kind)] +=
          *taskCycles(*problem.cost, task, likelyClass(stageOf(index)));
  stateMemory(pipeline);
  stateLimits(pipeline);
  // The slowest hand-over stands for all; times are those of the real ones in
  // the end.
  for (const Value &value : graph.values) {
    if (value.producer < 0)
      continue;
    for (const Use &use : value.uses)
      if (machine.processors() > 1 && use.distance == 0 &&
          stageOf(use.task) != stageOf(value.producer))
        pipeline.transferCycles =
            std::max(pipeline.transferCycles, handOver(value.bytes));
  }
  return pipeline;
}

/// Each processor's tasks in the order found; a stage's updates follow its last
/// wgrad or, where they wait for each other, the last one of all its stages.
std::vector<std::vector<int>>
NetworkPipeline::sequences(const PipelineOrder &order) const {
  std::vector<std::vector<int>> result(order.order.size());
  std::vector<int> wgradsLeft(stages, microbatches);
  bool coupled = areUpdatesCoupled(graph);
  for (auto [tasks, sequence] : llvm::zip_equal(order.order, result)) {
    std::vector<int> updates;
    for (const PipelineTask &task : tasks) {
      llvm::append_range(sequence,
                         groups[group(task.kind, task.stage, task.microbatch)]);
      if (task.kind == TaskKind::Wgrad && --wgradsLeft[task.stage] == 0)
        for (int m = 0; m < microbatches; ++m)
          llvm::append_range(coupled ? updates : sequence,
                             groups[group(TaskKind::Update, task.stage, m)]);
    }
    llvm::sort(updates);
    llvm::append_range(sequence, updates);
  }
  return result;
}

/// Those with layers; there may be more than layers.
void NetworkPipeline::setStages(Schedule &schedule) const {
  std::map<int, int> used;
  for (int of : stage)
    used.try_emplace(of, 0);
  schedule.stages = 0;
  for (auto &[of, number] : used)
    number = schedule.stages++;
  for (auto [own, of] : llvm::zip_equal(schedule.stage, stage))
    own = used[of];
}

/// Merges the sequences along the dependences, then times them.
llvm::Expected<Schedule>
NetworkPipeline::follow(const std::vector<std::vector<int>> &sequences) const {
  Schedule schedule = emptySchedule(graph);
  schedule.semantics = Semantics::Synchronous;
  setStages(schedule);
  std::vector<int> waiting(graph.tasks.size(), 0);
  std::vector<std::vector<int>> readers(graph.tasks.size());
  for (const Value &value : graph.values)
    for (const Use &use : value.uses)
      if (value.producer >= 0 && use.distance == 0) {
        readers[value.producer].push_back(use.task);
        ++waiting[use.task];
      }
  for (auto [processor, sequence] : llvm::enumerate(sequences))
    for (int task : sequence)
      schedule.tasks[task] = {static_cast<int>(processor), 0,
                              *taskCycles(*problem.cost, graph.tasks[task],
                                          machine.processorClass(processor))};
  std::vector<int> order;
  std::vector<size_t> next(sequences.size(), 0);
  auto awake = llvm::to_vector(llvm::seq<int>(0, sequences.size()));
  while (!awake.empty()) {
    int processor = awake.pop_back_val();
    const std::vector<int> &sequence = sequences[processor];
    while (next[processor] < sequence.size() &&
           waiting[sequence[next[processor]]] == 0) {
      int task = sequence[next[processor]++];
      order.push_back(task);
      for (int reader : readers[task])
        if (--waiting[reader] == 0)
          awake.push_back(schedule.tasks[reader].processor);
    }
  }
  if (order.size() != graph.tasks.size())
    return llvm::createStringError(
        "the order of '" + scheduler.name +
        "' waits for itself with this network's dependences");
  timeSynchronously(machine, order, schedule);
  return std::move(schedule);
}

llvm::Expected<Schedule>
NetworkPipeline::solve(const PipelineProblem &pipeline) const {
  PipelineOptions pipelineOptions;
  if (deadline.isSet())
    pipelineOptions.timeLimitSeconds = std::max(0.0, deadline.secondsLeft());
  pipelineOptions.seed = options.seed;
  llvm::Expected<PipelineSolution> solution =
      schedulePipeline(scheduler.name, pipeline, pipelineOptions);
  if (!solution)
    return solution.takeError();
  return follow(sequences(solution->order));
}

/// A schedule that holds too much, with limits that are lower by that, until
/// one fits; nullopt if none is found.
std::optional<Schedule> NetworkPipeline::saveMemory(PipelineProblem pipeline,
                                                    Schedule schedule) const {
  constexpr int kAttempts = 4;
  for (int attempt = 0;; ++attempt) {
    std::vector<int64_t> lacks = lacking(problem, schedule);
    if (llvm::all_of(lacks, [](int64_t bytes) { return bytes == 0; }))
      return schedule;
    if (attempt == kAttempts || deadline.isOver())
      return std::nullopt;
    for (auto [limit, bytes] : llvm::zip_equal(pipeline.memoryLimit, lacks))
      if (bytes > 0)
        limit = std::max<int64_t>(0, limit - std::max(bytes, limit / 64));
    llvm::Expected<Schedule> next = solve(pipeline);
    if (!next)
      return llvm::consumeError(next.takeError()), std::nullopt;
    schedule = std::move(*next);
  }
}

llvm::Expected<Schedule> NetworkPipeline::run() const {
  PipelineProblem pipeline = state();
  llvm::Expected<Schedule> found = solve(pipeline);
  if (found && !pipeline.memoryLimit.empty())
    if (std::optional<Schedule> fits = saveMemory(pipeline, *found))
      return std::move(*fits);
  return found;
}

/// What the pipeline problem says of memory may be more than what the network's
/// own tasks hold: with higher limits something may be found that fits.
std::optional<Schedule> NetworkPipeline::runRelaxed() const {
  PipelineProblem pipeline = state();
  if (pipeline.memoryLimit.empty())
    return std::nullopt;
  for (double factor : {1.1, 1.25, 1.5, 2.0}) {
    if (deadline.isOver())
      break;
    PipelineProblem relaxed = pipeline;
    for (int64_t &limit : relaxed.memoryLimit)
      limit = static_cast<int64_t>(factor * static_cast<double>(limit));
    llvm::Expected<Schedule> found = solve(relaxed);
    if (!found)
      llvm::consumeError(found.takeError());
    else if (std::optional<Schedule> fits =
                 saveMemory(relaxed, std::move(*found)))
      return fits;
  }
  return std::nullopt;
}

/// The shortest of the published schedules that fits, if there is one.
static std::optional<Schedule> bestPublished(const Problem &problem,
                                             const ScheduleOptions &options) {
  std::optional<Schedule> best;
  for (const PipelineScheduler &other : pipelineSchedulers()) {
    if (other.adapts)
      continue;
    llvm::Expected<Schedule> found =
        NetworkPipeline(other, problem, options).run();
    if (!found)
      llvm::consumeError(found.takeError());
    else if (fits(problem, *found) &&
             (!best || found->interval < best->interval))
      best = std::move(*found);
  }
  return best;
}

llvm::Expected<Schedule>
takt::runNetworkPipeline(const PipelineScheduler &scheduler,
                         const Problem &problem,
                         const ScheduleOptions &options) {
  NetworkPipeline pipeline(scheduler, problem, options);
  llvm::Expected<Schedule> own = pipeline.run();
  if (own && fits(problem, *own))
    return own;
  std::optional<Schedule> other;
  if (scheduler.adapts)
    other = bestPublished(problem, options);
  if (!other)
    other = pipeline.runRelaxed();
  if (!other)
    return own;
  llvm::consumeError(own.takeError());
  return std::move(*other);
}
