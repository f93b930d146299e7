//===- Inputs.cpp - the model's inputs and their sizes --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inputs.h"
#include "takt/Dialect/Train/Train.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace takt;
using namespace takt::import;
using onnx::TensorShapeProto;

static Subject subjectOf(StringRef kind, const onnx::ValueInfoProto &info,
                         MLIRContext *context) {
  return {UnknownLoc::get(context), (kind + " '" + info.name() + "'").str()};
}

namespace {
/// Finds sizes for dimensions. Names of dimensions that were seen are kept, so
/// that an option with another name can be told from one that was needed.
class DimensionBinder {
public:
  DimensionBinder(const ImportOptions &options, MLIRContext *context)
      : options(options), context(context) {}

  LogicalResult bindBatch(const onnx::ValueInfoProto &info);
  FailureOr<Input> bindInput(const onnx::ValueInfoProto &info);
  LogicalResult checkOptions() const;

  Batch batch;

private:
  FailureOr<int64_t> bind(const TensorShapeProto::Dimension &dim, int axis,
                          const Subject &input);
  bool isBatch(const TensorShapeProto::Dimension &dim, int axis) const;

  const ImportOptions &options;
  MLIRContext *context;
  std::string batchName; ///< empty if the file has a size or no name
  llvm::StringSet<> names;
};
} // namespace

static LogicalResult checkType(const onnx::ValueInfoProto &info,
                               const Subject &subject) {
  if (!info.has_type() || !info.type().has_tensor_type())
    return subject.unsupported() << "is no dense tensor";
  const onnx::TypeProto::Tensor &type = info.type().tensor_type();
  if (!elementTypeOfOnnx(type.elem_type()))
    return subject.unsupported()
           << "has elements of type " << typeName(type.elem_type())
           << ", expected numbers or bool";
  if (!type.has_shape())
    return subject.unsupported() << "has no shape";
  return success();
}

static LogicalResult reportSize(const Subject &subject, int axis,
                                int64_t size) {
  return subject.invalid() << "has size " << size << " on axis " << axis
                           << ", expected a positive number";
}

LogicalResult DimensionBinder::bindBatch(const onnx::ValueInfoProto &info) {
  const TensorShapeProto::Dimension &dim =
      info.type().tensor_type().shape().dim(0);
  Subject input = subjectOf("input", info, context);
  if (dim.has_dim_value()) {
    if (dim.dim_value() <= 0)
      return reportSize(input, 0, dim.dim_value());
    batch.inFile = dim.dim_value();
    batch.size = options.batch ? options.batch : batch.inFile;
    return success();
  }
  batchName = dim.dim_param();
  auto given = options.dims.find(batchName);
  batch.size = options.batch;
  if (batchName.empty() || given == options.dims.end()) {
    if (batch.size)
      return success();
    return emitError(input.loc)
           << "dimension 0 of " << input.text
           << (batchName.empty() ? "" : ", '" + batchName + "',")
           << " has no size, give it one with --batch=N";
  }
  if (batch.size && batch.size != given->second)
    return emitError(input.loc)
           << "--batch=" << batch.size << " and --dim=" << batchName << "="
           << given->second << " are sizes of the same dimension";
  batch.size = given->second;
  return success();
}

bool DimensionBinder::isBatch(const TensorShapeProto::Dimension &dim,
                              int axis) const {
  if (dim.has_dim_value())
    return axis == 0 && dim.dim_value() == batch.inFile;
  if (dim.dim_param().empty())
    return axis == 0;
  return dim.dim_param() == batchName;
}

FailureOr<int64_t> DimensionBinder::bind(const TensorShapeProto::Dimension &dim,
                                         int axis, const Subject &input) {
  if (!dim.dim_param().empty())
    names.insert(dim.dim_param());
  if (dim.has_dim_value() && dim.dim_value() <= 0)
    return reportSize(input, axis, dim.dim_value());
  if (isBatch(dim, axis))
    return batch.size;
  if (dim.has_dim_value())
    return dim.dim_value();
  auto given = options.dims.find(dim.dim_param());
  if (!dim.dim_param().empty() && given != options.dims.end())
    return given->second;
  if (dim.dim_param().empty())
    return input.unsupported()
           << "has neither a size nor a name for axis " << axis;
  return emitError(input.loc)
         << "dimension " << axis << " of " << input.text << ", '"
         << dim.dim_param()
         << "', has no size, give it one with --dim=" << dim.dim_param()
         << "=N";
}

FailureOr<Input> DimensionBinder::bindInput(const onnx::ValueInfoProto &info) {
  Subject input = subjectOf("input", info, context);
  Dims dims;
  for (const auto &dim : info.type().tensor_type().shape().dim()) {
    FailureOr<int64_t> size = bind(dim, dims.size(), input);
    if (failed(size))
      return failure();
    dims.push_back(*size);
  }
  auto type = RankedTensorType::get(
      dims, computedType(info.type().tensor_type().elem_type(), context));
  if (!train::isTensor(type))
    return input.unsupported() << "has shape " << shapeText(dims)
                               << ", expected at most 8 positive sizes and "
                                  "2^40 elements";
  return Input{info.name(), type};
}

LogicalResult DimensionBinder::checkOptions() const {
  for (const auto &[name, size] : options.dims)
    if (!names.contains(name))
      return emitError(UnknownLoc::get(context))
             << "--dim=" << name << "=" << size
             << ": no input of the model has a dimension of that name";
  return success();
}

FailureOr<Inputs>
takt::import::bindInputs(ArrayRef<const onnx::ValueInfoProto *> infos,
                         const ImportOptions &options, MLIRContext *context) {
  DimensionBinder binder(options, context);
  bool hasBatch = false;
  for (const onnx::ValueInfoProto *info : infos) {
    if (failed(checkType(*info, subjectOf("input", *info, context))))
      return failure();
    if (hasBatch || info->type().tensor_type().shape().dim_size() == 0)
      continue;
    hasBatch = true;
    if (failed(binder.bindBatch(*info)))
      return failure();
  }
  if (!hasBatch)
    binder.batch.size = std::max<int64_t>(options.batch, 1);
  Inputs result;
  for (const onnx::ValueInfoProto *info : infos) {
    FailureOr<Input> input = binder.bindInput(*info);
    if (failed(input))
      return failure();
    result.inputs.push_back(*input);
  }
  if (failed(binder.checkOptions()))
    return failure();
  result.batch = binder.batch;
  return result;
}

LogicalResult takt::import::checkOutput(const onnx::ValueInfoProto &info,
                                        RankedTensorType type,
                                        const Batch &batch,
                                        MLIRContext *context) {
  Subject output = subjectOf("output", info, context);
  if (!info.has_type())
    return success();
  if (!info.type().has_tensor_type())
    return output.invalid() << "is declared as no tensor, but is one";
  const onnx::TypeProto::Tensor &declared = info.type().tensor_type();
  Type computed = computedType(declared.elem_type(), context);
  if (computed != type.getElementType()) {
    InFlightDiagnostic error =
        computed ? output.invalid() : output.unsupported();
    return error << "is declared with elements of type "
                 << typeName(declared.elem_type()) << ", but has "
                 << type.getElementType();
  }
  // With another batch, sizes that were computed from the old one differ.
  if (!declared.has_shape() || batch.rebound())
    return success();
  auto mismatch = [&](const auto &pair) {
    const auto &[dim, size] = pair;
    return dim.has_dim_value() && dim.dim_value() != size;
  };
  const auto &dims = declared.shape().dim();
  if (dims.size() == type.getRank() &&
      llvm::none_of(llvm::zip(dims, type.getShape()), mismatch))
    return success();
  std::string text;
  for (const auto &dim : dims)
    text += (text.empty() ? "" : "x") +
            (dim.has_dim_value() ? std::to_string(dim.dim_value()) : "?");
  return output.invalid() << "is declared with shape "
                          << (text.empty() ? "scalar" : text)
                          << ", but has shape " << shapeText(type.getShape());
}
