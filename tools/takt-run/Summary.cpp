//===- Summary.cpp - what takt-run prints ---------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Summary.h"
#include "takt/Support/AxisView.h"
#include "takt/Support/Printable.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Process.h"
#include <algorithm>
#include <cstring>

using namespace llvm;
using namespace takt;

Progress::Progress(uint64_t iterations)
    : iterations(iterations), terminal(sys::Process::StandardErrIsDisplayed()) {
}

Progress::~Progress() {
  if (terminal)
    errs() << "\r\x1b[K";
}

void Progress::show(uint64_t minibatch, double loss) {
  if (!terminal)
    return;
  auto now = std::chrono::steady_clock::now();
  if (now - last < std::chrono::milliseconds(100))
    return;
  last = now;
  errs() << "\r\x1b[K" << minibatch + 1 << " of " << iterations << ", loss "
         << format("%.4f", loss);
}

void takt::printSummary(raw_ostream &os, const Program &program,
                        const RunResult &result, uint64_t iterations,
                        double seconds) {
  uint64_t done = iterations - result.firstMinibatch;
  os << done << (done == 1 ? " iteration" : " iterations");
  if (result.firstMinibatch)
    os << " after " << result.firstMinibatch << " resumed";
  if (!result.losses.empty())
    os << ": loss " << format("%.4f", result.losses.front()) << " -> "
       << format("%.4f", result.losses.back());
  double samples =
      static_cast<double>(done) * static_cast<double>(program.batch);
  os << ", " << format("%.2f", seconds) << " s";
  if (seconds > 0)
    os << ", " << format("%.1f", samples / seconds) << " samples/s";
  os << "\n";
}

void takt::printStaleness(raw_ostream &os, const Program &program,
                          const RunResult &result) {
  for (const ObservedStaleness &observed : result.staleness) {
    auto parameter = find_if(program.parameters, [&](const Parameter &p) {
      return p.name == observed.parameter;
    });
    os << "staleness of " << printable(observed.parameter) << ": observed "
       << observed.updates << ", promised " << parameter->delay << "\n";
  }
}

namespace {
/// An output as scores of the classes along an axis.
struct Scores {
  const Array *array = nullptr;
  int64_t axis = 0;
  AxisView view = AxisView({1}, 0);

  Scores() = default;
  Scores(const Array &array, int64_t axis)
      : array(&array), axis(axis), view(array.dims, axis) {}

  /// The shape of their labels.
  SmallVector<int64_t, 4> labelDims() const {
    SmallVector<int64_t, 4> dims = array->dims;
    dims.erase(dims.begin() + axis);
    return dims;
  }
  /// Whether there is a label for each of them, and perhaps for further
  /// samples.
  bool fit(ArrayRef<int64_t> labels) const {
    SmallVector<int64_t, 4> dims = labelDims();
    return labels.size() == dims.size() && labels[0] >= dims[0] &&
           labels.drop_front() == ArrayRef(dims).drop_front();
  }
  /// Index of the largest of label n; the first one of equals.
  template <typename T> int64_t best(int64_t n) const {
    auto score = [&](int64_t c) {
      T value;
      int64_t at = view.at(n / view.inner, c, n % view.inner);
      std::memcpy(&value, array->data.data() + at * sizeof(T), sizeof(T));
      return value;
    };
    int64_t best = 0;
    for (int64_t c = 1; c < view.extent; ++c)
      if (score(best) < score(c))
        best = c;
    return best;
  }
};
} // namespace

/// The axes that may be that of the classes, the likeliest first, which is what
/// training takes without --class-axis.
static SmallVector<int64_t> classAxes(const Array &array) {
  int64_t rank = static_cast<int64_t>(array.dims.size());
  SmallVector<int64_t> axes;
  if (rank == 3)
    axes.push_back(2);
  for (int64_t axis = 1; axis < rank; ++axis)
    axes.push_back(axis);
  return axes;
}

/// The first output that has scores for such labels. Fails where one should
/// have; without an array where none looks like scores.
static Expected<Scores> findScores(ArrayRef<Array> outputs,
                                   ArrayRef<int64_t> labels) {
  std::optional<Scores> expected;
  for (const Array &array : outputs) {
    if (!isFloatType(array.type))
      continue;
    for (int64_t axis : classAxes(array)) {
      Scores scores(array, axis);
      if (scores.fit(labels))
        return scores;
      size_t rank = array.dims.size();
      if (!expected && (rank == 2 || rank == labels.size() + 1))
        expected = scores;
    }
  }
  if (expected)
    return createStringError("array 'label' is " + describe("<i8", labels) +
                             ", expected " +
                             describe("<i8", expected->labelDims()));
  return Scores();
}

Error takt::printAccuracy(raw_ostream &os, const RunResult &result,
                          ArrayRef<Array> data) {
  const Array *given = findArray(data, "label");
  if (!given || result.outputs.empty())
    return Error::success();
  Expected<Array> label = convert(*given, ElementType::I64);
  if (!label)
    return label.takeError();
  Expected<Scores> scores = findScores(result.outputs, label->dims);
  if (!scores)
    return scores.takeError();
  if (!scores->array)
    return Error::success();
  int64_t correct = 0, labels = scores->view.others();
  for (int64_t n = 0; n < labels; ++n) {
    int64_t expected;
    std::memcpy(&expected, label->data.data() + n * 8, 8);
    correct += expected == visitElement(scores->array->type, [&](auto zero) {
                 return scores->best<decltype(zero)>(n);
               });
  }
  os << "accuracy: " << format("%.2f", 100.0 * correct / labels) << " % ("
     << correct << " of " << labels << ")\n";
  return Error::success();
}
