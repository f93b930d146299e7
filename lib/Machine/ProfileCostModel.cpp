//===- ProfileCostModel.cpp - measured cycles -----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GemmCycles.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include <map>
#include <tuple>

using namespace takt;
using namespace llvm;

static constexpr StringLiteral kHeader = "kind,M,N,K,cycles";

namespace {
/// Kind, M, N, K of one product.
using Shape = std::tuple<TaskKind, int64_t, int64_t, int64_t>;

class ProfileModel : public CostModel {
public:
  explicit ProfileModel(std::map<Shape, int64_t> measured)
      : measured(std::move(measured)), systolic(createSystolicModel()),
        roofline(createRooflineModel()) {}

  StringRef name() const override { return "profile"; }

  std::optional<Cost> estimate(const Work &work,
                               const ProcessorClass &on) const override {
    const Gemm &gemm = work.gemm;
    auto it = measured.find({work.kind, gemm.m, gemm.n, gemm.k});
    if (gemm.count > 0 && it != measured.end()) {
      Cost cost;
      if (MulOverflow(it->second, gemm.count, cost.compute))
        return std::nullopt;
      cost.compute += vectorCycles(work.elementwise, on);
      cost.model = name();
      return cost;
    }
    if (std::optional<Cost> cost = systolic->estimate(work, on))
      return cost;
    return roofline->estimate(work, on);
  }

private:
  std::map<Shape, int64_t> measured;
  std::unique_ptr<CostModel> systolic, roofline;
};
} // namespace

/// Parses "F,M,N,K,cycles". False if `line` is something else.
static bool parseLine(StringRef line, Shape &shape, int64_t &cycles) {
  SmallVector<StringRef, 5> fields;
  line.split(fields, ',');
  if (fields.size() != 5)
    return false;
  StringRef kind = fields[0].trim();
  size_t index = StringRef("FDWU").find(kind);
  if (kind.size() != 1 || index == StringRef::npos)
    return false;
  int64_t numbers[4];
  for (auto [number, field] : zip_equal(numbers, drop_begin(fields)))
    if (field.trim().getAsInteger(10, number) || number < 0)
      return false;
  shape = {static_cast<TaskKind>(index), numbers[0], numbers[1], numbers[2]};
  cycles = numbers[3];
  return true;
}

Expected<std::unique_ptr<CostModel>> takt::createProfileModel(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return createStringError(path + ": " + buffer.getError().message());
  line_iterator line(**buffer, /*SkipBlanks=*/true, '#');
  auto fail = [&](const Twine &message) {
    return createStringError(path + ":" + Twine(line.line_number()) + ": " +
                             message);
  };
  if (line.is_at_eof() || line->trim() != kHeader)
    return fail("expected '" + kHeader + "'");
  std::map<Shape, int64_t> measured;
  for (++line; !line.is_at_eof(); ++line) {
    Shape shape;
    int64_t cycles;
    if (!parseLine(line->trim(), shape, cycles))
      return fail("expected F, D, W or U and four non-negative integers, found "
                  "'" +
                  line->trim() + "'");
    if (!measured.emplace(shape, cycles).second)
      return fail("a second measurement of '" + line->trim() + "'");
  }
  return std::make_unique<ProfileModel>(std::move(measured));
}
