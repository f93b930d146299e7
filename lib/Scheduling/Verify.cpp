//===- Verify.cpp - an independent check of schedules ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One function for each rule. Nothing here is shared with a scheduler, and the
// rules are in an order in which a later one may rely on the former.
//
//===----------------------------------------------------------------------===//

#include "Memory.h"
#include "takt/Scheduling/Replication.h"
#include "takt/Scheduling/Schedule.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include <map>

using namespace takt;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using llvm::Twine;

namespace {
class Verifier {
public:
  Verifier(const Problem &problem, const Schedule &schedule)
      : problem(problem), machine(*problem.machine), schedule(schedule),
        graph(schedule.graph) {}

  Error run();

private:
  Error verifyGraph() const;
  Error verifyGraphIs(const TaskGraph &expected) const;
  Error verifyShape() const;
  Error verifyCycles() const;
  Error verifyColocation() const;
  Error verifyStages() const;
  Error verifyDelays() const;
  Error verifyLeads() const;
  Error verifyUnstashedDelays() const;
  Error verifyReplicas() const;
  Error verifyTransfers();
  Error verifyTransfer(const TransferPlacement &transfer);
  Error verifyPrecedence() const;
  Error verifyUse(const Value &value, int index, const Use &use) const;
  Error verifyProcessors() const;
  Error verifyLinks() const;
  Error verifyLoopBodies() const;

  /// "'conv1.D' [120, 150) on processor 3"
  std::string describe(int task) const;
  std::string describeTransfer(size_t index) const;

  const Problem &problem;
  const Machine &machine;
  const Schedule &schedule;
  const TaskGraph &graph;
  /// Of each (value, destination).
  std::map<std::pair<int, int>, const TransferPlacement *> transfers;
};

/// A task or a transfer that occupies a resource once per interval.
struct Occupation {
  int64_t position, cycles;
  size_t index;
};
} // namespace

std::string Verifier::describe(int task) const {
  const Placement &p = schedule.tasks[task];
  return "'" + graph.tasks[task].name + "' [" + std::to_string(p.start) + ", " +
         std::to_string(p.start + p.cycles) + ") on processor " +
         std::to_string(p.processor);
}

//===----------------------------------------------------------------------===//
// What is scheduled
//===----------------------------------------------------------------------===//

static bool sameWork(const Work &a, const Work &b) {
  return a.kind == b.kind && a.gemm == b.gemm &&
         a.elementwise == b.elementwise && a.bytesIn == b.bytesIn &&
         a.bytesOut == b.bytesOut && a.type == b.type;
}

static bool sameTask(const Task &a, const Task &b) {
  return a.name == b.name && a.kind == b.kind && a.layer == b.layer &&
         a.microbatch == b.microbatch && a.colocated == b.colocated &&
         a.cycles == b.cycles && a.memory == b.memory &&
         llvm::equal(a.work, b.work, sameWork);
}

static bool sameUse(const Use &a, const Use &b) {
  return a.task == b.task && a.distance == b.distance && a.delayed == b.delayed;
}

static bool sameValue(const Value &a, const Value &b) {
  return a.name == b.name && a.kind == b.kind && a.producer == b.producer &&
         a.bytes == b.bytes && llvm::equal(a.uses, b.uses, sameUse);
}

/// The schedule's graph is the problem's with the schedule's cuts and replicas.
Error Verifier::verifyGraph() const {
  if (schedule.cuts.empty() && schedule.replicas.empty())
    return verifyGraphIs(*problem.graph);
  Expected<TaskGraph> expected = applyCuts(*problem.graph, schedule.cuts);
  if (expected && !schedule.replicas.empty())
    expected = replicate(*expected, schedule.replicas, schedule.delay);
  return expected ? verifyGraphIs(*expected) : expected.takeError();
}

Error Verifier::verifyGraphIs(const TaskGraph &expected) const {
  if (expected.layers.size() != graph.layers.size() ||
      expected.tasks.size() != graph.tasks.size() ||
      expected.values.size() != graph.values.size())
    return createStringError(
        "the schedule has " + Twine(graph.layers.size()) + " layers, " +
        Twine(graph.tasks.size()) + " tasks and " + Twine(graph.values.size()) +
        " values, but its cuts of the problem give " +
        Twine(expected.layers.size()) + ", " + Twine(expected.tasks.size()) +
        " and " + Twine(expected.values.size()));
  for (auto [task, wanted] : llvm::zip_equal(graph.tasks, expected.tasks))
    if (!sameTask(task, wanted))
      return createStringError("task '" + task.name +
                               "' is not the problem's task '" + wanted.name +
                               "' after its cuts");
  for (auto [value, wanted] : llvm::zip_equal(graph.values, expected.values))
    if (!sameValue(value, wanted))
      return createStringError("value '" + value.name +
                               "' is not the problem's value '" + wanted.name +
                               "' after its cuts");
  return graph.check();
}

/// All tasks exactly once, on processors that exist, from time 0 on.
Error Verifier::verifyShape() const {
  if (schedule.interval < 1)
    return createStringError("the interval is " + Twine(schedule.interval) +
                             ", expected at least 1");
  if (schedule.tasks.size() != graph.tasks.size())
    return createStringError("the schedule places " +
                             Twine(schedule.tasks.size()) + " of " +
                             Twine(graph.tasks.size()) + " tasks");
  for (auto [task, placement] : llvm::zip_equal(graph.tasks, schedule.tasks)) {
    if (placement.processor < 0 || placement.processor >= machine.processors())
      return createStringError("task '" + task.name + "' is on processor " +
                               Twine(placement.processor) + " of " +
                               Twine(machine.processors()));
    if (placement.start < 0)
      return createStringError("task '" + task.name + "' starts at " +
                               Twine(placement.start) +
                               ", expected at least 0");
  }
  return Error::success();
}

/// Tasks take what the cost model says, and at most one interval.
Error Verifier::verifyCycles() const {
  for (auto [task, placement] : llvm::zip_equal(graph.tasks, schedule.tasks)) {
    std::optional<int64_t> cycles = taskCycles(
        *problem.cost, task, machine.processorClass(placement.processor));
    if (cycles != placement.cycles)
      return createStringError(
          "task '" + task.name + "' takes " + Twine(placement.cycles) +
          " cycles, but cost model '" + problem.cost->name() + "' says " +
          (cycles ? Twine(*cycles) : Twine("nothing")));
    if (placement.cycles > schedule.interval)
      return createStringError(
          "task '" + task.name + "' takes " + Twine(placement.cycles) +
          " cycles, more than the interval of " + Twine(schedule.interval));
  }
  return Error::success();
}

Error Verifier::verifyColocation() const {
  for (auto [index, task] : llvm::enumerate(graph.tasks))
    if (task.colocated >= 0 && schedule.tasks[index].processor !=
                                   schedule.tasks[task.colocated].processor)
      return createStringError(describe(static_cast<int>(index)) +
                               " is not with " + describe(task.colocated));
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Stages and delays
//===----------------------------------------------------------------------===//

/// Every stage has a layer, and stages do not decrease along the forward graph.
Error Verifier::verifyStages() const {
  if (schedule.stage.size() != graph.layers.size() ||
      schedule.delay.size() != graph.layers.size())
    return createStringError("the schedule has stages of " +
                             Twine(schedule.stage.size()) + " and delays of " +
                             Twine(schedule.delay.size()) + " of " +
                             Twine(graph.layers.size()) + " layers");
  std::vector<bool> used(std::max(schedule.stages, 1), false);
  for (auto [layer, stage] : llvm::zip_equal(graph.layers, schedule.stage)) {
    if (stage < 0 || stage >= schedule.stages)
      return createStringError("layer '" + layer.name + "' is in stage " +
                               Twine(stage) + " of " + Twine(schedule.stages));
    used[stage] = true;
  }
  for (auto [stage, isUsed] : llvm::enumerate(used))
    if (!isUsed && !graph.layers.empty())
      return createStringError("no layer is in stage " + Twine(stage) + " of " +
                               Twine(schedule.stages));
  for (const Value &value : graph.values) {
    if (value.producer < 0 ||
        graph.tasks[value.producer].kind != TaskKind::Forward)
      continue;
    int from = graph.tasks[value.producer].layer;
    for (const Use &use : value.uses) {
      int to = graph.tasks[use.task].layer;
      if (graph.tasks[use.task].kind == TaskKind::Forward &&
          use.distance == 0 && schedule.stage[from] > schedule.stage[to])
        return createStringError(
            "stages are not cutsets: layer '" + graph.layers[from].name +
            "' is in stage " + Twine(schedule.stage[from]) + ", but layer '" +
            graph.layers[to].name + "', which needs its value '" + value.name +
            "', in stage " + Twine(schedule.stage[to]));
    }
  }
  return Error::success();
}

/// The layers of a stage have the same replicas, delays and processors: one for
/// each replica, which takes all of its minibatches there.
Error Verifier::verifyReplicas() const {
  if (schedule.replicas.empty())
    return Error::success();
  std::map<int, size_t> layerOf; // by stage
  for (auto [layer, stage] : llvm::enumerate(schedule.stage)) {
    size_t first = layerOf.try_emplace(stage, layer).first->second;
    if (schedule.replicas[layer] != schedule.replicas[first] ||
        schedule.delay[layer] != schedule.delay[first])
      return createStringError(
          "layers '" + graph.layers[first].name + "' and '" +
          graph.layers[layer].name + "' of stage " + Twine(stage) + " have " +
          Twine(schedule.replicas[first]) + " and " +
          Twine(schedule.replicas[layer]) + " replicas, delays " +
          Twine(schedule.delay[first]) + " and " +
          Twine(schedule.delay[layer]));
  }
  std::map<std::pair<int, int>, int> taskOf;    // by stage and replica
  std::map<std::pair<int, int>, int> replicaOn; // by stage and processor
  for (auto [index, task] : llvm::enumerate(graph.tasks)) {
    if (task.kind == TaskKind::Update)
      continue; // with a wgrad, by verifyColocation()
    int stage = schedule.stage[task.layer];
    int replica = task.microbatch % schedule.replicas[task.layer];
    int on = schedule.tasks[index].processor;
    int first = taskOf.try_emplace({stage, replica}, index).first->second;
    if (schedule.tasks[first].processor != on)
      return createStringError(describe(index) + " and " + describe(first) +
                               " are of replica " + Twine(replica) +
                               " of stage " + Twine(stage));
    if (int other = replicaOn.try_emplace({stage, on}, replica).first->second;
        other != replica)
      return createStringError("replicas " + Twine(other) + " and " +
                               Twine(replica) + " of stage " + Twine(stage) +
                               " are both on processor " + Twine(on));
  }
  return Error::success();
}

/// Delays are 0, S or 2S for all layers alike; or 1, the double buffer. Without
/// stash they are what the places need, at most 2S or 1. A stage with replicas
/// may have any.
Error Verifier::verifyDelays() const {
  if (Error error = verifyLeads())
    return error;
  if (schedule.weights != WeightVersions::Stash)
    return verifyUnstashedDelays();
  if (!schedule.replicas.empty() && schedule.semantics == Semantics::Delayed)
    return Error::success();
  for (int factor : {0, 1, 2}) {
    bool legal = schedule.semantics == Semantics::Delayed || factor == 0;
    for (auto [stage, delay] : llvm::zip_equal(schedule.stage, schedule.delay))
      legal &= delay == factor * (schedule.stages - 1 - stage);
    if (legal)
      return Error::success();
  }
  if (schedule.semantics == Semantics::Delayed &&
      llvm::all_of(schedule.delay, [](int delay) { return delay == 1; }))
    return Error::success();
  for (auto [layer, stage, delay] :
       llvm::zip_equal(graph.layers, schedule.stage, schedule.delay)) {
    int behind = schedule.stages - 1 - stage;
    bool zero = schedule.semantics == Semantics::Synchronous;
    if (zero ? delay != 0 : (delay != behind && delay != 2 * behind))
      return createStringError(
          "layer '" + layer.name + "' has delay " + Twine(delay) +
          ", but with " + Twine(behind) + " stages behind its own " +
          (zero ? Twine("and synchronous semantics 0 is expected")
                : Twine(behind) + " or " + Twine(2 * behind) + " is expected"));
  }
  return createStringError("some delays are the number of stages behind a "
                           "layer, others twice as much");
}

/// With stash a dgrad reads what its forward task read, without at most what
/// its own minibatch's update makes; a share of a weight goes with the whole.
Error Verifier::verifyLeads() const {
  if (schedule.lead.empty())
    return Error::success();
  if (schedule.lead.size() != graph.values.size())
    return createStringError("the schedule has leads of " +
                             Twine(schedule.lead.size()) + " of " +
                             Twine(graph.values.size()) + " values");
  bool stash = schedule.weights == WeightVersions::Stash;
  llvm::StringMap<int> leads;
  for (auto [value, lead] : llvm::zip_equal(graph.values, schedule.lead)) {
    leads[value.name] = lead;
    bool isWeight = value.kind == ValueClass::Weight && value.producer >= 0;
    int most = stash || !isWeight
                   ? 0
                   : schedule.delay[graph.tasks[value.producer].layer] + 1;
    if (lead < 0 || lead > most)
      return createStringError(
          "value '" + value.name + "' has lead " + Twine(lead) +
          (stash ? Twine(", but with all versions kept 0 is expected")
                 : ", expected 0 to " + Twine(most)));
  }
  for (auto [value, lead] : llvm::zip_equal(graph.values, schedule.lead))
    if (leads.count(value.sliceOf) && leads.lookup(value.sliceOf) != lead)
      return createStringError("value '" + value.name + "' has lead " +
                               Twine(lead) + ", the whole '" + value.sliceOf +
                               "' has " + Twine(leads.lookup(value.sliceOf)));
  return Error::success();
}

Error Verifier::verifyUnstashedDelays() const {
  if (schedule.semantics == Semantics::Synchronous)
    return createStringError("without delays there is nothing to keep, but the "
                             "weights are those of '" +
                             keyword(schedule.weights) + "'");
  for (auto [layer, stage, delay] :
       llvm::zip_equal(graph.layers, schedule.stage, schedule.delay)) {
    // 1 is the double buffer's, which has no stages.
    int most = std::max(2 * (schedule.stages - 1 - stage), 1);
    if (delay < 0 || delay > most)
      return createStringError("layer '" + layer.name + "' has delay " +
                               Twine(delay) + ", expected 0 to " + Twine(most) +
                               ", twice the stages behind its own");
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Precedence
//===----------------------------------------------------------------------===//

Error Verifier::verifyTransfer(const TransferPlacement &transfer) {
  if (transfer.value < 0 ||
      static_cast<size_t>(transfer.value) >= graph.values.size())
    return createStringError("a transfer of value " + Twine(transfer.value) +
                             " of " + Twine(graph.values.size()));
  const Value &value = graph.values[transfer.value];
  std::string what = "transfer of '" + value.name + "' from processor " +
                     std::to_string(transfer.from) + " to " +
                     std::to_string(transfer.to);
  if (transfer.to < 0 || transfer.to >= machine.processors() ||
      value.producer < 0 ||
      schedule.tasks[value.producer].processor != transfer.from ||
      transfer.from == transfer.to)
    return createStringError(what + " does not leave the processor that makes "
                                    "it for another one");
  int64_t cycles =
      machine.transferCycles(transfer.from, transfer.to, value.bytes);
  int64_t latency = machine.transferLatency(transfer.from, transfer.to);
  if (transfer.cycles != cycles || transfer.latency != latency)
    return createStringError(what + " takes " + Twine(transfer.cycles) + " + " +
                             Twine(transfer.latency) +
                             " cycles, but the machine says " + Twine(cycles) +
                             " + " + Twine(latency));
  const Placement &producer = schedule.tasks[value.producer];
  if (transfer.start < producer.start + producer.cycles)
    return createStringError(what + " starts at " + Twine(transfer.start) +
                             ", before the end of " + describe(value.producer));
  if (!transfers.try_emplace({transfer.value, transfer.to}, &transfer).second)
    return createStringError("second " + what);
  return Error::success();
}

/// Each value crosses once to each processor that needs it, and to no other.
Error Verifier::verifyTransfers() {
  for (const TransferPlacement &transfer : schedule.transfers)
    if (Error error = verifyTransfer(transfer))
      return error;
  for (const TransferPlacement &transfer : schedule.transfers)
    if (llvm::none_of(graph.values[transfer.value].uses, [&](const Use &use) {
          return schedule.tasks[use.task].processor == transfer.to;
        }))
      return createStringError(
          "transfer of '" + graph.values[transfer.value].name +
          "' to processor " + Twine(transfer.to) + ", which does not use it");
  return Error::success();
}

Error Verifier::verifyUse(const Value &value, int index, const Use &use) const {
  const Placement &producer = schedule.tasks[value.producer];
  const Placement &user = schedule.tasks[use.task];
  int64_t ready = producer.start + producer.cycles;
  std::string via;
  if (producer.processor != user.processor) {
    auto it = transfers.find({index, user.processor});
    if (it == transfers.end())
      return createStringError("value '" + value.name + "' does not get from " +
                               describe(value.producer) + " to " +
                               describe(use.task));
    const TransferPlacement &transfer = *it->second;
    ready = transfer.start + transfer.cycles + transfer.latency;
    via = ", arriving at " + std::to_string(ready);
  }
  int away = distance(schedule, value, use);
  if (user.start + away * schedule.interval < ready)
    return createStringError(describe(use.task) + " needs '" + value.name +
                             "' of " + describe(value.producer) + via +
                             ", at distance " + Twine(away) +
                             " with interval " + Twine(schedule.interval));
  return Error::success();
}

Error Verifier::verifyPrecedence() const {
  for (auto [index, value] : llvm::enumerate(graph.values)) {
    if (value.producer < 0)
      continue;
    for (const Use &use : value.uses)
      if (Error error = verifyUse(value, static_cast<int>(index), use))
        return error;
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Resources
//===----------------------------------------------------------------------===//

/// Fails if two occupations of one resource overlap modulo the interval.
static Error
verifyExclusive(std::vector<Occupation> occupations, int64_t interval,
                const Twine &resource,
                llvm::function_ref<std::string(size_t index)> describe) {
  llvm::sort(occupations, [](const Occupation &a, const Occupation &b) {
    return std::tuple(a.position, a.cycles > 0, a.index) <
           std::tuple(b.position, b.cycles > 0, b.index);
  });
  for (size_t i = 0; i < occupations.size(); ++i) {
    const Occupation &a = occupations[i];
    const Occupation &b = occupations[(i + 1) % occupations.size()];
    int64_t next = b.position + (i + 1 == occupations.size() ? interval : 0);
    if (a.position + a.cycles > next)
      return createStringError(describe(a.index) + " and " + describe(b.index) +
                               " overlap on " + resource +
                               " modulo the interval of " + Twine(interval));
  }
  return Error::success();
}

Error Verifier::verifyProcessors() const {
  std::vector<std::vector<Occupation>> use(machine.processors());
  for (auto [index, p] : llvm::enumerate(schedule.tasks))
    use[p.processor].push_back({p.start % schedule.interval, p.cycles, index});
  for (auto [processor, occupations] : llvm::enumerate(use))
    if (Error error =
            verifyExclusive(std::move(occupations), schedule.interval,
                            "processor " + Twine(processor), [&](size_t task) {
                              return describe(static_cast<int>(task));
                            }))
      return error;
  return Error::success();
}

std::string Verifier::describeTransfer(size_t index) const {
  const TransferPlacement &t = schedule.transfers[index];
  return "the transfer of '" + graph.values[t.value].name +
         "' from processor " + std::to_string(t.from) + " to " +
         std::to_string(t.to) + " at " + std::to_string(t.start);
}

/// Links, all of a transfer's route at once; transfers that take no time do not
/// occupy any, and nothing occupies links of unlimited bandwidth.
Error Verifier::verifyLinks() const {
  std::map<int64_t, std::vector<Occupation>> use;
  for (auto [index, t] : llvm::enumerate(schedule.transfers))
    if (t.cycles > 0)
      for (int64_t link : machine.linksHeld(t.from, t.to))
        use[link].push_back({t.start % schedule.interval, t.cycles, index});
  for (auto &[link, occupations] : use)
    if (Error error = verifyExclusive(
            std::move(occupations), schedule.interval, machine.linkName(link),
            [&](size_t transfer) { return describeTransfer(transfer); }))
      return error;
  return Error::success();
}

/// Following the loop bodies, no processor waits for what it, or another one
/// that waits for it, issues later: the waits of one trip are acyclic.
Error Verifier::verifyLoopBodies() const {
  size_t n = graph.tasks.size();
  std::vector<llvm::SmallVector<int, 4>> after(n);
  std::vector<int> waiting(n, 0);
  auto addEdge = [&](int from, int to) {
    after[from].push_back(to);
    ++waiting[to];
  };
  for (const std::vector<int> &body : loopBodies(machine, schedule))
    for (size_t i = 1; i < body.size(); ++i)
      addEdge(body[i - 1], body[i]);
  auto trip = [&](int task) {
    return schedule.tasks[task].start / schedule.interval;
  };
  for (const Value &value : graph.values) {
    if (value.producer < 0)
      continue;
    for (const Use &use : value.uses)
      if (trip(use.task) + distance(schedule, value, use) ==
          trip(value.producer))
        addEdge(value.producer, use.task);
  }
  std::vector<int> ready;
  for (size_t task = 0; task < n; ++task)
    if (waiting[task] == 0)
      ready.push_back(static_cast<int>(task));
  for (size_t next = 0; next < ready.size(); ++next)
    for (int task : after[ready[next]])
      if (--waiting[task] == 0)
        ready.push_back(task);
  if (ready.size() == n)
    return Error::success();
  auto stuck = llvm::find_if(waiting, [](int count) { return count > 0; });
  return createStringError(
      describe(static_cast<int>(stuck - waiting.begin())) +
      " waits, over the loop bodies of the processors, for itself");
}

Error Verifier::run() {
  if (Error error = verifyGraph())
    return error;
  if (Error error = verifyShape())
    return error;
  if (Error error = verifyCycles())
    return error;
  if (Error error = verifyColocation())
    return error;
  if (Error error = verifyStages())
    return error;
  if (Error error = verifyDelays())
    return error;
  if (Error error = verifyReplicas())
    return error;
  if (Error error = verifyTransfers())
    return error;
  if (Error error = verifyPrecedence())
    return error;
  if (Error error = verifyProcessors())
    return error;
  if (Error error = verifyLinks())
    return error;
  if (Error error = verifyLoopBodies())
    return error;
  return checkMemoryFits(problem, schedule);
}

Error takt::verify(const Problem &problem, const Schedule &schedule) {
  Error error = Verifier(problem, schedule).run();
  if (!error)
    return error;
  return createStringError("schedule '" + schedule.scheduler +
                           "': " + llvm::toString(std::move(error)));
}
