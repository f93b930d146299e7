//===- ReferenceLoss.cpp - losses and their gradients ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelCall.h"
#include <algorithm>
#include <cmath>
#include <vector>

using namespace llvm;

namespace takt {

namespace {

/// Reads the labels once, so that what was checked is what is used.
Expected<std::vector<int64_t>> readLabels(const KernelCall &call) {
  int64_t samples = call.inDims(0)[0], classes = call.inDims(0)[1];
  const int64_t *labels = call.in<int64_t>(1);
  std::vector<int64_t> checked(labels, labels + samples);
  for (int64_t n = 0; n < samples; ++n)
    if (checked[n] < 0 || checked[n] >= classes)
      return call.fail("label of sample " + Twine(n) + " is " +
                       Twine(checked[n]) + ", expected 0 to " +
                       Twine(classes - 1));
  return checked;
}

} // namespace

// loss = mean over n of log(sum over c of exp(x[n, c])) - x[n, label[n]]
// dlogits = (softmax(x) - one_hot(label)) / N
template <typename T>
Error referenceSoftmaxCrossEntropy(const KernelCall &call) {
  int64_t samples = call.inDims(0)[0], classes = call.inDims(0)[1];
  Expected<std::vector<int64_t>> labels = readLabels(call);
  if (!labels)
    return labels.takeError();
  double loss = 0;
  for (int64_t n = 0; n < samples; ++n) {
    const T *x = call.in<T>(0) + n * classes;
    T *dx = call.out<T>(1) + n * classes;
    int64_t label = (*labels)[n];
    double most = *std::max_element(x, x + classes), sum = 0;
    for (int64_t c = 0; c < classes; ++c)
      sum += std::exp(x[c] - most);
    double norm = most + std::log(sum);
    loss += norm - x[label];
    for (int64_t c = 0; c < classes; ++c)
      dx[c] = (std::exp(x[c] - norm) - (c == label)) / samples;
  }
  call.out<T>(0)[0] = loss / samples;
  return Error::success();
}

// loss = mean over all elements of (x - target)^2, dx = 2 (x - target) / n
template <typename T> Error referenceMeanSquaredError(const KernelCall &call) {
  const T *x = call.in<T>(0), *target = call.in<T>(1);
  int64_t n = call.operands[0].elements();
  double loss = 0;
  for (int64_t i = 0; i < n; ++i) {
    double difference = double(x[i]) - target[i];
    loss += difference * difference;
    call.out<T>(1)[i] = 2 * difference / n;
  }
  call.out<T>(0)[0] = loss / n;
  return Error::success();
}

TAKT_INSTANTIATE_REFERENCE(SoftmaxCrossEntropy)
TAKT_INSTANTIATE_REFERENCE(MeanSquaredError)

} // namespace takt
