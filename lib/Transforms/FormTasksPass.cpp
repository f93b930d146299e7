//===- FormTasksPass.cpp - the pass train-form-tasks ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/FormTasks.h"
#include "takt/Transforms/Passes.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINFORMTASKS
#include "takt/Transforms/Passes.h.inc"
} // namespace takt

static StringRef className(ValueClass kind) {
  switch (kind) {
  case ValueClass::Activation:
    return "activation";
  case ValueClass::Gradient:
    return "gradient";
  case ValueClass::Weight:
    return "weight";
  case ValueClass::WeightGradient:
    return "weight gradient";
  case ValueClass::State:
    return "state";
  case ValueClass::Input:
    return "input";
  }
  return "";
}

static void print(const TaskGraph &graph, const Task &task,
                  llvm::raw_ostream &os) {
  os << "task " << task.name << " layer " << task.layer;
  for (const Work &work : task.work) {
    if (work.recomputed)
      os << " again";
    if (work.gemm.count > 0)
      os << " gemm " << work.gemm.m << "x" << work.gemm.n << "x" << work.gemm.k
         << "*" << work.gemm.count;
    else
      os << " elementwise " << work.elementwise;
  }
  for (const CutOption &cut : task.cuts)
    os << " cut " << keyword(cut.axis) << ":" << cut.extent;
  if (task.colocated >= 0)
    os << " with " << graph.tasks[task.colocated].name;
  os << "\n";
}

static void print(const TaskGraph &graph, const takt::Value &value,
                  llvm::raw_ostream &os) {
  os << className(value.kind) << " " << value.name << " " << value.bytes
     << " bytes "
     << (value.producer < 0 ? "host" : graph.tasks[value.producer].name)
     << " ->";
  for (const Use &use : value.uses) {
    os << " " << graph.tasks[use.task].name;
    if (use.delayed)
      os << "@" << use.distance << "+delay";
    else if (use.distance > 0)
      os << "@" << use.distance;
  }
  os << "\n";
}

/// One line per layer, task and value, for tests and curious readers; the text
/// form for tools is the sched dialect.
static void print(const TaskGraph &graph, llvm::raw_ostream &os) {
  for (const Layer &layer : graph.layers)
    os << "layer " << layer.name << " parameters " << layer.parameterBytes
       << " optimizer " << layer.optimizerBytes << "\n";
  for (const Task &task : graph.tasks)
    print(graph, task, os);
  for (const takt::Value &value : graph.values)
    print(graph, value, os);
}

namespace {
struct TrainFormTasks : public takt::impl::TrainFormTasksBase<TrainFormTasks> {
  using TrainFormTasksBase::TrainFormTasksBase;

  void runOnOperation() override {
    FailureOr<TaskGraph> graph = formTasks(getOperation());
    if (failed(graph))
      return signalPassFailure();
    if (printGraph)
      print(*graph, llvm::outs());
  }
};
} // namespace
