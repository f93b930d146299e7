//===- Printable.h - text from files, for terminals -------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_PRINTABLE_H
#define TAKT_SUPPORT_PRINTABLE_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace takt {

/// The text itself where it is valid UTF-8 of printable characters. Otherwise
/// each byte that is no printable ASCII character, and each quote and
/// backslash, becomes a backslash and two hexadecimal digits: names come from
/// files that are not trusted, and must neither steer a terminal nor break a
/// line.
std::string printable(llvm::StringRef text);

} // namespace takt

#endif // TAKT_SUPPORT_PRINTABLE_H
