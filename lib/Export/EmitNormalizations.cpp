//===- EmitNormalizations.cpp - normalizations as ONNX nodes --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Decomposed, since gradients need the statistics, and standard operators keep
// those for themselves.
//
//===----------------------------------------------------------------------===//

#include "Emission.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace takt;

//===----------------------------------------------------------------------===//
// Batch normalization
//===----------------------------------------------------------------------===//

/// All axes but the channels.
static Dims statisticAxes(mlir::Value x) {
  Dims axes = axesFrom(0, x);
  axes.erase(axes.begin() + 1);
  return axes;
}

/// A number per channel in a shape that broadcasts to x.
static Term perChannel(const Term &term, mlir::Value x) {
  Dims dims(dimsOf(x).size(), 1);
  dims[1] = dimsOf(x)[1];
  return term.reshape(dims);
}

static Term emitBatchNorm(Emission &emission, train::BatchNormOp op) {
  mlir::Value x = op.getX();
  Dims axes = statisticAxes(x), channels = {dimsOf(x)[1]};
  Term mean = emission.of(x).mean(axes);
  Term centered = emission.of(x) - mean;
  Term variance = (centered * centered).mean(axes);
  Term invStd = 1 / sqrt(variance + op.getEpsilon());
  auto define = [&](mlir::Value result, auto &&term) {
    if (emission.isNeeded(result))
      emission.define(result, term());
  };
  double momentum = op.getMomentum();
  auto running = [&](mlir::Value old, const Term &statistic) {
    return emission.of(old) * momentum +
           statistic.reshape(channels) * (1 - momentum);
  };
  define(op.getMean(), [&] { return mean.reshape(channels); });
  define(op.getInvStd(), [&] { return invStd.reshape(channels); });
  define(op.getNewRunningMean(),
         [&] { return running(op.getRunningMean(), mean); });
  define(op.getNewRunningVar(),
         [&] { return running(op.getRunningVar(), variance); });
  return centered * invStd * perChannel(emission.of(op.getScale()), x) +
         perChannel(emission.of(op.getBias()), x);
}

/// (x - mean) · inv_std with statistics per channel.
static Term normalized(const Emission &emission, mlir::Value x,
                       mlir::Value mean, mlir::Value invStd) {
  return (emission.of(x) - perChannel(emission.of(mean), x)) *
         perChannel(emission.of(invStd), x);
}

static Term emitBatchNormApply(Emission &emission, train::BatchNormApplyOp op) {
  mlir::Value x = op.getX();
  return normalized(emission, x, op.getMean(), op.getInvStd()) *
             perChannel(emission.of(op.getScale()), x) +
         perChannel(emission.of(op.getBias()), x);
}

static Term emitBatchNormDgrad(Emission &emission, train::BatchNormDgradOp op) {
  mlir::Value x = op.getX();
  Dims axes = statisticAxes(x);
  Term dy = emission.of(op.getDy());
  Term y = normalized(emission, x, op.getMean(), op.getInvStd());
  Term factor =
      perChannel(emission.of(op.getScale()) * emission.of(op.getInvStd()), x);
  return factor * (dy - dy.mean(axes) - y * (dy * y).mean(axes));
}

static Term emitBatchNormWgrad(Emission &emission, train::BatchNormWgradOp op) {
  mlir::Value x = op.getX();
  Dims axes = statisticAxes(x);
  Term dy = emission.of(op.getDy());
  if (emission.isNeeded(op.getDbias()))
    emission.define(op.getDbias(), dy.sum(axes, /*keep=*/false));
  Term y = normalized(emission, x, op.getMean(), op.getInvStd());
  return (dy * y).sum(axes, /*keep=*/false);
}

//===----------------------------------------------------------------------===//
// Over the last axes
//===----------------------------------------------------------------------===//

static Term emitNormalize(Emission &emission, train::NormalizeOp op) {
  Term x = emission.of(op.getX());
  Dims axes = axesFrom(op.getAxis(), op.getX());
  Term centered = x - x.mean(axes);
  Term invStd = 1 / sqrt((centered * centered).mean(axes) + op.getEpsilon());
  if (emission.isNeeded(op.getInvStd()))
    emission.define(op.getInvStd(), invStd.reshape(dimsOf(op.getInvStd())));
  return centered * invStd;
}

static Term emitNormalizeDgrad(Emission &emission, train::NormalizeDgradOp op) {
  Term dy = emission.of(op.getDy()), y = emission.of(op.getY());
  Dims axes = axesFrom(op.getAxis(), op.getY());
  Dims kept(dimsOf(op.getInvStd()));
  kept.append(axes.size(), 1);
  return emission.of(op.getInvStd()).reshape(kept) *
         (dy - dy.mean(axes) - y * (dy * y).mean(axes));
}

//===----------------------------------------------------------------------===//
// Across channels
//===----------------------------------------------------------------------===//

/// The sum over the channels from `before` in front of each to `after` behind
/// it: an average pool along the channels, times its window.
static Term channelSum(const Term &x, ArrayRef<int64_t> dims, int64_t before,
                       int64_t after) {
  int64_t inner = 1;
  for (int64_t dim : dims.drop_front(2))
    inner *= dim;
  int64_t size = before + after + 1;
  int64_t kernel[] = {size, 1}, pads[] = {before, 0, after, 0};
  return x.reshape({dims[0], 1, dims[1], inner})
             .node("AveragePool", {},
                   {NodeAttribute("kernel_shape", kernel),
                    NodeAttribute("pads", pads),
                    NodeAttribute("count_include_pad", int64_t(1))})
             .reshape(dims) *
         static_cast<double>(size);
}

namespace {
/// The window across the channels, and bias + alpha / size · Σ x² over it.
struct LocalResponse {
  template <typename OpTy>
  LocalResponse(const Emission &emission, OpTy op)
      : dims(dimsOf(op.getX())), size(op.getSize()), before((size - 1) / 2),
        after(size - 1 - before), beta(op.getBeta()),
        share(double(op.getAlpha()) / static_cast<double>(size)),
        x(emission.of(op.getX())),
        s(channelSum(x * x, dims, before, after) * share + op.getBias()) {}

  ArrayRef<int64_t> dims;
  int64_t size, before, after;
  double beta, share;
  Term x, s;
};
} // namespace

static Term emitLrn(Emission &emission, train::LrnOp op) {
  LocalResponse of(emission, op);
  return of.x * pow(of.s, -of.beta);
}

/// dx = dy · s^-beta − 2 · beta · alpha / size · x · Σ dy · x · s^(-beta - 1),
/// the sum over the channels whose windows have this one.
static Term emitLrnDgrad(Emission &emission, train::LrnDgradOp op) {
  LocalResponse of(emission, op);
  Term dy = emission.of(op.getDy());
  Term through = channelSum(dy * of.x * pow(of.s, -of.beta - 1), of.dims,
                            of.after, of.before);
  return dy * pow(of.s, -of.beta) - of.x * through * (2 * of.beta * of.share);
}

void takt::addNormalizationEmitters(EmitterTable &table) {
  table.add<train::BatchNormOp, emitBatchNorm>();
  table.add<train::BatchNormApplyOp, emitBatchNormApply>();
  table.add<train::BatchNormDgradOp, emitBatchNormDgrad>();
  table.add<train::BatchNormWgradOp, emitBatchNormWgrad>();
  table.add<train::NormalizeOp, emitNormalize>();
  table.add<train::NormalizeDgradOp, emitNormalizeDgrad>();
  table.add<train::LrnOp, emitLrn>();
  table.add<train::LrnDgradOp, emitLrnDgrad>();
}
