//===- Synchronizer.h - how processors wait for each other ------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_SYNCHRONIZER_H
#define TAKT_LIB_RUNTIME_SYNCHRONIZER_H

#include "takt/Target/Program.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <vector>

namespace takt::runtime {

/// Semaphores, barriers and the meeting at checkpoints of the processors'
/// threads, and the end of all of them when one fails.
///
/// Deadlock is found, not timed: a processor that is about to sleep, or that
/// ends, looks whether every other one sleeps or has ended, too. Then nobody is
/// left who could wake anybody, and the run fails with what each waits for.
class Synchronizer {
public:
  explicit Synchronizer(const Program &program);

  /// Waits until a semaphore is at least `count`. False: the run has failed.
  bool wait(uint32_t processor, uint32_t pc, uint32_t semaphore,
            uint64_t count);
  /// Adds 1 to a semaphore.
  void add(uint32_t semaphore);
  /// Waits until every processor has been at the barrier as often as this one.
  bool barrier(uint32_t processor, uint32_t pc, uint32_t barrier);
  /// Waits until all processors are here; the last one runs `action` while the
  /// others stand still.
  bool meet(uint32_t processor, uint32_t pc,
            llvm::function_ref<llvm::Error()> action);
  /// The processor has come to its end.
  void finish(uint32_t processor);

  /// Stops all processors. Of several errors the first one is kept.
  void fail(llvm::Error error);
  bool hasFailed() const { return failed.load(std::memory_order_relaxed); }
  /// To be called when all threads have ended.
  llvm::Error takeError();

  /// State for checkpoints; the processors must stand still.
  std::vector<int64_t> semaphoreCounts() const;
  void setSemaphoreCounts(llvm::ArrayRef<int64_t> counts);
  /// How often each processor has been at each barrier.
  std::map<uint32_t, std::vector<int64_t>> barriers;

private:
  /// What a processor waits for.
  struct Wait {
    enum Kind { None, Semaphore, Barrier, Meeting, Ended } kind = None;
    uint32_t pc = 0, object = 0;
    uint64_t count = 0;
  };

  bool satisfied(const Wait &wait) const;
  /// Sleeps until the wait is satisfied or the run has failed.
  bool sleep(std::unique_lock<std::mutex> &lock, uint32_t processor, Wait wait);
  /// Fails the run if no processor can ever go on.
  void checkDeadlock();
  std::string describe(uint32_t processor) const;
  void failLocked(llvm::Error error);

  std::vector<std::atomic<uint64_t>> semaphores;
  std::atomic<bool> failed{false};
  /// Number of processors that sleep or are about to.
  std::atomic<uint32_t> sleepers{0};
  std::mutex mutex; ///< of everything below
  std::vector<Wait> waits;
  std::vector<std::condition_variable> wake;
  uint64_t meetings = 0; ///< finished ones
  uint32_t arrived = 0;  ///< at the next one
  std::string message;   ///< why the run has failed
};

} // namespace takt::runtime

#endif // TAKT_LIB_RUNTIME_SYNCHRONIZER_H
