//===- FileOutput.cpp - output files that appear whole or not at all ------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/FileOutput.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;

static Error atPath(StringRef path, Error error) {
  return createStringError(inconvertibleErrorCode(),
                           path + ": " + toString(std::move(error)));
}

Error takt::writeFile(StringRef path,
                      function_ref<Error(raw_ostream &)> write) {
  if (path == "-") {
    if (Error error = write(outs()))
      return error;
    outs().flush();
    return Error::success();
  }
  Expected<sys::fs::TempFile> temp =
      sys::fs::TempFile::create(path + ".tmp%%%%%%");
  if (!temp)
    return atPath(path, temp.takeError());
  Error failure = [&]() -> Error {
    raw_fd_ostream os(temp->FD, /*shouldClose=*/false);
    if (Error error = write(os))
      return error;
    os.flush();
    std::error_code code = os.error();
    os.clear_error();
    return errorCodeToError(code);
  }();
  if (!failure)
    failure = temp->keep(path);
  if (!failure)
    return Error::success();
  consumeError(temp->discard());
  return atPath(path, std::move(failure));
}

Error takt::writeFile(StringRef path, StringRef content) {
  return writeFile(path, [&](raw_ostream &os) {
    os << content;
    return Error::success();
  });
}
