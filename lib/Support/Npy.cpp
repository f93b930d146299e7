//===- Npy.cpp - one array as .npy bytes ----------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NpyFormat.h"
#include "takt/Support/ShapeText.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace takt;

static constexpr StringLiteral kMagic("\x93NUMPY");
/// Keeps all products of shapes and element sizes inside 63 bits.
static constexpr int64_t kMaxElements = int64_t(1) << 48;

StringRef takt::descriptor(ArrayType type) {
  static constexpr StringLiteral names[] = {"<f4", "<f8", "<i4",
                                            "<i8", "|u1", "|b1"};
  return names[static_cast<size_t>(type)];
}

int64_t takt::elementBytes(ArrayType type) {
  static constexpr int64_t sizes[] = {4, 8, 4, 8, 1, 1};
  return sizes[static_cast<size_t>(type)];
}

ArrayType takt::arrayType(ElementType type) {
  switch (type) {
  case ElementType::F32:
    return ArrayType::F32;
  case ElementType::F64:
    return ArrayType::F64;
  case ElementType::I32:
    return ArrayType::I32;
  case ElementType::I64:
    return ArrayType::I64;
  case ElementType::I1:
    return ArrayType::Bool;
  }
  return ArrayType::U8;
}

int64_t Array::elements() const {
  int64_t n = 1;
  for (int64_t d : dims)
    n *= d;
  return n;
}

std::string takt::describe(StringRef type, ArrayRef<int64_t> dims) {
  return (type + " " + shapeText(dims)).str();
}

namespace {
/// Reads the dictionary of a .npy header: a Python literal such as
/// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : rest(text) {}

  Error parse() {
    if (!eat("{"))
      return malformed();
    while (!eat("}")) {
      std::string key;
      if (!string(key) || !eat(":"))
        return malformed();
      if (Error error = value(key))
        return error;
      if (!eat(",") && !rest.ltrim().starts_with("}"))
        return malformed();
    }
    if (!rest.trim(" \n").empty() || !haveDescr || !haveOrder || !haveShape)
      return malformed();
    return Error::success();
  }

  ArrayType type = ArrayType::F32;
  bool fortran = false;
  SmallVector<int64_t, 4> dims;

private:
  Error value(StringRef key) {
    if (key == "descr" && !haveDescr) {
      haveDescr = true;
      return descr();
    }
    if (key == "fortran_order" && !haveOrder) {
      haveOrder = true;
      fortran = eat("True");
      return fortran || eat("False") ? Error::success() : malformed();
    }
    if (key == "shape" && !haveShape) {
      haveShape = true;
      return shape();
    }
    return malformed();
  }

  Error descr() {
    std::string text;
    if (!string(text))
      return createStringError("the array's elements are records, expected "
                               "numbers");
    for (auto candidate : {ArrayType::F32, ArrayType::F64, ArrayType::I32,
                           ArrayType::I64, ArrayType::U8, ArrayType::Bool})
      if (descriptor(candidate) == text) {
        type = candidate;
        return Error::success();
      }
    std::string shown;
    raw_string_ostream(shown).write_escaped(text);
    return createStringError("element type '" + shown +
                             "' is not supported, expected '<f4', '<f8', "
                             "'<i4', '<i8', '|u1' or '|b1'");
  }

  Error shape() {
    if (!eat("("))
      return malformed();
    int64_t elements = 1;
    while (!eat(")")) {
      rest = rest.ltrim();
      int64_t d;
      if (rest.empty() || !isDigit(rest.front()) || rest.consumeInteger(10, d))
        return malformed();
      dims.push_back(d);
      if (MulOverflow(elements, std::max<int64_t>(d, 1), elements) ||
          elements > kMaxElements || dims.size() > 32)
        return createStringError("the array's shape is too large");
      if (!eat(",") && !rest.ltrim().starts_with(")"))
        return malformed();
    }
    return Error::success();
  }

  bool eat(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }

  bool string(std::string &text) {
    rest = rest.ltrim();
    if (rest.empty() || (rest.front() != '\'' && rest.front() != '"'))
      return false;
    size_t end = rest.find(rest.front(), 1);
    if (end == StringRef::npos)
      return false;
    text = rest.slice(1, end).str();
    rest = rest.drop_front(end + 1);
    return true;
  }

  static Error malformed() {
    return createStringError("malformed .npy header");
  }

  StringRef rest;
  bool haveDescr = false, haveOrder = false, haveShape = false;
};
} // namespace

/// Copies column-major elements of `size` bytes into row-major order.
static void transposeInto(std::vector<uint8_t> &target, const char *source,
                          ArrayRef<int64_t> dims, int64_t size) {
  SmallVector<int64_t, 4> index(dims.size(), 0), stride(dims.size());
  int64_t elements = 1;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    stride[axis] = elements;
    elements *= dims[axis];
  }
  int64_t from = 0;
  for (int64_t to = 0; to < elements; ++to) {
    std::memcpy(target.data() + to * size, source + from * size, size);
    for (size_t axis = dims.size(); axis-- > 0;) {
      from += stride[axis];
      if (++index[axis] < dims[axis])
        break;
      from -= stride[axis] * dims[axis];
      index[axis] = 0;
    }
  }
}

/// Cuts magic, version and header off the front of `bytes`.
static Expected<StringRef> takeHeader(StringRef &bytes) {
  if (!bytes.consume_front(kMagic))
    return createStringError("not a .npy array: wrong magic");
  if (bytes.size() < 2)
    return createStringError("truncated .npy header");
  unsigned major = static_cast<uint8_t>(bytes[0]);
  if (major < 1 || major > 3)
    return createStringError("version " + Twine(major) +
                             " of .npy, expected 1, 2 or 3");
  size_t lengthBytes = major == 1 ? 2 : 4;
  if (bytes.size() < 2 + lengthBytes)
    return createStringError("truncated .npy header");
  const char *at = bytes.data() + 2;
  size_t length = major == 1 ? support::endian::read16le(at)
                             : support::endian::read32le(at);
  bytes = bytes.drop_front(2 + lengthBytes);
  if (bytes.size() < length)
    return createStringError("truncated .npy header");
  StringRef header = bytes.take_front(length);
  bytes = bytes.drop_front(length);
  return header;
}

Expected<Array> takt::parseNpy(StringRef bytes) {
  Expected<StringRef> header = takeHeader(bytes);
  if (!header)
    return header.takeError();
  HeaderParser parser(*header);
  if (Error error = parser.parse())
    return std::move(error);
  Array array;
  array.type = parser.type;
  array.dims = parser.dims;
  int64_t size = elementBytes(array.type);
  uint64_t expected = array.elements() * size;
  if (bytes.size() != expected)
    return createStringError("the array has " + Twine(bytes.size()) +
                             " bytes, its shape says " + Twine(expected));
  if (parser.fortran && array.dims.size() > 1) {
    array.data.resize(expected);
    transposeInto(array.data, bytes.data(), array.dims, size);
  } else {
    array.data.assign(bytes.bytes_begin(), bytes.bytes_end());
  }
  return array;
}

std::string takt::npyHeader(const ArrayView &array) {
  std::string shape;
  for (int64_t d : array.dims)
    shape += itostr(d) + ", ";
  if (array.dims.size() > 1)
    shape.resize(shape.size() - 2);
  else if (!shape.empty())
    shape.pop_back();
  std::string dictionary =
      ("{'descr': '" + descriptor(array.type) +
       "', 'fortran_order': False, 'shape': (" + shape + "), }")
          .str();
  constexpr size_t kPreamble = 10;
  size_t total = alignTo(kPreamble + dictionary.size() + 1, 64);
  dictionary.append(total - kPreamble - dictionary.size() - 1, ' ');
  dictionary.push_back('\n');
  std::string header = kMagic.str();
  header += '\x01';
  header += '\x00';
  header += static_cast<char>(dictionary.size() & 0xFF);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}
