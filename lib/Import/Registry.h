//===- Registry.h - which operators there are -------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_REGISTRY_H
#define TAKT_LIB_IMPORT_REGISTRY_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"
#include <initializer_list>
#include <map>
#include <string>

namespace takt::import {

class Node;

/// The domain of onnxruntime's own operators. All of them have version 1, which
/// holds with any opset of the default domain.
inline constexpr llvm::StringLiteral kOnnxRuntime = "com.microsoft";

/// Converts one node: binds its operands and attributes, creates operations and
/// defines its outputs. Fails with a diagnostic about the node.
using Conversion = mlir::LogicalResult (*)(Node &node);

/// Conversions by domain, operator and the opset that introduced the version of
/// the operator. A version holds until the next one that ONNX defines; a
/// conversion is registered for each version that it understands.
class Registry {
public:
  struct Operator {
    std::map<int64_t, Conversion> versions; ///< by since-version
    llvm::StringRef becomes;                ///< what it becomes, for users
    bool takesSequences = false; ///< conversions look for them in operands
  };
  struct Match {
    Conversion convert;
    int64_t since;
    bool takesSequences;
  };

  /// All operators.
  static const Registry &get();

  /// Adds versions of an operator, of the default domain where none is named.
  void add(llvm::StringRef domain, llvm::StringRef name,
           std::initializer_list<int64_t> since, Conversion convert,
           llvm::StringRef becomes);
  void add(llvm::StringRef name, std::initializer_list<int64_t> since,
           Conversion convert, llvm::StringRef becomes) {
    add("", name, since, convert, becomes);
  }
  /// Operators of the default domain, added before, that may get a sequence as
  /// an input; all others are refused then.
  void letTakeSequences(std::initializer_list<llvm::StringRef> names);

  /// The newest version that is not newer than the opset. Null conversion: the
  /// operator is known, but all versions are newer. nullopt: it is not known.
  std::optional<Match> lookup(llvm::StringRef domain, llvm::StringRef name,
                              int64_t opset) const;

  using Key = std::pair<std::string, std::string>; ///< domain, name
  const std::map<Key, Operator> &all() const { return operators; }

private:
  std::map<Key, Operator> operators;
};

// One function per file of conversions.
void addWindowOps(Registry &registry);
void addPoolOps(Registry &registry);
void addRandomOps(Registry &registry);
void addMatrixOps(Registry &registry);
void addElementwiseOps(Registry &registry);
void addFunctionOps(Registry &registry);
void addReductionOps(Registry &registry);
void addSliceOps(Registry &registry);
void addNormalizationOps(Registry &registry);
void addLayerNormalizationOps(Registry &registry);
void addAttentionOps(Registry &registry);
void addFusedAttentionOps(Registry &registry);
void addFusedOps(Registry &registry);
void addShapeOps(Registry &registry);
void addShapeArithmetic(Registry &registry);
void addLogicOps(Registry &registry);
void addIndexOps(Registry &registry);
void addArrangeOps(Registry &registry);
void addResizeOps(Registry &registry);
void addSignalOps(Registry &registry);
void addEinsumOps(Registry &registry);
void addLossOps(Registry &registry);
void addRecurrentOps(Registry &registry);
void addConstantOps(Registry &registry);
void addSequenceOps(Registry &registry);
void addControlFlow(Registry &registry);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_REGISTRY_H
