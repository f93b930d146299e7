//===- TensorData.cpp - the bytes of an ONNX tensor -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorData.h"
#include "Tensors.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace takt::import;
using onnx::TensorProto;

int64_t takt::import::rawBytes(int32_t type) {
  switch (type) {
  case TensorProto::BOOL:
  case TensorProto::INT8:
  case TensorProto::UINT8:
    return 1;
  case TensorProto::INT16:
  case TensorProto::UINT16:
  case TensorProto::FLOAT16:
  case TensorProto::BFLOAT16:
    return 2;
  case TensorProto::INT32:
  case TensorProto::UINT32:
  case TensorProto::FLOAT:
    return 4;
  case TensorProto::INT64:
  case TensorProto::UINT64:
  case TensorProto::DOUBLE:
    return 8;
  default:
    return 0;
  }
}

/// Elements in the repeated field that holds those of the tensor's type.
static int64_t fieldSize(const TensorProto &tensor) {
  switch (tensor.data_type()) {
  case TensorProto::FLOAT:
    return tensor.float_data_size();
  case TensorProto::DOUBLE:
    return tensor.double_data_size();
  case TensorProto::INT64:
    return tensor.int64_data_size();
  case TensorProto::UINT32:
  case TensorProto::UINT64:
    return tensor.uint64_data_size();
  default:
    return tensor.int32_data_size();
  }
}

namespace {
/// What external_data says.
struct ExternalData {
  StringRef location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};
} // namespace

static FailureOr<ExternalData> readExternal(const TensorProto &tensor,
                                            const Subject &subject) {
  ExternalData data;
  for (const onnx::StringStringEntryProto &entry : tensor.external_data()) {
    StringRef key = entry.key(), value = entry.value();
    uint64_t number = 0;
    if (key == "location") {
      data.location = value;
    } else if (key == "offset" || key == "length") {
      if (value.getAsInteger(10, number)) {
        return subject.invalid()
               << "has external data of " << key << " '" << value
               << "', expected a number that is not negative";
      }
      if (key == "offset")
        data.offset = number;
      else
        data.length = number;
    }
  }
  if (!data.location.empty())
    return data;
  return subject.invalid() << "has external data without a location";
}

/// The real path of a file in or below the directory; empty if it is elsewhere,
/// also by symbolic links, or does not exist.
static std::string resolveInside(StringRef directory, StringRef location) {
  namespace fs = llvm::sys::fs;
  namespace path = llvm::sys::path;
  SmallString<256> root, file(directory), real;
  if (location.contains('\0') || path::is_absolute(location))
    return "";
  path::append(file, location);
  if (fs::real_path(directory, root) || fs::real_path(file, real) ||
      !fs::is_regular_file(real))
    return "";
  if (!root.ends_with("/"))
    root += '/';
  return real.starts_with(root) ? std::string(real) : "";
}

static FailureOr<TensorData> openExternal(const TensorProto &tensor,
                                          uint64_t bytes, StringRef directory,
                                          const Subject &subject) {
  FailureOr<ExternalData> data = readExternal(tensor, subject);
  if (failed(data))
    return failure();
  if (data->length && *data->length != bytes) {
    return subject.invalid() << "has " << *data->length
                             << " bytes of external data, expected " << bytes;
  }
  if (directory.empty())
    directory = ".";
  std::string path = resolveInside(directory, data->location);
  uint64_t size = 0;
  if (path.empty() || llvm::sys::fs::file_size(path, size)) {
    return subject.invalid() << "has external data in '" << data->location
                             << "', expected a file in the model's directory";
  }
  if (data->offset > size || bytes > size - data->offset) {
    return subject.invalid()
           << "has external data in bytes " << data->offset << " to "
           << data->offset << " + " << bytes << " of '" << data->location
           << "', which has " << size;
  }
  auto file = llvm::MemoryBuffer::getFileSlice(path, bytes, data->offset);
  if (!file) {
    return subject.invalid() << "has external data in '" << data->location
                             << "': " << file.getError().message();
  }
  TensorData result;
  result.raw = (*file)->getBuffer();
  result.owner = std::shared_ptr<llvm::MemoryBuffer>(std::move(*file));
  return result;
}

FailureOr<TensorData> takt::import::findData(const TensorProto &tensor,
                                             std::optional<StringRef> rawData,
                                             int64_t count, StringRef directory,
                                             const Subject &subject) {
  int64_t bytes = count * rawBytes(tensor.data_type());
  if (tensor.has_segment()) {
    return subject.unsupported() << "is stored in segments";
  }
  if (tensor.data_location() == TensorProto::EXTERNAL)
    return openExternal(tensor, bytes, directory, subject);
  TensorData data;
  if (!rawData && tensor.has_raw_data())
    rawData = tensor.raw_data();
  if (rawData) {
    if (int64_t(rawData->size()) != bytes) {
      return subject.invalid()
             << "has " << rawData->size() << " bytes of data, expected "
             << bytes << " for " << count << " elements of type "
             << typeName(tensor.data_type());
    }
    data.raw = rawData;
    return data;
  }
  if (int64_t found = fieldSize(tensor); found != count) {
    return subject.invalid()
           << "has " << found << " elements of type "
           << typeName(tensor.data_type()) << ", expected " << count;
  }
  return data;
}
