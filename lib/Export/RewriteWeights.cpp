//===- RewriteWeights.cpp - new elements in an ONNX file ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RewriteWeights.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace llvm;
using namespace takt;
using onnx::AttributeProto;
using onnx::GraphProto;
using onnx::ModelProto;
using onnx::NodeProto;
using onnx::TensorProto;
using wire::Field;
using wire::forEachField;
using wire::Type;

namespace {
/// Copies messages, but for the weights in them.
class Rewriter {
public:
  Rewriter(const OnnxFile &file, const Replacements &replacements,
           const StringMap<Kept> &kept)
      : file(file), replacements(replacements), kept(kept) {}

  Expected<Rope> model(StringRef message);

private:
  Expected<Rope> graph(StringRef message);
  Expected<Rope> initializer(StringRef message, StringRef name);
  Expected<Rope> node(StringRef message, size_t index);
  Expected<Rope> withInputs(StringRef message, size_t index);
  bool isSeparate(const SeparateInput &input) const;

  const OnnxFile &file;
  const Replacements &replacements;
  const StringMap<Kept> &kept;
};
} // namespace

/// The message with each field as `change` appends it, which may be nothing.
static Expected<Rope>
copyFields(StringRef message,
           function_ref<Error(const Field &, Rope &)> change) {
  Rope out;
  Error error = forEachField(
      message, [&](const Field &field) { return change(field, out); });
  if (error)
    return std::move(error);
  return out;
}

/// Appends the field with its payload rewritten.
static Error appendChanged(const Field &field, Expected<Rope> payload,
                           Rope &out) {
  if (!payload)
    return payload.takeError();
  out.append(wire::changed(field, std::move(*payload)));
  return Error::success();
}

static Error appendSame(const Field &field, Rope &out) {
  out.refer(field.bytes);
  return Error::success();
}

static Rope referTo(StringRef bytes) {
  Rope out;
  out.refer(bytes);
  return out;
}

Expected<Rope> Rewriter::model(StringRef message) {
  return copyFields(message, [&](const Field &field, Rope &out) -> Error {
    if (field.is(ModelProto::kGraphFieldNumber, Type::Length))
      return appendChanged(field, graph(field.payload), out);
    return appendSame(field, out);
  });
}

/// Whether the file needs a tensor of its own for the input: not as long as
/// that has the value that others have.
bool Rewriter::isSeparate(const SeparateInput &input) const {
  return replacements.contains(input.initializer) ||
         replacements.contains(input.name);
}

Expected<Rope> Rewriter::graph(StringRef message) {
  size_t nodes = 0;
  Expected<Rope> out =
      copyFields(message, [&](const Field &field, Rope &out) -> Error {
        if (field.is(GraphProto::kInitializerFieldNumber, Type::Length)) {
          Expected<TensorInfo> tensor = readTensor(field.payload);
          if (!tensor)
            return tensor.takeError();
          if (!replacements.contains(tensor->name))
            return appendSame(field, out);
          return appendChanged(field, initializer(field.payload, tensor->name),
                               out);
        }
        if (field.is(GraphProto::kNodeFieldNumber, Type::Length))
          return appendChanged(field, node(field.payload, nodes++), out);
        return appendSame(field, out);
      });
  if (!out)
    return out;
  StringSet<> added;
  for (const SeparateInput &input : file.separateInputs()) {
    if (!isSeparate(input) || !added.insert(input.name).second)
      continue;
    Expected<Rope> tensor =
        initializer(file.initializer(input.name)->message, input.name);
    if (!tensor)
      return tensor;
    out->append(
        wire::bytes(GraphProto::kInitializerFieldNumber, std::move(*tensor)));
  }
  return out;
}

/// The field that elements of the type may be in beside raw data, with the very
/// same bytes.
static uint64_t ownField(TensorProto::DataType type) {
  switch (type) {
  case TensorProto::FLOAT:
    return TensorProto::kFloatDataFieldNumber;
  case TensorProto::DOUBLE:
    return TensorProto::kDoubleDataFieldNumber;
  default:
    return TensorProto::kRawDataFieldNumber;
  }
}

/// New elements take the place of the first field of the old ones, as `name` of
/// the old name.
Expected<Rope> Rewriter::initializer(StringRef message, StringRef name) {
  auto found = replacements.find(name);
  const Replacement *by =
      found == replacements.end() ? nullptr : &found->second;
  bool written = false;
  return copyFields(message, [&](const Field &field, Rope &out) -> Error {
    if (field.is(TensorProto::kNameFieldNumber, Type::Length) &&
        field.payload != name)
      return appendChanged(field, referTo(name), out);
    if (!by || !isData(field))
      return appendSame(field, out);
    uint64_t own = ownField(by->weight->type);
    uint64_t raw = TensorProto::kRawDataFieldNumber;
    if (!std::exchange(written, true))
      out.append(
          wire::bytes(field.number == own ? own : raw, referTo(by->raw())));
    return Error::success();
  });
}

/// The message of the new elements.
static Rope tensorOf(const Replacement &by) {
  std::string type;
  for (int64_t dim : by.weight->declared.dims)
    wire::appendVarint(type, TensorProto::kDimsFieldNumber, dim);
  wire::appendVarint(type, TensorProto::kDataTypeFieldNumber,
                     static_cast<uint64_t>(by.weight->type));
  Rope tensor;
  tensor.keep(std::move(type));
  tensor.append(
      wire::bytes(TensorProto::kRawDataFieldNumber, referTo(by.raw())));
  return tensor;
}

/// The fields that make a node a Constant of that tensor.
static Rope constantFields(Rope tensor) {
  std::string name, operation;
  wire::appendBytes(name, AttributeProto::kNameFieldNumber, "value");
  wire::appendVarint(name, AttributeProto::kTypeFieldNumber,
                     AttributeProto::TENSOR);
  Rope attribute, fields;
  attribute.keep(std::move(name));
  attribute.append(
      wire::bytes(AttributeProto::kTFieldNumber, std::move(tensor)));
  wire::appendBytes(operation, NodeProto::kOpTypeFieldNumber, "Constant");
  fields.keep(std::move(operation));
  fields.append(
      wire::bytes(NodeProto::kAttributeFieldNumber, std::move(attribute)));
  return fields;
}

/// NodeProto.overload of ONNX 1.16, which the installed classes may not know.
static constexpr uint64_t kOverload = 8;

/// The fields of a node that say what it computes, or the others.
static Expected<Rope> fieldsOf(StringRef node, bool computation) {
  return copyFields(node, [&](const Field &field, Rope &out) -> Error {
    bool computes = field.number == NodeProto::kInputFieldNumber ||
                    field.number == NodeProto::kOpTypeFieldNumber ||
                    field.number == NodeProto::kAttributeFieldNumber ||
                    field.number == NodeProto::kDomainFieldNumber ||
                    field.number == kOverload;
    return computes == computation ? appendSame(field, out) : Error::success();
  });
}

/// A node whose inputs have the names of their own values.
Expected<Rope> Rewriter::withInputs(StringRef message, size_t index) {
  ArrayRef<SeparateInput> all = file.separateInputs();
  const SeparateInput *own = partition_point(
      all, [=](const SeparateInput &s) { return s.node < index; });
  SmallVector<std::pair<size_t, StringRef>, 4> names;
  for (; own != all.end() && own->node == index; ++own)
    if (isSeparate(*own))
      names.push_back({own->input, own->name});
  if (names.empty())
    return referTo(message);
  size_t input = 0;
  return copyFields(message, [&](const Field &field, Rope &out) -> Error {
    if (!field.is(NodeProto::kInputFieldNumber, Type::Length))
      return appendSame(field, out);
    const auto *found =
        find_if(names, [&](const auto &name) { return name.first == input; });
    ++input;
    return found == names.end()
               ? appendSame(field, out)
               : appendChanged(field, referTo(found->second), out);
  });
}

/// A node that makes a weight becomes a Constant. One that only passed a weight
/// on makes what it made before; all others are copied.
Expected<Rope> Rewriter::node(StringRef message, size_t index) {
  const Replacement *by = nullptr;
  const Kept *old = nullptr;
  Error error = forEachField(message, [&](const Field &field) -> Error {
    if (!field.is(NodeProto::kOutputFieldNumber, Type::Length) ||
        file.initializer(field.payload))
      return Error::success();
    if (auto found = replacements.find(field.payload);
        found != replacements.end())
      by = &found->second;
    if (auto found = kept.find(field.payload); found != kept.end())
      old = &found->second;
    return Error::success();
  });
  if (error)
    return std::move(error);
  if (!by && !old)
    return withInputs(message, index);
  Expected<Rope> out = fieldsOf(message, /*computation=*/false);
  if (!out)
    return out;
  if (old && old->tensor.empty()) {
    Expected<Rope> same = fieldsOf(old->node, /*computation=*/true);
    if (!same)
      return same;
    out->append(std::move(*same));
    return out;
  }
  out->append(constantFields(by ? tensorOf(*by) : referTo(old->tensor)));
  return out;
}

Expected<Rope> takt::rewriteWeights(StringRef model, const OnnxFile &file,
                                    const Replacements &replacements,
                                    const StringMap<Kept> &kept) {
  return Rewriter(file, replacements, kept).model(model);
}
