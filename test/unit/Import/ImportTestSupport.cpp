//===- ImportTestSupport.cpp - models for importer tests ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ImportTestSupport.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <onnx/defs/parser.h>

using namespace takt;
using namespace takt::test;

std::string Imported::error() const {
  std::string all;
  for (const std::string &error : errors)
    all += (all.empty() ? "" : "\n") + error;
  return all;
}

train::ParameterOp Imported::parameter(llvm::StringRef name) {
  return module->lookupSymbol<train::ParameterOp>(name);
}

std::vector<float> Imported::values(llvm::StringRef name) {
  train::ParameterOp op = parameter(name);
  if (!op)
    return {};
  mlir::ElementsAttr value = *op.getInitialValue();
  if (auto dense = mlir::dyn_cast<mlir::DenseElementsAttr>(value)) {
    auto elements = dense.getValues<float>();
    return {elements.begin(), elements.end()};
  }
  auto resource = mlir::cast<mlir::DenseResourceElementsAttr>(value);
  llvm::ArrayRef<char> bytes = resource.getRawHandle().getBlob()->getData();
  std::vector<float> elements(bytes.size() / sizeof(float));
  std::memcpy(elements.data(), bytes.data(), bytes.size());
  return elements;
}

Imported takt::test::importBytes(llvm::StringRef bytes,
                                 const ImportOptions &options,
                                 llvm::StringRef path) {
  Imported result;
  result.context = std::make_unique<mlir::MLIRContext>(
      mlir::MLIRContext::Threading::DISABLED);
  mlir::ScopedDiagnosticHandler handler(
      result.context.get(), [&](mlir::Diagnostic &diagnostic) {
        result.errors.push_back(diagnostic.str());
        return mlir::success();
      });
  result.module =
      importOnnx(llvm::MemoryBufferRef(bytes, path), *result.context, options);
  return result;
}

Imported takt::test::importModel(const onnx::ModelProto &model,
                                 const ImportOptions &options,
                                 llvm::StringRef path) {
  return importBytes(model.SerializeAsString(), options, path);
}

static void addValueInfo(onnx::ValueInfoProto *info, llvm::StringRef name) {
  info->set_name(name.str());
  onnx::TypeProto::Tensor *type = info->mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  type->mutable_shape()->add_dim()->set_dim_value(2);
}

onnx::ModelProto takt::test::makeModel() {
  onnx::ModelProto model;
  model.set_ir_version(7);
  model.add_opset_import()->set_version(13);
  model.mutable_graph()->set_name("test");
  addValueInfo(model.mutable_graph()->add_input(), "x");
  addValueInfo(model.mutable_graph()->add_output(), "y");
  return model;
}

onnx::NodeProto *takt::test::addNode(onnx::ModelProto &model,
                                     llvm::StringRef type,
                                     llvm::ArrayRef<llvm::StringRef> inputs,
                                     llvm::ArrayRef<llvm::StringRef> outputs) {
  onnx::NodeProto *node = model.mutable_graph()->add_node();
  node->set_op_type(type.str());
  for (llvm::StringRef input : inputs)
    node->add_input(input.str());
  for (llvm::StringRef output : outputs)
    node->add_output(output.str());
  return node;
}

onnx::ModelProto takt::test::makeAdd(onnx::TensorProto::DataType type) {
  onnx::ModelProto model = makeModel();
  addNode(model, "Add", {"x", "w"}, {"y"});
  onnx::TensorProto *w = model.mutable_graph()->add_initializer();
  w->set_name("w");
  w->set_data_type(type);
  w->add_dims(2);
  return model;
}

onnx::ModelProto takt::test::makeNetwork() {
  const char *text = R"(
< ir_version: 7, opset_import: ["" : 13] >
network (float[N, 1, 4, 4] x) => (float[N, 3] y)
  < float[2, 1, 3, 3] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18},
    float[2] scale = {1, 2}, float[2] bias = {3, 4}, float[2] mean = {5, 6},
    float[2] var = {7, 8}, float ratio = {0.5}, bool on = {1},
    float[3] b = {1, 2, 3} >
{
  c = Conv <pads = [1, 1, 1, 1], kernel_shape = [3, 3]> (x, w)
  n, new_mean, new_var, saved_mean, saved_var = BatchNormalization <epsilon = 0.001> (c, scale, bias, mean, var)
  r = Relu (n)
  s = Add (r, x)
  p = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (s)
  d = Dropout (p, ratio, on)
  shape = Shape (d)
  zero = Constant <value_int = 0> ()
  size = Gather <axis = 0> (shape, zero)
  axes = Constant <value_ints = [0]> ()
  size1 = Unsqueeze (size, axes)
  rest = Constant <value = int64[1] {-1}> ()
  target = Concat <axis = 0> (size1, rest)
  f = Reshape (d, target)
  ws = Constant <value_ints = [8, 3]> ()
  fc = ConstantOfShape <value = float[1] {0.5}> (ws)
  g = Gemm <alpha = 1.0> (f, fc, b)
  y = Softmax <axis = -1> (g)
}
)";
  onnx::ModelProto model;
  onnx::OnnxParser(text).Parse(model);
  return model;
}
