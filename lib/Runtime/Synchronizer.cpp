//===- Synchronizer.cpp - how processors wait for each other --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// No wake-up is lost: a waiter first counts itself in `sleepers` and then looks
// at the semaphore; a signaller first adds to the semaphore and then looks at
// `sleepers`. All four are sequentially consistent, so that one of the two sees
// the other; and the signaller takes the mutex, under which the waiter is
// either still before its look or asleep.
//
//===----------------------------------------------------------------------===//

#include "Synchronizer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace takt;
using namespace takt::runtime;

Synchronizer::Synchronizer(const Program &program)
    : semaphores(program.semaphores.size()), waits(program.code.size()),
      wake(program.code.size()) {
  for (auto [i, semaphore] : enumerate(program.semaphores))
    semaphores[i] = semaphore.initial;
}

bool Synchronizer::satisfied(const Wait &wait) const {
  switch (wait.kind) {
  case Wait::Semaphore:
    return semaphores[wait.object].load() >= wait.count;
  case Wait::Barrier:
    return all_of(barriers.at(wait.object), [&](int64_t count) {
      return static_cast<uint64_t>(count) >= wait.count;
    });
  case Wait::Meeting:
    return meetings >= wait.count;
  case Wait::None:
    return true;
  case Wait::Ended:
    break;
  }
  return false;
}

bool Synchronizer::sleep(std::unique_lock<std::mutex> &lock, uint32_t processor,
                         Wait wait) {
  ++sleepers;
  waits[processor] = wait;
  while (!failed && !satisfied(wait)) {
    checkDeadlock();
    if (!failed)
      wake[processor].wait(lock);
  }
  waits[processor] = {};
  --sleepers;
  return !failed;
}

bool Synchronizer::wait(uint32_t processor, uint32_t pc, uint32_t semaphore,
                        uint64_t count) {
  // Most waits are over at once or soon.
  constexpr int kLooks = 64;
  for (int i = 0; i < kLooks; ++i)
    if (semaphores[semaphore].load(std::memory_order_acquire) >= count)
      return !hasFailed();
  std::unique_lock<std::mutex> lock(mutex);
  return sleep(lock, processor, {Wait::Semaphore, pc, semaphore, count});
}

void Synchronizer::add(uint32_t semaphore) {
  semaphores[semaphore].fetch_add(1);
  if (sleepers.load() == 0)
    return;
  std::lock_guard<std::mutex> lock(mutex);
  for (size_t p = 0; p < waits.size(); ++p)
    if (waits[p].kind == Wait::Semaphore && waits[p].object == semaphore)
      wake[p].notify_one();
}

bool Synchronizer::barrier(uint32_t processor, uint32_t pc, uint32_t barrier) {
  std::unique_lock<std::mutex> lock(mutex);
  std::vector<int64_t> &counts = barriers[barrier];
  counts.resize(waits.size());
  uint64_t mine = ++counts[processor];
  for (std::condition_variable &other : wake)
    other.notify_one();
  return sleep(lock, processor, {Wait::Barrier, pc, barrier, mine});
}

bool Synchronizer::meet(uint32_t processor, uint32_t pc,
                        function_ref<Error()> action) {
  std::unique_lock<std::mutex> lock(mutex);
  if (failed)
    return false;
  if (++arrived < waits.size())
    return sleep(lock, processor, {Wait::Meeting, pc, 0, meetings + 1});
  if (Error failure = action()) {
    failLocked(std::move(failure));
    return false;
  }
  arrived = 0;
  ++meetings;
  for (std::condition_variable &other : wake)
    other.notify_one();
  return true;
}

void Synchronizer::finish(uint32_t processor) {
  std::lock_guard<std::mutex> lock(mutex);
  waits[processor].kind = Wait::Ended;
  checkDeadlock();
}

std::string Synchronizer::describe(uint32_t processor) const {
  const Wait &wait = waits[processor];
  std::string text = "processor " + utostr(processor);
  if (wait.kind == Wait::Ended)
    return text + " has ended";
  text += " waits at pc " + utostr(wait.pc);
  if (wait.kind == Wait::Semaphore)
    return text + " for semaphore " + utostr(wait.object) + " to be " +
           utostr(wait.count) + ", it is " +
           utostr(semaphores[wait.object].load());
  if (wait.kind == Wait::Barrier)
    return text + " at barrier " + utostr(wait.object);
  return text + " at a checkpoint";
}

void Synchronizer::checkDeadlock() {
  bool someoneWaits = false;
  for (const Wait &wait : waits) {
    if (wait.kind != Wait::Ended && satisfied(wait))
      return;
    someoneWaits |= wait.kind != Wait::Ended;
  }
  if (!someoneWaits)
    return;
  std::string text = "deadlock: ";
  for (uint32_t p = 0; p < waits.size(); ++p)
    text += (p ? "; " : "") + describe(p);
  failLocked(createStringError(text));
}

void Synchronizer::failLocked(Error failure) {
  if (failed) {
    consumeError(std::move(failure));
    return;
  }
  message = toString(std::move(failure));
  failed = true;
  for (std::condition_variable &other : wake)
    other.notify_one();
}

void Synchronizer::fail(Error failure) {
  std::lock_guard<std::mutex> lock(mutex);
  failLocked(std::move(failure));
}

Error Synchronizer::takeError() {
  return failed ? createStringError(message) : Error::success();
}

std::vector<int64_t> Synchronizer::semaphoreCounts() const {
  std::vector<int64_t> counts;
  for (const std::atomic<uint64_t> &semaphore : semaphores)
    counts.push_back(static_cast<int64_t>(semaphore.load()));
  return counts;
}

void Synchronizer::setSemaphoreCounts(ArrayRef<int64_t> counts) {
  for (auto [semaphore, count] : zip(semaphores, counts))
    semaphore = static_cast<uint64_t>(count);
}
