//===- MergedValuesTest.cpp - initializers that exporters merged ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/MergedValues.h"
#include "takt/Support/Onnx.h"
#include "takt/Support/Wire.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"

using namespace llvm;
using namespace takt;
using onnx::GraphProto;
using onnx::ModelProto;
using onnx::NodeProto;
using onnx::TensorProto;

namespace {

/// A model's bytes, of which only names matter.
class Model {
public:
  Model &initializer(StringRef name, ArrayRef<int64_t> dims,
                     int64_t type = TensorProto::FLOAT) {
    std::string tensor;
    for (int64_t dim : dims)
      wire::appendVarint(tensor, TensorProto::kDimsFieldNumber, dim);
    wire::appendVarint(tensor, TensorProto::kDataTypeFieldNumber, type);
    wire::appendBytes(tensor, TensorProto::kNameFieldNumber, name);
    wire::appendBytes(graph, GraphProto::kInitializerFieldNumber, tensor);
    return *this;
  }

  /// `module`: its path, or nothing where nothing is said of modules.
  Model &node(StringRef type, ArrayRef<StringRef> inputs,
              std::optional<StringRef> module = std::nullopt) {
    std::string node;
    for (StringRef input : inputs)
      wire::appendBytes(node, NodeProto::kInputFieldNumber, input);
    wire::appendBytes(node, NodeProto::kOutputFieldNumber,
                      "y" + std::to_string(count++));
    wire::appendBytes(node, NodeProto::kOpTypeFieldNumber, type);
    if (module) {
      std::string entry, scopes = "['', ";
      for (size_t dot = 0; !module->empty() && dot != StringRef::npos;) {
        dot = module->find('.', dot + 1);
        scopes += "'" + module->take_front(dot).str() + "', ";
      }
      wire::appendBytes(entry, 1, "pkg.torch.onnx.name_scopes");
      wire::appendBytes(entry, 2, scopes + "'node']");
      wire::appendBytes(node, 9, entry);
    }
    wire::appendBytes(graph, GraphProto::kNodeFieldNumber, node);
    return *this;
  }

  std::string bytes() const {
    std::string model;
    wire::appendBytes(model, ModelProto::kGraphFieldNumber, graph);
    return model;
  }

  /// "NODE.INPUT: INITIALIZER -> NAME" for each separate input.
  std::vector<std::string> separate() const {
    std::vector<std::string> lines;
    for (const SeparateInput &input : cantFail(findSeparateInputs(bytes())))
      lines.push_back((Twine(input.node) + "." + Twine(input.input) + ": " +
                       input.initializer + " -> " + input.name)
                          .str());
    return lines;
  }

private:
  std::string graph;
  int count = 0;
};

using Lines = std::vector<std::string>;

TEST(MergedValues, AreSeparateInEveryModule) {
  Model model;
  model.initializer("a.norm.weight", {8}).initializer("a.norm.bias", {8});
  for (StringRef module : {"a.norm", "b.norm", "b.last", "a.norm"})
    model.node("LayerNormalization", {"x", "a.norm.weight", "a.norm.bias"},
               module);
  EXPECT_EQ(model.separate(), (Lines{"1.1: a.norm.weight -> b.norm.weight",
                                     "1.2: a.norm.bias -> b.norm.bias",
                                     "2.1: a.norm.weight -> b.last.weight",
                                     "2.2: a.norm.bias -> b.last.bias"}));
}

/// Its name is that of a module which the exporter has removed.
TEST(MergedValues, KeepTheirNameWhereTheyAreFirst) {
  Model model;
  model.initializer("gone.bias", {8});
  model.node("Add", {"x", "gone.bias"}, "a")
      .node("Add", {"x", "gone.bias"}, "b");
  EXPECT_EQ(model.separate(), Lines{"1.1: gone.bias -> b.bias"});
}

TEST(MergedValues, AreNotWhatModulesShare) {
  Model model;
  // The same module again, a module around it, and matrices.
  model.initializer("a.norm.weight", {8}).initializer("words.weight", {50, 8});
  model.initializer("a.index", {3}, TensorProto::INT64);
  model.node("Mul", {"x", "a.norm.weight"}, "a.norm");
  model.node("Mul", {"x", "a.norm.weight"}, "a.norm");
  model.node("Mul", {"x", "a.norm.weight"}, "a");
  model.node("Mul", {"x", "a.norm.weight"}, "");
  model.node("Gather", {"words.weight", "ids"}, "words");
  model.node("MatMul", {"x", "words.weight"}, "head");
  model.node("Gather", {"x", "a.index"}, "b");
  // Of nodes that say nothing, nothing is known.
  model.node("Mul", {"x", "a.norm.weight"});
  EXPECT_EQ(model.separate(), Lines());
}

TEST(MergedValues, OfRunningStatisticsAreNoWeights) {
  Model model;
  model.initializer("n.weight", {8}).initializer("n.bias", {8});
  model.node("BatchNormalization",
             {"x", "n.weight", "n.bias", "n.bias", "n.weight"});
  EXPECT_EQ(model.separate(), (Lines{"0.3: n.bias -> n.running_mean",
                                     "0.4: n.weight -> n.running_var"}));
  // What only statistics have is not merged, as far as anybody knows.
  Model apart;
  apart.initializer("m", {8}).initializer("v", {8});
  apart.node("BatchNormalization", {"x", "w", "b", "m", "v"});
  apart.node("BatchNormalization", {"x", "w", "b", "m", "v"});
  EXPECT_EQ(apart.separate(), Lines());
  // But those of other modules are.
  Model modules;
  modules.initializer("a.running_var", {8});
  modules.node("BatchNormalization", {"x", "w", "b", "m", "a.running_var"},
               "a");
  modules.node("BatchNormalization", {"x", "w", "b", "m", "a.running_var"},
               "b");
  EXPECT_EQ(modules.separate(), Lines{"1.4: a.running_var -> b.running_var"});
}

TEST(MergedValues, HaveNamesThatNothingElseHas) {
  Model model;
  model.initializer("a.bias", {8}).initializer("b.bias", {4});
  model.node("Add", {"x", "a.bias"}, "a").node("Add", {"x", "a.bias"}, "b");
  EXPECT_EQ(model.separate(), Lines{"1.1: a.bias -> b.bias_"});
}

TEST(MergedValues, AreNotLookedForInWhatIsNoModel) {
  std::string bytes = Model().node("Add", {"x", "b"}, "a").bytes();
  for (size_t size = 1; size < bytes.size(); ++size)
    EXPECT_TRUE(errorToBool(
        findSeparateInputs(StringRef(bytes).take_front(size)).takeError()))
        << size;
}

} // namespace
