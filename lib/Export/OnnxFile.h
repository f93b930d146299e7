//===- OnnxFile.h - the constants of an ONNX file ---------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is known about a model's tensors without computing. Texts point into
// the file.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_EXPORT_ONNXFILE_H
#define TAKT_LIB_EXPORT_ONNXFILE_H

#include "takt/Support/MergedValues.h"
#include "takt/Support/Wire.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>

namespace takt {

/// Longest chain of nodes that pass a constant on.
constexpr int kMaxChain = 64;

/// Most bytes of a protobuf.
constexpr uint64_t kMaxProtobuf = 0x7fffffff;

/// Type and shape of a tensor.
struct TensorInfo {
  llvm::StringRef message; ///< all of it
  llvm::StringRef name;
  int64_t type = 0;
  /// nullopt: they are computed.
  std::optional<llvm::SmallVector<int64_t, 4>> dims;
  bool external = false;
  llvm::SmallVector<int64_t, 4> integers; ///< of one that is of int64
};

/// Reads a TensorProto. Fails if it is none.
llvm::Expected<TensorInfo> readTensor(llvm::StringRef message);

/// True for the fields of a TensorProto that its elements are in.
bool isData(const wire::Field &field);

struct NodeInfo {
  llvm::StringRef message; ///< all of it
  llvm::StringRef name, type, domain;
  llvm::SmallVector<llvm::StringRef, 4> inputs, outputs;
  std::optional<TensorInfo> value; ///< a tensor attribute's
  int64_t to = 0;                  ///< of a Cast

  /// Of the default domain and this type.
  bool is(llvm::StringRef wanted) const {
    return type == wanted && (domain.empty() || domain == "ai.onnx");
  }
};

/// Initializers and nodes of the graph.
class OnnxFile {
public:
  /// Fails if the bytes are no model.
  static llvm::Expected<OnnxFile> read(llvm::StringRef bytes);

  const TensorInfo *initializer(llvm::StringRef name) const;
  /// The node with that output, or null.
  const NodeInfo *maker(llvm::StringRef name) const;

  /// Type and shape of what the file gives for every input alike. Fails if
  /// there is no such tensor, or a node computes it.
  llvm::Expected<TensorInfo> constant(llvm::StringRef name) const;

  llvm::ArrayRef<NodeInfo> allNodes() const { return nodes; }

  /// Inputs whose values have names of their own, as the importer gives them;
  /// these are initializers here, too.
  llvm::ArrayRef<SeparateInput> separateInputs() const { return separate; }

  /// Tensors whose data are in other files, by the initializer or the node.
  llvm::ArrayRef<llvm::StringRef> external() const { return externals; }

private:
  llvm::Error separateMerged(llvm::StringRef bytes);
  llvm::Error addGraph(llvm::StringRef message);
  llvm::Error addInitializer(llvm::StringRef message);
  llvm::Error addNode(llvm::StringRef message);
  llvm::Expected<TensorInfo> madeBy(const NodeInfo &node, llvm::StringRef name,
                                    int depth) const;
  llvm::Expected<TensorInfo> constant(llvm::StringRef name, int depth) const;

  std::vector<TensorInfo> tensors;
  std::vector<NodeInfo> nodes;
  std::vector<SeparateInput> separate;
  llvm::DenseMap<llvm::StringRef, size_t> initializers, makers;
  llvm::SmallVector<llvm::StringRef> externals;
};

} // namespace takt

#endif // TAKT_LIB_EXPORT_ONNXFILE_H
