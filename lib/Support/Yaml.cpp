//===- Yaml.cpp - short versioned YAML files ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/Yaml.h"
#include "takt/Support/Nesting.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLParser.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace takt;

void takt::keepFirstDiagnostic(const SMDiagnostic &diagnostic, void *context) {
  auto &message = *static_cast<std::string *>(context);
  if (!message.empty())
    return;
  raw_string_ostream(message)
      << diagnostic.getFilename() << ":" << diagnostic.getLineNo() << ":"
      << diagnostic.getColumnNo() + 1 << ": " << diagnostic.getMessage();
}

/// Whether nothing in it is nested too deeply for yaml::Input, which calls
/// itself as this does. Reads all of the node.
static bool isShallow(yaml::Node *node, int depth) {
  if (depth > kDeepestNesting)
    return false;
  if (auto *mapping = dyn_cast_or_null<yaml::MappingNode>(node)) {
    for (yaml::KeyValueNode &pair : *mapping)
      if (!isShallow(pair.getKey(), depth + 1) ||
          !isShallow(pair.getValue(), depth + 1))
        return false;
  } else if (auto *list = dyn_cast_or_null<yaml::SequenceNode>(node)) {
    for (yaml::Node &entry : *list)
      if (!isShallow(&entry, depth + 1))
        return false;
  }
  return true;
}

std::string takt::checkYamlMapping(MemoryBufferRef text, StringRef what) {
  std::string message;
  SourceMgr sources;
  sources.setDiagHandler(keepFirstDiagnostic, &message);
  yaml::Stream stream(text, sources);
  auto document = stream.begin();
  yaml::Node *root = document == stream.end() ? nullptr : document->getRoot();
  std::string problem;
  if (stream.failed() || !isa_and_nonnull<yaml::MappingNode>(root)) {
    problem = what.str();
  } else if (!isShallow(root, 1)) {
    problem = "nested more than " + std::to_string(kDeepestNesting) + " deep";
  } else if (!stream.failed() && ++document != stream.end()) {
    problem = "expected a single document";
  }
  if (message.empty() && !problem.empty())
    message = (text.getBufferIdentifier() + ":1:1: " + problem).str();
  return message;
}
