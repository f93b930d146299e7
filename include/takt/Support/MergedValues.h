//===- MergedValues.h - initializers that exporters merged ------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Current exporters of PyTorch write initial values that are equal once: the
// scales of all normalizations and their running variances are one tensor of
// ones. What is trained must come apart again. Nodes say which module they are
// of (pkg.torch.onnx.name_scopes), and an initializer is called after the
// module that it is of, so that weights which modules really share are told
// from vectors that are equal by chance. Running statistics are no weight's.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_MERGEDVALUES_H
#define TAKT_SUPPORT_MERGEDVALUES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace takt {

/// An input of a node that has a value of its own.
struct SeparateInput {
  size_t node, input;      ///< among the graph's nodes and the node's inputs
  std::string initializer; ///< what the file calls it
  std::string name;        ///< of its own
};

/// Of a model's protobuf, whose tensors' data may be left out: in the order of
/// the nodes. Inputs with the same value have the same name, which nothing else
/// in the graph has. Fails if the bytes are no model.
llvm::Expected<std::vector<SeparateInput>>
findSeparateInputs(llvm::StringRef model);

} // namespace takt

#endif // TAKT_SUPPORT_MERGEDVALUES_H
