//===- Term.h - tensors of an ONNX graph as expressions ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The vocabulary in which operations are written as nodes of ONNX: a term is a
// tensor of the graph, and what combines terms adds nodes. Shapes broadcast as
// ONNX's do. Numbers get the element type of the term that they meet.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_EXPORT_TERM_H
#define TAKT_LIB_EXPORT_TERM_H

#include "OnnxGraph.h"
#include "llvm/ADT/SmallVector.h"

namespace takt {

/// Where nodes are added, and what their names begin with.
struct Scope {
  OnnxGraph graph;
  std::string prefix;
};

/// A tensor of the graph.
class Term {
public:
  Term(Scope &scope, std::string name, ElementType type)
      : scope(&scope), name(std::move(name)), type(type) {}

  const std::string &getName() const { return name; }
  ElementType getType() const { return type; }

  /// A node whose first input this is and whose result has this element type,
  /// or the one given.
  Term node(llvm::StringRef op, llvm::ArrayRef<Term> others = {},
            NodeAttributes attributes = {}) const;
  Term node(llvm::StringRef op, llvm::ArrayRef<Term> others,
            NodeAttributes attributes, ElementType result) const;
  /// The same with two results.
  std::pair<Term, Term> nodeOfTwo(llvm::StringRef op,
                                  llvm::ArrayRef<Term> others,
                                  NodeAttributes attributes,
                                  ElementType second) const;

  /// Constants of the graph: a scalar of this element type, integers along one
  /// axis, and numbers of this element type in a shape.
  Term number(double value) const;
  Term integers(llvm::ArrayRef<int64_t> values) const;
  Term numbers(llvm::ArrayRef<double> values,
               llvm::ArrayRef<int64_t> dims) const;
  /// All elements `value`.
  Term filled(double value, llvm::ArrayRef<int64_t> dims) const;

  Term reshape(llvm::ArrayRef<int64_t> dims) const;
  /// Axis i of the result is axis permutation[i].
  Term transpose(llvm::ArrayRef<int64_t> permutation) const;
  Term expand(llvm::ArrayRef<int64_t> dims) const;
  /// The indices begin to end of each axis listed.
  Term slice(llvm::ArrayRef<int64_t> axes, llvm::ArrayRef<int64_t> begins,
             llvm::ArrayRef<int64_t> ends) const;
  Term cast(ElementType to) const;
  /// Over no axes, these are the tensor itself.
  Term sum(llvm::ArrayRef<int64_t> axes, bool keep = true) const;
  Term mean(llvm::ArrayRef<int64_t> axes, bool keep = true) const;
  Term max(llvm::ArrayRef<int64_t> axes, bool keep = true) const;
  /// The tensor with what the updates add at an index of the axis each.
  Term scatterAdd(const Term &indices, const Term &updates, int64_t axis) const;

private:
  Term reduce(llvm::StringRef op, llvm::ArrayRef<int64_t> axes,
              bool keep) const;

  Scope *scope;
  std::string name;
  ElementType type;
};

Term operator+(const Term &a, const Term &b);
Term operator-(const Term &a, const Term &b);
Term operator*(const Term &a, const Term &b);
Term operator/(const Term &a, const Term &b);
inline Term operator+(const Term &a, double b) { return a + a.number(b); }
inline Term operator-(const Term &a, double b) { return a - a.number(b); }
inline Term operator*(const Term &a, double b) { return a * a.number(b); }
inline Term operator/(const Term &a, double b) { return a / a.number(b); }
inline Term operator+(double a, const Term &b) { return b.number(a) + b; }
inline Term operator-(double a, const Term &b) { return b.number(a) - b; }
inline Term operator*(double a, const Term &b) { return b.number(a) * b; }
inline Term operator/(double a, const Term &b) { return b.number(a) / b; }
inline Term operator-(const Term &a) { return a.node("Neg"); }

/// Truth values.
Term operator<(const Term &a, const Term &b);
Term operator<=(const Term &a, const Term &b);
Term operator==(const Term &a, const Term &b);
inline Term operator<(const Term &a, double b) { return a < a.number(b); }
inline Term operator<=(const Term &a, double b) { return a <= a.number(b); }
inline Term operator==(const Term &a, double b) { return a == a.number(b); }
inline Term operator>(const Term &a, const Term &b) { return b < a; }
inline Term operator>(const Term &a, double b) { return a.number(b) < a; }
inline Term operator>=(const Term &a, double b) { return a.number(b) <= a; }
inline Term operator!(const Term &a) { return a.node("Not"); }
inline Term operator&&(const Term &a, const Term &b) {
  return a.node("And", {b});
}
inline Term operator||(const Term &a, const Term &b) {
  return a.node("Or", {b});
}
/// a where the condition holds, else b.
Term where(const Term &condition, const Term &a, const Term &b);
inline Term where(const Term &condition, const Term &a, double b) {
  return where(condition, a, a.number(b));
}

inline Term exp(const Term &x) { return x.node("Exp"); }
inline Term log(const Term &x) { return x.node("Log"); }
inline Term sqrt(const Term &x) { return x.node("Sqrt"); }
inline Term abs(const Term &x) { return x.node("Abs"); }
inline Term erf(const Term &x) { return x.node("Erf"); }
inline Term tanh(const Term &x) { return x.node("Tanh"); }
inline Term sigmoid(const Term &x) { return x.node("Sigmoid"); }
inline Term pow(const Term &x, const Term &y) { return x.node("Pow", {y}); }
inline Term pow(const Term &x, double y) { return pow(x, x.number(y)); }

} // namespace takt

#endif // TAKT_LIB_EXPORT_TERM_H
