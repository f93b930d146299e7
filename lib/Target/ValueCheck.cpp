//===- ValueCheck.cpp - who makes, keeps and takes each value -------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StructureCheck.h"
#include "llvm/ADT/DenseMap.h"

using namespace llvm;
using namespace takt;

namespace {
class ValueCheck : StructureCheck {
public:
  explicit ValueCheck(const Program &program)
      : StructureCheck(program), makers(program.values.size()) {
    for (const Initializer &initializer : program.initializers)
      filled[{initializer.target.region, initializer.target.offset}] =
          &initializer.target;
  }

  Error run() {
    findMakers();
    for (const Parameter &parameter : program.parameters)
      if (error.empty())
        checkParameter(parameter);
    return takeError();
  }

private:
  /// A kernel's result, or what a binding brings.
  struct Maker {
    const TensorRef *result = nullptr;
    const Binding *input = nullptr;
  };

  void findMakers();
  void addLoad(const HostCopy &copy);
  void checkParameter(const Parameter &parameter);
  bool isFilled(const TensorRef &home) const;

  std::vector<Maker> makers; ///< by value
  /// Targets of initializers by region and offset.
  DenseMap<std::pair<uint32_t, uint64_t>, const TensorRef *> filled;
};
} // namespace

static bool samePlace(const TensorRef &a, const TensorRef &b) {
  return a.region == b.region && a.offset == b.offset && a.slots == b.slots &&
         (a.slots == 1 || a.slotStride == b.slotStride) && a.type == b.type &&
         a.dims == b.dims;
}

/// One kernel makes a value, or one binding, which every processor that needs
/// it may load.
void ValueCheck::findMakers() {
  for (const Kernel &kernel : program.kernels)
    for (const TensorRef &result : kernel.results) {
      Maker &maker = makers[result.value];
      if (maker.result)
        return fail("value '" + program.values[result.value].name +
                    "' is the result of two kernels");
      maker.result = &result;
    }
  for (const HostCopy &copy : program.hostCopies)
    addLoad(copy);
}

void ValueCheck::addLoad(const HostCopy &copy) {
  const Binding &binding = program.bindings[copy.binding];
  if (binding.kind != BindingKind::Input && binding.kind != BindingKind::Label)
    return;
  Maker &maker = makers[copy.local.value];
  if (maker.result || (maker.input && maker.input != &binding))
    fail("value '" + program.values[copy.local.value].name +
         "' is loaded from binding '" + binding.name +
         "' and also made elsewhere");
  maker.input = &binding;
}

/// Its versions are made by a kernel in its home; what is never updated only
/// has its initial value there.
void ValueCheck::checkParameter(const Parameter &parameter) {
  std::string what = "parameter '" + parameter.name + "'";
  const Maker &read = makers[parameter.readValue];
  if (read.result || read.input)
    return fail(what + " is read as '" +
                program.values[parameter.readValue].name +
                "', which something else makes");
  if (parameter.readValue == parameter.writeValue) {
    if (!isFilled(parameter.home))
      fail(what + " is never updated and has no initial value in its home");
    return;
  }
  const TensorRef *version = makers[parameter.writeValue].result;
  if (!version)
    return fail(what + " is written as '" +
                program.values[parameter.writeValue].name +
                "', which no kernel makes");
  if (!samePlace(*version, parameter.home))
    fail(what + " is updated elsewhere than in its home");
}

bool ValueCheck::isFilled(const TensorRef &home) const {
  const TensorRef *target = filled.lookup({home.region, home.offset});
  return target && samePlace(*target, home);
}

Error takt::checkValues(const Program &program) {
  return ValueCheck(program).run();
}
