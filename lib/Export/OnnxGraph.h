//===- OnnxGraph.h - an ONNX graph under construction -----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_EXPORT_ONNXGRAPH_H
#define TAKT_LIB_EXPORT_ONNXGRAPH_H

#include "takt/Support/Onnx.h"
#include "takt/Support/Rope.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"
#include <string>
#include <variant>
#include <vector>

namespace takt {

/// An attribute of a node: an integer, a number, a text, or integers.
struct NodeAttribute {
  llvm::StringRef name;
  std::variant<int64_t, float, llvm::StringRef, std::vector<int64_t>> value;

  NodeAttribute(llvm::StringRef name, int64_t value)
      : name(name), value(value) {}
  NodeAttribute(llvm::StringRef name, float value) : name(name), value(value) {}
  NodeAttribute(llvm::StringRef name, llvm::StringRef value)
      : name(name), value(value) {}
  NodeAttribute(llvm::StringRef name, llvm::ArrayRef<int64_t> values)
      : name(name), value(values.vec()) {}
};

using NodeAttributes = llvm::ArrayRef<NodeAttribute>;

/// Collects the parts of a graph in their encoding. Nodes are in the order in
/// which they are added.
class OnnxGraph {
public:
  /// Takes a name for a tensor. False if it is taken.
  bool reserve(llvm::StringRef name) { return names.insert(name).second; }

  /// A name that is not taken: the one wanted, or with a number behind it.
  std::string unique(llvm::StringRef wanted);

  void addInput(llvm::StringRef name, ElementType type,
                llvm::ArrayRef<int64_t> dims);
  void addOutput(llvm::StringRef name, ElementType type,
                 llvm::ArrayRef<int64_t> dims);
  /// `raw` has the elements, little-endian.
  void addInitializer(llvm::StringRef name, ElementType type,
                      llvm::ArrayRef<int64_t> dims, Rope raw);

  /// Adds a node of the default domain. It is named like its first output.
  void addNode(llvm::StringRef type, llvm::ArrayRef<std::string> inputs,
               llvm::ArrayRef<std::string> outputs, NodeAttributes attributes);

  /// Whether a node has that input.
  bool isUsed(llvm::StringRef name) const { return used.contains(name); }

  /// The initializer of these elements, one for all that are equal.
  std::string constant(ElementType type, llvm::ArrayRef<int64_t> dims,
                       llvm::StringRef raw);

  /// The encoded model, which takes everything out of this.
  Rope takeModel(llvm::StringRef name, llvm::StringRef description,
                 int64_t opset);

private:
  std::string nodes, inputs, outputs; ///< fields of GraphProto
  Rope initializers;                  ///< the same
  llvm::StringSet<> names, used;
  llvm::StringMap<std::string> constants; ///< by their encoding
};

} // namespace takt

#endif // TAKT_LIB_EXPORT_ONNXGRAPH_H
