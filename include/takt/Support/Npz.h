//===- Npz.h - NumPy's array files ------------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads and writes .npy (one array) and .npz (a zip archive of .npy entries).
// Formats: NumPy enhancement proposal 1 (versions 1.0, 2.0 and 3.0 of .npy) and
// PKWARE's APPNOTE 6.3.10 (stored and deflated entries, zip64).
//
// Files are untrusted: any sequence of bytes gives arrays or one error.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_NPZ_H
#define TAKT_SUPPORT_NPZ_H

#include "takt/Support/ElementType.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"
#include <cstdint>
#include <string>
#include <vector>

namespace takt {

/// NumPy's name, little-endian: '<f4', '|b1'. It has none for bf16: files hold
/// arrays of that as '<f4'.
llvm::StringRef descriptor(ElementType type);

/// A named array, row-major and dense.
struct Array {
  std::string name;
  ElementType type = ElementType::F32;
  llvm::SmallVector<int64_t, 4> dims; ///< empty: a scalar
  std::vector<uint8_t> data;

  int64_t elements() const;
};

/// An array that lies somewhere else.
struct ArrayView {
  llvm::StringRef name;
  ElementType type;
  llvm::ArrayRef<int64_t> dims;
  llvm::ArrayRef<uint8_t> data;

  ArrayView(llvm::StringRef name, ElementType type,
            llvm::ArrayRef<int64_t> dims, llvm::ArrayRef<uint8_t> data)
      : name(name), type(type), dims(dims), data(data) {}
  ArrayView(const Array &a)
      : name(a.name), type(a.type), dims(a.dims), data(a.data) {}
};

/// "f32 2x3": type and shape for messages.
std::string describe(llvm::StringRef type, llvm::ArrayRef<int64_t> dims);

/// Reads the arrays of a .npz archive in file order, or the one array of a .npy
/// file, whose name is then the file's stem; which of the two it is the first
/// bytes say. Fails with "IDENTIFIER: reason" on anything malformed, on element
/// types other than ElementType's and on duplicate names.
llvm::Expected<std::vector<Array>> readArrays(llvm::MemoryBufferRef file);
llvm::Expected<std::vector<Array>> readArrayFile(llvm::StringRef path);

/// Writes a .npz archive of stored entries in the order given. Equal arrays
/// give equal bytes. The file appears whole or not at all.
llvm::Error writeNpz(llvm::StringRef path, llvm::ArrayRef<ArrayView> arrays);
llvm::Error writeNpz(llvm::StringRef path, llvm::ArrayRef<Array> arrays);
/// Writes one .npy file.
llvm::Error writeNpy(llvm::StringRef path, const ArrayView &array);

/// The array with elements of another type. Anything becomes floating point,
/// rounded to the nearest; integers become other integers if every value fits.
/// Fails otherwise, with the found and the expected type or the first value out
/// of range.
llvm::Expected<Array> convert(const Array &array, ElementType type);

/// The array of that name, or null.
const Array *findArray(llvm::ArrayRef<Array> arrays, llvm::StringRef name);

} // namespace takt

#endif // TAKT_SUPPORT_NPZ_H
