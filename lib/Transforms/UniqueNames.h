//===- UniqueNames.h - names made unique by a suffix ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TRANSFORMS_UNIQUENAMES_H
#define TAKT_LIB_TRANSFORMS_UNIQUENAMES_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/Twine.h"
#include <string>

namespace takt {

/// Gives each name once: the second "x" becomes "x_1". Constant time per name.
class UniqueNames {
public:
  std::string unique(llvm::StringRef name) {
    std::string candidate = name.str();
    while (!taken.try_emplace(candidate, 0).second)
      candidate = (name + "_" + llvm::Twine(++taken[name])).str();
    return candidate;
  }

private:
  llvm::StringMap<unsigned> taken; ///< with the last suffix that was tried
};

} // namespace takt

#endif // TAKT_LIB_TRANSFORMS_UNIQUENAMES_H
