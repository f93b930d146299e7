//===- OperatorPage.cpp - the operators as a page -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Versions and limits are the registry's; whether there are gradients, and
// which operations they are made of, is asked of the train operations that an
// operator becomes.
//
//===----------------------------------------------------------------------===//

#include "Registry.h"
#include "mlir/IR/MLIRContext.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Import/ImportOnnx.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace takt::import;
namespace train = takt::train;

/// The train operation of that mnemonic, if it is one that a processor
/// executes.
static std::optional<RegisteredOperationName>
kernelNamed(MLIRContext &context, const Twine &mnemonic) {
  auto info =
      RegisteredOperationName::lookup(("train." + mnemonic).str(), &context);
  if (info && !info->hasInterface<train::KernelOpInterface>())
    return std::nullopt;
  return info;
}

/// The mnemonics of operations that execute, in what an operator becomes.
static SmallVector<std::string> kernelsOf(StringRef becomes,
                                          MLIRContext &context) {
  SmallVector<std::string> names;
  auto isWord = [](char c) { return llvm::isAlnum(c) || c == '_'; };
  while (!becomes.empty()) {
    StringRef word = becomes.take_while(isWord);
    becomes = becomes.drop_front(std::max<size_t>(1, word.size()));
    if (kernelNamed(context, word) && !llvm::is_contained(names, word.str()))
      names.push_back(word.str());
  }
  return names;
}

/// "yes" where all operations have gradients, naming the kernels of their own
/// (`conv_wgrad`) that there are for it; otherwise those that have none.
static std::string gradientOf(MLIRContext &context,
                              ArrayRef<std::string> operations,
                              StringRef suffix) {
  std::string without, kernels;
  for (const std::string &name : operations) {
    auto info = kernelNamed(context, name);
    if (!info->hasInterface<train::DifferentiableOpInterface>())
      without += (without.empty() ? "`" : ", `") + name + "`";
    else if (kernelNamed(context, name + suffix))
      kernels += (kernels.empty() ? "`" : ", `") + name + suffix.str() + "`";
  }
  if (!without.empty())
    return "not through " + without;
  return kernels.empty() ? "yes" : "yes: " + kernels;
}

static void printRow(const Registry::Key &key, const Registry::Operator &op,
                     MLIRContext &context, llvm::raw_ostream &os) {
  SmallVector<std::string> versions;
  for (const auto &[since, convert] : op.versions)
    versions.push_back(std::to_string(since));
  auto [becomes, limits] = op.becomes.split(';');
  SmallVector<std::string> operations = kernelsOf(op.becomes, context);
  const auto &[domain, name] = key;
  os << "| " << (domain.empty() ? name : domain + "." + name) << " | "
     << llvm::join(versions, ", ") << " | " << becomes << " | ";
  if (operations.empty())
    os << "at import | | | ";
  else
    os << "yes" << " | " << gradientOf(context, operations, "_dgrad") << " | "
       << gradientOf(context, operations, "_wgrad") << " | ";
  os << limits.trim() << " |\n";
}

void takt::printOperatorPage(llvm::raw_ostream &os) {
  MLIRContext context;
  context.loadDialect<train::TrainDialect>();
  os << "# ONNX operators\n\n"
     << "Opset " << kMinOpset << " to " << kMaxOpset
     << ". *Since* lists the versions of an operator that are understood, by "
        "the opset that each came with. *Becomes* names the operations of the "
        "`train` dialect; where these run on a processor *forward* is \"yes\". "
        "*Dgrad* and *wgrad* are the gradients towards activations and "
        "parameters, with the kernels that exist for nothing else; an operator "
        "without them may still stand where no trainable parameter is behind "
        "it. Integers and truth values have no gradient.\n\n"
     << "| operator | since | becomes | forward | dgrad | wgrad | besides |\n"
     << "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const auto &[key, op] : Registry::get().all())
    printRow(key, op, context, os);
}
