//===- takt-opt.cpp - any pass or pipeline on .mlir text ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "takt/Dialect/Sched/Passes.h"
#include "takt/Dialect/Stream/Stream.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Driver/Passes.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/Pipelines.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::func::FuncDialect, takt::train::TrainDialect,
                  takt::sched::SchedDialect, takt::stream::StreamDialect>();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  takt::registerTaktTransformsPasses();
  takt::registerTransformPipelines();
  takt::sched::registerSchedPasses();
  takt::registerTaktDriverPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Takt optimizer driver\n", registry));
}
