//===- Parameters.cpp - constants that become parameters ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Parameters.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "takt/Import/ImportOnnx.h"
#include "takt/Support/Printable.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace takt;
using namespace takt::import;

//===----------------------------------------------------------------------===//
// Making parameters
//===----------------------------------------------------------------------===//

FailureOr<ParameterTable::Entry *>
ParameterTable::lookup(OpBuilder &builder, const Constant &constant,
                       const Subject &user) {
  auto [it, inserted] = entries.try_emplace(constant.name);
  Entry &entry = it->second;
  if (!inserted)
    return &entry;
  Location unknown = builder.getUnknownLoc();
  Subject tensor{unknown, "tensor '" + constant.name + "'"};
  FailureOr<ElementsAttr> value = reader.elements(constant, tensor);
  if (failed(value))
    return failure();
  Location loc = NameLoc::get(builder.getStringAttr(constant.name));
  OpBuilder before(main);
  entry.parameter =
      train::ParameterOp::create(before, loc, constant.name,
                                 cast<RankedTensorType>(value->getShapedType()),
                                 ParameterKind::Constant, *value);
  entry.read = train::ReadOp::create(builder, loc, entry.parameter);
  entry.fixed = constant.fixed || !train::isFloatTensor(entry.read.getType());
  entry.literal = constant.literal;
  return &entry;
}

FailureOr<mlir::Value> ParameterTable::read(OpBuilder &builder,
                                            const Constant &constant,
                                            const Subject &user) {
  FailureOr<Entry *> entry = lookup(builder, constant, user);
  if (failed(entry))
    return failure();
  if (!(*entry)->stateOf.empty())
    return user.unsupported()
           << "uses '" << constant.name << "', a running statistic of "
           << (*entry)->stateOf;
  return (*entry)->read.getValue();
}

FailureOr<mlir::Value> ParameterTable::readState(OpBuilder &builder,
                                                 const Constant &constant,
                                                 const Subject &user) {
  // What is a mean of many minibatches changes too little for 16 bits.
  Constant wide = constant;
  if (isRoundedType(constant.type))
    wide.type = onnx::TensorProto::FLOAT;
  FailureOr<Entry *> entry = lookup(builder, wide, user);
  if (failed(entry))
    return failure();
  std::string &owner = (*entry)->stateOf;
  bool fresh = owner.empty() && (*entry)->read->use_empty();
  if (!fresh)
    return user.unsupported()
           << "has the running statistic '" << constant.name << "', which "
           << (owner.empty() ? "another node uses" : "is that of " + owner);
  owner = user.text;
  auto kind =
      train::ParameterKindAttr::get(builder.getContext(), ParameterKind::State);
  (*entry)->parameter.setKindAttr(kind);
  return (*entry)->read.getValue();
}

/// True if an operation with a gradient takes the value, or one that only moves
/// its elements to such an operation.
static bool reachesGradient(mlir::Value value) {
  SmallVector<mlir::Value> worklist = {value};
  llvm::SmallPtrSet<Operation *, 8> seen;
  while (!worklist.empty())
    for (Operation *user : worklist.pop_back_val().getUsers()) {
      if (!seen.insert(user).second)
        continue;
      if (isa<train::ReshapeOp, train::TransposeOp>(user))
        worklist.push_back(user->getResult(0));
      else if (isa<train::DifferentiableOpInterface>(user))
        return true;
    }
  return false;
}

void ParameterTable::decideKinds() {
  auto trainable = train::ParameterKindAttr::get(module.getContext(),
                                                 ParameterKind::Trainable);
  // Each is decided by itself, so the order of the map does not matter.
  SmallVector<Entry *> given, literal;
  for (auto &[name, entry] : entries)
    if (entry.parameter && entry.stateOf.empty() && !entry.fixed &&
        entry.parameter.getTensorType().getRank() > 0 &&
        reachesGradient(entry.read.getValue()))
      (entry.literal ? literal : given).push_back(&entry);
  for (Entry *entry : given.empty() ? literal : given)
    entry->parameter.setKindAttr(trainable);
}

//===----------------------------------------------------------------------===//
// Showing parameters
//===----------------------------------------------------------------------===//

static StringAttr locationName(Operation *op) {
  if (auto name = dyn_cast<NameLoc>(op->getLoc()))
    return name.getName();
  return op->getName().getIdentifier();
}

/// Names of the operations that take the value, those that only move its
/// elements looked through. A step's gradients have their forward operation's
/// name, which makes them one consumer.
static llvm::SetVector<StringAttr> consumersOf(mlir::Value value) {
  llvm::SetVector<StringAttr> names;
  SmallVector<mlir::Value> worklist = {value};
  llvm::SmallPtrSet<Operation *, 8> seen;
  while (!worklist.empty()) {
    mlir::Value next = worklist.pop_back_val();
    // Users are listed last to first.
    SmallVector<Operation *> users(next.getUsers());
    for (Operation *user : llvm::reverse(users)) {
      if (!seen.insert(user).second || user->hasTrait<OpTrait::IsTerminator>())
        continue;
      if (isa<train::ReshapeOp, train::TransposeOp>(user))
        worklist.push_back(user->getResult(0));
      else
        names.insert(locationName(user));
    }
  }
  return names;
}

using Reads = SmallVector<train::ReadOp, 2>;

/// The reads of every parameter, in the module's order.
static llvm::StringMap<Reads> collectReads(ModuleOp module) {
  llvm::StringMap<Reads> reads;
  module.walk(
      [&](train::ReadOp read) { reads[read.getParameter()].push_back(read); });
  return reads;
}

/// The operations that take the parameter, but for its update.
static llvm::SetVector<StringAttr> consumersOf(train::ParameterOp parameter,
                                               ArrayRef<train::ReadOp> reads) {
  llvm::SetVector<StringAttr> names;
  for (train::ReadOp read : reads)
    for (StringAttr name : consumersOf(read.getValue()))
      if (name != parameter.getSymNameAttr())
        names.insert(name);
  return names;
}

/// What made a constant of it.
static std::string explainConstant(train::ParameterOp parameter,
                                   ArrayRef<train::ReadOp> reads) {
  RankedTensorType type = parameter.getTensorType();
  if (parameter.getFrozen())
    return "the user froze it";
  if (!train::isFloatTensor(type))
    return "no floats";
  if (type.getRank() == 0)
    return "a scalar";
  bool reached = llvm::any_of(reads, [](train::ReadOp read) {
    return reachesGradient(read.getValue());
  });
  return reached ? "a number of a formula" : "nothing with a gradient takes it";
}

/// Why it is of its kind.
static std::string explainKind(train::ParameterOp parameter,
                               ArrayRef<train::ReadOp> reads) {
  switch (parameter.getKind()) {
  case ParameterKind::Trainable:
    return "a gradient reaches it";
  case ParameterKind::State:
    return "a running statistic";
  case ParameterKind::OptimizerState:
    return "the optimizer's";
  case ParameterKind::Derived:
    return "a part of another";
  case ParameterKind::Constant:
    break;
  }
  return explainConstant(parameter, reads);
}

std::vector<std::string> takt::explainKinds(ModuleOp module) {
  llvm::StringMap<Reads> reads = collectReads(module);
  std::vector<std::string> texts;
  for (auto parameter : module.getOps<train::ParameterOp>()) {
    const Reads &own = reads[parameter.getSymName()];
    std::string text = explainKind(parameter, own);
    for (auto [i, name] : llvm::enumerate(consumersOf(parameter, own)))
      text += (i == 0 ? ": " : ", ") + name.str();
    texts.push_back(std::move(text));
  }
  return texts;
}

void takt::printParameters(ModuleOp module, llvm::raw_ostream &os) {
  llvm::StringMap<Reads> reads = collectReads(module);
  for (auto parameter : module.getOps<train::ParameterOp>()) {
    std::string line = llvm::formatv(
        "{0,-40} {1,-16} {2,-10}", parameter.getSymName(),
        shapeText(parameter.getTensorType().getShape()),
        parameter.getFrozen() ? "frozen"
                              : stringifyParameterKind(parameter.getKind()));
    for (StringAttr name :
         consumersOf(parameter, reads[parameter.getSymName()]))
      line += (" " + name.getValue()).str();
    os << printable(StringRef(line).rtrim()) << "\n";
  }
}
