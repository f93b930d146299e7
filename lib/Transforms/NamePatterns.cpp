//===- NamePatterns.cpp - parameters by patterns of names -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NamePatterns.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/GlobPattern.h"

using namespace mlir;
using namespace takt;

static bool isTrainable(train::ParameterOp parameter) {
  return parameter.getKind() == ParameterKind::Trainable;
}

/// "'a', 'b' or 'c'": at most three trainable parameters, nearest names first.
static std::string nearest(ModuleOp module, StringRef pattern) {
  constexpr size_t kShown = 3;
  SmallVector<std::pair<unsigned, StringRef>> names;
  for (auto parameter : module.getOps<train::ParameterOp>())
    if (isTrainable(parameter)) {
      StringRef name = parameter.getSymName();
      names.push_back({pattern.edit_distance(name), name});
    }
  llvm::stable_sort(names, llvm::less_first());
  names.truncate(std::min(names.size(), kShown));
  std::string text;
  for (auto [index, entry] : llvm::enumerate(names)) {
    if (index > 0)
      text += index + 1 == names.size() ? " or " : ", ";
    text += ("'" + entry.second + "'").str();
  }
  return text;
}

static LogicalResult failNoMatch(ModuleOp module, StringRef option,
                                 StringRef text,
                                 const llvm::GlobPattern &pattern) {
  for (auto parameter : module.getOps<train::ParameterOp>())
    if (pattern.match(parameter.getSymName()))
      return module.emitError()
             << option << "=" << text
             << ": expected a trainable parameter, found '"
             << parameter.getSymName() << "', which is of kind '"
             << stringifyParameterKind(parameter.getKind()) << "'";
  std::string candidates = nearest(module, text);
  InFlightDiagnostic error = module.emitError()
                             << option << "=" << text
                             << ": no parameter has such a name";
  if (!candidates.empty())
    error << ", expected for example " << candidates;
  return error;
}

FailureOr<SmallVector<train::ParameterOp>>
takt::matchTrainable(ModuleOp module, StringRef option, StringRef text) {
  llvm::Expected<llvm::GlobPattern> pattern = llvm::GlobPattern::create(text);
  if (!pattern)
    return module.emitError() << option << "=" << text << ": "
                              << llvm::toString(pattern.takeError());
  SmallVector<train::ParameterOp> matches;
  for (auto parameter : module.getOps<train::ParameterOp>())
    if (isTrainable(parameter) && pattern->match(parameter.getSymName()))
      matches.push_back(parameter);
  if (matches.empty())
    return failNoMatch(module, option, text, *pattern);
  return matches;
}
