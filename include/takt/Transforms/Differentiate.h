//===- Differentiate.h - forward graph to training step ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_DIFFERENTIATE_H
#define TAKT_TRANSFORMS_DIFFERENTIATE_H

#include "mlir/IR/BuiltinOps.h"
#include "takt/Transforms/ParameterGroups.h"
#include <vector>

namespace takt {

/// None: the graph stays a forward graph (tagForward).
enum class LossKind { None, SoftmaxCrossEntropy, MeanSquaredError };
enum class OptimizerKind { Sgd, Momentum, Adam, AdamW };

/// What the training step computes besides the model. The learning rate is a
/// run-time scalar and therefore no option.
struct DifferentiateOptions {
  LossKind loss = LossKind::SoftmaxCrossEntropy;
  /// The axis of the output along which softmax cross-entropy has the classes,
  /// counted from the end where it is negative. 0, the axis of the samples:
  /// that of the model's final softmax, if there is one, otherwise the last of
  /// three axes (tokens) and 1 of more (pixels).
  int64_t classAxis = 0;
  OptimizerKind optimizer = OptimizerKind::Sgd;
  double momentum = 0.9;
  bool nesterov = false;
  /// Gradients are multiplied by the program's loss scale until a parameter's
  /// is there in f32.
  bool scaleLoss = false;
  double weightDecay = 0;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  /// Limits every element of a gradient to -clipValue to clipValue before the
  /// update uses it; 0: no limit. torch.nn.utils.clip_grad_value_.
  double clipValue = 0;
  /// A parameter belongs to the first group whose pattern its name matches.
  std::vector<ParameterGroup> groups;
};

/// Turns the forward graph @main into the whole training step: loss on the
/// first output, gradients of every trainable parameter that the loss reaches,
/// and their updates, written with train.write. Every operation is tagged with
/// its kind and node (Tags.h).
///
/// @main gets one more argument, `label` (class indices, i64, in the output's
/// shape without the axis of the classes) for softmax cross-entropy or `target`
/// (of the first output's type), and the scalar loss as its first result,
/// before the model's outputs. A final softmax or log-softmax under softmax
/// cross-entropy is skipped by the loss, which works on its logits; as a model
/// output it stays.
///
/// Only gradients that lead to a trainable parameter are built, so the first
/// layer has no D. Linear in the number of operations.
///
/// Fails with a diagnostic if @main is missing or has gradients already, the
/// first output cannot be the loss's operand, no trainable parameter is
/// reached, an operation on the way has no gradient, an option is out of range,
/// or a group's pattern matches no trainable parameter.
mlir::LogicalResult differentiate(mlir::ModuleOp module,
                                  const DifferentiateOptions &options);

} // namespace takt

#endif // TAKT_TRANSFORMS_DIFFERENTIATE_H
