//===- ZipArchive.h - the container of .npz files, internal -----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SUPPORT_ZIPARCHIVE_H
#define TAKT_LIB_SUPPORT_ZIPARCHIVE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace takt {

bool isZip(llvm::StringRef bytes);

/// Calls `visit` with the name and the content of each entry in the order of
/// the central directory. Fails on anything malformed, on a wrong checksum and
/// when `visit` fails.
llvm::Error readZip(llvm::StringRef file,
                    llvm::function_ref<llvm::Error(llvm::StringRef name,
                                                   llvm::StringRef content)>
                        visit);

/// An entry to write: its content is the two parts, one after the other.
struct ZipEntry {
  std::string name;
  std::string head;
  llvm::StringRef tail;
};

/// Writes an archive of stored entries, dated 1980-01-01 as the format's zero.
void writeZip(llvm::raw_ostream &os, llvm::ArrayRef<ZipEntry> entries);

} // namespace takt

#endif // TAKT_LIB_SUPPORT_ZIPARCHIVE_H
