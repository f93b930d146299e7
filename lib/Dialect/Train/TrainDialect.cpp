//===- TrainDialect.cpp - the train dialect -------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "takt/Dialect/Train/Train.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace takt::train;
using takt::ParameterKind;

//===----------------------------------------------------------------------===//
// Kinds of parameters
//===----------------------------------------------------------------------===//

StringRef takt::stringifyParameterKind(ParameterKind kind) {
  switch (kind) {
  case ParameterKind::Trainable:
    return "trainable";
  case ParameterKind::State:
    return "state";
  case ParameterKind::OptimizerState:
    return "optimizer";
  case ParameterKind::Constant:
    return "constant";
  case ParameterKind::Derived:
    return "derived";
  }
  return "";
}

std::optional<ParameterKind> takt::symbolizeParameterKind(StringRef keyword) {
  return llvm::StringSwitch<std::optional<ParameterKind>>(keyword)
      .Case("trainable", ParameterKind::Trainable)
      .Case("state", ParameterKind::State)
      .Case("optimizer", ParameterKind::OptimizerState)
      .Case("constant", ParameterKind::Constant)
      .Case("derived", ParameterKind::Derived)
      .Default(std::nullopt);
}

/// `<` keyword `>`
Attribute ParameterKindAttr::parse(AsmParser &parser, Type) {
  StringRef keyword;
  if (parser.parseLess())
    return {};
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword))
    return {};
  std::optional<ParameterKind> kind = takt::symbolizeParameterKind(keyword);
  if (!kind) {
    parser.emitError(loc, "parameter kind is '")
        << keyword
        << "', expected trainable, state, optimizer, constant or derived";
    return {};
  }
  if (parser.parseGreater())
    return {};
  return get(parser.getContext(), *kind);
}

void ParameterKindAttr::print(AsmPrinter &printer) const {
  printer << "<" << takt::stringifyParameterKind(getValue()) << ">";
}

//===----------------------------------------------------------------------===//
// Keywords
//===----------------------------------------------------------------------===//

/// The attribute of a keyword, or none after a message that lists all.
template <typename AttrT>
static ParseResult parseKeyword(AsmParser &parser, AttrT &attr) {
  using Enum = decltype(attr.getValue());
  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword))
    return failure();
  if (std::optional<Enum> found = takt::findNamed<Enum>(keyword)) {
    attr = AttrT::get(parser.getContext(), *found);
    return success();
  }
  InFlightDiagnostic error = parser.emitError(loc, "'")
                             << keyword << "' is none of";
  for (uint32_t code = 1; !takt::name(Enum(code)).empty(); ++code)
    error << (code > 1 ? ", " : " ") << takt::name(Enum(code));
  return error;
}

/// The same in an operation.
template <typename AttrT>
static void printKeyword(AsmPrinter &printer, Operation *, AttrT attr) {
  printer << takt::name(attr.getValue());
}

/// `<` keyword `>`
template <typename AttrT> static Attribute parseBracketed(AsmParser &parser) {
  AttrT attr;
  if (parser.parseLess() || parseKeyword(parser, attr) || parser.parseGreater())
    return {};
  return attr;
}

Attribute UnaryFunctionAttr::parse(AsmParser &parser, Type) {
  return parseBracketed<UnaryFunctionAttr>(parser);
}
void UnaryFunctionAttr::print(AsmPrinter &printer) const {
  printer << "<" << takt::name(getValue()) << ">";
}
Attribute BinaryFunctionAttr::parse(AsmParser &parser, Type) {
  return parseBracketed<BinaryFunctionAttr>(parser);
}
void BinaryFunctionAttr::print(AsmPrinter &printer) const {
  printer << "<" << takt::name(getValue()) << ">";
}
Attribute CompareFunctionAttr::parse(AsmParser &parser, Type) {
  return parseBracketed<CompareFunctionAttr>(parser);
}
void CompareFunctionAttr::print(AsmPrinter &printer) const {
  printer << "<" << takt::name(getValue()) << ">";
}
Attribute ScatterModeAttr::parse(AsmParser &parser, Type) {
  return parseBracketed<ScatterModeAttr>(parser);
}
void ScatterModeAttr::print(AsmPrinter &printer) const {
  printer << "<" << takt::name(getValue()) << ">";
}
Attribute PadModeAttr::parse(AsmParser &parser, Type) {
  return parseBracketed<PadModeAttr>(parser);
}
void PadModeAttr::print(AsmPrinter &printer) const {
  printer << "<" << takt::name(getValue()) << ">";
}

//===----------------------------------------------------------------------===//
// Text of initial values
//===----------------------------------------------------------------------===//

/// type (`=` value)?, the value without repeating the type.
static ParseResult parseTypeAndInitialValue(OpAsmParser &parser, TypeAttr &type,
                                            ElementsAttr &value) {
  Type parsed;
  if (parser.parseType(parsed))
    return failure();
  type = TypeAttr::get(parsed);
  if (failed(parser.parseOptionalEqual()))
    return success();
  SMLoc loc = parser.getCurrentLocation();
  Attribute attr;
  if (parser.parseAttribute(attr, parsed))
    return failure();
  value = dyn_cast<ElementsAttr>(attr);
  if (value)
    return success();
  return parser.emitError(loc, "initial value is ")
         << attr << ", expected dense elements of type " << parsed;
}

static void printTypeAndInitialValue(OpAsmPrinter &printer, Operation *,
                                     TypeAttr type, ElementsAttr value) {
  printer << type.getValue();
  if (!value)
    return;
  printer << " = ";
  printer.printAttributeWithoutType(value);
}

//===----------------------------------------------------------------------===//
// Generated definitions
//===----------------------------------------------------------------------===//

#include "takt/Dialect/Train/TrainDialect.cpp.inc"
#include "takt/Dialect/Train/TrainInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "takt/Dialect/Train/TrainAttributes.cpp.inc"

#define GET_OP_CLASSES
#include "takt/Dialect/Train/TrainOps.cpp.inc"

void TrainDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "takt/Dialect/Train/TrainAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "takt/Dialect/Train/TrainOps.cpp.inc"
      >();
}
