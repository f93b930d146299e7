//===- MasterWeights.cpp - parameters of 16 bits, trained -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/MasterWeights.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/Tags.h"
#include <cstring>

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINMASTERWEIGHTS
#include "takt/Transforms/Passes.h.inc"
} // namespace takt

/// Elements of `from` as floats.
static void widenElements(ElementType from, ArrayRef<char> bytes,
                          MutableArrayRef<char> floats) {
  visitElement(from, [&](auto element) {
    for (size_t i = 0, n = bytes.size() / sizeof(element); i < n; ++i) {
      std::memcpy(&element, bytes.data() + i * sizeof(element),
                  sizeof(element));
      auto wide = static_cast<float>(element);
      std::memcpy(floats.data() + i * sizeof(wide), &wide, sizeof(wide));
    }
  });
}

/// The same numbers in f32; null where the data are missing.
static ElementsAttr widen(train::ParameterOp parameter, RankedTensorType type) {
  ElementsAttr value = parameter.getInitialValueAttr();
  ElementType from = train::getElementType(parameter.getTensorType());
  if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
    ArrayRef<char> bytes = dense.getRawData();
    SmallVector<char> floats(bytes.size() / elementBytes(from) * sizeof(float));
    widenElements(from, bytes, floats);
    return DenseElementsAttr::getFromRawBuffer(type, floats);
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  AsmResourceBlob *blob =
      resource ? resource.getRawHandle().getBlob() : nullptr;
  if (!blob)
    return {};
  AsmResourceBlob floats =
      HeapAsmResourceBlob::allocate(type.getNumElements() * sizeof(float), 64);
  widenElements(from, blob->getData(), floats.getMutableData());
  return DenseResourceElementsAttr::get(type, parameter.getSymName(),
                                        std::move(floats));
}

LogicalResult takt::keepMasterWeights(ModuleOp module) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main))
    return failure();
  SymbolTable symbols(module);
  for (auto parameter : module.getOps<train::ParameterOp>()) {
    RankedTensorType type = parameter.getTensorType();
    if (parameter.getKind() != ParameterKind::Trainable ||
        !train::isShortFloatTensor(type))
      continue;
    RankedTensorType wide = type.clone(Float32Type::get(module.getContext()));
    ElementsAttr value = widen(parameter, wide);
    if (!value)
      return parameter.emitError("has an initial value without data");
    parameter.setInitialValueAttr(value);
    parameter.setTypeAttr(TypeAttr::get(wide));
  }
  for (auto read : (*main).getOps<train::ReadOp>()) {
    auto parameter = symbols.lookup<train::ParameterOp>(read.getParameter());
    mlir::Type type = read.getType();
    if (parameter.getType() == type)
      continue;
    OpBuilder builder(read->getContext());
    builder.setInsertionPointAfter(read);
    mlir::Value value = read.getResult();
    value.setType(parameter.getTensorType());
    auto rounded = train::CastOp::create(builder, read.getLoc(), type, value);
    value.replaceAllUsesExcept(rounded.getResult(), rounded);
  }
  return success();
}

namespace {
struct TrainMasterWeights
    : public takt::impl::TrainMasterWeightsBase<TrainMasterWeights> {
  void runOnOperation() override {
    if (failed(keepMasterWeights(getOperation())))
      signalPassFailure();
  }
};
} // namespace
