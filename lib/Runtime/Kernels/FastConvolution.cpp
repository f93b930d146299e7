//===- FastConvolution.cpp - convolutions by oneDNN -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dnnl.h"
#include "takt/Target/Window.h"

using namespace llvm;
using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;
using Forward = dnnl::convolution_forward;
using BackwardData = dnnl::convolution_backward_data;
using BackwardWeights = dnnl::convolution_backward_weights;

namespace takt {

namespace {

/// A convolution in oneDNN's terms.
struct Problem {
  Problem(const KernelCall &call, ArrayRef<int64_t> x, ArrayRef<int64_t> w,
          ArrayRef<int64_t> y)
      : plainX(plainDesc(x)), plainY(plainDesc(y)) {
    int64_t groups = call.words[1];
    SmallVector<int64_t, 6> weights(w);
    if (groups > 1) {
      weights[0] /= groups;
      weights.insert(weights.begin(), groups);
    }
    plainW = plainDesc(weights);
    for (auto [i, axis] : enumerate(convWindow(call.words, w))) {
      strides.push_back(axis.stride);
      dilations.push_back(axis.dilation - 1);
      padsBegin.push_back(axis.padBegin);
      // oneDNN's sizes have no remainder: what the last window does not reach
      // is negative padding.
      int64_t reached = (y[2 + i] - 1) * axis.stride + axis.extent();
      padsEnd.push_back(reached - x[2 + i] - axis.padBegin);
    }
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  }

  /// The tensor with the layout left to oneDNN.
  static memory::desc any(const memory::desc &plain) {
    return memory::desc(plain.dims(), memory::data_type::f32,
                        memory::format_tag::any);
  }

  Forward::primitive_desc forward(const memory::desc *bias) const {
    auto desc = bias ? Forward::desc(prop_kind::forward_training,
                                     algorithm::convolution_direct, any(plainX),
                                     any(plainW), *bias, any(plainY), strides,
                                     dilations, padsBegin, padsEnd)
                     : Forward::desc(prop_kind::forward_training,
                                     algorithm::convolution_direct, any(plainX),
                                     any(plainW), any(plainY), strides,
                                     dilations, padsBegin, padsEnd);
    return Forward::primitive_desc(desc, attributes, dnnlEngine());
  }

  memory::desc plainX, plainW, plainY;
  memory::dims strides, dilations, padsBegin, padsEnd;
  dnnl::primitive_attr attributes;
};

} // namespace

std::unique_ptr<PreparedKernel> prepareConv(const KernelCall &call) {
  Problem p(call, call.inDims(0), call.inDims(1), call.outDims(0));
  bool hasBias = call.operands.size() == 3;
  memory::desc bias = plainDesc(call.inDims(1)[0]);
  Forward::primitive_desc desc = p.forward(hasBias ? &bias : nullptr);
  auto kernel =
      std::make_unique<DnnlKernel>(Forward(desc), desc.scratchpad_desc());
  kernel->addOperand(DNNL_ARG_SRC, 0, p.plainX, desc.src_desc());
  kernel->addOperand(DNNL_ARG_WEIGHTS, 1, p.plainW, desc.weights_desc());
  if (hasBias)
    kernel->addOperand(DNNL_ARG_BIAS, 2, bias, bias);
  kernel->addResult(DNNL_ARG_DST, 0, p.plainY, desc.dst_desc());
  return kernel;
}

std::unique_ptr<PreparedKernel> prepareConvDgrad(const KernelCall &call) {
  Problem p(call, call.outDims(0), call.inDims(1), call.inDims(0));
  BackwardData::primitive_desc desc(
      BackwardData::desc(algorithm::convolution_direct, Problem::any(p.plainX),
                         Problem::any(p.plainW), Problem::any(p.plainY),
                         p.strides, p.dilations, p.padsBegin, p.padsEnd),
      p.attributes, dnnlEngine(), p.forward(nullptr));
  auto kernel =
      std::make_unique<DnnlKernel>(BackwardData(desc), desc.scratchpad_desc());
  kernel->addOperand(DNNL_ARG_DIFF_DST, 0, p.plainY, desc.diff_dst_desc());
  kernel->addOperand(DNNL_ARG_WEIGHTS, 1, p.plainW, desc.weights_desc());
  kernel->addResult(DNNL_ARG_DIFF_SRC, 0, p.plainX, desc.diff_src_desc());
  return kernel;
}

std::unique_ptr<PreparedKernel> prepareConvWgrad(const KernelCall &call) {
  Problem p(call, call.inDims(0), call.outDims(0), call.inDims(1));
  BackwardWeights::primitive_desc desc(
      BackwardWeights::desc(algorithm::convolution_direct,
                            Problem::any(p.plainX), Problem::any(p.plainW),
                            Problem::any(p.plainY), p.strides, p.dilations,
                            p.padsBegin, p.padsEnd),
      p.attributes, dnnlEngine(), p.forward(nullptr));
  auto kernel = std::make_unique<DnnlKernel>(BackwardWeights(desc),
                                             desc.scratchpad_desc());
  kernel->addOperand(DNNL_ARG_SRC, 0, p.plainX, desc.src_desc());
  kernel->addOperand(DNNL_ARG_DIFF_DST, 1, p.plainY, desc.diff_dst_desc());
  kernel->addResult(DNNL_ARG_DIFF_WEIGHTS, 0, p.plainW,
                    desc.diff_weights_desc());
  return kernel;
}

} // namespace takt
