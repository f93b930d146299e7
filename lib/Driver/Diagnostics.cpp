//===- Diagnostics.cpp - messages for the user of a tool ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/Diagnostics.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "takt/Support/Printable.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace takt;

/// The most telling part of a location; empty where there is none.
static std::string describe(Location location) {
  if (auto file = dyn_cast<FileLineColLoc>(location))
    return (file.getFilename().getValue() + ":" + Twine(file.getLine()) + ":" +
            Twine(file.getColumn()))
        .str();
  if (auto name = dyn_cast<NameLoc>(location))
    return "node '" + name.getName().str() + "'";
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (std::string text = describe(part); !text.empty())
        return text;
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return describe(call.getCallee());
  return "";
}

static StringRef severity(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Note:
    return "note";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Remark:
    return "remark";
  case DiagnosticSeverity::Error:
    break;
  }
  return "error";
}

static void print(StringRef path, const Diagnostic &diagnostic) {
  std::string where = printable(describe(diagnostic.getLocation()));
  std::string message = printable(diagnostic.str());
  // A position in the file itself says the path; a message that names its node
  // does not need the location.
  bool inFile = StringRef(where).starts_with((path + ":").str());
  llvm::errs() << (inFile ? StringRef(where) : path) << ": "
               << severity(diagnostic.getSeverity()) << ": ";
  if (!inFile && !where.empty() && message.find(where) == std::string::npos)
    llvm::errs() << where << ": ";
  llvm::errs() << message << "\n";
  for (const Diagnostic &note : diagnostic.getNotes())
    print(path, note);
}

DiagnosticPrinter::DiagnosticPrinter(MLIRContext &context, StringRef modelPath)
    : modelPath(modelPath), handler(&context, [this](Diagnostic &diagnostic) {
        print(this->modelPath, diagnostic);
        return success();
      }) {}
