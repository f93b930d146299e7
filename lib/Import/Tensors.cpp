//===- Tensors.cpp - tensors that are known at import ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tensors.h"
#include "TensorData.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "takt/Dialect/Train/Train.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace takt::import;
using llvm::support::endian::read64le;
using onnx::TensorProto;

static constexpr int64_t kMaxElements = int64_t(1) << 40;

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

std::string takt::import::shapeText(ArrayRef<int64_t> dims) {
  if (dims.empty())
    return "scalar";
  std::string text;
  for (int64_t dim : dims)
    text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text;
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
  default:
    return tensor.int32_data(i);
  }
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
  FailureOr<TensorData> data =
      findData(*constant.tensor, count, directory, subject);
  if (failed(data))
    return failure();
  SmallVector<int64_t, 4> result;
  for (int64_t i = 0; i < count; ++i)
    result.push_back(data->raw ? readRawInteger(constant.type, *data->raw, i)
                               : readFieldInteger(*constant.tensor, i));
  return result;
}

static float halfBits(uint16_t bits) {
  return llvm::APFloat(llvm::APFloat::IEEEhalf(), llvm::APInt(16, bits))
      .convertToFloat();
}

static float bfloatBits(uint16_t bits) {
  return llvm::bit_cast<float>(uint32_t(bits) << 16);
}

/// Decodes all elements. False if a finite one is not finite in f32.
static bool decodeFloats(const TensorProto &tensor, const TensorData &data,
                         MutableArrayRef<float> out) {
  auto each = [&](auto &&element) {
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = element(i);
  };
  bool fits = true;
  auto narrow = [&](double value) {
    float narrowed = static_cast<float>(value);
    fits &= std::isfinite(narrowed) || !std::isfinite(value);
    return narrowed;
  };
  bool raw = data.raw.has_value();
  StringRef bytes = data.raw.value_or("");
  auto bits16 = [&](size_t i) -> uint16_t {
    return raw ? readRaw<uint16_t>(bytes, i) : tensor.int32_data(i);
  };
  switch (tensor.data_type()) {
  case TensorProto::FLOAT:
    if (raw)
      each([&](size_t i) { return readRaw<float>(bytes, i); });
    else
      llvm::copy(tensor.float_data(), out.begin());
    break;
  case TensorProto::DOUBLE:
    each([&](size_t i) {
      return narrow(raw ? readRaw<double>(bytes, i) : tensor.double_data(i));
    });
    break;
  case TensorProto::FLOAT16:
    each([&](size_t i) { return halfBits(bits16(i)); });
    break;
  default:
    each([&](size_t i) { return bfloatBits(bits16(i)); });
    break;
  }
  return fits;
}

static bool isFloatType(int32_t type) {
  return type == TensorProto::FLOAT || type == TensorProto::DOUBLE ||
         type == TensorProto::FLOAT16 || type == TensorProto::BFLOAT16;
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
  return subject.unsupported()
         << "has elements of type " << typeName(constant.type)
         << " that are too large for f32";
}

FailureOr<float> TensorReader::scalar(const Constant &constant,
                                      const Subject &subject) const {
  if (failed(checkFloats(constant, subject)))
    return failure();
  if (countElements(constant.shape) != 1) {
    return subject.invalid() << "has shape " << shapeText(constant.shape)
                             << ", expected one element";
  }
  if (!constant.tensor)
    return constant.fill;
  FailureOr<TensorData> data =
      findData(*constant.tensor, 1, directory, subject);
  if (failed(data))
    return failure();
  float value = 0;
  if (!decodeFloats(*constant.tensor, *data, value))
    return reportOverflow(constant, subject);
  return value;
}

static bool sameBits(ArrayRef<float> values) {
  return llvm::all_of(values, [&](float value) {
    return llvm::bit_cast<uint32_t>(value) ==
           llvm::bit_cast<uint32_t>(values.front());
  });
}

FailureOr<ElementsAttr> TensorReader::floats(const Constant &constant,
                                             const Subject &subject) const {
  if (failed(checkFloats(constant, subject)))
    return failure();
  auto type = RankedTensorType::get(constant.shape, Float32Type::get(context));
  if (!train::isTensor(type)) {
    return subject.unsupported() << "has shape " << shapeText(constant.shape)
                                 << ", expected at most 8 positive sizes and "
                                 << kMaxElements << " elements";
  }
  if (!constant.tensor)
    return ElementsAttr(DenseElementsAttr::get(type, constant.fill));
  int64_t count = type.getNumElements();
  FailureOr<TensorData> data =
      findData(*constant.tensor, count, directory, subject);
  if (failed(data))
    return failure();
  AsmResourceBlob blob =
      HeapAsmResourceBlob::allocate(count * sizeof(float), 64);
  MutableArrayRef<float> values(
      reinterpret_cast<float *>(blob.getMutableData().data()), count);
  if (!decodeFloats(*constant.tensor, *data, values))
    return reportOverflow(constant, subject);
  if (sameBits(values))
    return ElementsAttr(DenseElementsAttr::get(type, values.front()));
  return ElementsAttr(
      DenseResourceElementsAttr::get(type, constant.name, std::move(blob)));
}
