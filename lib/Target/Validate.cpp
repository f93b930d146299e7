//===- Validate.cpp - is a program what its consumers rely on -------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/Validate.h"
#include "StructureCheck.h"

using namespace llvm;
using namespace takt;

Error takt::checkStructure(const Program &program) {
  if (Error error = checkRecords(program))
    return error;
  if (Error error = checkCode(program))
    return error;
  return checkValues(program);
}

Error takt::validate(const Program &program) {
  if (Error error = checkStructure(program))
    return error;
  if (Error error = checkDeadlockFree(program))
    return error;
  return checkHazards(program);
}
