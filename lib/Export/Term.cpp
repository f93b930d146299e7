//===- Term.cpp - tensors of an ONNX graph as expressions -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Term.h"

using namespace llvm;
using namespace takt;

static SmallVector<std::string> inputNames(const Term &first,
                                           ArrayRef<Term> others) {
  SmallVector<std::string> names = {first.getName()};
  for (const Term &other : others)
    names.push_back(other.getName());
  return names;
}

Term Term::node(StringRef op, ArrayRef<Term> others, NodeAttributes attributes,
                ElementType result) const {
  std::string output = scope->graph.unique(scope->prefix + "/" + op.str());
  scope->graph.addNode(op, inputNames(*this, others), output, attributes);
  return Term(*scope, output, result);
}

Term Term::node(StringRef op, ArrayRef<Term> others,
                NodeAttributes attributes) const {
  return node(op, others, attributes, type);
}

std::pair<Term, Term> Term::nodeOfTwo(StringRef op, ArrayRef<Term> others,
                                      NodeAttributes attributes,
                                      ElementType second) const {
  std::string base = scope->prefix + "/" + op.str();
  std::string outputs[] = {scope->graph.unique(base),
                           scope->graph.unique(base)};
  scope->graph.addNode(op, inputNames(*this, others), outputs, attributes);
  return {Term(*scope, outputs[0], type), Term(*scope, outputs[1], second)};
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

static void appendElement(std::string &raw, ElementType type, double value) {
  visitElement(type, [&](auto zero) {
    using Element = decltype(zero);
    Element element;
    if constexpr (isFloat16<Element>)
      element = Element(roundToOdd(value));
    else
      element = static_cast<Element>(value);
    raw.append(reinterpret_cast<const char *>(&element), sizeof(element));
  });
}

Term Term::numbers(ArrayRef<double> values, ArrayRef<int64_t> dims) const {
  std::string raw;
  for (double value : values)
    appendElement(raw, type, value);
  return Term(*scope, scope->graph.constant(type, dims, raw), type);
}

Term Term::number(double value) const { return numbers(value, {}); }

Term Term::integers(ArrayRef<int64_t> values) const {
  StringRef raw(reinterpret_cast<const char *>(values.data()),
                values.size() * sizeof(int64_t));
  return Term(*scope,
              scope->graph.constant(ElementType::I64,
                                    static_cast<int64_t>(values.size()), raw),
              ElementType::I64);
}

Term Term::filled(double value, ArrayRef<int64_t> dims) const {
  return number(value).expand(dims);
}

//===----------------------------------------------------------------------===//
// Movement and reduction
//===----------------------------------------------------------------------===//

Term Term::reshape(ArrayRef<int64_t> dims) const {
  return node("Reshape", {integers(dims)});
}

Term Term::transpose(ArrayRef<int64_t> permutation) const {
  return node("Transpose", {}, NodeAttribute("perm", permutation));
}

Term Term::expand(ArrayRef<int64_t> dims) const {
  return node("Expand", {integers(dims)});
}

Term Term::slice(ArrayRef<int64_t> axes, ArrayRef<int64_t> begins,
                 ArrayRef<int64_t> ends) const {
  return node("Slice", {integers(begins), integers(ends), integers(axes)});
}

Term Term::cast(ElementType to) const {
  return node("Cast", {}, NodeAttribute("to", int64_t(onnxDataType(to))), to);
}

/// ReduceSum has its axes as an input, the others as an attribute (up to
/// opset 17).
Term Term::reduce(StringRef op, ArrayRef<int64_t> axes, bool keep) const {
  if (axes.empty())
    return *this;
  NodeAttribute keepdims("keepdims", int64_t(keep));
  if (op == "ReduceSum")
    return node(op, {integers(axes)}, keepdims);
  return node(op, {}, {NodeAttribute("axes", axes), keepdims});
}

Term Term::sum(ArrayRef<int64_t> axes, bool keep) const {
  return reduce("ReduceSum", axes, keep);
}

Term Term::mean(ArrayRef<int64_t> axes, bool keep) const {
  return reduce("ReduceMean", axes, keep);
}

Term Term::max(ArrayRef<int64_t> axes, bool keep) const {
  return reduce("ReduceMax", axes, keep);
}

Term Term::scatterAdd(const Term &indices, const Term &updates,
                      int64_t axis) const {
  return node("ScatterElements", {indices, updates},
              {NodeAttribute("axis", axis),
               NodeAttribute("reduction", StringRef("add"))});
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Term takt::operator+(const Term &a, const Term &b) {
  return a.node("Add", {b});
}
Term takt::operator-(const Term &a, const Term &b) {
  return a.node("Sub", {b});
}
Term takt::operator*(const Term &a, const Term &b) {
  return a.node("Mul", {b});
}
Term takt::operator/(const Term &a, const Term &b) {
  return a.node("Div", {b});
}

Term takt::operator<(const Term &a, const Term &b) {
  return a.node("Less", {b}, {}, ElementType::I1);
}
Term takt::operator<=(const Term &a, const Term &b) {
  return a.node("LessOrEqual", {b}, {}, ElementType::I1);
}
Term takt::operator==(const Term &a, const Term &b) {
  return a.node("Equal", {b}, {}, ElementType::I1);
}

Term takt::where(const Term &condition, const Term &a, const Term &b) {
  return condition.node("Where", {a, b}, {}, a.getType());
}
