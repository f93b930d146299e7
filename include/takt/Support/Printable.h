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

/// The text with each byte that belongs to no printable character of UTF-8 as a
/// backslash and two hexadecimal digits: names come from files that are not
/// trusted, and must neither steer a terminal nor break a line.
std::string printable(llvm::StringRef text);

} // namespace takt

#endif // TAKT_SUPPORT_PRINTABLE_H
