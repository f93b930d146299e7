//===- takt-objdump.cpp - disassembles a program --------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/Tool.h"
#include "takt/Target/CHeader.h"
#include "takt/Target/Container.h"
#include "takt/Target/Disassemble.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace takt;

static cl::OptionCategory category("takt-objdump options");
static cl::opt<std::string> input(cl::Positional, cl::desc("PROGRAM.takt"),
                                  cl::cat(category));
static cl::opt<bool> headerOnly("header", cl::cat(category),
                                cl::desc("header and section table only"));
static cl::opt<bool> codeOnly("code", cl::desc("instructions only"),
                              cl::cat(category));
static cl::opt<bool> isaReference("print-isa-reference", cl::cat(category),
                                  cl::desc("the instruction set as a page"));
static cl::opt<bool> cHeader("print-c-header", cl::cat(category),
                             cl::desc("the C header of the container"));

static Error list() {
  if (input.empty())
    return createStringError("no program given: takt-objdump PROGRAM.takt");
  if (headerOnly && codeOnly)
    return createStringError("--header excludes --code");
  auto atInput = [](Error error) {
    return error ? createStringError(input + ": " + toString(std::move(error)))
                 : Error::success();
  };
  auto buffer = MemoryBuffer::getFileOrSTDIN(input, /*IsText=*/false,
                                             /*RequiresNullTerminator=*/false);
  if (!buffer)
    return atInput(errorCodeToError(buffer.getError()));
  std::shared_ptr<MemoryBuffer> file = std::move(*buffer);
  ArrayRef<uint8_t> bytes = arrayRefFromStringRef(file->getBuffer());
  if (headerOnly)
    return atInput(listHeader(bytes, outs()));
  Expected<Program> program = decode(bytes, file);
  if (!program)
    return atInput(program.takeError());
  ListingOptions options;
  options.regions = options.parameters = !codeOnly;
  disassemble(*program, outs(), options);
  return Error::success();
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  registerVersion();
  cl::ParseCommandLineOptions(argc, argv, "takt-objdump: lists a program\n");
  if (isaReference)
    emitIsaReference(outs());
  if (cHeader)
    emitCHeader(outs());
  if (isaReference || cHeader)
    return 0;
  return exitCode("takt-objdump", list());
}
