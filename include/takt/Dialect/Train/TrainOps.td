//===- TrainOps.td - the train dialect, all of it ----------*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAINOPS_TD
#define TAKT_DIALECT_TRAIN_TRAINOPS_TD

include "takt/Dialect/Train/TrainDialect.td"
include "takt/Dialect/Train/TrainAttributes.td"
include "takt/Dialect/Train/TrainInterfaces.td"
include "takt/Dialect/Train/TrainStateOps.td"
include "takt/Dialect/Train/TrainForwardOps.td"
include "takt/Dialect/Train/TrainFunctionOps.td"
include "takt/Dialect/Train/TrainShapeOps.td"
include "takt/Dialect/Train/TrainSelectionOps.td"
include "takt/Dialect/Train/TrainRandomOps.td"
include "takt/Dialect/Train/TrainGradientOps.td"
include "takt/Dialect/Train/TrainLossOps.td"
include "takt/Dialect/Train/TrainOptimizerOps.td"

#endif // TAKT_DIALECT_TRAIN_TRAINOPS_TD
