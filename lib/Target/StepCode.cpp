//===- StepCode.cpp - loop bodies as they are put together ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StepCode.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

StepCode::StepCode(const Schedule &schedule, const StepRings &rings)
    : rings(rings), before(schedule.tasks.size()),
      credits(schedule.tasks.size()), sends(schedule.tasks.size()),
      after(schedule.tasks.size()), atBegin(rings.bodies.size()) {
  for (size_t task = 0; task < schedule.tasks.size(); ++task)
    last = std::max(last, rings.stageOf(task));
}

Instruction StepCode::make(Opcode op, int64_t stage, uint32_t a, uint32_t b) {
  last = std::max(last, stage);
  Instruction result;
  result.op = op;
  result.stage = static_cast<uint16_t>(stage);
  result.a = a;
  result.b = b;
  return result;
}

StepCode::Code StepCode::bodyOf(int processor) const {
  Code body = atBegin[processor];
  for (int task : rings.bodies[processor]) {
    llvm::append_range(body, before[task]);
    for (int kernel : rings.kernelsOf[task])
      body.push_back(Instruction{
          Opcode::Execute, 0, uint16_t(rings.stageOf(task)), uint32_t(kernel)});
    for (const std::vector<Code> *part : {&credits, &sends, &after})
      llvm::append_range(body, (*part)[task]);
  }
  return body;
}

std::vector<std::vector<Instruction>> StepCode::finish() const {
  std::vector<Code> result;
  for (int processor = 0; processor < int(rings.bodies.size()); ++processor) {
    Code &code = result.emplace_back(bodyOf(processor));
    code.push_back({Opcode::Checkpoint});
    Instruction loop{Opcode::Loop};
    loop.a = code.size();
    loop.b = last;
    loop.c = kIterationsScalar;
    code.insert(code.begin(), loop);
    code.push_back({Opcode::EndLoop});
    code.push_back({Opcode::Halt});
  }
  return result;
}
