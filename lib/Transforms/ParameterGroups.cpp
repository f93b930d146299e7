//===- ParameterGroups.cpp - parameters with settings of their own --------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/ParameterGroups.h"
#include "takt/Support/OptionNumber.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace llvm;
using namespace takt;

static constexpr StringLiteral kRate = "learning-rate-factor";
static constexpr StringLiteral kDecay = "weight-decay";

std::string ParameterGroup::text() const {
  std::string text;
  raw_string_ostream os(text);
  os << pattern << ":" << kRate << "=" << numberText(learningRateFactor);
  if (weightDecay)
    os << "," << kDecay << "=" << numberText(*weightDecay);
  return text;
}

/// Reads "NAME=X" into the setting of that name.
static Error readSetting(StringRef setting, std::optional<double> &rate,
                         std::optional<double> &decay) {
  auto [name, number] = setting.split('=');
  if (name != kRate && name != kDecay)
    return createStringError("expected " + kRate + "=X or " + kDecay +
                             "=X, found '" + setting + "'");
  std::optional<double> &value = name == kRate ? rate : decay;
  if (value)
    return createStringError(name + " is given twice");
  double read = 0;
  // Settings are words of 32 bits in a program.
  if (number.getAsDouble(read) || !std::isfinite(float(read)) || read < 0)
    return createStringError("expected a number of at least 0 as " + name +
                             ", found '" + number + "'");
  value = read;
  return Error::success();
}

Expected<ParameterGroup> takt::parseParameterGroup(StringRef text) {
  auto [pattern, settings] = text.rsplit(':');
  if (pattern.empty() || settings.empty())
    return createStringError("expected GLOB:" + kRate + "=X," + kDecay +
                             "=Y, found '" + text + "'");
  std::optional<double> rate, decay;
  SmallVector<StringRef> parts;
  settings.split(parts, ',');
  for (StringRef part : parts)
    if (Error error = readSetting(part, rate, decay))
      return std::move(error);
  return ParameterGroup{pattern.str(), rate.value_or(1), decay};
}
