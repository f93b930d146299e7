//===- StreamOps.td - the stream dialect, all of it -*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_STREAM_STREAMOPS_TD
#define TAKT_DIALECT_STREAM_STREAMOPS_TD

include "takt/Dialect/Stream/StreamInstructionOps.td"
include "takt/Dialect/Stream/StreamRecordOps.td"

#endif // TAKT_DIALECT_STREAM_STREAMOPS_TD
