//===- ReferenceLoss.cpp - losses and their gradients ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementwiseLoops.h"
#include "Labels.h"
#include "LogSumExp.h"
#include "takt/Support/AxisView.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>

using namespace llvm;

namespace takt {

Expected<std::vector<int64_t>> readLabels(const KernelCall &call,
                                          int64_t classes) {
  const int64_t *labels = call.in<int64_t>(1);
  int64_t count = call.operands[1].elements();
  int64_t ofSample = count / call.inDims(1)[0];
  std::vector<int64_t> checked(labels, labels + count);
  for (int64_t n = 0; n < count; ++n)
    if (checked[n] < 0 || checked[n] >= classes) {
      std::string which =
          ofSample > 1 ? "label " + itostr(n % ofSample) : "label";
      return call.fail(which + " of sample " + Twine(n / ofSample) + " is " +
                       Twine(checked[n]) + ", expected 0 to " +
                       Twine(classes - 1));
    }
  return checked;
}

// loss = mean over all labels of log(sum over c of exp(x[c])) - x[label]
// dlogits = (softmax(x) - one_hot(label)) / number of labels
template <typename T>
Error referenceSoftmaxCrossEntropy(const KernelCall &call) {
  AxisView view(call.inDims(0), call.words[0]);
  Expected<std::vector<int64_t>> labels = readLabels(call, view.extent);
  if (!labels)
    return labels.takeError();
  int64_t count = view.others(), stride = view.inner, n = 0;
  double loss = 0;
  view.forEachLine([&](int64_t first, int64_t, int64_t) {
    const T *x = call.in<T>(0) + first;
    T *dx = call.out<T>(1) + first;
    int64_t label = (*labels)[n++];
    double norm = logSumExp(x, stride, view.extent);
    loss += norm - x[label * stride];
    for (int64_t c = 0; c < view.extent; ++c)
      dx[c * stride] = (std::exp(x[c * stride] - norm) - (c == label)) / count;
  });
  call.out<T>(0)[0] = loss / count;
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

// y = g * S or g / S, S the scale of the loss
template <typename T> Error referenceScaleGradient(const KernelCall &call) {
  ArrayRef<double> scalars = call.context.scalars;
  double scale =
      scalars.size() > kLossScaleScalar ? scalars[kLossScaleScalar] : 1;
  if (!(scale > 0))
    return call.fail("the scale of the loss is not positive");
  T factor = call.words[0] ? 1 / scale : scale;
  return map<T>(call, [=](T g) { return factor * g; });
}

TAKT_INSTANTIATE_REFERENCE(ScaleGradient)
TAKT_INSTANTIATE_REFERENCE(SoftmaxCrossEntropy)
TAKT_INSTANTIATE_REFERENCE(MeanSquaredError)

} // namespace takt
