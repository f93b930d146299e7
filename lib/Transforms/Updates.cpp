//===- Updates.cpp - the optimizer's updates ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NamePatterns.h"
#include "StepBuilder.h"
#include "mlir/IR/SymbolTable.h"
#include "takt/Transforms/Tags.h"
#include <cmath>

using namespace mlir;
using namespace takt;

LogicalResult takt::checkOptions(ModuleOp module,
                                 const DifferentiateOptions &options) {
  auto share = [&](StringRef name, double value) -> LogicalResult {
    if (value >= 0 && value < 1)
      return success();
    return module.emitError() << name << " is " << value
                              << ", expected a number from 0 to below 1";
  };
  if (failed(share("momentum", options.momentum)) ||
      failed(share("beta1", options.beta1)) ||
      failed(share("beta2", options.beta2)))
    return failure();
  if (!std::isfinite(options.weightDecay) || options.weightDecay < 0)
    return module.emitError("weight decay is ")
           << options.weightDecay << ", expected a number of at least 0";
  if (!std::isfinite(options.epsilon) || options.epsilon <= 0)
    return module.emitError("epsilon is ")
           << options.epsilon << ", expected a positive number";
  // An attribute of 32 bits.
  if (!std::isfinite(float(options.clipValue)) || options.clipValue < 0)
    return module.emitError("clip value is ")
           << options.clipValue << ", expected a number of at least 0";
  return success();
}

namespace {
class UpdateBuilder {
public:
  UpdateBuilder(TaggingBuilder &builder, SymbolTable &symbols,
                const DifferentiateOptions &options)
      : builder(builder), symbols(symbols), options(options) {}

  LogicalResult findGroups(ModuleOp module);
  LogicalResult build(ParameterGradient of);

private:
  LogicalResult sgd(ParameterGradient of);
  LogicalResult momentum(ParameterGradient of);
  LogicalResult adam(ParameterGradient of);

  FailureOr<train::ParameterOp> createState(train::ParameterOp parameter,
                                            StringRef suffix);
  const ParameterGroup &groupOf(train::ParameterOp parameter) const;
  FloatAttr weightDecay(train::ParameterOp parameter);
  FloatAttr rateFactor(train::ParameterOp parameter);
  FloatAttr clipValue() { return builder.getF32FloatAttr(options.clipValue); }
  mlir::Value read(train::ParameterOp parameter);
  void write(train::ParameterOp parameter, mlir::Value value);

  TaggingBuilder &builder;
  SymbolTable &symbols;
  const DifferentiateOptions &options;
  ParameterGroup others; ///< parameters in no group
  llvm::DenseMap<Operation *, const ParameterGroup *> groups;
};
} // namespace

LogicalResult UpdateBuilder::findGroups(ModuleOp module) {
  for (const ParameterGroup &group : options.groups) {
    auto matches = matchTrainable(module, "parameter-group", group.pattern);
    if (failed(matches))
      return failure();
    for (train::ParameterOp parameter : *matches)
      groups.try_emplace(parameter, &group);
  }
  return success();
}

const ParameterGroup &
UpdateBuilder::groupOf(train::ParameterOp parameter) const {
  auto it = groups.find(parameter);
  return it == groups.end() ? others : *it->second;
}

FloatAttr UpdateBuilder::weightDecay(train::ParameterOp parameter) {
  return builder.getF32FloatAttr(
      groupOf(parameter).weightDecay.value_or(options.weightDecay));
}

FloatAttr UpdateBuilder::rateFactor(train::ParameterOp parameter) {
  return builder.getF32FloatAttr(groupOf(parameter).learningRateFactor);
}

/// A state of the parameter's type, zero at first.
FailureOr<train::ParameterOp>
UpdateBuilder::createState(train::ParameterOp parameter, StringRef suffix) {
  std::string name = (parameter.getSymName() + "." + suffix).str();
  if (Operation *other = symbols.lookup(name)) {
    InFlightDiagnostic diagnostic = parameter.emitError("the optimizer needs a "
                                                        "parameter '")
                                    << name << "', but the name is taken";
    diagnostic.attachNote(other->getLoc()) << "by this";
    return diagnostic;
  }
  OpBuilder::InsertionGuard guard(builder);
  OpBuilder at(parameter);
  at.setInsertionPointAfter(parameter);
  auto type = cast<RankedTensorType>(parameter.getType());
  auto zero =
      DenseElementsAttr::get(type, at.getZeroAttr(type.getElementType()));
  auto state = train::ParameterOp::create(at, parameter.getLoc(), name, type,
                                          ParameterKind::OptimizerState, zero);
  symbols.insert(state);
  return state;
}

mlir::Value UpdateBuilder::read(train::ParameterOp parameter) {
  return train::ReadOp::create(builder, parameter.getLoc(), parameter);
}

void UpdateBuilder::write(train::ParameterOp parameter, mlir::Value value) {
  train::WriteOp::create(builder, parameter.getLoc(), parameter.getSymName(),
                         value);
}

LogicalResult UpdateBuilder::sgd(ParameterGradient of) {
  mlir::Value w = read(of.parameter);
  auto op = train::SgdOp::create(builder, of.parameter.getLoc(), w.getType(), w,
                                 of.gradient, weightDecay(of.parameter),
                                 rateFactor(of.parameter), clipValue());
  write(of.parameter, op->getResult(0));
  return success();
}

LogicalResult UpdateBuilder::momentum(ParameterGradient of) {
  FailureOr<train::ParameterOp> velocity =
      createState(of.parameter, "momentum");
  if (failed(velocity))
    return failure();
  mlir::Value w = read(of.parameter), v = read(*velocity);
  auto op = train::MomentumOp::create(
      builder, of.parameter.getLoc(), w.getType(), v.getType(), w, of.gradient,
      v, builder.getF32FloatAttr(options.momentum),
      builder.getBoolAttr(options.nesterov), weightDecay(of.parameter),
      rateFactor(of.parameter), clipValue());
  write(of.parameter, op->getResult(0));
  write(*velocity, op->getResult(1));
  return success();
}

LogicalResult UpdateBuilder::adam(ParameterGradient of) {
  FailureOr<train::ParameterOp> mean = createState(of.parameter, "adam_m");
  FailureOr<train::ParameterOp> square = createState(of.parameter, "adam_v");
  if (failed(mean) || failed(square))
    return failure();
  mlir::Value w = read(of.parameter), m = read(*mean), v = read(*square);
  auto op = train::AdamOp::create(
      builder, of.parameter.getLoc(), w.getType(), m.getType(), v.getType(), w,
      of.gradient, m, v, builder.getF32FloatAttr(options.beta1),
      builder.getF32FloatAttr(options.beta2),
      builder.getF32FloatAttr(options.epsilon),
      builder.getBoolAttr(options.optimizer == OptimizerKind::AdamW),
      weightDecay(of.parameter), rateFactor(of.parameter), clipValue());
  write(of.parameter, op->getResult(0));
  write(*mean, op->getResult(1));
  write(*square, op->getResult(2));
  return success();
}

LogicalResult UpdateBuilder::build(ParameterGradient of) {
  builder.tagWith(TaskKind::Update, of.parameter.getSymName());
  switch (options.optimizer) {
  case OptimizerKind::Sgd:
    return sgd(of);
  case OptimizerKind::Momentum:
    return momentum(of);
  case OptimizerKind::Adam:
  case OptimizerKind::AdamW:
    return adam(of);
  }
  return failure();
}

LogicalResult takt::buildUpdates(TaggingBuilder &builder,
                                 ArrayRef<ParameterGradient> gradients,
                                 const DifferentiateOptions &options) {
  if (gradients.empty())
    return success();
  auto module = gradients.front().parameter->getParentOfType<ModuleOp>();
  SymbolTable symbols(module);
  UpdateBuilder updates(builder, symbols, options);
  if (failed(updates.findGroups(module)))
    return failure();
  for (ParameterGradient of : gradients)
    if (failed(updates.build(of)))
      return failure();
  return success();
}
