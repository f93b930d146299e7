//===- BindingTurns.cpp - minibatches of an iteration ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/BindingTurns.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace takt;

BindingTurns::BindingTurns(const Program &program)
    : turns(program.bindings.size()) {
  std::map<std::pair<BindingKind, llvm::StringRef>,
           llvm::SmallVector<uint32_t, 1>>
      named;
  const llvm::SmallVector<uint32_t, 1> *input = nullptr;
  for (auto [index, binding] : llvm::enumerate(program.bindings)) {
    auto &same = named[{binding.kind, binding.name}];
    same.push_back(static_cast<uint32_t>(index));
    bool isSupplied = binding.kind == BindingKind::Input ||
                      binding.kind == BindingKind::Label;
    if (isSupplied && !input)
      input = &same;
  }
  if (input)
    count = static_cast<uint32_t>(input->size());
  for (const auto &[name, same] : named) {
    complete &= same.size() % count == 0;
    for (auto [place, binding] : llvm::enumerate(same)) {
      auto turn = static_cast<uint32_t>(place % count);
      turns[binding] = {same[place - turn], turn};
    }
  }
}
