//===- OnnxWeights.cpp - trained weights in the model they are of ---------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Export/OnnxWeights.h"
#include "RewriteWeights.h"
#include "takt/Support/FileOutput.h"
#include "takt/Support/OnnxText.h"
#include "takt/Support/Printable.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cstring>

using namespace llvm;
using namespace takt;
using onnx::TensorProto;

struct OnnxWeights::Content {
  std::unique_ptr<MemoryBuffer> owned; ///< what open() has read
  MemoryBufferRef model;
  OnnxFile file;
  std::vector<Weight> weights; ///< each name once
  StringMap<Kept> kept;        ///< by output
};

OnnxWeights::OnnxWeights(std::unique_ptr<Content> content)
    : content(std::move(content)) {}
OnnxWeights::OnnxWeights(OnnxWeights &&) = default;
OnnxWeights &OnnxWeights::operator=(OnnxWeights &&) = default;
OnnxWeights::~OnnxWeights() = default;

static Error about(StringRef file, Error error) {
  return createStringError(file + ": " + printable(toString(std::move(error))));
}

//===----------------------------------------------------------------------===//
// Finding
//===----------------------------------------------------------------------===//

static std::optional<TensorProto::DataType> floatType(int64_t type) {
  for (TensorProto::DataType known :
       {TensorProto::FLOAT, TensorProto::FLOAT16, TensorProto::DOUBLE,
        TensorProto::BFLOAT16})
    if (type == known)
      return known;
  return std::nullopt;
}

/// The type of a weight's elements in the file, if it is the weight declared.
static Expected<TensorProto::DataType> match(const OnnxFile &file,
                                             const WeightDeclaration &weight) {
  Expected<TensorInfo> tensor = file.constant(weight.name);
  if (!tensor)
    return createStringError(toString(tensor.takeError()) +
                             "; is it the model that was compiled?");
  std::optional<TensorProto::DataType> type = floatType(tensor->type);
  if (!type)
    return createStringError(
        "tensor '" + weight.name + "' has elements of type number " +
        Twine(tensor->type) + ", expected floating-point numbers");
  if (tensor->dims && ArrayRef(*tensor->dims) != ArrayRef(weight.dims))
    return createStringError(
        "tensor '" + weight.name + "' is " + describe("float", *tensor->dims) +
        ", but was compiled as " + describe("float", weight.dims));
  return *type;
}

/// What the node's output was, if a weight is on the way to it.
static Expected<std::optional<Kept>> findKept(const OnnxFile &file,
                                              const NodeInfo &node,
                                              const StringSet<> &weights) {
  if ((!node.is("Identity") && !node.is("Cast")) || node.inputs.size() != 1 ||
      node.outputs.size() != 1 || weights.contains(node.outputs.front()))
    return std::nullopt;
  bool ofWeight = false;
  const NodeInfo *maker = &node;
  StringRef name;
  int passed = 0;
  do {
    if (++passed > kMaxChain)
      return createStringError("passes '" + node.outputs.front() +
                               "' on by more than " + Twine(kMaxChain) +
                               " nodes");
    name = maker->inputs.front();
    ofWeight |= weights.contains(name);
    maker = file.initializer(name) ? nullptr : file.maker(name);
  } while (maker && maker->is("Identity") && maker->inputs.size() == 1);
  if (!ofWeight)
    return std::nullopt;
  if (node.is("Cast") || (maker && maker->is("Cast")))
    return createStringError("casts the weight '" + name + "' to '" +
                             node.outputs.front() + "', which is not trained");
  if (const TensorInfo *tensor = file.initializer(name))
    return Kept{tensor->message, {}};
  return Kept{{}, maker ? maker->message : node.message};
}

Expected<OnnxWeights> OnnxWeights::find(MemoryBufferRef model,
                                        ArrayRef<WeightDeclaration> weights) {
  std::string name = model.getBufferIdentifier().str();
  if (isOnnxText(model))
    return createStringError(
        name + ": is ONNX text, expected a protobuf to write weights into");
  Expected<OnnxFile> file = OnnxFile::read(model.getBuffer());
  if (!file)
    return about(name, file.takeError());
  auto content = std::make_unique<Content>();
  StringSet<> names;
  for (const WeightDeclaration &weight : weights) {
    Expected<TensorProto::DataType> type = match(*file, weight);
    if (!type)
      return about(name, type.takeError());
    if (names.insert(weight.name).second)
      content->weights.push_back({weight, *type});
  }
  for (const NodeInfo &node : file->allNodes()) {
    Expected<std::optional<Kept>> kept = findKept(*file, node, names);
    if (!kept)
      return about(name, kept.takeError());
    if (*kept)
      content->kept[node.outputs.front()] = **kept;
  }
  content->file = std::move(*file);
  content->model = model;
  return OnnxWeights(std::move(content));
}

Expected<OnnxWeights> OnnxWeights::open(StringRef path,
                                        ArrayRef<WeightDeclaration> weights) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError(path + ": " + buffer.getError().message());
  Expected<OnnxWeights> found = find(**buffer, weights);
  if (found)
    found->content->owned = std::move(*buffer);
  return found;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// Appends f32 elements as those of a 16-bit format. Fails at the first that is
/// finite only in f32.
static Error appendNarrow(std::string &out, const Array &values,
                          const fltSemantics &format, StringRef typeName) {
  for (size_t at = 0; at < values.data.size(); at += sizeof(float)) {
    float value;
    std::memcpy(&value, values.data.data() + at, sizeof(value));
    APFloat narrow(value);
    bool inexact;
    APFloat::opStatus status =
        narrow.convert(format, APFloat::rmNearestTiesToEven, &inexact);
    if (status & APFloat::opOverflow)
      return createStringError("weight '" + values.name + "' has the element " +
                               std::to_string(value) +
                               ", which is too large for the model's " +
                               typeName);
    char bytes[2];
    support::endian::write16le(bytes, narrow.bitcastToAPInt().getZExtValue());
    out.append(bytes, sizeof(bytes));
  }
  return Error::success();
}

/// The elements as raw data of the type.
static Expected<Replacement> encode(const Array &array, const Weight &weight) {
  Replacement result{&weight, &array, std::nullopt};
  ElementType computed =
      weight.type == TensorProto::DOUBLE ? ElementType::F64 : ElementType::F32;
  bool isNarrow = weight.type == TensorProto::FLOAT16 ||
                  weight.type == TensorProto::BFLOAT16;
  if (array.type == computed && !isNarrow)
    return result;
  Expected<Array> values = convert(array, computed);
  if (!values)
    return values.takeError();
  result.converted.emplace();
  Error error = Error::success();
  if (weight.type == TensorProto::FLOAT16)
    error = appendNarrow(*result.converted, *values, APFloat::IEEEhalf(),
                         "float16");
  else if (weight.type == TensorProto::BFLOAT16)
    error =
        appendNarrow(*result.converted, *values, APFloat::BFloat(), "bfloat16");
  else
    result.converted->assign(values->data.begin(), values->data.end());
  if (error)
    return std::move(error);
  return result;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static Expected<Replacement> replacementOf(const Weight &weight,
                                           ArrayRef<Array> values) {
  const WeightDeclaration &declared = weight.declared;
  const Array *array = findArray(values, declared.name);
  if (!array)
    return createStringError("no value for the weight '" + declared.name + "'");
  if (ArrayRef(array->dims) != ArrayRef(declared.dims))
    return createStringError("the value of the weight '" + declared.name +
                             "' is " +
                             describe(descriptor(array->type), array->dims) +
                             ", expected " + describe("float", declared.dims));
  return encode(*array, weight);
}

static bool sameDirectory(StringRef a, StringRef b) {
  auto real = [](StringRef file) {
    StringRef directory = sys::path::parent_path(file);
    SmallString<256> path;
    if (sys::fs::real_path(directory.empty() ? "." : directory, path))
      return std::string();
    return std::string(path);
  };
  std::string directory = real(a);
  return !directory.empty() && directory == real(b);
}

Error OnnxWeights::write(StringRef path, ArrayRef<Array> values) const {
  StringRef model = content->model.getBufferIdentifier();
  Replacements replacements;
  for (const Weight &weight : content->weights) {
    Expected<Replacement> by = replacementOf(weight, values);
    if (!by)
      return about(path, by.takeError());
    replacements[weight.declared.name] = std::move(*by);
  }
  for (StringRef name : content->file.external())
    if ((!replacements.contains(name) || !content->kept.empty()) &&
        !sameDirectory(model, path))
      return createStringError(
          path + ": tensor '" + printable(name) + "' of " + model +
          " has its data in another file beside it; expected an output file in "
          "the same directory");
  StringRef old = content->model.getBuffer();
  Expected<Rope> bytes =
      rewriteWeights(old, content->file, replacements, content->kept);
  if (!bytes)
    return about(model, bytes.takeError());
  // What reads a larger model reads it again.
  if (bytes->size() > std::max(kMaxProtobuf, uint64_t(old.size())))
    return createStringError(path + ": the model with its weights has " +
                             Twine(bytes->size()) +
                             " bytes, more than a protobuf may have");
  return writeFile(path, [&](raw_ostream &os) {
    bytes->write(os);
    return Error::success();
  });
}
