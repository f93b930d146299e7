//===- Setting.cpp - machine and cost model of a module -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Dialect/Sched/Setting.h"
#include "mlir/IR/Builders.h"
#include "takt/Dialect/Sched/Conversion.h"

using namespace mlir;
using namespace takt;
using namespace takt::sched;

llvm::Expected<Setting> Setting::of(ModuleOp module, int64_t processors,
                                    StringRef costName) {
  Setting setting;
  auto text = module->getAttrOfType<StringAttr>(kMachineAttr);
  if (processors == 0 && !text)
    return llvm::createStringError("the module has no attribute '" +
                                   kMachineAttr +
                                   "' and the pass no option 'processors'");
  llvm::Expected<Machine> machine =
      processors != 0 ? Machine::uniform(processors)
                      : Machine::parse({text.getValue(), kMachineAttr});
  if (!machine)
    return machine.takeError();
  setting.machine = std::move(*machine);
  auto name = module->getAttrOfType<StringAttr>(kCostAttr);
  if (costName.empty())
    costName = name ? name.getValue() : StringRef("systolic");
  auto cost = createCostModel(costName);
  if (!cost)
    return cost.takeError();
  setting.cost = std::move(*cost);
  return std::move(setting);
}

void takt::sched::setSetting(ModuleOp module, const Machine &machine,
                             const CostModel &cost) {
  Builder builder(module.getContext());
  module->setAttr(kMachineAttr, builder.getStringAttr(machine.canonicalText()));
  module->setAttr(kCostAttr, builder.getStringAttr(cost.name()));
}

OwningOpRef<ModuleOp> takt::sched::scheduleModule(Location loc,
                                                  const TaskGraph &graph,
                                                  const Machine &machine,
                                                  const CostModel &cost,
                                                  const Schedule &schedule) {
  OwningOpRef<ModuleOp> module =
      graph.name.empty() ? ModuleOp::create(loc)
                         : ModuleOp::create(loc, StringRef(graph.name));
  setSetting(*module, machine, cost);
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  ProblemOp problem = fromTaskGraph(builder, loc, graph);
  fromSchedule(builder, loc, problem, schedule);
  return module;
}

FailureOr<Solution> takt::sched::readVerified(ScheduleOp op,
                                              const Setting &setting) {
  auto problem =
      SymbolTable::lookupNearestSymbolFrom<ProblemOp>(op, op.getProblemAttr());
  if (!problem)
    return op.emitOpError("solves ")
               << op.getProblemAttr() << ", which is no problem here (C1)",
           failure();
  FailureOr<TaskGraph> graph = toTaskGraph(problem);
  if (failed(graph))
    return failure();
  FailureOr<Schedule> schedule = toSchedule(op, *graph);
  if (failed(schedule))
    return failure();
  if (llvm::Error error = verify(setting.problem(*graph), *schedule))
    return op.emitError() << llvm::toString(std::move(error)), failure();
  return Solution{std::move(*graph), std::move(*schedule)};
}
