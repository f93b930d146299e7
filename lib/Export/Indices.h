//===- Indices.h - gradients of gathered elements ---------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_EXPORT_INDICES_H
#define TAKT_LIB_EXPORT_INDICES_H

#include "Emission.h"

namespace takt {

/// The gradient of a Gather of `size` indices of `axis`, whose result has the
/// shape `dims`, `indexRank` axes of which are those of the indices: the sum of
/// dy over all places that an element was gathered to.
Term gatherGradient(const Term &dy, llvm::ArrayRef<int64_t> dims,
                    const Term &indices, int64_t indexRank, int64_t axis,
                    int64_t size);

} // namespace takt

#endif // TAKT_LIB_EXPORT_INDICES_H
