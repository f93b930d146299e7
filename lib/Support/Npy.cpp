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

/// All that files have: bf16 is none of numpy's.
static constexpr ElementType kFileTypes[] = {
    ElementType::F32, ElementType::F64, ElementType::F16, ElementType::I8,
    ElementType::I16, ElementType::I32, ElementType::I64, ElementType::U8,
    ElementType::U16, ElementType::U32, ElementType::U64, ElementType::I1};

StringRef takt::descriptor(ElementType type) {
  switch (type) {
#define TAKT_ELEMENT_TYPE(Name, mnemonic, code, Storage, numpy, onnx)          \
  case ElementType::Name:                                                      \
    return numpy;
#include "takt/Support/ElementTypes.def"
  }
  return "";
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

  ElementType type = ElementType::F32;
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
    std::string known;
    for (ElementType candidate : kFileTypes) {
      if (descriptor(candidate) == text) {
        type = candidate;
        return Error::success();
      }
      known +=
          (known.empty() ? "'" : ", '") + descriptor(candidate).str() + "'";
    }
    std::string shown;
    raw_string_ostream(shown).write_escaped(text);
    return createStringError("element type '" + shown +
                             "' is not supported, expected one of " + known);
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
