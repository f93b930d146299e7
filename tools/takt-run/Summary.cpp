//===- Summary.cpp - what takt-run prints ---------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Summary.h"
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

/// Index of the largest score of a row; the first one of equals.
template <typename T>
static int64_t argmax(const Array &scores, int64_t row, int64_t classes) {
  std::vector<T> values(classes);
  std::memcpy(values.data(), scores.data.data() + row * classes * sizeof(T),
              classes * sizeof(T));
  return std::max_element(values.begin(), values.end()) - values.begin();
}

Error takt::printAccuracy(raw_ostream &os, const RunResult &result,
                          ArrayRef<Array> data) {
  const Array *given = findArray(data, "label");
  auto scores = find_if(result.outputs, [](const Array &array) {
    return array.dims.size() == 2 &&
           (array.type == ArrayType::F32 || array.type == ArrayType::F64);
  });
  if (!given || scores == result.outputs.end())
    return Error::success();
  Expected<Array> label = convert(*given, ArrayType::I64);
  if (!label)
    return label.takeError();
  if (label->dims.size() != 1 || label->dims[0] < scores->dims[0])
    return createStringError("array 'label' is " +
                             describe("<i8", label->dims) + ", expected " +
                             describe("<i8", scores->dims[0]));
  int64_t correct = 0, samples = scores->dims[0], classes = scores->dims[1];
  for (int64_t i = 0; i < samples; ++i) {
    int64_t expected;
    std::memcpy(&expected, label->data.data() + i * 8, 8);
    int64_t found = scores->type == ArrayType::F32
                        ? argmax<float>(*scores, i, classes)
                        : argmax<double>(*scores, i, classes);
    correct += found == expected;
  }
  os << "accuracy: " << format("%.2f", 100.0 * correct / samples) << " % ("
     << correct << " of " << samples << ")\n";
  return Error::success();
}
