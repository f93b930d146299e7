//===- LearningRate.cpp - learning rate by update -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/LearningRate.h"
#include "takt/Target/Program.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace llvm;
using namespace takt;

double LearningRateSchedule::at(uint64_t update) const {
  if (update < warmup)
    return (static_cast<double>(update) + 1) / static_cast<double>(warmup);
  uint64_t since = update - warmup;
  if (decay == RateDecay::Constant)
    return 1;
  if (decay == RateDecay::Step)
    return std::pow(factor, static_cast<double>(since / period));
  double share = since >= period
                     ? 1
                     : static_cast<double>(since) / static_cast<double>(period);
  if (decay == RateDecay::Linear)
    return 1 + (factor - 1) * share;
  return factor + (1 - factor) * (1 + std::cos(numbers::pi * share)) / 2;
}

std::vector<double> LearningRateSchedule::scalars() const {
  return {static_cast<double>(warmup), static_cast<double>(decay),
          static_cast<double>(period), factor};
}

Expected<LearningRateSchedule>
LearningRateSchedule::of(ArrayRef<double> scalars) {
  LearningRateSchedule result;
  if (scalars.size() <= kRateScheduleScalar)
    return result;
  scalars = scalars.drop_front(kRateScheduleScalar);
  if (scalars.size() < kRateScheduleScalars)
    return createStringError(
        "the learning rate's schedule has " + Twine(scalars.size()) +
        " run-time scalars, expected " + Twine(kRateScheduleScalars));
  auto isCount = [](double value) {
    return value >= 0 && value <= double(kMaxIterations) &&
           value == std::floor(value);
  };
  if (!isCount(scalars[0]))
    return createStringError(
        "the learning rate's warm-up is no whole number from 0 to 2^53");
  if (!isCount(scalars[1]) || scalars[1] > double(RateDecay::Linear))
    return createStringError("the learning rate's decay is none of 0 "
                             "(constant), 1 (step), 2 (cosine) and 3 (linear)");
  result.warmup = static_cast<uint64_t>(scalars[0]);
  result.decay = static_cast<RateDecay>(static_cast<int>(scalars[1]));
  if (result.decay == RateDecay::Constant)
    return result;
  if (!isCount(scalars[2]) || scalars[2] < 1)
    return createStringError(
        "the learning rate's decay is over no whole number of updates from 1 "
        "to 2^53");
  if (!(scalars[3] >= 0 && scalars[3] <= 1))
    return createStringError(
        "the learning rate falls to a share that is not from 0 to 1");
  result.period = static_cast<uint64_t>(scalars[2]);
  result.factor = scalars[3];
  return result;
}

Expected<LearningRateSchedule> takt::parseLearningRateSchedule(StringRef text) {
  auto fail = [&] {
    return createStringError(
        "expected constant, step:UPDATES:FACTOR, cosine:UPDATES[:FACTOR] or "
        "linear:UPDATES[:FACTOR], with a factor from 0 to 1, found '" +
        text + "'");
  };
  SmallVector<StringRef> fields;
  text.split(fields, ':');
  LearningRateSchedule result;
  auto decay = StringSwitch<std::optional<RateDecay>>(fields[0])
                   .Case("constant", RateDecay::Constant)
                   .Case("step", RateDecay::Step)
                   .Case("cosine", RateDecay::Cosine)
                   .Case("linear", RateDecay::Linear)
                   .Default(std::nullopt);
  if (!decay)
    return fail();
  result.decay = *decay;
  if (*decay == RateDecay::Constant)
    return fields.size() == 1 ? Expected<LearningRateSchedule>(result) : fail();
  bool needsFactor = *decay == RateDecay::Step;
  if (fields.size() < size_t(2 + needsFactor) || fields.size() > 3 ||
      fields[1].getAsInteger(10, result.period) || result.period < 1 ||
      result.period > kMaxIterations)
    return fail();
  if (fields.size() == 3 && (fields[2].getAsDouble(result.factor) ||
                             !(result.factor >= 0 && result.factor <= 1)))
    return fail();
  return result;
}
