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

using Writer = function_ref<Error(raw_ostream &)>;

/// Writes and reports what the file system said meanwhile.
static Error writeTo(raw_fd_ostream &os, Writer write) {
  if (Error error = write(os))
    return error;
  os.flush();
  std::error_code code = os.error();
  os.clear_error();
  return errorCodeToError(code);
}

/// A device or a pipe, which nothing may take the place of.
static bool isSpecial(StringRef path) {
  sys::fs::file_status status;
  return !sys::fs::status(path, status) && sys::fs::exists(status) &&
         !sys::fs::is_regular_file(status) && !sys::fs::is_directory(status);
}

Error takt::writeFile(StringRef path, Writer write) {
  if (path == "-") {
    if (Error error = write(outs()))
      return error;
    outs().flush();
    return Error::success();
  }
  if (isSpecial(path)) {
    std::error_code code;
    raw_fd_ostream os(path, code);
    Error failure = code ? errorCodeToError(code) : writeTo(os, write);
    return failure ? atPath(path, std::move(failure)) : Error::success();
  }
  Expected<sys::fs::TempFile> temp =
      sys::fs::TempFile::create(path + ".tmp%%%%%%");
  if (!temp)
    return atPath(path, temp.takeError());
  Error failure = [&] {
    raw_fd_ostream os(temp->FD, /*shouldClose=*/false);
    return writeTo(os, write);
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
