//===- Retime.cpp - delays on the gradients -------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/Retime.h"
#include "TaggingBuilder.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/Verify.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINRETIME
#include "takt/Transforms/Passes.h.inc"
} // namespace takt

llvm::Expected<NamedLead> takt::parseLead(StringRef text) {
  auto [name, updates] = text.rsplit(':');
  NamedLead lead{name.str(), 0};
  if (name.empty() || updates.getAsInteger(10, lead.updates))
    return llvm::createStringError(
        "expected a lead as PARAMETER:UPDATES, found "
        "'" +
        text + "'");
  return lead;
}

static LogicalResult check(ModuleOp module, Block &block,
                           ArrayRef<int64_t> delayPerLayer) {
  auto layers = module->getAttrOfType<ArrayAttr>(kLayersAttr);
  if (!layers)
    return module.emitError("delays are set after tasks are formed, but there "
                            "is no '")
           << kLayersAttr << "'";
  if (layers.size() != delayPerLayer.size())
    return module.emitError("expected one delay for each of ")
           << layers.size() << " layers, found " << delayPerLayer.size();
  for (auto [layer, delay] : llvm::zip_equal(layers, delayPerLayer))
    if (delay < 0)
      return module.emitError("delay of layer ")
             << layer << " is " << delay << ", expected at least 0";
  for (Operation &op : block)
    if (isa<train::DelayOp>(op))
      return op.emitError("the step is retimed already");
  return verifyTasks(module);
}

/// The layer that an update, or a slice of its result, belongs to; -1 if the
/// write is not one of an updated weight.
static int64_t updatedLayer(train::WriteOp write,
                            train::ParameterOp parameter) {
  if (!parameter || (parameter.getKind() != ParameterKind::Trainable &&
                     parameter.getKind() != ParameterKind::Derived))
    return -1;
  Operation *producer = write.getValue().getDefiningOp();
  return producer ? getLayer(producer) : -1;
}

float takt::reconstructionDecay(int64_t updates) {
  return updates > 0 ? float(updates - 1) / float(updates + 1) : 0;
}

/// Sets the lead of a parameter, and how far back a reconstruction goes that is
/// written to it.
static LogicalResult setLead(train::ParameterOp parameter, train::WriteOp write,
                             int64_t lead) {
  if (lead < 0 || lead > parameter.getDelayOrZero() + 1)
    return parameter.emitError("lead of parameter '")
           << parameter.getSymName() << "' is " << lead
           << ", expected 0 to 1 more than its delay of "
           << parameter.getDelayOrZero();
  if (lead > 0)
    parameter.setLead(lead);
  auto rebuild = write.getValue().getDefiningOp<train::ReconstructOp>();
  if (!rebuild)
    return success();
  float decay = reconstructionDecay(lead);
  rebuild.setReconstruction(lead, decay);
  if (auto fade = rebuild.getFaded().getDefiningOp<train::FadeOp>())
    fade.setReconstruction(lead, decay);
  return success();
}

LogicalResult takt::retime(ModuleOp module, ArrayRef<int64_t> delayPerLayer,
                           ArrayRef<NamedLead> leads) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main))
    return failure();
  Block &block = main->getBody().front();
  if (failed(check(module, block, delayPerLayer)))
    return failure();
  llvm::StringMap<int64_t> leadOf;
  for (const NamedLead &lead : leads)
    leadOf[lead.parameter] = lead.updates;

  TaggingBuilder builder(block.getTerminator());
  builder.tagWith(TaskKind::Update, "");
  SymbolTable symbols(module);
  for (Operation &op : llvm::make_early_inc_range(block)) {
    int64_t layer = getLayer(&op);
    if (isUpdate(&op) && delayPerLayer[layer] > 0) {
      builder.setInsertionPoint(&op);
      OpOperand &gradient = op.getOpOperand(kGradientOperand);
      gradient.set(train::DelayOp::create(
          builder, op.getLoc(), gradient.get().getType(), gradient.get(),
          builder.getI64IntegerAttr(delayPerLayer[layer])));
    } else if (auto write = dyn_cast<train::WriteOp>(op)) {
      auto parameter = symbols.lookup<train::ParameterOp>(write.getParameter());
      layer = updatedLayer(write, parameter);
      if (layer < 0)
        continue;
      if (delayPerLayer[layer] > 0)
        parameter.setDelay(delayPerLayer[layer]);
      auto lead = leadOf.find(write.getParameter());
      int64_t updates = lead == leadOf.end() ? 0 : lead->second;
      if (failed(setLead(parameter, write, updates)))
        return failure();
      leadOf.erase(write.getParameter());
    }
  }
  for (const NamedLead &lead : leads)
    if (leadOf.count(lead.parameter))
      return module.emitError("there is no weight '")
             << lead.parameter << "' that could have a lead";
  return success();
}

namespace {
struct TrainRetime : public takt::impl::TrainRetimeBase<TrainRetime> {
  using TrainRetimeBase::TrainRetimeBase;

  void runOnOperation() override {
    SmallVector<NamedLead> named;
    for (const std::string &text : leads) {
      llvm::Expected<NamedLead> lead = parseLead(text);
      if (!lead) {
        getOperation().emitError(llvm::toString(lead.takeError()));
        return signalPassFailure();
      }
      named.push_back(std::move(*lead));
    }
    if (failed(retime(getOperation(),
                      SmallVector<int64_t>(delays.begin(), delays.end()),
                      named)))
      signalPassFailure();
  }
};
} // namespace
