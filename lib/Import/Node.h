//===- Node.h - a node under conversion -------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_NODE_H
#define TAKT_LIB_IMPORT_NODE_H

#include "Graph.h"
#include "Subject.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Support/Onnx.h"

namespace takt::import {

/// The node's name or, if it has none, that of its first output.
llvm::StringRef nodeName(const onnx::NodeProto &proto);

/// "node 'conv1' of type 'Conv' (opset 13)", located at the name.
Subject nodeSubject(const onnx::NodeProto &proto, int64_t opset,
                    mlir::MLIRContext *context);

/// Attributes of an operation to be created.
class AttributeList {
public:
  explicit AttributeList(mlir::Builder builder) : builder(builder) {}

  AttributeList &integer(llvm::StringRef name, int64_t value) {
    return add(name, builder.getI64IntegerAttr(value));
  }
  AttributeList &number(llvm::StringRef name, float value) {
    return add(name, builder.getF32FloatAttr(value));
  }
  AttributeList &flag(llvm::StringRef name, bool value) {
    return add(name, builder.getBoolAttr(value));
  }
  AttributeList &integers(llvm::StringRef name,
                          llvm::ArrayRef<int64_t> values) {
    return add(name, builder.getDenseI64ArrayAttr(values));
  }
  /// One of the train dialect's keywords, such as UnaryFunction::Exp.
  AttributeList &keyword(llvm::StringRef name, UnaryFunction value) {
    return add(name,
               train::UnaryFunctionAttr::get(builder.getContext(), value));
  }
  AttributeList &keyword(llvm::StringRef name, BinaryFunction value) {
    return add(name,
               train::BinaryFunctionAttr::get(builder.getContext(), value));
  }
  AttributeList &keyword(llvm::StringRef name, CompareFunction value) {
    return add(name,
               train::CompareFunctionAttr::get(builder.getContext(), value));
  }
  AttributeList &keyword(llvm::StringRef name, ScatterMode value) {
    return add(name, train::ScatterModeAttr::get(builder.getContext(), value));
  }
  AttributeList &keyword(llvm::StringRef name, PadMode value) {
    return add(name, train::PadModeAttr::get(builder.getContext(), value));
  }
  /// Leaves the attribute out if all values are the default.
  AttributeList &perDimension(llvm::StringRef name,
                              llvm::ArrayRef<int64_t> values,
                              int64_t otherwise);

  operator llvm::ArrayRef<mlir::NamedAttribute>() const { return attributes; }

private:
  AttributeList &add(llvm::StringRef name, mlir::Attribute value) {
    attributes.push_back(builder.getNamedAttr(name, value));
    return *this;
  }

  mlir::Builder builder;
  llvm::SmallVector<mlir::NamedAttribute, 8> attributes;
};

/// Which element types a conversion takes.
enum class Accept {
  Floats,  ///< f32 and f64
  Numbers, ///< also i32 and i64
  Any      ///< also i1
};

/// What a conversion sees: the node, its operands, and functions to create
/// operations and to define the node's outputs.
class Node {
public:
  Node(Graph &graph, const onnx::NodeProto &proto, int64_t since,
       mlir::Location loc)
      : graph(graph), proto(proto), since(since), loc(loc) {}

  Graph &graph;
  const onnx::NodeProto &proto;
  /// The opset that introduced this version of the operator.
  const int64_t since;
  const mlir::Location loc;

  bool training() const { return graph.mode == ImportMode::Train; }
  Subject subject() const {
    return nodeSubject(proto, graph.opset, loc.getContext());
  }
  mlir::InFlightDiagnostic invalid() const { return subject().invalid(); }
  mlir::InFlightDiagnostic unsupported() const {
    return subject().unsupported();
  }
  AttributeList attributes() const { return AttributeList(graph.builder); }

  /// The operand at a position; false as a bool if it is left out.
  Operand operand(int index) const;
  /// It has operands, all of them are constants of integers or left out.
  bool isShapeArithmetic() const;
  /// An output that is imported needs it.
  bool isUsed(int output) const;

  /// A seed of random numbers, by the name of the first output: these names are
  /// unique and stay the same when other nodes change.
  uint32_t ownSeed() const;

  /// The operand as a value, a constant as its parameter. `role` names it in
  /// messages. Fails with a diagnostic if it is no tensor that is accepted.
  mlir::FailureOr<mlir::Value> toValue(const Operand &operand,
                                       llvm::StringRef role,
                                       Accept accept = Accept::Floats);

  /// A constant that the importer makes: integers of a type and a shape, as a
  /// parameter that is never trained; a number of a float type likewise.
  mlir::FailureOr<mlir::Value>
  integers(llvm::ArrayRef<int64_t> values, llvm::ArrayRef<int64_t> shape,
           int32_t type = onnx::TensorProto::INT64);
  /// All elements `value`, in the element type of `like`.
  mlir::FailureOr<mlir::Value>
  filled(float value, llvm::ArrayRef<int64_t> shape, mlir::Value like);
  /// Numbers in f32.
  mlir::FailureOr<mlir::Value> floats(llvm::ArrayRef<float> values,
                                      llvm::ArrayRef<int64_t> shape);

  /// Numbers as a constant that no parameter stands for yet, of an ONNX type of
  /// floats.
  Constant numberConstant(llvm::ArrayRef<double> values,
                          llvm::ArrayRef<int64_t> shape, int32_t type);

  /// Creates an operation and gives its results; types are inferred. Fails with
  /// a diagnostic about the node if operands and attributes do not fit.
  template <typename OpTy>
  mlir::FailureOr<OpTy>
  create(mlir::ValueRange operands,
         llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
    return checked<OpTy>([&] {
      return train::tryCreate<OpTy>(graph.builder, loc, operands, attributes);
    });
  }
  /// The same where the result type is given.
  template <typename OpTy>
  mlir::FailureOr<OpTy>
  createTyped(mlir::TypeRange type, mlir::ValueRange operands,
              llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
    return checked<OpTy>([&] {
      return train::tryCreate<OpTy>(graph.builder, loc, type, operands,
                                    attributes);
    });
  }
  /// Creates an operation with one result, the node's first output.
  template <typename OpTy>
  mlir::LogicalResult
  emit(mlir::ValueRange operands,
       llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
    mlir::FailureOr<OpTy> op = create<OpTy>(operands, attributes);
    if (mlir::failed(op))
      return mlir::failure();
    return define(0, (*op)->getResult(0));
  }
  /// The same where the operation has the type of its operands.
  template <typename OpTy>
  mlir::LogicalResult
  emitSameType(mlir::Value operand,
               llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
    mlir::FailureOr<OpTy> op =
        createTyped<OpTy>(operand.getType(), operand, attributes);
    if (mlir::failed(op))
      return mlir::failure();
    return define(0, (*op)->getResult(0));
  }

  /// The value under another shape; itself if the shape is its own.
  mlir::FailureOr<mlir::Value> reshape(mlir::Value value,
                                       llvm::ArrayRef<int64_t> shape);
  /// Defines the first output as an operand under another shape.
  mlir::LogicalResult defineReshaped(const Operand &operand,
                                     llvm::ArrayRef<int64_t> shape);

  /// Define an output, which the node must have.
  mlir::LogicalResult define(int output, mlir::Value value);
  mlir::LogicalResult define(int output, const Operand &operand);
  mlir::LogicalResult define(int output, Constant constant);
  /// Defines an output as integers. Fails with a diagnostic if these are more
  /// than kMaxIntegers.
  mlir::LogicalResult defineIntegers(llvm::ArrayRef<int64_t> values,
                                     llvm::ArrayRef<int64_t> shape,
                                     int32_t type, int output = 0);

private:
  template <typename OpTy>
  mlir::FailureOr<OpTy>
  checked(llvm::function_ref<mlir::FailureOr<OpTy>()> create) {
    std::string message;
    mlir::FailureOr<OpTy> op = mlir::failure();
    {
      mlir::ScopedDiagnosticHandler handler(loc.getContext(),
                                            [&](mlir::Diagnostic &diagnostic) {
                                              if (message.empty())
                                                message = diagnostic.str();
                                              return mlir::success();
                                            });
      op = create();
    }
    if (mlir::failed(op))
      reportRejected(OpTy::getOperationName(), message);
    return op;
  }
  void reportRejected(llvm::StringRef operation, llvm::StringRef message) const;
  mlir::FailureOr<mlir::Value> read(Constant constant);
  /// An operand is computed from an input of the graph.
  bool isFromInput() const;

  int madeConstants = 0;
};

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_NODE_H
