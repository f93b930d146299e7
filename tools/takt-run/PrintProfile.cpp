//===- PrintProfile.cpp - where the time of a run went --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Summary.h"
#include "takt/Support/TextTable.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace takt;

namespace {
/// Some kernels' time.
struct Share {
  uint64_t calls = 0;
  double seconds = 0;
};

/// Number of the longest kernels that are listed.
constexpr size_t kLongest = 15;
} // namespace

static void addRow(TextTable &table, const Twine &name, const Share &share,
                   double total) {
  double each = share.calls ? share.seconds / double(share.calls) : 0;
  table.add(
      {name.str(), std::to_string(share.calls),
       formatv("{0:f3}", 1e3 * each).str(),
       formatv("{0:f1}", 1e3 * share.seconds).str(),
       formatv("{0:f1}", total > 0 ? 100 * share.seconds / total : 0).str()});
}

static TextTable timeTable(StringRef title) {
  return TextTable({{title.str()},
                    {"calls", true},
                    {"ms each", true},
                    {"ms in all", true},
                    {"%", true}});
}

void takt::printProfile(raw_ostream &os, const Program &program,
                        const RunProfile &profile) {
  MapVector<KernelId, Share> byName;
  std::vector<std::pair<Share, const Kernel *>> each;
  double total = 0;
  for (auto [kernel, time] :
       zip_equal(program.kernels, profile.kernelTimes())) {
    Share share{time.calls, std::chrono::duration<double>(time.time).count()};
    total += share.seconds;
    Share &sum = byName[kernel.id];
    sum.calls += share.calls;
    sum.seconds += share.seconds;
    each.push_back({share, &kernel});
  }
  auto longer = [](const auto &a, const auto &b) {
    return a.first.seconds > b.first.seconds;
  };
  std::vector<std::pair<Share, KernelId>> names;
  for (auto [id, share] : byName)
    names.push_back({share, id});
  stable_sort(names, longer);
  stable_sort(each, longer);
  TextTable kernels = timeTable("kernel");
  for (auto [share, id] : names)
    addRow(kernels, mnemonic(id), share, total);
  kernels.print(os);
  os << "\n";
  TextTable tasks = timeTable("longest");
  for (auto [share, kernel] : ArrayRef(each).take_front(kLongest))
    addRow(tasks,
           mnemonic(kernel->id) + " in " + program.tasks[kernel->task].name,
           share, total);
  tasks.print(os);
  if (std::optional<double> seconds = profile.secondsPerIteration())
    os << "\niteration: " << formatv("{0:f3}", 1e3 * *seconds) << " ms\n";
}
