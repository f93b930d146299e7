//===- Provenance.cpp - where initializers come from ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Provenance.h"
#include "takt/Support/OnnxMetadata.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Regex.h"

using namespace takt;
using namespace takt::import;
using llvm::StringRef;

/// What torch.export has an input of the program as: PARAMETER, BUFFER, …
static constexpr llvm::StringLiteral kKind =
    "pkg.torch.export.graph_signature.InputSpec.kind";
/// Python's list of the values that a constant was computed from.
static constexpr llvm::StringLiteral kFoldedFrom =
    "pkg.onnxscript.optimizer.folded_from";

/// Of a value's metadata, which this version of ONNX's classes does not know.
static std::optional<std::string> metadata(const onnx::ValueInfoProto &info,
                                           StringRef key) {
  const google::protobuf::UnknownFieldSet &unknown =
      info.GetReflection()->GetUnknownFields(info);
  for (int i = 0; i < unknown.field_count(); ++i) {
    const google::protobuf::UnknownField &field = unknown.field(i);
    if (field.number() != takt::kValueMetadata ||
        field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      continue;
    auto value = takt::metadataValue(field.length_delimited(), key);
    if (!value)
      llvm::consumeError(value.takeError()); // it says nothing
    else if (*value)
      return (*value)->str();
  }
  return std::nullopt;
}

/// The names in a Python list of strings.
static llvm::SmallVector<StringRef> namesIn(StringRef list) {
  llvm::SmallVector<StringRef> names;
  list.split(names, ',');
  for (StringRef &name : names)
    name = name.trim(" []'\"");
  return names;
}

/// Members of a module have its name before a dot; other values have names that
/// the exporter makes, by the function that computes them. A parameter of the
/// outermost module looks like these: only with a function that makes numbers
/// of nothing, or where all are numbered constants, is it sure that none is
/// among them. Of what the graph computes only the shape was folded. Cosines
/// and sines of members are those of positions, whose rates are a buffer.
static bool isComputedFromConstants(StringRef value, StringRef list,
                                    const llvm::StringSet<> &computed) {
  static const llvm::Regex turned("^(cos|sin)(_.*)?$"),
      made("^(arange|eye|full|linspace|logspace|ones|scalar_tensor|zeros)"
           "(_.*)?$"),
      numbered("^val_[0-9]+$");
  llvm::SmallVector<StringRef> names = namesIn(list);
  auto matches = [](const llvm::Regex &regex) {
    return [&regex](StringRef name) { return regex.match(name); };
  };
  if (turned.match(value) || llvm::any_of(names, matches(turned)))
    return true;
  llvm::erase_if(names,
                 [&](StringRef name) { return computed.contains(name); });
  return llvm::none_of(names,
                       [](StringRef name) { return name.contains('.'); }) &&
         (llvm::any_of(names, matches(made)) ||
          llvm::all_of(names, matches(numbered)));
}

llvm::StringSet<> takt::import::notParameters(const onnx::GraphProto &graph) {
  llvm::StringSet<> computed, names;
  for (const onnx::NodeProto &node : graph.node())
    for (const std::string &output : node.output())
      computed.insert(output);
  for (const onnx::ValueInfoProto &info : graph.value_info()) {
    std::optional<std::string> kind = metadata(info, kKind),
                               from = metadata(info, kFoldedFrom);
    if ((kind && *kind != "PARAMETER") ||
        (from && isComputedFromConstants(info.name(), *from, computed)))
      names.insert(info.name());
  }
  return names;
}
