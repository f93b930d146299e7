//===- Onnx.h - ONNX's protobuf classes -------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Includes the generated classes with the definitions that the installed
// library was built with; they are part of its binary interface.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_ONNX_H
#define TAKT_SUPPORT_ONNX_H

#ifndef ONNX_NAMESPACE
#define ONNX_NAMESPACE onnx
#endif
#ifndef ONNX_ML
#define ONNX_ML 1
#endif

#include <onnx/onnx_pb.h>

#endif // TAKT_SUPPORT_ONNX_H
