//===- Yaml.h - short versioned YAML files ----------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What machine files and pipeline problems share: integers with a range, and
// reading one mapping with the position of the first mistake. The rest is
// llvm::yaml::IO, which reports unknown, duplicate and missing keys itself.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_YAML_H
#define TAKT_SUPPORT_YAML_H

#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"
#include "llvm/Support/YAMLTraits.h"
#include <string>

namespace takt {

/// An integer in [Low, High]: a scalar outside is reported where it stands.
template <int64_t Low, int64_t High> struct Ranged {
  int64_t value = Low;
  bool operator==(const Ranged &o) const { return value == o.value; }
};

/// Keeps the first diagnostic as "FILE:LINE:COL: message" in `context`, a
/// std::string.
void keepFirstDiagnostic(const llvm::SMDiagnostic &diagnostic, void *context);

/// Empty if `text` is one YAML document that is a mapping, else what is wrong,
/// with its position; `what` ends "expected …". yaml::Input expects a mapping
/// and may crash on other documents, empty ones for instance.
std::string checkYamlMapping(llvm::MemoryBufferRef text, llvm::StringRef what);

/// Reads `text` with the MappingTraits of T. Fails with "FILE:LINE:COL:
/// message".
template <typename T>
llvm::Expected<T> readYaml(llvm::MemoryBufferRef text, llvm::StringRef what) {
  std::string message = checkYamlMapping(text, what);
  if (!message.empty())
    return llvm::createStringError(message);
  T result;
  llvm::yaml::Input input(text, nullptr, keepFirstDiagnostic, &message);
  input >> result;
  if (message.empty() && input.error())
    message =
        (text.getBufferIdentifier() + ":1:1: " + input.error().message()).str();
  if (!message.empty())
    return llvm::createStringError(message);
  return std::move(result);
}

} // namespace takt

namespace llvm::yaml {
template <int64_t Low, int64_t High>
struct ScalarTraits<takt::Ranged<Low, High>> {
  static void output(const takt::Ranged<Low, High> &v, void *,
                     raw_ostream &os) {
    os << v.value;
  }
  static StringRef input(StringRef text, void *, takt::Ranged<Low, High> &v) {
    if (!text.getAsInteger(10, v.value) && v.value >= Low && v.value <= High)
      return {};
    static const std::string expected =
        Low == High
            ? ("expected " + Twine(Low)).str()
            : ("expected an integer from " + Twine(Low) + " to " + Twine(High))
                  .str();
    return expected;
  }
  static QuotingType mustQuote(StringRef) { return QuotingType::None; }
};
} // namespace llvm::yaml

#endif // TAKT_SUPPORT_YAML_H
