//===- MergedValues.cpp - initializers that exporters merged --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/MergedValues.h"
#include "takt/Support/Onnx.h"
#include "takt/Support/OnnxMetadata.h"
#include "takt/Support/Wire.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include <map>
#include <tuple>

using namespace llvm;
using namespace takt;
using onnx::GraphProto;
using onnx::ModelProto;
using onnx::NodeProto;
using onnx::TensorProto;
using wire::Field;
using wire::forEachField;
using wire::Type;

namespace {

/// Inputs of BatchNormalization.
constexpr size_t kMean = 3, kVariance = 4;

struct User {
  bool isBatchNorm = false;
  SmallVector<StringRef, 4> inputs;
  /// Paths of the modules around it, outermost first.
  SmallVector<StringRef, 8> modules;
};

/// Whose value it is of those that are called alike.
struct Role {
  size_t statistic = 0; ///< kMean or kVariance of running statistics
  StringRef module;     ///< empty: that of the initializer's name

  bool operator<(const Role &other) const {
    return std::tie(statistic, module) <
           std::tie(other.statistic, other.module);
  }
};

class Finder {
public:
  Error read(StringRef model);
  std::vector<SeparateInput> find();

private:
  struct Use {
    size_t node, input;
    Role role;
  };

  Error readGraph(StringRef message);
  Error readNode(StringRef message);
  Error readInitializer(StringRef message);
  Role roleOf(const User &user, size_t input) const;
  std::string nameOf(StringRef initializer, const Role &role);

  std::vector<User> users;
  StringSet<> vectors; ///< initializers of floats with one axis
  StringSet<> taken;
};

} // namespace

/// From "['', 'encoder', 'encoder.norm', 'layer_norm']", whose last name is the
/// node's own.
static SmallVector<StringRef, 8> parseModules(StringRef text) {
  SmallVector<StringRef, 8> paths;
  text.trim("[]").split(paths, ", ");
  for (StringRef &path : paths)
    path = path.trim("'\"");
  paths.pop_back();
  return paths;
}

Error Finder::readNode(StringRef message) {
  User &user = users.emplace_back();
  StringRef type, domain;
  Error error = forEachField(message, [&](const Field &field) -> Error {
    if (field.is(NodeProto::kInputFieldNumber, Type::Length))
      taken.insert(user.inputs.emplace_back(field.payload));
    else if (field.is(NodeProto::kOutputFieldNumber, Type::Length))
      taken.insert(field.payload);
    else if (field.is(NodeProto::kOpTypeFieldNumber, Type::Length))
      type = field.payload;
    else if (field.is(NodeProto::kDomainFieldNumber, Type::Length))
      domain = field.payload;
    else if (field.is(kNodeMetadata, Type::Length)) {
      auto scopes = metadataValue(field.payload, "pkg.torch.onnx.name_scopes");
      if (!scopes)
        return scopes.takeError();
      if (*scopes)
        user.modules = parseModules(**scopes);
    }
    return Error::success();
  });
  user.isBatchNorm =
      type == "BatchNormalization" && (domain.empty() || domain == "ai.onnx");
  return error;
}

Error Finder::readInitializer(StringRef message) {
  StringRef name;
  SmallVector<int64_t, 4> dims;
  int64_t type = 0;
  Error error = forEachField(message, [&](const Field &field) -> Error {
    if (field.number == TensorProto::kDimsFieldNumber)
      return readIntegers(field, dims);
    if (field.is(TensorProto::kNameFieldNumber, Type::Length))
      name = field.payload;
    else if (field.is(TensorProto::kDataTypeFieldNumber, Type::Varint))
      type = static_cast<int64_t>(field.value);
    return Error::success();
  });
  if (error)
    return error;
  taken.insert(name);
  bool isFloat = is_contained({TensorProto::FLOAT, TensorProto::DOUBLE,
                               TensorProto::FLOAT16, TensorProto::BFLOAT16},
                              type);
  if (isFloat && dims.size() == 1)
    vectors.insert(name);
  return Error::success();
}

Error Finder::readGraph(StringRef message) {
  return forEachField(message, [&](const Field &field) -> Error {
    if (field.is(GraphProto::kInitializerFieldNumber, Type::Length))
      return readInitializer(field.payload);
    if (field.is(GraphProto::kNodeFieldNumber, Type::Length))
      return readNode(field.payload);
    return Error::success();
  });
}

Error Finder::read(StringRef model) {
  return forEachField(model, [&](const Field &field) -> Error {
    if (field.is(ModelProto::kGraphFieldNumber, Type::Length))
      return readGraph(field.payload);
    return Error::success();
  });
}

/// What is before the last dot of a name, and what behind it.
static std::pair<StringRef, StringRef> splitName(StringRef name) {
  size_t dot = name.rfind('.');
  if (dot == StringRef::npos)
    return {"", name};
  return {name.take_front(dot), name.drop_front(dot + 1)};
}

/// A module also takes the values of modules in it.
static bool mayTake(ArrayRef<StringRef> modules, StringRef home) {
  if (modules.empty() || modules.back().empty())
    return true;
  StringRef inner = home;
  return is_contained(modules, home) ||
         (inner.consume_front(modules.back()) && inner.starts_with("."));
}

Role Finder::roleOf(const User &user, size_t input) const {
  Role role;
  if (user.isBatchNorm && (input == kMean || input == kVariance))
    role.statistic = input;
  if (!mayTake(user.modules, splitName(user.inputs[input]).first))
    role.module = user.modules.back();
  return role;
}

std::string Finder::nameOf(StringRef initializer, const Role &role) {
  auto [home, leaf] = splitName(initializer);
  if (role.statistic)
    leaf = role.statistic == kMean ? "running_mean" : "running_var";
  StringRef module = role.module.empty() ? home : role.module;
  std::string name = (module + (module.empty() ? "" : ".") + leaf).str();
  while (!taken.insert(name).second)
    name += "_";
  return name;
}

std::vector<SeparateInput> Finder::find() {
  MapVector<StringRef, SmallVector<Use, 2>> uses;
  for (auto [node, user] : enumerate(users))
    for (auto [input, name] : enumerate(user.inputs))
      if (vectors.contains(name))
        uses[name].push_back({node, input, roleOf(user, input)});
  std::vector<SeparateInput> result;
  for (auto &[initializer, all] : uses) {
    // The name remains that of a weight, of its own module's if it has a use.
    Role first =
        min_element(all, [](const Use &a, const Use &b) {
          return std::make_pair(a.role.statistic != 0, !a.role.module.empty()) <
                 std::make_pair(b.role.statistic != 0, !b.role.module.empty());
        })->role;
    std::map<Role, std::string> names = {{first, ""}};
    for (const Use &use : all) {
      auto [it, isNew] = names.try_emplace(use.role);
      if (isNew)
        it->second = nameOf(initializer, use.role);
      if (!it->second.empty())
        result.push_back({use.node, use.input, initializer.str(), it->second});
    }
  }
  sort(result, [](const SeparateInput &a, const SeparateInput &b) {
    return std::tie(a.node, a.input) < std::tie(b.node, b.input);
  });
  return result;
}

Expected<std::vector<SeparateInput>> takt::findSeparateInputs(StringRef model) {
  Finder finder;
  if (Error error = finder.read(model))
    return std::move(error);
  return finder.find();
}
