//===- Npz.cpp - NumPy's array files --------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/Npz.h"
#include "NpyFormat.h"
#include "ZipArchive.h"
#include "takt/Support/FileOutput.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <limits>

using namespace llvm;
using namespace takt;

static Expected<std::vector<Array>> readArchive(StringRef bytes) {
  std::vector<Array> arrays;
  StringSet<> names;
  Error failure =
      readZip(bytes, [&](StringRef name, StringRef content) -> Error {
        Expected<Array> array = parseNpy(content);
        if (!array)
          return array.takeError();
        name.consume_back(".npy");
        array->name = name.str();
        if (!names.insert(name).second)
          return createStringError("appears twice");
        arrays.push_back(std::move(*array));
        return Error::success();
      });
  if (failure)
    return std::move(failure);
  return arrays;
}

static Expected<std::vector<Array>> readAny(MemoryBufferRef file) {
  if (isZip(file.getBuffer()))
    return readArchive(file.getBuffer());
  Expected<Array> array = parseNpy(file.getBuffer());
  if (!array)
    return array.takeError();
  array->name = sys::path::stem(file.getBufferIdentifier()).str();
  std::vector<Array> arrays;
  arrays.push_back(std::move(*array));
  return arrays;
}

Expected<std::vector<Array>> takt::readArrays(MemoryBufferRef file) {
  Expected<std::vector<Array>> arrays = readAny(file);
  if (!arrays)
    return createStringError(file.getBufferIdentifier() + ": " +
                             toString(arrays.takeError()));
  return arrays;
}

Expected<std::vector<Array>> takt::readArrayFile(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError(path + ": " + buffer.getError().message());
  return readArrays(**buffer);
}

Error takt::writeNpz(StringRef path, ArrayRef<ArrayView> arrays) {
  std::vector<ZipEntry> entries;
  entries.reserve(arrays.size());
  for (const ArrayView &array : arrays) {
    constexpr size_t kMaxName = 0xFFFF - 4;
    if (array.name.size() > kMaxName)
      return createStringError(path + ": an array's name has " +
                               Twine(array.name.size()) +
                               " bytes, expected at most " + Twine(kMaxName));
    entries.push_back({(array.name + ".npy").str(), npyHeader(array),
                       toStringRef(array.data)});
  }
  return writeFile(path, [&](raw_ostream &os) {
    writeZip(os, entries);
    return Error::success();
  });
}

Error takt::writeNpz(StringRef path, ArrayRef<Array> arrays) {
  std::vector<ArrayView> views(arrays.begin(), arrays.end());
  return writeNpz(path, views);
}

Error takt::writeNpy(StringRef path, const ArrayView &array) {
  return writeFile(path, [&](raw_ostream &os) {
    os << npyHeader(array) << toStringRef(array.data);
    return Error::success();
  });
}

/// Calls `f` with a zero of the C++ type of an array's elements.
template <typename F> static Error dispatch(ArrayType type, F f) {
  switch (type) {
  case ArrayType::F32:
    return f(float());
  case ArrayType::F64:
    return f(double());
  case ArrayType::I32:
    return f(int32_t());
  case ArrayType::I64:
    return f(int64_t());
  case ArrayType::U8:
  case ArrayType::Bool:
    break;
  }
  return f(uint8_t());
}

template <typename To, typename From>
static Error convertElements(const Array &from, Array &to) {
  int64_t n = from.elements();
  for (int64_t i = 0; i < n; ++i) {
    From value;
    std::memcpy(&value, from.data.data() + i * sizeof(From), sizeof(From));
    To converted = static_cast<To>(value);
    if constexpr (std::is_integral_v<To> && std::is_integral_v<From>)
      if (static_cast<int64_t>(converted) != static_cast<int64_t>(value) ||
          (to.type == ArrayType::Bool && converted > 1))
        return createStringError("array '" + from.name + "': element " +
                                 Twine(i) + " is " + itostr(value) +
                                 ", which '" + descriptor(to.type) +
                                 "' cannot hold");
    std::memcpy(to.data.data() + i * sizeof(To), &converted, sizeof(To));
  }
  return Error::success();
}

static bool isFloat(ArrayType type) {
  return type == ArrayType::F32 || type == ArrayType::F64;
}

Expected<Array> takt::convert(const Array &array, ArrayType type) {
  if (array.type == type)
    return array;
  if (isFloat(array.type) && !isFloat(type))
    return createStringError("array '" + array.name + "' has elements '" +
                             descriptor(array.type) + "', expected '" +
                             descriptor(type) + "'");
  Array result{array.name, type, array.dims, {}};
  result.data.resize(array.elements() * elementBytes(type));
  Error failure = dispatch(array.type, [&](auto from) -> Error {
    return dispatch(type, [&](auto to) -> Error {
      using From = decltype(from);
      using To = decltype(to);
      if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>)
        return Error::success(); // refused above
      else
        return convertElements<To, From>(array, result);
    });
  });
  if (failure)
    return std::move(failure);
  return result;
}

const Array *takt::findArray(ArrayRef<Array> arrays, StringRef name) {
  for (const Array &array : arrays)
    if (array.name == name)
      return &array;
  return nullptr;
}
