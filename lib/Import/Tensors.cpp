//===- Tensors.cpp - tensors that are known at import ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tensors.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "takt/Dialect/ElementTypes.h"
#include "takt/Dialect/Train/Train.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace takt;
using namespace takt::import;
using llvm::support::endian::read64le;
using onnx::TensorProto;

//===----------------------------------------------------------------------===//
// Types and shapes
//===----------------------------------------------------------------------===//

static bool isIntegerType(int32_t type) {
  switch (type) {
  case TensorProto::BOOL:
  case TensorProto::INT8:
  case TensorProto::UINT8:
  case TensorProto::INT16:
  case TensorProto::UINT16:
  case TensorProto::INT32:
  case TensorProto::UINT32:
  case TensorProto::INT64:
  case TensorProto::UINT64:
    return true;
  default:
    return false;
  }
}

bool Constant::isInteger() const { return isIntegerType(type); }

std::string takt::import::typeName(int32_t type) {
  if (!onnx::TensorProto_DataType_IsValid(type))
    return "number " + std::to_string(type);
  return StringRef(onnx::TensorProto_DataType_Name(
                       static_cast<TensorProto::DataType>(type)))
      .lower();
}

std::optional<int64_t> takt::import::countElements(ArrayRef<int64_t> dims) {
  int64_t count = 1;
  // A size of 0 does not excuse the others from being reasonable.
  for (int64_t dim : dims) {
    int64_t factor = std::max<int64_t>(dim, 1);
    if (factor > kMaxElements / count)
      return std::nullopt;
    count *= factor;
  }
  return llvm::is_contained(dims, 0) ? 0 : count;
}

FailureOr<Constant> takt::import::makeConstant(StringRef name,
                                               const TensorProto &tensor,
                                               const Subject &subject) {
  Constant constant;
  constant.name = name.str();
  constant.type = tensor.data_type();
  constant.shape.assign(tensor.dims().begin(), tensor.dims().end());
  constant.tensor = &tensor;
  if (rawBytes(constant.type) == 0) {
    return subject.unsupported()
           << "has elements of type " << typeName(constant.type);
  }
  for (int64_t dim : constant.shape)
    if (dim < 0) {
      return subject.invalid() << "has shape " << shapeText(constant.shape)
                               << ", expected no negative size";
    }
  if (!countElements(constant.shape)) {
    return subject.unsupported()
           << "has shape " << shapeText(constant.shape) << ", expected at most "
           << kMaxElements << " elements";
  }
  return constant;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// The `i`-th of raw little-endian integers of one size.
template <typename T> static T readRaw(StringRef raw, int64_t i) {
  return llvm::support::endian::read<T, llvm::endianness::little>(
      raw.data() + i * sizeof(T));
}

static int64_t readRawInteger(int32_t type, StringRef raw, int64_t i) {
  switch (type) {
  case TensorProto::BOOL:
    return readRaw<uint8_t>(raw, i) != 0;
  case TensorProto::UINT8:
    return readRaw<uint8_t>(raw, i);
  case TensorProto::INT8:
    return readRaw<int8_t>(raw, i);
  case TensorProto::UINT16:
    return readRaw<uint16_t>(raw, i);
  case TensorProto::INT16:
    return readRaw<int16_t>(raw, i);
  case TensorProto::UINT32:
    return readRaw<uint32_t>(raw, i);
  case TensorProto::INT32:
    return readRaw<int32_t>(raw, i);
  default:
    return readRaw<int64_t>(raw, i);
  }
}

static int64_t readFieldInteger(const TensorProto &tensor, int64_t i) {
  switch (tensor.data_type()) {
  case TensorProto::INT64:
    return tensor.int64_data(i);
  case TensorProto::UINT32:
  case TensorProto::UINT64:
    return tensor.uint64_data(i);
  case TensorProto::BOOL:
    return tensor.int32_data(i) != 0;
  default:
    return tensor.int32_data(i);
  }
}

FailureOr<TensorData> TensorReader::find(const Constant &constant,
                                         int64_t count,
                                         const Subject &subject) const {
  FailureOr<TensorData> data =
      findData(*constant.tensor, constant.rawData, count, directory, subject);
  if (succeeded(data) && constant.rawData && !data->owner)
    data->owner = owner;
  return data;
}

FailureOr<SmallVector<int64_t, 4>>
TensorReader::integers(const Constant &constant, const Subject &subject) const {
  if (!constant.isInteger()) {
    return subject.invalid()
           << "has elements of type " << typeName(constant.type)
           << ", expected integers";
  }
  if (constant.integers)
    return *constant.integers;
  int64_t count = countElements(constant.shape).value_or(kMaxElements);
  if (count > kMaxIntegers) {
    return subject.unsupported()
           << "has " << count << " integers, expected at most " << kMaxIntegers;
  }
  FailureOr<TensorData> data = find(constant, count, subject);
  if (failed(data))
    return failure();
  SmallVector<int64_t, 4> result;
  for (int64_t i = 0; i < count; ++i)
    result.push_back(data->raw ? readRawInteger(constant.type, *data->raw, i)
                               : readFieldInteger(*constant.tensor, i));
  return result;
}

/// A number in another type. `fits` becomes false if it is finite there only.
template <typename To, typename From> static To narrow(From value, bool &fits) {
  if constexpr (isFloat16<To>) {
    To narrowed(roundToOdd(static_cast<double>(value)));
    fits &= std::isfinite(float(narrowed)) || !std::isfinite(double(value));
    return narrowed;
  } else if constexpr (std::is_integral_v<To>) {
    fits &= int64_t(static_cast<To>(value)) == int64_t(value);
    return static_cast<To>(value);
  } else {
    To narrowed = static_cast<To>(value);
    fits &= std::isfinite(narrowed) || !std::isfinite(double(value));
    return narrowed;
  }
}

template <typename T> static T ofBits(uint16_t bits) {
  T number;
  number.bits = bits;
  return number;
}

/// Decodes all elements. False if one does not fit.
template <typename T>
static bool decode(const TensorProto &tensor, const TensorData &data,
                   MutableArrayRef<T> out) {
  bool fits = true;
  auto each = [&](auto &&element) {
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = narrow<T>(element(i), fits);
  };
  bool raw = data.raw.has_value();
  StringRef bytes = data.raw.value_or("");
  auto bits16 = [&](size_t i) -> uint16_t {
    return raw ? readRaw<uint16_t>(bytes, i) : tensor.int32_data(i);
  };
  switch (tensor.data_type()) {
  case TensorProto::FLOAT:
    each([&](size_t i) {
      return raw ? readRaw<float>(bytes, i) : tensor.float_data(i);
    });
    break;
  case TensorProto::DOUBLE:
    each([&](size_t i) {
      return raw ? readRaw<double>(bytes, i) : tensor.double_data(i);
    });
    break;
  case TensorProto::FLOAT16:
    each([&](size_t i) { return ofBits<Float16>(bits16(i)); });
    break;
  case TensorProto::BFLOAT16:
    each([&](size_t i) { return ofBits<BFloat16>(bits16(i)); });
    break;
  default:
    each([&](size_t i) {
      return raw ? readRawInteger(tensor.data_type(), bytes, i)
                 : readFieldInteger(tensor, i);
    });
    break;
  }
  return fits;
}

static bool isFloatType(int32_t type) {
  return type == TensorProto::FLOAT || type == TensorProto::DOUBLE ||
         isRoundedType(type);
}

static LogicalResult checkFloats(const Constant &constant,
                                 const Subject &subject) {
  if (!isFloatType(constant.type))
    return subject.invalid()
           << "has elements of type " << typeName(constant.type)
           << ", expected floating-point numbers";
  return success();
}

static LogicalResult reportOverflow(const Constant &constant,
                                    const Subject &subject) {
  int32_t from = constant.tensor ? constant.tensor->data_type() : constant.type;
  return subject.unsupported()
         << "has elements of type " << typeName(from)
         << " that are too large for "
         << (constant.type == from ? "f32" : typeName(constant.type));
}

FailureOr<float> TensorReader::scalar(const Constant &constant,
                                      const Subject &subject) const {
  if (failed(checkFloats(constant, subject)))
    return failure();
  if (countElements(constant.shape) != 1) {
    return subject.invalid() << "has shape " << shapeText(constant.shape)
                             << ", expected one element";
  }
  if (constant.integers)
    return static_cast<float>(constant.integers->front());
  if (!constant.tensor)
    return constant.fill;
  FailureOr<TensorData> data = find(constant, 1, subject);
  if (failed(data))
    return failure();
  float value = 0;
  if (!decode<float>(*constant.tensor, *data, value))
    return reportOverflow(constant, subject);
  return value;
}

FailureOr<SmallVector<double, 4>>
TensorReader::numbers(const Constant &constant, const Subject &subject) const {
  if (constant.isInteger()) {
    auto read = integers(constant, subject);
    if (failed(read))
      return failure();
    return SmallVector<double, 4>(read->begin(), read->end());
  }
  if (failed(checkFloats(constant, subject)))
    return failure();
  int64_t count = countElements(constant.shape).value_or(kMaxElements);
  if (count > kMaxIntegers)
    return subject.unsupported()
           << "has " << count << " numbers, expected at most " << kMaxIntegers;
  if (constant.integers)
    return SmallVector<double, 4>(constant.integers->begin(),
                                  constant.integers->end());
  SmallVector<double, 4> values(count, constant.fill);
  if (!constant.tensor)
    return values;
  FailureOr<TensorData> data = find(constant, count, subject);
  if (failed(data))
    return failure();
  decode<double>(*constant.tensor, *data, values);
  return values;
}

/// All elements of that size are the same: each is the one before it.
static bool sameBits(ArrayRef<char> bytes, size_t size) {
  return std::memcmp(bytes.data(), bytes.data() + size, bytes.size() - size) ==
         0;
}

/// One element, of a tensor that has the same everywhere.
template <typename T>
static ElementsAttr splat(RankedTensorType type, T value) {
  if (type.getElementType().isInteger(1))
    return DenseElementsAttr::get(type, value != T(0));
  ArrayRef bytes(reinterpret_cast<const char *>(&value), sizeof(value));
  return DenseElementsAttr::getFromRawBuffer(type, bytes);
}

/// A number as all elements. What is finite stays so, at the largest number of
/// the type: it stands for a bound or excludes from a mask.
template <typename T> static T fillWith(float number) {
  if constexpr (isFloat16<T>) {
    T narrowed(number);
    if (std::isfinite(number) && !std::isfinite(float(narrowed)))
      --narrowed.bits;
    return narrowed;
  } else {
    return static_cast<T>(number);
  }
}

/// The bytes of data that need not be decoded and that someone owns.
static std::optional<AsmResourceBlob>
referTo(const Constant &constant, const TensorData &data, Type computed) {
  bool isPlain = llvm::sys::IsLittleEndianHost && !computed.isInteger(1) &&
                 constant.tensor->data_type() == onnxType(computed);
  if (!data.raw || !data.owner || !isPlain)
    return std::nullopt;
  // Files are not aligned; nobody reads a blob other than by its bytes.
  return UnmanagedAsmResourceBlob::allocateWithAlign(
      ArrayRef(data.raw->data(), data.raw->size()), /*align=*/1,
      [owner = data.owner](void *, size_t, size_t) {});
}

template <typename T>
FailureOr<ElementsAttr> TensorReader::elementsAs(const Constant &constant,
                                                 RankedTensorType type,
                                                 const Subject &subject) const {
  if (!constant.tensor && !constant.integers)
    return splat(type, fillWith<T>(constant.fill));
  int64_t count = type.getNumElements();
  // Nothing is allocated for data that are not there.
  FailureOr<TensorData> data = TensorData();
  if (!constant.integers)
    data = find(constant, count, subject);
  if (failed(data))
    return failure();
  std::optional<AsmResourceBlob> blob;
  if (constant.tensor)
    blob = referTo(constant, *data, type.getElementType());
  if (!blob) {
    blob = HeapAsmResourceBlob::allocate(count * sizeof(T), 64);
    MutableArrayRef<T> values(
        reinterpret_cast<T *>(blob->getMutableData().data()), count);
    bool fits = true;
    if (constant.integers)
      for (auto [value, integer] : llvm::zip_equal(values, *constant.integers))
        value = narrow<T>(integer, fits);
    else
      fits = decode(*constant.tensor, *data, values);
    if (!fits)
      return reportOverflow(constant, subject);
  }
  if (sameBits(blob->getData(), sizeof(T))) {
    T first;
    std::memcpy(&first, blob->getData().data(), sizeof(T));
    return splat(type, first);
  }
  return ElementsAttr(
      DenseResourceElementsAttr::get(type, constant.name, std::move(*blob)));
}

Type takt::import::computedType(int32_t type, MLIRContext *context) {
  Builder builder(context);
  std::optional<ElementType> element = elementTypeOfOnnx(type);
  return element ? mlirType(builder, *element) : Type();
}

int32_t takt::import::onnxType(Type computed) {
  std::optional<ElementType> element = elementType(computed);
  return element ? onnxDataType(*element) : TensorProto::UNDEFINED;
}

FailureOr<ElementsAttr> TensorReader::elements(const Constant &constant,
                                               const Subject &subject) const {
  Type element = computedType(constant.type, context);
  if (!element)
    return subject.unsupported()
           << "has elements of type " << typeName(constant.type)
           << ", expected numbers or bool";
  auto type = RankedTensorType::get(constant.shape, element);
  if (!train::isTensor(type)) {
    return subject.unsupported() << "has shape " << shapeText(constant.shape)
                                 << ", expected at most 8 positive sizes and "
                                 << kMaxElements << " elements";
  }
  return visitElement(train::getElementType(type), [&](auto zero) {
    return elementsAs<decltype(zero)>(constant, type, subject);
  });
}
