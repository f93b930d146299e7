//===- CostModels.cpp - macs, systolic, roofline --------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GemmCycles.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace takt;

/// The product of non-negative factors; nullopt on overflow of 63 bits.
static std::optional<int64_t> product(std::initializer_list<int64_t> factors) {
  int64_t result = 1;
  for (int64_t factor : factors)
    if (llvm::MulOverflow(result, factor, result))
      return std::nullopt;
  return result;
}

static int64_t ceilDiv(int64_t a, int64_t b) { return a / b + (a % b != 0); }

std::optional<int64_t> Gemm::macs() const { return product({m, n, k, count}); }

int64_t takt::vectorCycles(int64_t elementwise, const ProcessorClass &on) {
  return on.vectorLanes > 0 ? ceilDiv(elementwise, on.vectorLanes) : 0;
}

namespace {

/// One multiply-accumulate unit of given width, always busy.
class MacsModel : public CostModel {
public:
  llvm::StringRef name() const override { return "macs"; }

  std::optional<Cost> estimate(const Work &work,
                               const ProcessorClass &on) const override {
    std::optional<int64_t> macs = work.gemm.macs();
    if (!macs)
      return std::nullopt;
    Cost cost;
    cost.compute =
        ceilDiv(*macs, on.macsPerCycle) + vectorCycles(work.elementwise, on);
    cost.model = name();
    return cost;
  }
};

/// What a dataflow holds in the rows and columns of the array, and what it
/// streams.
struct Mapping {
  int64_t rows, columns, time;
};

Mapping map(const Gemm &g, Dataflow dataflow) {
  switch (dataflow) {
  case Dataflow::OutputStationary:
    return {g.m, g.n, g.k};
  case Dataflow::InputStationary:
    return {g.k, g.m, g.n};
  case Dataflow::WeightStationary:
  case Dataflow::Best:
    break;
  }
  return {g.k, g.n, g.m};
}

/// Samajdar et al., "A systematic methodology for characterizing scalability of
/// DNN accelerators using SCALE-Sim", ISPASS 2020: a fold takes 2R + C + T - 2
/// cycles in every dataflow, T of which stream operands. Folds do not overlap,
/// and an edge fold costs as much as a full one.
class SystolicModel : public CostModel {
public:
  llvm::StringRef name() const override { return "systolic"; }

  std::optional<Cost> estimate(const Work &work,
                               const ProcessorClass &on) const override {
    Cost cost;
    cost.model = name();
    if (work.gemm.count > 0) {
      std::optional<Cost> gemm = estimateGemm(work, on);
      if (!gemm)
        return std::nullopt;
      cost = *gemm;
    }
    cost.compute += vectorCycles(work.elementwise, on);
    return cost;
  }

private:
  std::optional<Cost> estimateGemm(const Work &work,
                                   const ProcessorClass &on) const {
    if (on.arrayRows == 0)
      return std::nullopt;
    // An update has no dataflow of its own; its products are wgrad-like.
    auto kind = std::min<size_t>(static_cast<size_t>(work.kind),
                                 on.dataflow.size() - 1);
    Dataflow dataflow = on.dataflow[kind];
    if (dataflow != Dataflow::Best)
      return estimateAs(work.gemm, dataflow, on);
    std::optional<Cost> best;
    for (Dataflow each :
         {Dataflow::WeightStationary, Dataflow::OutputStationary,
          Dataflow::InputStationary}) {
      std::optional<Cost> cost = estimateAs(work.gemm, each, on);
      if (cost && (!best || cost->total() < best->total()))
        best = cost;
    }
    return best;
  }

  std::optional<Cost> estimateAs(const Gemm &gemm, Dataflow dataflow,
                                 const ProcessorClass &on) const {
    Mapping mapping = map(gemm, dataflow);
    int64_t rowFolds = ceilDiv(mapping.rows, on.arrayRows);
    int64_t columnFolds = ceilDiv(mapping.columns, on.arrayColumns);
    int64_t overhead = 2 * on.arrayRows + on.arrayColumns - 2;
    auto compute = product({rowFolds, columnFolds, gemm.count, mapping.time});
    auto fillDrain = product({rowFolds, columnFolds, gemm.count, overhead});
    int64_t total;
    if (!compute || !fillDrain ||
        llvm::AddOverflow(*compute, *fillDrain, total))
      return std::nullopt;
    Cost cost;
    cost.compute = *compute;
    cost.fillDrain = *fillDrain;
    cost.model = name();
    return cost;
  }
};

/// The larger of the time to compute and the time to move the operands.
class RooflineModel : public CostModel {
public:
  llvm::StringRef name() const override { return "roofline"; }

  std::optional<Cost> estimate(const Work &work,
                               const ProcessorClass &on) const override {
    std::optional<int64_t> macs = work.gemm.macs();
    int64_t bytes;
    if (!macs || llvm::AddOverflow(work.bytesIn, work.bytesOut, bytes))
      return std::nullopt;
    int64_t peak =
        on.arrayRows > 0 ? on.arrayRows * on.arrayColumns : on.macsPerCycle;
    Cost cost;
    cost.compute = ceilDiv(*macs, peak) + vectorCycles(work.elementwise, on);
    if (on.memoryBytesPerCycle > 0)
      cost.stall = std::max<int64_t>(0, ceilDiv(bytes, on.memoryBytesPerCycle) -
                                            cost.compute);
    cost.model = name();
    return cost;
  }
};

} // namespace

std::unique_ptr<CostModel> takt::createMacsModel() {
  return std::make_unique<MacsModel>();
}
std::unique_ptr<CostModel> takt::createSystolicModel() {
  return std::make_unique<SystolicModel>();
}
std::unique_ptr<CostModel> takt::createRooflineModel() {
  return std::make_unique<RooflineModel>();
}

llvm::Expected<std::unique_ptr<CostModel>>
takt::createCostModel(llvm::StringRef spec) {
  if (spec == "macs")
    return createMacsModel();
  if (spec == "systolic")
    return createSystolicModel();
  if (spec == "roofline")
    return createRooflineModel();
  if (spec.consume_front("profile:"))
    return createProfileModel(spec);
  return llvm::createStringError(
      "unknown cost model '" + spec +
      "', expected macs, systolic, roofline or profile:FILE");
}
