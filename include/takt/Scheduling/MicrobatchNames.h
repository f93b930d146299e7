//===- MicrobatchNames.h - names of what a microbatch has -------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tasks and values of microbatch (or, where layers have replicas, minibatch) m
// have a mark ".m<m>" in the name that they have in the step: NODE.F.m2, or
// NODE.m2.out. It is the last one of these at the name's end or before a dot,
// since a network's own names may have such marks, too.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SCHEDULING_MICROBATCHNAMES_H
#define TAKT_SCHEDULING_MICROBATCHNAMES_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace takt {

/// The name in microbatch `to` of what is called `name` in microbatch `from`.
/// `name` itself if it has no mark.
std::string inMicrobatch(llvm::StringRef name, int from, int to);

/// The name in the step of what is called `name` in microbatch m.
std::string withoutMicrobatch(llvm::StringRef name, int m);

} // namespace takt

#endif // TAKT_SCHEDULING_MICROBATCHNAMES_H
