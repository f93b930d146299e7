//===- Subgraphs.h - graphs in the attributes of nodes ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The branches of If and the bodies of Loop and Scan see the names of the
// graphs around them and define names of their own, none of which is one of
// those.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_SUBGRAPHS_H
#define TAKT_LIB_IMPORT_SUBGRAPHS_H

#include "takt/Support/Onnx.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace takt::import {

/// Calls the function with each graph in the node's attributes.
void forEachSubgraph(onnx::NodeProto &node,
                     llvm::function_ref<void(onnx::GraphProto &)> function);

bool hasSubgraph(const onnx::NodeProto &node);

/// Calls the function with every name that the node needs from the graph that
/// it is in: its inputs, and what its subgraphs use without defining it.
void forEachUse(const onnx::NodeProto &node,
                llvm::function_ref<void(const std::string &)> function);

/// Calls the function with every name of a value in the node and its subgraphs,
/// uses and definitions alike.
void forEachName(onnx::NodeProto &node,
                 llvm::function_ref<void(std::string &)> function);

/// Takes the initializers and Constant nodes out of a body and all bodies in
/// it: they are the same each time a body runs. They are the outputs of the
/// graph that is returned; their names get the prefix.
onnx::GraphProto hoistConstants(onnx::GraphProto &body, llvm::StringRef prefix);

/// A copy for one run of a body: what it defines itself, and the names of its
/// nodes, get the prefix. Bodies in it get theirs when they are run.
onnx::GraphProto instantiate(const onnx::GraphProto &body,
                             llvm::StringRef prefix);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_SUBGRAPHS_H
