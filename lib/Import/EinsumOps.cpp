//===- EinsumOps.cpp - sums of products by their indices ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operands are combined two at a time from the left: what only one of them has
// and nobody needs later is summed first, what both have and is needed is a
// batch, what both have and is not is the sum of a matrix product.
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using takt::CompareFunction;
using namespace takt::import;

namespace {
/// A tensor whose axes have names: letters, and digits for what "..." stands
/// for, counted from its last axis.
struct Term {
  Value value;
  std::string names;

  int64_t axis(char name) const { return names.find(name); }
  bool has(char name) const { return names.find(name) != std::string::npos; }
  int64_t size(char name) const { return shapeOf(value)[axis(name)]; }
};
} // namespace

/// The names of one operand's axes. Fails with a diagnostic.
static FailureOr<std::string> parseTerm(const Node &node, StringRef text,
                                        int64_t rank) {
  auto [before, behind] = text.split("...");
  bool hasDots = text.contains("...");
  int64_t named = before.size() + behind.size();
  auto isName = [](char c) { return llvm::isAlpha(c); };
  if (!llvm::all_of(before, isName) || !llvm::all_of(behind, isName) ||
      (hasDots ? named > rank || rank - named > 8 : named != rank))
    return node.invalid() << "has '" << text
                          << "' in its equation for an operand of rank "
                          << rank;
  std::string names = before.str();
  for (int64_t i = rank - named; i > 0; --i)
    names += char('0' + i - 1);
  return names + behind.str();
}

/// A name that is there twice is the diagonal of its axes.
static FailureOr<Term> takeDiagonals(const Node &node, Emit &emit, Term term) {
  for (size_t i = 0; i < term.names.size(); ++i) {
    size_t j = term.names.find(term.names[i], i + 1);
    if (j == std::string::npos)
      continue;
    int64_t size = shapeOf(term.value)[i];
    if (shapeOf(term.value)[j] != size)
      return node.invalid()
             << "has sizes " << size << " and " << shapeOf(term.value)[j]
             << " for index '" << term.names[i] << "'";
    // What is not on the diagonal becomes 0, and is summed away.
    Dims row(rankOf(term.value), 1), column = row;
    row[i] = column[j] = size;
    Value range = emit.range(size), rows = emit.reshape(range, row);
    Value on =
        emit.compare(CompareFunction::Equal, rows, emit.reshape(range, column));
    Value kept = emit.where(on, term.value, emit.filled(0, {}, term.value));
    Value sum = emit.reduceSum(kept, int64_t(j));
    if (!sum)
      return failure();
    Dims dims(shapeOf(sum));
    dims.erase(dims.begin() + j);
    term.value = emit.reshape(sum, dims);
    term.names.erase(j, 1);
    --i;
  }
  return term;
}

/// Sums over axes whose name nobody needs.
static Term sumOver(Emit &emit, Term term, StringRef needed) {
  Dims axes, dims;
  std::string names;
  for (auto [axis, name] : llvm::enumerate(term.names)) {
    if (needed.contains(name)) {
      names += name;
      dims.push_back(shapeOf(term.value)[axis]);
    } else {
      axes.push_back(axis);
    }
  }
  if (axes.empty())
    return term;
  return {emit.reshape(emit.reduceSum(term.value, axes), dims), names};
}

/// Axes in the order of `names`, as `shape`.
static Value arrange(Emit &emit, const Term &term, StringRef names,
                     ArrayRef<int64_t> shape) {
  Dims order;
  for (char name : names)
    order.push_back(term.axis(name));
  return emit.reshape(emit.transpose(term.value, order), shape);
}

/// The product of the sizes of some axes.
static int64_t extent(const Term &term, StringRef names) {
  int64_t result = 1;
  for (char name : names)
    result *= term.size(name);
  return result;
}

/// a and b with the sum over what both have and nobody needs: batches × rows ×
/// inner times batches × inner × columns.
static FailureOr<Term> multiply(const Node &node, Emit &emit, Term a, Term b,
                                StringRef needed) {
  std::string batch, inner, rows, columns;
  for (char name : a.names) {
    if (!b.has(name)) {
      rows += name;
      continue;
    }
    // One of a size of 1 is broadcast: by itself it is no index of the other.
    if (a.size(name) != b.size(name))
      return node.unsupported()
             << "has sizes " << a.size(name) << " and " << b.size(name)
             << " for index '" << name << "', expected equal ones";
    (needed.contains(name) ? batch : inner) += name;
  }
  for (char name : b.names)
    if (!a.has(name))
      columns += name;
  int64_t n = extent(a, batch), k = extent(a, inner);
  Value left = arrange(emit, a, batch + rows + inner, {n, extent(a, rows), k});
  Value right =
      arrange(emit, b, batch + inner + columns, {n, k, extent(b, columns)});
  Dims dims;
  for (char name : batch + rows)
    dims.push_back(a.size(name));
  for (char name : columns)
    dims.push_back(b.size(name));
  Value y = emit.reshape(emit.matmul(left, right), dims);
  if (!y)
    return failure();
  return Term{y, batch + rows + columns};
}

/// Without "->", the result has the names that are there once, in order.
static std::string implicitResult(ArrayRef<Term> terms) {
  std::string all, once, dots;
  for (const Term &term : terms)
    all += term.names;
  for (char name : all) {
    if (llvm::isDigit(name) && dots.find(name) == std::string::npos)
      dots += name;
    else if (llvm::count(all, name) == 1)
      once += name;
  }
  llvm::sort(once);
  llvm::sort(dots, std::greater<char>());
  return dots + once;
}

static FailureOr<std::string> resultNames(const Node &node, StringRef text,
                                          ArrayRef<Term> terms) {
  std::string dots;
  for (const Term &term : terms)
    for (char name : term.names)
      if (llvm::isDigit(name) && dots.find(name) == std::string::npos)
        dots += name;
  llvm::sort(dots, std::greater<char>());
  auto [before, behind] = text.split("...");
  std::string names =
      (before + (text.contains("...") ? StringRef(dots) : "") + behind).str();
  for (auto [i, name] : llvm::enumerate(names))
    if (names.find(name) != i ||
        llvm::none_of(terms, [&, name = name](const Term &term) {
          return term.has(name);
        }))
      return node.invalid() << "has index '" << name
                            << "' of the result twice, or in no operand";
  return names;
}

static LogicalResult convertEinsum(Node &node) {
  Binder bind(node);
  SmallVector<Value> values = bind.tensors("Inputs");
  std::string equation = bind.text("equation", "");
  if (failed(bind.finish()))
    return failure();
  llvm::erase(equation, ' ');
  auto [left, right] = StringRef(equation).split("->");
  SmallVector<StringRef> texts;
  left.split(texts, ',');
  if (texts.size() != values.size())
    return node.invalid() << "has equation '" << equation << "' for "
                          << values.size() << " operands";
  Emit emit(node);
  SmallVector<Term> terms;
  for (auto [text, value] : llvm::zip_equal(texts, values)) {
    FailureOr<std::string> names = parseTerm(node, text, rankOf(value));
    if (failed(names))
      return failure();
    FailureOr<Term> term = takeDiagonals(node, emit, {value, *names});
    if (failed(term))
      return failure();
    terms.push_back(*term);
  }
  FailureOr<std::string> names = StringRef(equation).contains("->")
                                     ? resultNames(node, right, terms)
                                     : implicitResult(terms);
  if (failed(names))
    return failure();
  Term result = terms.front();
  for (size_t i = 0; i < terms.size(); ++i) {
    std::string later = *names;
    for (const Term &term : ArrayRef(terms).drop_front(i + 1))
      later += term.names;
    if (i == 0) {
      result = sumOver(emit, result, later);
      continue;
    }
    Term next = sumOver(emit, terms[i], later + result.names);
    result = sumOver(emit, result, later + next.names);
    FailureOr<Term> both = multiply(node, emit, result, next, later);
    if (failed(both))
      return failure();
    result = *both;
  }
  Dims order;
  for (char name : *names)
    order.push_back(result.axis(name));
  return emit.define(emit.transpose(result.value, order));
}

void takt::import::addEinsumOps(Registry &registry) {
  registry.add("Einsum", {12}, convertEinsum,
               "train.transpose, reduce_sum, matmul");
}
