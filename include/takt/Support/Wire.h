//===- Wire.h - protobuf's encoding -----------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Messages as sequences of fields, for who must copy what it does not know.
// Format: protobuf.dev/programming-guides/encoding.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_WIRE_H
#define TAKT_SUPPORT_WIRE_H

#include "takt/Support/Rope.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>

namespace takt::wire {

enum class Type : uint8_t { Varint = 0, Fixed64 = 1, Length = 2, Fixed32 = 5 };

struct Field {
  uint64_t number = 0;
  Type type = Type::Varint;
  uint64_t value = 0;      ///< of a Varint
  llvm::StringRef payload; ///< of all others
  llvm::StringRef bytes;   ///< the whole field with its tag

  bool is(uint64_t wanted, Type of) const {
    return number == wanted && type == of;
  }
};

/// Calls `visit` for each field of a message, in order. Fails if the bytes are
/// no message, or with the first error of `visit`.
llvm::Error forEachField(llvm::StringRef message,
                         llvm::function_ref<llvm::Error(const Field &)> visit);

/// Appends the numbers of a repeated integer field, packed or one of them.
/// Fails if the field is neither.
llvm::Error readIntegers(const Field &field,
                         llvm::SmallVectorImpl<int64_t> &numbers);

void appendVarint(std::string &out, uint64_t field, uint64_t value);
void appendFloat(std::string &out, uint64_t field, float value);
void appendBytes(std::string &out, uint64_t field, llvm::StringRef payload);
/// What is in front of the payload of a field of that many bytes.
std::string header(uint64_t field, uint64_t size);
/// A field of bytes.
Rope bytes(uint64_t field, Rope payload);
/// The same field with another payload. What is as long as before keeps the
/// form of its length.
Rope changed(const Field &field, Rope payload);

} // namespace takt::wire

#endif // TAKT_SUPPORT_WIRE_H
