//===- ReferenceOptimizer.cpp - optimizer updates -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The updates as PyTorch defines them (torch.optim.SGD, Adam, AdamW), element
// by element; results may be the buffers of the operands.
//
//===----------------------------------------------------------------------===//

#include "KernelCall.h"
#include "takt/Target/LearningRate.h"
#include <cmath>
#include <limits>

using namespace llvm;

namespace takt {

namespace {

/// The program's learning rate of the minibatch. That of a stale gradient may
/// rise slowly: PipeMare's T1 (Yang et al., MLSys 2021), rate / delay^p with p
/// falling from 1 to 0 over so many minibatches as the scalar says.
Expected<double> scheduledRate(const KernelCall &call) {
  const KernelContext &context = call.context;
  if (context.scalars.empty())
    return call.fail("number of run-time scalars is 0, expected the learning "
                     "rate as scalar 0");
  Expected<LearningRateSchedule> schedule =
      LearningRateSchedule::of(context.scalars);
  if (!schedule)
    return call.fail(toString(schedule.takeError()));
  double rate =
      context.scalars[kLearningRateScalar] * schedule->at(context.minibatch);
  double steps = context.scalars.size() > kDelayScalingScalar
                     ? context.scalars[kDelayScalingScalar]
                     : 0;
  double done = double(context.minibatch);
  if (context.delay == 0 || done >= steps)
    return rate;
  return rate / std::pow(double(context.delay), 1 - done / steps);
}

/// What the last two words of every update say: the learning rate's factor, and
/// the limit of the gradient's elements, where 0 is none.
template <typename T> struct Step {
  static Expected<Step> of(const KernelCall &call) {
    Expected<double> scheduled = scheduledRate(call);
    if (!scheduled)
      return scheduled.takeError();
    size_t last = call.words.size() - 1;
    T limit = call.floatWord(last);
    return Step{*scheduled * call.floatWord(last - 1),
                limit > 0 ? limit : std::numeric_limits<T>::infinity()};
  }

  /// NaN stays NaN.
  T clip(T gradient) const {
    return gradient > limit ? limit : gradient < -limit ? -limit : gradient;
  }

  double rate;
  T limit;
};

} // namespace

// new_w = w - lr * (g + weight_decay * w)
template <typename T> Error referenceSgd(const KernelCall &call) {
  Expected<Step<T>> step = Step<T>::of(call);
  if (!step)
    return step.takeError();
  T lr = step->rate, decay = call.floatWord(0);
  const T *w = call.in<T>(0), *g = call.in<T>(1);
  T *newW = call.out<T>(0);
  int64_t n = call.results[0].elements();
#pragma omp simd
  for (int64_t i = 0; i < n; ++i)
    newW[i] = w[i] - lr * (step->clip(g[i]) + decay * w[i]);
  return Error::success();
}

// With d = g + weight_decay * w:
//   new_v = momentum * v + d
//   new_w = w - lr * (nesterov ? d + momentum * new_v : new_v)
template <typename T> Error referenceMomentum(const KernelCall &call) {
  Expected<Step<T>> step = Step<T>::of(call);
  if (!step)
    return step.takeError();
  T lr = step->rate, momentum = call.floatWord(0), decay = call.floatWord(2);
  // The step is own * d + ahead * new_v.
  T own = call.words[1] ? 1 : 0, ahead = call.words[1] ? momentum : T(1);
  const T *w = call.in<T>(0), *g = call.in<T>(1), *v = call.in<T>(2);
  T *newW = call.out<T>(0), *newV = call.out<T>(1);
  int64_t n = call.results[0].elements();
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    T d = step->clip(g[i]) + decay * w[i];
    T velocity = momentum * v[i] + d;
    newW[i] = w[i] - lr * (own * d + ahead * velocity);
    newV[i] = velocity;
  }
  return Error::success();
}

// With t = minibatch + 1; decay is on the weights when decoupled (AdamW), else
// part of the gradient:
//   new_m = beta1 * m + (1 - beta1) * g      new_v = beta2 * v + (1 - beta2) *
//   g^2 new_w = w - lr / (1 - beta1^t) * new_m /
//               (sqrt(new_v) / sqrt(1 - beta2^t) + epsilon)
template <typename T> Error referenceAdam(const KernelCall &call) {
  Expected<Step<T>> step = Step<T>::of(call);
  if (!step)
    return step.takeError();
  double b1 = call.floatWord(0), b2 = call.floatWord(1);
  double decayWord = call.floatWord(3);
  double t = double(call.context.minibatch) + 1;
  bool decoupled = call.words[4];
  T keep = decoupled ? 1 - step->rate * decayWord : 1;
  T decay = decoupled ? 0 : decayWord;
  T rate1 = step->rate / (1 - std::pow(b1, t));
  T root2 = 1 / std::sqrt(1 - std::pow(b2, t));
  T beta1 = b1, beta2 = b2, rest1 = 1 - b1, rest2 = 1 - b2;
  T epsilon = call.floatWord(2);
  const T *w = call.in<T>(0), *g = call.in<T>(1), *m = call.in<T>(2),
          *v = call.in<T>(3);
  T *newW = call.out<T>(0), *newM = call.out<T>(1), *newV = call.out<T>(2);
  int64_t n = call.results[0].elements();
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    T gradient = step->clip(g[i]) + decay * w[i];
    T mean = beta1 * m[i] + rest1 * gradient;
    T square = beta2 * v[i] + rest2 * gradient * gradient;
    newW[i] =
        keep * w[i] - rate1 * mean / (std::sqrt(square) * root2 + epsilon);
    newM[i] = mean;
    newV[i] = square;
  }
  return Error::success();
}

namespace {

/// The factors of `train.fade` and `train.reconstruct`, whose sum over both is
/// 1; the first minibatches keep what they find.
struct Reconstruction {
  explicit Reconstruction(const KernelCall &call) {
    if (call.context.minibatch < call.words[0])
      return;
    double decay = call.floatWord(1), reach = call.words[0] * (1 - decay);
    earlier = decay;
    old = reach - decay;
    updated = 1 - reach;
  }

  double earlier = 1, old = 0, updated = 0;
};

/// result = factor * in(0) + share * in(1)
template <typename T> void addShare(const KernelCall &call, T factor, T share) {
  const T *x = call.in<T>(0), *w = call.in<T>(1);
  T *result = call.out<T>(0);
  int64_t n = call.results[0].elements();
#pragma omp simd
  for (int64_t i = 0; i < n; ++i)
    result[i] = factor * x[i] + share * w[i];
}

} // namespace

// With b = decay and k = updates * (1 - b): faded = b * earlier + (k - b) * w
template <typename T> Error referenceFade(const KernelCall &call) {
  Reconstruction factors(call);
  addShare<T>(call, factors.earlier, factors.old);
  return Error::success();
}

// With b = decay and k = updates * (1 - b): earlier = faded + (1 - k) * w
template <typename T> Error referenceReconstruct(const KernelCall &call) {
  addShare<T>(call, 1, Reconstruction(call).updated);
  return Error::success();
}

template <typename T> Error referenceSumSquares(const KernelCall &call) {
  const T *x = call.in<T>(0);
  double sum = 0;
  int64_t n = call.operands[0].elements();
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i)
    sum += double(x[i]) * double(x[i]);
  *call.out<T>(0) = static_cast<T>(sum);
  return Error::success();
}

// torch.nn.utils.clip_grad_norm_
template <typename T> Error referenceClipFactor(const KernelCall &call) {
  if (call.context.scalars.size() <= kClipNormScalar)
    return call.fail(
        "number of run-time scalars is " + Twine(call.context.scalars.size()) +
        ", expected the largest norm as scalar " + Twine(kClipNormScalar));
  double sum = 0;
  for (size_t i = 0; i < call.operands.size(); ++i)
    sum += *call.in<T>(i);
  double factor =
      call.context.scalars[kClipNormScalar] / (std::sqrt(sum) + 1e-6);
  *call.out<T>(0) = static_cast<T>(factor > 1 ? 1 : factor);
  return Error::success();
}

TAKT_INSTANTIATE_REFERENCE(SumSquares)
TAKT_INSTANTIATE_REFERENCE(ClipFactor)
TAKT_INSTANTIATE_REFERENCE(Fade)
TAKT_INSTANTIATE_REFERENCE(Reconstruct)
TAKT_INSTANTIATE_REFERENCE(Sgd)
TAKT_INSTANTIATE_REFERENCE(Momentum)
TAKT_INSTANTIATE_REFERENCE(Adam)

} // namespace takt
