//===- Yaml.cpp - short versioned YAML files ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/Yaml.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLParser.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

void takt::keepFirstDiagnostic(const SMDiagnostic &diagnostic, void *context) {
  auto &message = *static_cast<std::string *>(context);
  if (!message.empty())
    return;
  raw_string_ostream(message)
      << diagnostic.getFilename() << ":" << diagnostic.getLineNo() << ":"
      << diagnostic.getColumnNo() + 1 << ": " << diagnostic.getMessage();
}

std::string takt::checkYamlMapping(MemoryBufferRef text, StringRef what) {
  std::string message;
  SourceMgr sources;
  sources.setDiagHandler(keepFirstDiagnostic, &message);
  yaml::Stream stream(text, sources);
  auto document = stream.begin();
  yaml::Node *root = document == stream.end() ? nullptr : document->getRoot();
  StringRef problem;
  if (stream.failed() || !isa_and_nonnull<yaml::MappingNode>(root)) {
    problem = what;
  } else {
    root->skip();
    if (!stream.failed() && ++document != stream.end())
      problem = "expected a single document";
  }
  if (message.empty() && !problem.empty())
    message = (text.getBufferIdentifier() + ":1:1: " + problem).str();
  return message;
}
