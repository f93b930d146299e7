//===- Dnnl.cpp - kernels made of one oneDNN primitive --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dnnl.h"
#include "StridedLoop.h"
#include <dlfcn.h>

using namespace llvm;
using dnnl::memory;

namespace takt {

const dnnl::engine &dnnlEngine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

void useOneThread() {
  // Debian's oneDNN runs on GNU OpenMP, which comes into the process with it;
  // compilers that use another OpenMP have no header or library to link it by.
  // A oneDNN without OpenMP has no such function and needs none.
  using SetThreads = void (*)(int);
  static const auto setThreads =
      reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  if (setThreads)
    setThreads(1);
}

memory::desc plainDesc(ArrayRef<int64_t> dims) {
  Strides strides = denseStrides(dims);
  return memory::desc(memory::dims(dims.begin(), dims.end()),
                      memory::data_type::f32,
                      memory::dims(strides.begin(), strides.end()));
}

/// A memory object whose buffer is set later.
static memory makeMemory(const memory::desc &desc) {
  return memory(desc, dnnlEngine(), nullptr);
}

DnnlKernel::DnnlKernel(dnnl::primitive primitive,
                       const memory::desc &scratchpad)
    : primitive(std::move(primitive)), stream(dnnlEngine()),
      scratchpad(makeMemory(scratchpad)) {}

DnnlKernel::Argument DnnlKernel::makeArgument(int tag, size_t index,
                                              const memory::desc &plain,
                                              const memory::desc &wanted,
                                              bool isResult) {
  Argument argument{tag, index, makeMemory(plain), {}, std::nullopt};
  if (plain == wanted) {
    argument.wanted = argument.plain;
    return argument;
  }
  argument.wanted = makeMemory(wanted);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::library);
  const memory::desc &from = isResult ? wanted : plain;
  const memory::desc &to = isResult ? plain : wanted;
  argument.reorder = dnnl::reorder(dnnl::reorder::primitive_desc(
      dnnlEngine(), from, dnnlEngine(), to, attributes));
  return argument;
}

void DnnlKernel::addOperand(int tag, size_t index, const memory::desc &plain,
                            const memory::desc &wanted) {
  operands.push_back(makeArgument(tag, index, plain, wanted, false));
}

void DnnlKernel::addResult(int tag, size_t index, const memory::desc &plain,
                           const memory::desc &wanted) {
  results.push_back(makeArgument(tag, index, plain, wanted, true));
}

Error DnnlKernel::run(const KernelCall &call, Workspace &workspace) {
  std::unordered_map<int, memory> arguments;
  unsigned slot = 0;
  scratchpad.set_data_handle(
      workspace.get(slot++, scratchpad.get_desc().get_size()));
  arguments.emplace(DNNL_ARG_SCRATCHPAD, scratchpad);
  auto bind = [&](Argument &argument, const TensorView &view) {
    argument.plain.set_data_handle(view.data);
    if (argument.reorder)
      argument.wanted.set_data_handle(
          workspace.get(slot++, argument.wanted.get_desc().get_size()));
    arguments.emplace(argument.tag, argument.wanted);
  };
  for (Argument &argument : operands) {
    bind(argument, call.operands[argument.index]);
    if (argument.reorder)
      argument.reorder->execute(stream, argument.plain, argument.wanted);
  }
  for (Argument &argument : results)
    bind(argument, call.results[argument.index]);
  primitive.execute(stream, arguments);
  for (Argument &argument : results)
    if (argument.reorder)
      argument.reorder->execute(stream, argument.wanted, argument.plain);
  stream.wait();
  return Error::success();
}

} // namespace takt
