//===- StreamAttributes.td - attributes of the stream dialect -*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_STREAM_STREAMATTRIBUTES_TD
#define TAKT_DIALECT_STREAM_STREAMATTRIBUTES_TD

include "mlir/IR/AttrTypeBase.td"
include "takt/Dialect/Stream/StreamDialect.td"

def Stream_TensorAttr : AttrDef<Stream_Dialect, "Tensor"> {
  let mnemonic = "tensor";
  let summary = "a tensor in memory";
  let description = [{
    Type and shape, region and offset of slot 0, number of slots and bytes
    between them, the lag of the instance that is read, and the number of the
    value that it is.

    Example: `#stream.tensor<type = tensor<4x8xf32>, region = 2, offset = 128,
    slots = 3, stride = 128, lag = -1, value = 7>`
  }];
  let parameters = (ins "::mlir::Type":$type, "uint32_t":$region,
    "uint64_t":$offset, "uint32_t":$slots, "uint64_t":$stride, "int32_t":$lag,
    "uint32_t":$value);
  let assemblyFormat = "`<` struct(params) `>`";
}

#endif // TAKT_DIALECT_STREAM_STREAMATTRIBUTES_TD
