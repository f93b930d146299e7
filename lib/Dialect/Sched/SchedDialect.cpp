//===- SchedDialect.cpp - the sched dialect -------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/DialectImplementation.h"
#include "takt/Dialect/Sched/Conversion.h"
#include "takt/Dialect/Sched/Sched.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace takt::sched;

#include "takt/Dialect/Sched/SchedDialect.cpp.inc"
#include "takt/Dialect/Sched/SchedEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "takt/Dialect/Sched/SchedAttributes.cpp.inc"

#define GET_OP_CLASSES
#include "takt/Dialect/Sched/SchedOps.cpp.inc"

void SchedDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "takt/Dialect/Sched/SchedAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "takt/Dialect/Sched/SchedOps.cpp.inc"
      >();
}

/// `<` @task (`,` `distance` integer)? (`,` `delayed`)? `>`
/// The keyword behind `by`.
static FailureOr<Reader> parseReader(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef keyword;
  if (parser.parseKeyword(&keyword))
    return failure();
  if (std::optional<Reader> reader = symbolizeReader(keyword))
    return *reader;
  parser.emitError(loc) << "expected 'product', 'fused' or 'both', found '"
                        << keyword << "'";
  return failure();
}

Attribute UseAttr::parse(AsmParser &parser, Type) {
  FlatSymbolRefAttr task;
  int64_t distance = 0;
  bool delayed = false;
  Reader reader = Reader::Unknown;
  if (parser.parseLess() || parser.parseAttribute(task))
    return {};
  while (succeeded(parser.parseOptionalComma())) {
    SMLoc loc = parser.getCurrentLocation();
    StringRef keyword;
    if (parser.parseKeyword(&keyword))
      return {};
    if (keyword == "distance") {
      if (parser.parseInteger(distance))
        return {};
    } else if (keyword == "delayed") {
      delayed = true;
    } else if (keyword == "by") {
      FailureOr<Reader> read = parseReader(parser);
      if (failed(read))
        return {};
      reader = *read;
    } else {
      parser.emitError(loc) << "expected 'distance', 'delayed' or 'by', found '"
                            << keyword << "'";
      return {};
    }
  }
  if (parser.parseGreater())
    return {};
  return UseAttr::get(parser.getContext(), task, distance, delayed, reader);
}

void UseAttr::print(AsmPrinter &printer) const {
  printer << "<" << getTask();
  if (getDistance() != 0)
    printer << ", distance " << getDistance();
  if (getDelayed())
    printer << ", delayed";
  if (getReader() != Reader::Unknown)
    printer << ", by " << stringifyReader(getReader());
  printer << ">";
}

LogicalResult ProblemOp::verifyRegions() {
  for (Operation &op : *getBody().begin())
    if (!isa<LayerOp, TaskOp, ValueOp>(op))
      return op.emitOpError("is not a part of a scheduling problem (C1)");
  FailureOr<takt::TaskGraph> graph = toTaskGraph(*this);
  if (failed(graph))
    return failure();
  if (llvm::Error error = graph->check())
    return emitOpError("is no task graph (C2): ")
           << llvm::toString(std::move(error));
  return success();
}

LogicalResult ScheduleOp::verifyRegions() {
  for (Operation &op : *getBody().begin())
    if (!isa<CutOp, StageOp, LeadOp, PlaceOp, TransferOp>(op))
      return op.emitOpError("is not a part of a schedule (C2)");
  return success();
}
