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
#include <list>

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

/// The array as files have it; `widened` keeps what that needs.
static Expected<ArrayView> asInFile(const ArrayView &view,
                                    std::list<Array> &widened) {
  if (view.type != ElementType::BF16)
    return view;
  Array array{view.name.str(), view.type, {}, view.data.vec()};
  array.dims.assign(view.dims.begin(), view.dims.end());
  Expected<Array> floats = convert(array, ElementType::F32);
  if (!floats)
    return floats.takeError();
  return widened.emplace_back(std::move(*floats));
}

Error takt::writeNpz(StringRef path, ArrayRef<ArrayView> arrays) {
  std::vector<ZipEntry> entries;
  std::list<Array> widened;
  entries.reserve(arrays.size());
  for (const ArrayView &each : arrays) {
    Expected<ArrayView> inFile = asInFile(each, widened);
    if (!inFile)
      return inFile.takeError();
    const ArrayView &array = *inFile;
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
  std::list<Array> widened;
  Expected<ArrayView> inFile = asInFile(array, widened);
  if (!inFile)
    return inFile.takeError();
  return writeFile(path, [&](raw_ostream &os) {
    os << npyHeader(*inFile) << toStringRef(inFile->data);
    return Error::success();
  });
}

/// Whether `converted` is the same number.
template <typename To, typename From>
static bool fits(To converted, From value) {
  if constexpr (std::is_integral_v<To> && std::is_integral_v<From>)
    return static_cast<From>(converted) == value &&
           (converted < To(0)) == (value < From(0));
  return true;
}

template <typename To, typename From> static To toNumber(From value) {
  if constexpr (isFloat16<To>)
    return To(roundToOdd(static_cast<double>(value)));
  else
    return static_cast<To>(value);
}

template <typename To, typename From>
static Error convertElements(const Array &from, Array &to) {
  int64_t n = from.elements();
  for (int64_t i = 0; i < n; ++i) {
    From value;
    std::memcpy(&value, from.data.data() + i * sizeof(From), sizeof(From));
    To converted = toNumber<To>(value);
    if (!fits(converted, value) || (to.type == ElementType::I1 &&
                                    converted != To(0) && converted != To(1)))
      return createStringError("array '" + from.name + "': element " +
                               Twine(i) + " is " + std::to_string(value) +
                               ", which '" + descriptor(to.type) +
                               "' cannot hold");
    std::memcpy(to.data.data() + i * sizeof(To), &converted, sizeof(To));
  }
  return Error::success();
}

Expected<Array> takt::convert(const Array &array, ElementType type) {
  if (array.type == type)
    return array;
  if (isFloatType(array.type) && !isFloatType(type))
    return createStringError("array '" + array.name + "' has elements '" +
                             descriptor(array.type) + "', expected '" +
                             descriptor(type) + "'");
  Array result{array.name, type, array.dims, {}};
  result.data.resize(array.elements() * elementBytes(type));
  Error failure = visitElement(array.type, [&](auto from) -> Error {
    return visitElement(type, [&](auto to) -> Error {
      return convertElements<decltype(to), decltype(from)>(array, result);
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
