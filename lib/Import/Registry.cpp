//===- Registry.cpp - which operators there are ---------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Registry.h"
#include "takt/Import/ImportOnnx.h"
#include "llvm/Support/FormatVariadic.h"

using namespace takt;
using namespace takt::import;
using llvm::StringRef;

/// "ai.onnx" is the default domain's long name.
static StringRef canonicalDomain(StringRef domain) {
  return domain == "ai.onnx" ? "" : domain;
}

const Registry &Registry::get() {
  static const Registry registry = [] {
    Registry result;
    addWindowOps(result);
    addPoolOps(result);
    addRandomOps(result);
    addMatrixOps(result);
    addElementwiseOps(result);
    addFunctionOps(result);
    addNormalizationOps(result);
    addLayerNormalizationOps(result);
    addAttentionOps(result);
    addFusedAttentionOps(result);
    addFusedOps(result);
    addReductionOps(result);
    addShapeOps(result);
    addSliceOps(result);
    addShapeArithmetic(result);
    addLogicOps(result);
    addIndexOps(result);
    addArrangeOps(result);
    addResizeOps(result);
    addSignalOps(result);
    addEinsumOps(result);
    addLossOps(result);
    addRecurrentOps(result);
    addConstantOps(result);
    addControlFlow(result);
    addSequenceOps(result);
    return result;
  }();
  return registry;
}

void Registry::add(StringRef domain, StringRef name,
                   std::initializer_list<int64_t> since, Conversion convert,
                   StringRef becomes) {
  Operator &op = operators[{domain.str(), name.str()}];
  op.becomes = becomes;
  for (int64_t version : since)
    op.versions[version] = convert;
}

void Registry::letTakeSequences(std::initializer_list<StringRef> names) {
  for (StringRef name : names)
    operators.at({"", name.str()}).takesSequences = true;
}

std::optional<Registry::Match>
Registry::lookup(StringRef domain, StringRef name, int64_t opset) const {
  auto it = operators.find({canonicalDomain(domain).str(), name.str()});
  if (it == operators.end())
    return std::nullopt;
  const auto &versions = it->second.versions;
  auto newer = versions.upper_bound(opset);
  if (newer == versions.begin())
    return Match{nullptr, newer->first, false};
  auto match = std::prev(newer);
  return Match{match->second, match->first, it->second.takesSequences};
}

void takt::listOps(llvm::raw_ostream &os) {
  os << "ONNX operators, opset " << kMinOpset << " to " << kMaxOpset
     << ": versions, and what they become\n";
  for (const auto &[key, op] : Registry::get().all()) {
    std::string versions;
    for (const auto &[since, convert] : op.versions)
      versions += (versions.empty() ? "" : ", ") + std::to_string(since);
    const auto &[domain, name] = key;
    os << llvm::formatv("{0,-20} {1,-16} {2}\n",
                        domain.empty() ? name : domain + "." + name, versions,
                        op.becomes);
  }
}
