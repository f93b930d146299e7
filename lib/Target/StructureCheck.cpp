//===- StructureCheck.cpp - what checks of a program share ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StructureCheck.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace takt;

constexpr int64_t kMaxTensorBytes = int64_t(1) << 48;
constexpr size_t kMaxRank = 8;
constexpr uint64_t kMaxCycles = uint64_t(1) << 40;

Error StructureCheck::takeError() const {
  return error.empty() ? Error::success() : createStringError(error);
}

void StructureCheck::fail(const Twine &message) {
  if (error.empty())
    error = message.str();
}

void StructureCheck::index(uint64_t value, size_t count, const Twine &what) {
  if (value >= count)
    fail(what + " is " + Twine(value) + ", expected less than " + Twine(count));
}

std::optional<int64_t> StructureCheck::tensorBytes(ElementType type,
                                                   ArrayRef<int64_t> dims,
                                                   const Twine &what) {
  int64_t bytes = elementBytes(type);
  if (bytes == 0 || dims.size() > kMaxRank) {
    fail(what + " has an unknown element type, or more than " +
         Twine(kMaxRank) + " dimensions");
    return std::nullopt;
  }
  for (int64_t dim : dims)
    if (dim < 1 || MulOverflow(bytes, dim, bytes) || bytes > kMaxTensorBytes) {
      fail(what + " has a dimension of " + Twine(dim) +
           ", or more than 2^48 bytes");
      return std::nullopt;
    }
  return bytes;
}

void StructureCheck::checkTensor(const TensorRef &ref, uint32_t processor,
                                 const Twine &what) {
  std::optional<int64_t> bytes = tensorBytes(ref.type, ref.dims, what);
  index(ref.region, program.regions.size(), "region of " + what);
  index(ref.value, program.values.size(), "value of " + what);
  if (!bytes || !error.empty())
    return;
  if (program.regions[ref.region].processor != processor)
    return fail(what + " is in region " + Twine(ref.region) +
                ", which processor " + Twine(processor) + " does not own");
  checkPlace(ref, what);
}

/// The ring lies inside its region, slot by slot, and is aligned.
void StructureCheck::checkPlace(const TensorRef &ref, const Twine &what) {
  const Region &region = program.regions[ref.region];
  uint64_t unit = elementBytes(ref.type), bytes = ref.bytes();
  if (ref.slots == 0 || ref.lag > 0 || ref.offset % unit != 0 ||
      ref.slotStride % unit != 0 || (ref.slots > 1 && ref.slotStride < bytes))
    return fail(what + " has " + Twine(ref.slots) + " slots of " +
                Twine(ref.slotStride) + " bytes at " + Twine(ref.offset) +
                " and lag " + Twine(ref.lag) + ", which is no ring");
  uint64_t last = SaturatingMultiply<uint64_t>(ref.slotStride, ref.slots - 1);
  if (SaturatingAdd(ref.offset, last, bytes) > region.size)
    fail(what + " ends outside region " + Twine(ref.region));
}

void StructureCheck::checkLocal(const TensorRef &ref, uint32_t processor,
                                Access access, const Twine &what) {
  checkTensor(ref, processor, what);
  if (!error.empty())
    return;
  const ValueInfo &value = program.values[ref.value];
  if (ref.type != value.type || ref.dims != value.dims)
    return fail(what + " has another shape than its value '" + value.name +
                "'");
  checkAccess(ref.region, access, what);
}

void StructureCheck::checkAccess(uint32_t number, Access access,
                                 const Twine &what) {
  const Region &region = program.regions[number];
  bool isAllowed = access == Access::Read ? region.readable : region.writable;
  if (!isAllowed)
    fail(what + (access == Access::Read ? " is read from" : " is written to") +
         " region " + Twine(number) + ", which does not allow it");
}

void StructureCheck::checkDuration(uint64_t cycles, const Twine &what) {
  if (cycles > kMaxCycles)
    fail(what + " takes " + Twine(cycles) + " cycles, expected at most 2^40");
}
