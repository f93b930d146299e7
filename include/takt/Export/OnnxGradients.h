//===- OnnxGradients.h - training steps as ONNX files -----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_EXPORT_ONNXGRADIENTS_H
#define TAKT_EXPORT_ONNXGRADIENTS_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"
#include <functional>

namespace takt {

/// The version of ONNX's default domain in which gradients are written, the
/// newest one of Debian 12's python3-onnx.
constexpr int64_t kGradientOpset = 17;

/// The loss and the gradients of a training step (Differentiate.h) as an ONNX
/// model of standard operators. Its inputs are the arguments of @main by their
/// names and the trainable and frozen parameters, which are initializers, too,
/// so that they can be left out. Its outputs are `loss` and for each parameter
/// that is updated `grad.NAME`: what its update is given, before the optimizer.
///
/// Where a dropout is, the same elements are dropped in the gradient as in the
/// forward pass, but not those that Takt drops.
///
/// Fails with a diagnostic at an operation that ONNX cannot express, if a
/// tensor of the model has the name of an output, or if the model would be
/// larger than a protobuf may be, 2 GiB.
///
/// Returns what writes the model; initial values stay in the step, which must
/// outlive it.
mlir::FailureOr<std::function<void(llvm::raw_ostream &)>>
gradientsAsOnnx(mlir::ModuleOp step);

} // namespace takt

#endif // TAKT_EXPORT_ONNXGRADIENTS_H
