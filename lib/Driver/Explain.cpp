//===- Explain.cpp - what a model became ----------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/Explain.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Import/ImportOnnx.h"
#include "takt/Support/ShapeText.h"
#include "takt/Support/TextTable.h"
#include "takt/Transforms/Tags.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace takt;

namespace {
/// What stands behind one name: an ONNX node, or a layer.
struct Share {
  SmallVector<Operation *> operations;
  int64_t macs = 0;
  int64_t bytes = 0; ///< of the results
};

class Explanation {
public:
  Explanation(ModuleOp module, std::vector<OnnxNode> nodes)
      : module(module), nodes(std::move(nodes)) {
    collect();
  }

  void print(llvm::raw_ostream &os) {
    printLayers(os);
    printNodes(os);
    printParameterTable(os);
    printTotals(os);
  }

private:
  void collect();
  void collectParameters();
  void printLayers(llvm::raw_ostream &os) const;
  void printNodes(llvm::raw_ostream &os) const;
  void printParameterTable(llvm::raw_ostream &os);
  void printTotals(llvm::raw_ostream &os);
  std::string fusedTypes(const Share &share) const;
  std::string outputOf(const Share &share) const;

  ModuleOp module;
  std::vector<OnnxNode> nodes;
  llvm::StringMap<const OnnxNode *> nodeOf;
  llvm::MapVector<StringRef, Share> byNode;
  llvm::MapVector<int64_t, Share> byLayer;
  /// Elements of the parameters that a layer is the first to read.
  llvm::DenseMap<int64_t, int64_t> layerParameters;
};
} // namespace

static void add(Share &share, train::KernelOpInterface op) {
  share.operations.push_back(op);
  share.macs += op.getWork().gemm.macs().value_or(0);
  for (Type type : op->getResultTypes())
    share.bytes += train::getBytes(type);
}

/// The forward operations; the backward ones are these once more.
void Explanation::collect() {
  for (const OnnxNode &node : nodes)
    nodeOf.try_emplace(node.name, &node);
  module.walk([&](train::KernelOpInterface op) {
    if (getKind(op) != TaskKind::Forward)
      return;
    add(byNode[getLocationName(op.getLoc())], op);
    add(byLayer[getLayer(op)], op);
  });
  collectParameters();
}

void Explanation::collectParameters() {
  llvm::SmallDenseSet<StringRef> counted;
  module.walk([&](train::ReadOp read) {
    auto parameter =
        module.lookupSymbol<train::ParameterOp>(read.getParameter());
    if (!parameter || (parameter.getKind() != ParameterKind::Trainable &&
                       parameter.getKind() != ParameterKind::Constant))
      return;
    int64_t first = -1;
    for (Operation *user : read->getUsers())
      if (int64_t layer = getLayer(user);
          getKind(user) == TaskKind::Forward && layer >= 0)
        first = first < 0 ? layer : std::min(first, layer);
    if (first >= 0 && counted.insert(read.getParameter()).second)
      layerParameters[first] += parameter.getTensorType().getNumElements();
  });
}

static std::string shapeOf(Type type) {
  return shapeText(cast<RankedTensorType>(type).getShape());
}

/// The result of the last operation that is a node's, rather than the loss.
std::string Explanation::outputOf(const Share &share) const {
  Operation *last = share.operations.back();
  for (Operation *op : share.operations)
    if (nodeOf.contains(getLocationName(op->getLoc())))
      last = op;
  return shapeOf(last->getResult(0).getType());
}

/// Names in order with their numbers: "slice ×3, concat".
static std::string counted(ArrayRef<std::string> names) {
  llvm::MapVector<StringRef, int64_t> counts;
  for (const std::string &name : names)
    ++counts[name];
  std::string text;
  for (auto [name, count] : counts) {
    text += (text.empty() ? "" : ", ") + name.str();
    if (count > 1)
      text += " x" + std::to_string(count);
  }
  return text;
}

/// The ONNX operators of a layer besides that of its weighted operation.
std::string Explanation::fusedTypes(const Share &share) const {
  std::vector<std::string> types;
  StringRef last;
  for (Operation *op : share.operations) {
    StringRef name = getLocationName(op->getLoc());
    if (hasGemm(op) || name == last)
      continue;
    last = name;
    auto it = nodeOf.find(name);
    types.push_back(it == nodeOf.end() ? op->getName().stripDialect().str()
                                       : it->second->type);
  }
  return counted(types);
}

void Explanation::printLayers(llvm::raw_ostream &os) const {
  TextTable table({{"layer"},
                   {"operator"},
                   {"output"},
                   {"MACs", true},
                   {"parameters", true},
                   {"bytes", true},
                   {"fused to it"}});
  auto names = module->getAttrOfType<ArrayAttr>(kLayersAttr);
  for (auto [index, name] : llvm::enumerate(names.getAsRange<StringAttr>())) {
    auto it = byLayer.find(index);
    if (it == byLayer.end())
      continue;
    const Share &share = it->second;
    auto weighted = llvm::find_if(share.operations, hasGemm);
    Operation *op = weighted == share.operations.end() ? nullptr : *weighted;
    auto node = op ? nodeOf.find(getLocationName(op->getLoc())) : nodeOf.end();
    table.add({name.str(), node == nodeOf.end() ? "" : node->second->type,
               outputOf(share), std::to_string(share.macs),
               std::to_string(layerParameters.lookup(index)),
               std::to_string(share.bytes), fusedTypes(share)});
  }
  table.print(os);
}

void Explanation::printNodes(llvm::raw_ostream &os) const {
  TextTable table({{"node"},
                   {"operator"},
                   {"became"},
                   {"in task"},
                   {"output"},
                   {"MACs", true},
                   {"bytes", true}});
  auto addRow = [&](StringRef name, std::string type) {
    auto it = byNode.find(name);
    if (it == byNode.end())
      return table.add({name.str(), type, "folded", "", "", "", ""});
    const Share &share = it->second;
    std::vector<std::string> operations, tasks;
    for (Operation *op : share.operations) {
      operations.push_back(op->getName().stripDialect().str());
      if (!llvm::is_contained(tasks, getTask(op)))
        tasks.push_back(getTask(op).str());
    }
    table.add({name.str(), type, counted(operations), llvm::join(tasks, ", "),
               outputOf(share), std::to_string(share.macs),
               std::to_string(share.bytes)});
  };
  for (const OnnxNode &node : nodes)
    addRow(node.name, node.type + " " + std::to_string(node.since));
  // The loss, and nodes of bodies and branches.
  for (const auto &[name, share] : byNode)
    if (!nodeOf.contains(name))
      addRow(name, "");
  os << "\n";
  table.print(os);
}

void Explanation::printParameterTable(llvm::raw_ostream &os) {
  TextTable table(
      {{"parameter"}, {"shape"}, {"kind"}, {"bytes", true}, {"why"}});
  std::vector<std::string> reasons = explainKinds(module);
  for (auto [parameter, reason] :
       llvm::zip_equal(module.getOps<train::ParameterOp>(), reasons))
    table.add({parameter.getSymName().str(), shapeOf(parameter.getTensorType()),
               parameter.getFrozen()
                   ? "frozen"
                   : stringifyParameterKind(parameter.getKind()).str(),
               std::to_string(train::getBytes(parameter.getTensorType())),
               reason});
  os << "\n";
  table.print(os);
}

void Explanation::printTotals(llvm::raw_ostream &os) {
  Share all;
  for (const auto &[layer, share] : byLayer) {
    all.operations.append(share.operations);
    all.macs += share.macs;
    all.bytes += share.bytes;
  }
  llvm::MapVector<StringRef, std::pair<int64_t, int64_t>> kinds;
  for (auto parameter : module.getOps<train::ParameterOp>()) {
    auto &[elements, bytes] =
        kinds[parameter.getFrozen()
                  ? "frozen"
                  : stringifyParameterKind(parameter.getKind())];
    elements += parameter.getTensorType().getNumElements();
    bytes += train::getBytes(parameter.getTensorType());
  }
  int64_t folded = llvm::count_if(
      nodes, [&](const OnnxNode &node) { return !byNode.contains(node.name); });
  auto samples = module->getAttrOfType<IntegerAttr>("train.batch");
  os << "\n"
     << nodes.size() << " nodes, of which " << folded << " are folded; "
     << all.operations.size() << " forward operations in " << byLayer.size()
     << " layers\n"
     << "of " << (samples ? samples.getInt() : 0) << " samples: " << all.macs
     << " forward MACs, " << all.bytes << " bytes of results\n";
  for (auto [kind, sizes] : kinds)
    os << "parameters, " << kind << ": " << sizes.first << " elements, "
       << sizes.second << " bytes\n";
}

LogicalResult takt::explain(const TrainingStep &step,
                            llvm::MemoryBufferRef model,
                            llvm::raw_ostream &os) {
  ModuleOp module = step.module.get();
  FailureOr<std::vector<OnnxNode>> nodes =
      listNodes(model, *module.getContext());
  if (failed(nodes))
    return failure();
  Explanation(module, std::move(*nodes)).print(os);
  return success();
}
