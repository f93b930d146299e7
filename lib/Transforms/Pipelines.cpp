//===- Pipelines.cpp - passes in order ------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/Pipelines.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "takt/Transforms/Passes.h"

using namespace mlir;
using namespace takt;

static TrainDifferentiateOptions passOptions(const DifferentiateOptions &o) {
  TrainDifferentiateOptions options;
  options.loss = o.loss;
  options.classAxis = o.classAxis;
  options.optimizer = o.optimizer;
  options.momentum = o.momentum;
  options.nesterov = o.nesterov;
  options.weightDecay = o.weightDecay;
  options.beta1 = o.beta1;
  options.beta2 = o.beta2;
  options.epsilon = o.epsilon;
  options.clipValue = o.clipValue;
  options.scaleLoss = o.scaleLoss;
  for (const ParameterGroup &group : o.groups)
    options.groups.push_back(group.text());
  return options;
}

void takt::buildStepPipeline(OpPassManager &manager,
                             const DifferentiateOptions &options,
                             llvm::ArrayRef<std::string> frozen) {
  // A hand-written or foreign graph fails here, with its own operations named,
  // and not in the middle of differentiation.
  manager.addPass(createTrainVerifyForward());
  if (!frozen.empty()) {
    TrainFreezeOptions freezing;
    freezing.patterns.assign(frozen.begin(), frozen.end());
    manager.addPass(createTrainFreeze(freezing));
  }
  if (options.loss != LossKind::None)
    manager.addPass(createTrainMasterWeights());
  // Identities go before they get gradients.
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createTrainDifferentiate(passOptions(options)));
  // Nothing is folded or merged afterwards: gradients of a canonical graph are
  // canonical, and operations of different kinds are to stay apart, so that D
  // and W stay independent tasks.
  manager.addPass(createTrainVerifyStep());
  manager.addPass(createTrainFormTasks());
  manager.addPass(createTrainVerifyTasks());
}

namespace {
/// The options of train-differentiate, once more for the pipeline.
struct StepPipelineOptions : public PassPipelineOptions<StepPipelineOptions> {
  Option<LossKind> loss{
      *this, "loss", llvm::cl::desc("what is minimised"),
      llvm::cl::init(LossKind::SoftmaxCrossEntropy),
      llvm::cl::values(
          clEnumValN(LossKind::SoftmaxCrossEntropy, "softmax-cross-entropy",
                     "mean over the minibatch"),
          clEnumValN(LossKind::MeanSquaredError, "mse",
                     "mean over all elements"),
          clEnumValN(LossKind::None, "none", "keep the forward graph"))};
  Option<int64_t> classAxis{
      *this, "class-axis",
      llvm::cl::desc("axis of the classes under softmax cross-entropy"),
      llvm::cl::init(0)};
  Option<OptimizerKind> optimizer{
      *this, "optimizer", llvm::cl::desc("how parameters are updated"),
      llvm::cl::init(OptimizerKind::Sgd),
      llvm::cl::values(
          clEnumValN(OptimizerKind::Sgd, "sgd", "stochastic gradient descent"),
          clEnumValN(OptimizerKind::Momentum, "momentum", "with momentum"),
          clEnumValN(OptimizerKind::Adam, "adam", "Adam"),
          clEnumValN(OptimizerKind::AdamW, "adamw", "Adam, decay apart"))};
  Option<OptionNumber> momentum{*this, "momentum", llvm::cl::init(0.9)};
  Option<bool> nesterov{*this, "nesterov", llvm::cl::init(false)};
  Option<OptionNumber> weightDecay{*this, "weight-decay", llvm::cl::init(0.0)};
  Option<OptionNumber> beta1{*this, "beta1", llvm::cl::init(0.9)};
  Option<OptionNumber> beta2{*this, "beta2", llvm::cl::init(0.999)};
  Option<OptionNumber> epsilon{*this, "epsilon", llvm::cl::init(1e-8)};
  Option<OptionNumber> clipValue{*this, "clip-value", llvm::cl::init(0.0)};
  Option<bool> scaleLoss{*this, "scale-loss", llvm::cl::init(false)};
  ListOption<std::string> freeze{
      *this, "freeze", llvm::cl::desc("parameters that are not trained")};

  DifferentiateOptions get() const {
    return {loss,        classAxis, optimizer, momentum, nesterov,  scaleLoss,
            weightDecay, beta1,     beta2,     epsilon,  clipValue, {}};
  }
};
} // namespace

void takt::registerTransformPipelines() {
  PassPipelineRegistration<StepPipelineOptions>(
      "takt-step-pipeline",
      "from an imported forward graph to a training step with tasks",
      [](OpPassManager &manager, const StepPipelineOptions &options) {
        buildStepPipeline(manager, options.get(),
                          std::vector<std::string>(options.freeze.begin(),
                                                   options.freeze.end()));
      });
}
