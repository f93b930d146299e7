//===- GraphTest.cpp - graphs that text cannot say ------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ImportTestSupport.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace takt;
using namespace takt::test;

namespace {

void addNumber(onnx::NodeProto *node, llvm::StringRef name, float value) {
  onnx::AttributeProto *attribute = node->add_attribute();
  attribute->set_name(name.str());
  attribute->set_type(onnx::AttributeProto::FLOAT);
  attribute->set_f(value);
}

TEST(ImportGraph, Network) {
  ImportOptions options;
  options.batch = 4;
  Imported imported = importModel(makeNetwork(), options);
  ASSERT_TRUE(imported) << imported.error();
  EXPECT_EQ(imported.parameter("w").getKind(), ParameterKind::Trainable);
  EXPECT_EQ(imported.parameter("fc").getKind(), ParameterKind::Trainable);
  EXPECT_EQ(imported.parameter("mean").getKind(), ParameterKind::State);
  EXPECT_EQ(imported.parameter("var").getKind(), ParameterKind::State);
  EXPECT_FALSE(imported.parameter("ratio"));
}

TEST(ImportGraph, NodesAreNamed) {
  onnx::ModelProto model = makeModel();
  addNode(model, "Relu", {"x", "x"}, {"y"})->set_name("layer/1");
  EXPECT_EQ(importModel(model).error(),
            "invalid ONNX: node 'layer/1' of type 'Relu' (opset 13) has 2 "
            "inputs, expected at most 1");
}

TEST(ImportGraph, NumbersThatAreNotFinite) {
  for (float value : {NAN, INFINITY, -INFINITY}) {
    onnx::ModelProto model = makeModel();
    addNumber(addNode(model, "LeakyRelu", {"x"}, {"y"}), "alpha", value);
    EXPECT_NE(importModel(model).error().find(", expected a finite number"),
              std::string::npos)
        << value;
  }
}

TEST(ImportGraph, RatioThatIsNotANumber) {
  onnx::ModelProto model = makeModel();
  addNode(model, "Dropout", {"x", "ratio"}, {"y"});
  onnx::TensorProto *ratio = model.mutable_graph()->add_initializer();
  ratio->set_name("ratio");
  ratio->set_data_type(onnx::TensorProto::FLOAT);
  ratio->add_float_data(NAN);
  EXPECT_EQ(importModel(model).error(),
            "invalid ONNX: node 'y' of type 'Dropout' (opset 13) has ratio "
            "nan, expected a number from 0 to less than 1");
}

TEST(ImportGraph, FactorThatIsNotANumber) {
  onnx::ModelProto model = makeModel();
  addNode(model, "Mul", {"x", "factor"}, {"y"});
  onnx::TensorProto *factor = model.mutable_graph()->add_initializer();
  factor->set_name("factor");
  factor->set_data_type(onnx::TensorProto::FLOAT);
  factor->add_float_data(NAN);
  EXPECT_NE(importModel(model).error().find("expected a finite number"),
            std::string::npos);
}

TEST(ImportGraph, InputsThatAreNoTensors) {
  onnx::ModelProto model = makeModel();
  addNode(model, "Relu", {"x"}, {"y"});
  onnx::TypeProto *type =
      model.mutable_graph()->mutable_input(0)->mutable_type();
  type->mutable_sequence_type();
  EXPECT_EQ(importModel(model).error(),
            "unsupported: input 'x' is no dense tensor");
  type->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  EXPECT_EQ(importModel(model).error(), "unsupported: input 'x' has no shape");
}

TEST(ImportGraph, InputsThatAreTooLarge) {
  onnx::ModelProto model = makeModel();
  addNode(model, "Relu", {"x"}, {"y"});
  auto *shape = model.mutable_graph()
                    ->mutable_input(0)
                    ->mutable_type()
                    ->mutable_tensor_type()
                    ->mutable_shape();
  shape->add_dim()->set_dim_value(int64_t(1) << 40);
  EXPECT_EQ(importModel(model).error(),
            "unsupported: input 'x' has shape 2x1099511627776, expected at "
            "most 8 positive sizes and 2^40 elements");
}

TEST(ImportGraph, SparseInitializers) {
  onnx::ModelProto model = makeModel();
  addNode(model, "Relu", {"x"}, {"y"});
  model.mutable_graph()->add_sparse_initializer();
  EXPECT_EQ(importModel(model).error(),
            "unsupported: the graph has sparse initializers");
}

TEST(ImportGraph, NodesWithoutOutputs) {
  onnx::ModelProto model = makeModel();
  addNode(model, "Relu", {"x"}, {})->set_name("lost");
  EXPECT_EQ(importModel(model).error(),
            "invalid ONNX: node 'lost' of type 'Relu' (opset 13) has no "
            "output");
}

TEST(ImportGraph, AttributesOfAFunction) {
  onnx::ModelProto model = makeModel();
  onnx::NodeProto *node = addNode(model, "LeakyRelu", {"x"}, {"y"});
  addNumber(node, "alpha", 0.1f);
  node->mutable_attribute(0)->set_ref_attr_name("outer");
  EXPECT_EQ(importModel(model).error(),
            "unsupported: node 'y' of type 'LeakyRelu' (opset 13) refers to a "
            "function's attribute 'outer'");
}

/// y is a LeakyRelu of x with the alpha of a function's attribute, which has a
/// default, in a branch.
onnx::ModelProto makeFunctionWithDefault(float alpha) {
  onnx::ModelProto model = makeModel(), inner;
  model.add_opset_import()->set_domain("own");
  addNode(model, "Leak", {"x"}, {"y"})->set_domain("own");
  onnx::AttributeProto attribute;
  attribute.set_name("slope");
  attribute.set_type(onnx::AttributeProto::FLOAT);
  attribute.set_f(alpha);
  onnx::FunctionProto *function = model.add_functions();
  function->set_domain("own");
  function->set_name("Leak");
  function->add_input("a");
  function->add_output("b");
  // As newer versions of ONNX's classes write it.
  function->GetReflection()->MutableUnknownFields(function)->AddLengthDelimited(
      11, attribute.SerializeAsString());
  onnx::NodeProto *condition = function->add_node();
  condition->set_op_type("Constant");
  condition->add_output("condition");
  onnx::AttributeProto *value = condition->add_attribute();
  value->set_name("value");
  value->set_type(onnx::AttributeProto::TENSOR);
  value->mutable_t()->set_data_type(onnx::TensorProto::BOOL);
  value->mutable_t()->add_int32_data(1);
  onnx::NodeProto *leak = addNode(inner, "LeakyRelu", {"a"}, {"t"});
  addNumber(leak, "alpha", 0);
  leak->mutable_attribute(0)->set_ref_attr_name("slope");
  inner.mutable_graph()->add_output()->set_name("t");
  onnx::NodeProto *branch = function->add_node();
  branch->set_op_type("If");
  branch->add_input("condition");
  branch->add_output("b");
  for (const char *name : {"then_branch", "else_branch"}) {
    onnx::AttributeProto *graph = branch->add_attribute();
    graph->set_name(name);
    graph->set_type(onnx::AttributeProto::GRAPH);
    *graph->mutable_g() = inner.graph();
  }
  return model;
}

float importedSlope(const onnx::ModelProto &model) {
  Imported imported = importModel(model);
  EXPECT_EQ(imported.errors, std::vector<std::string>());
  float slope = 0;
  if (imported)
    imported.module->walk(
        [&](train::LeakyReluOp op) { slope = op.getAlpha(); });
  return slope;
}

TEST(ImportGraph, AttributesOfAFunctionHaveDefaults) {
  onnx::ModelProto model = makeFunctionWithDefault(0.25f);
  EXPECT_EQ(importedSlope(model), 0.25f);
  onnx::NodeProto *call = model.mutable_graph()->mutable_node(0);
  addNumber(call, "slope", 0.5f);
  EXPECT_EQ(importedSlope(model), 0.5f);
}

/// Functions of which each calls the one before twice: 2^40 calls of the first,
/// which has no node.
TEST(ImportGraph, CallsThatMultiplyAreRefused) {
  onnx::ModelProto model = makeModel();
  model.add_opset_import()->set_domain("own");
  addNode(model, "f40", {"x"}, {"y"})->set_domain("own");
  for (int i = 0; i <= 40; ++i) {
    onnx::FunctionProto *function = model.add_functions();
    function->set_domain("own");
    function->set_name("f" + std::to_string(i));
    function->add_input("a");
    function->add_output("b");
    for (auto [from, to] : {std::pair("a", "t"), std::pair("t", "b")}) {
      if (i == 0)
        continue;
      onnx::NodeProto *node = function->add_node();
      node->set_op_type("f" + std::to_string(i - 1));
      node->set_domain("own");
      node->add_input(from);
      node->add_output(to);
    }
  }
  EXPECT_NE(importModel(model).error().find("makes more than 16777216 bytes of "
                                            "nodes in calls of functions"),
            std::string::npos);
}

/// A chain of `count` nodes, the last one first in the file.
onnx::ModelProto makeReversedChain(int count) {
  onnx::ModelProto model = makeModel();
  auto name = [&](int i) {
    return i == 0       ? std::string("x")
           : i == count ? std::string("y")
                        : "v" + std::to_string(i);
  };
  for (int i = count; i-- > 0;) {
    std::string from = name(i), to = name(i + 1);
    addNode(model, "Relu", {from}, {to});
  }
  return model;
}

TEST(ImportGraph, DeepGraphsNeedNoStack) {
  Imported imported = importModel(makeReversedChain(100000));
  ASSERT_TRUE(imported) << imported.error();
  auto main = imported.module->lookupSymbol<mlir::func::FuncOp>("main");
  EXPECT_EQ(main.getBody().front().getOperations().size(), 100001u);
}

TEST(ImportGraph, DeepTextIsRejected) {
  std::string text = "< ir_version: 7, opset_import: [\"\" : 13] > g (";
  for (int i = 0; i < 100000; ++i)
    text += "seq(";
  EXPECT_EQ(importBytes(text).error(),
            "invalid ONNX: the file is no ONNX text: brackets are nested too "
            "deep");
}

TEST(ImportGraph, EveryOperatorHasAVersionForSomeOpset) {
  std::string text;
  llvm::raw_string_ostream os(text);
  listOps(os);
  for (const char *name : {"Conv ",
                           "Gemm ",
                           "MatMul ",
                           "BatchNormalization ",
                           "Relu ",
                           "LeakyRelu ",
                           "Sigmoid ",
                           "Tanh ",
                           "MaxPool ",
                           "AveragePool ",
                           "GlobalAveragePool ",
                           "LRN ",
                           "Add ",
                           "Mul ",
                           "Sum ",
                           "Concat ",
                           "Flatten ",
                           "Reshape ",
                           "Transpose ",
                           "Unsqueeze ",
                           "Squeeze ",
                           "Dropout ",
                           "Softmax ",
                           "LogSoftmax ",
                           "Identity ",
                           "Constant ",
                           "ConstantOfShape "})
    EXPECT_NE(text.find(std::string("\n") + name), std::string::npos) << name;
}

} // namespace
