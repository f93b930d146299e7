//===- Checkpoint.cpp - the state of the machine as a file ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Checkpoint.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <deque>

using namespace llvm;
using namespace takt;
using namespace takt::runtime;

static constexpr int64_t kVersion = 1;

static std::string checkpointPath(const CheckpointOptions &options) {
  SmallString<128> path(options.directory);
  sys::path::append(path, "checkpoint.npz");
  return path.str().str();
}

namespace {
/// Collects the arrays of a checkpoint. Memory is not copied.
class Saver {
public:
  void integers(std::string name, ArrayRef<int64_t> values) {
    auto *bytes = reinterpret_cast<const uint8_t *>(values.data());
    copy(std::move(name), ElementType::I64, values.size(),
         {bytes, values.size() * sizeof(int64_t)});
  }
  void losses(ArrayRef<double> values) {
    auto *bytes = reinterpret_cast<const uint8_t *>(values.data());
    copy("losses", ElementType::F64, values.size(),
         {bytes, values.size() * sizeof(double)});
  }
  void bytes(std::string name, ArrayRef<uint8_t> data) {
    names.push_back(std::move(name));
    sizes.push_back(data.size());
    views.emplace_back(names.back(), ElementType::U8, ArrayRef(sizes.back()),
                       data);
  }

  std::vector<ArrayView> views;

private:
  void copy(std::string name, ElementType type, size_t size,
            ArrayRef<uint8_t> data) {
    owned.push_back({std::move(name), type, {}, data.vec()});
    owned.back().dims.push_back(size);
    views.emplace_back(owned.back());
  }

  // Deques: what views refer to stays where it is.
  std::deque<Array> owned;
  std::deque<std::string> names;
  std::deque<int64_t> sizes;
};
} // namespace

Error takt::runtime::prepareDirectory(const CheckpointOptions &options) {
  if (std::error_code code = sys::fs::create_directories(options.directory))
    return createStringError(options.directory + ": " + code.message());
  // Also installs LLVM's clean-up of temporary files on this thread, not on a
  // processor's, whose signal stack belongs to a sanitizer.
  Expected<sys::fs::TempFile> probe =
      sys::fs::TempFile::create(checkpointPath(options) + ".tmp%%%%%%");
  Error failure = probe ? probe->discard() : probe.takeError();
  if (failure)
    return createStringError(options.directory + ": " +
                             toString(std::move(failure)));
  return Error::success();
}

Error takt::runtime::saveCheckpoint(const CheckpointOptions &options,
                                    const MachineState &state) {
  Saver saver;
  saver.integers("version", {kVersion});
  saver.bytes("program", options.programHash);
  saver.integers("data_seed", {static_cast<int64_t>(options.dataSeed)});
  saver.integers("trips", {static_cast<int64_t>(state.trips)});
  saver.integers("pc", SmallVector<int64_t>(state.pc.begin(), state.pc.end()));
  saver.integers("semaphores", state.synchronizer.semaphoreCounts());
  saver.losses(state.recorder.losses());
  for (const auto &[barrier, counts] : state.synchronizer.barriers)
    saver.integers("barrier." + utostr(barrier), counts);
  saver.integers("versions", state.versions.save());
  for (auto [i, region] : enumerate(state.memory.regions))
    saver.bytes("region." + utostr(i),
                {reinterpret_cast<const uint8_t *>(region.data()),
                 static_cast<size_t>(region.bytes())});
  return writeNpz(checkpointPath(options), saver.views);
}

namespace {
/// Takes the arrays of a checkpoint apart.
class Loader {
public:
  Loader(std::string path, ArrayRef<Array> arrays)
      : path(std::move(path)), arrays(arrays) {}

  Error fail(const Twine &message) const {
    return createStringError(path + ": " + message);
  }

  /// The array of that name, type and number of elements.
  Expected<ArrayRef<uint8_t>> get(StringRef name, ElementType type,
                                  uint64_t elements) const {
    const Array *array = findArray(arrays, name);
    if (!array)
      return fail("not a checkpoint of this program: it has no '" + name + "'");
    if (array->type != type || array->dims.size() != 1 ||
        static_cast<uint64_t>(array->dims[0]) != elements)
      return fail("not a checkpoint of this program: '" + name + "' is " +
                  describe(descriptor(array->type), array->dims) +
                  ", expected " +
                  describe(descriptor(type), static_cast<int64_t>(elements)));
    return ArrayRef(array->data);
  }

  Expected<std::vector<int64_t>> integers(StringRef name,
                                          uint64_t elements) const {
    return numbers<int64_t>(name, ElementType::I64, elements);
  }

  template <typename T>
  Expected<std::vector<T>> numbers(StringRef name, ElementType type,
                                   uint64_t elements) const {
    Expected<ArrayRef<uint8_t>> bytes = get(name, type, elements);
    if (!bytes)
      return bytes.takeError();
    std::vector<T> values(elements);
    std::copy(bytes->begin(), bytes->end(),
              reinterpret_cast<uint8_t *>(values.data()));
    return values;
  }

  /// Number of elements of an array whose length is free; 0 without it.
  uint64_t size(StringRef name) const {
    const Array *array = findArray(arrays, name);
    return array && array->dims.size() == 1 ? array->dims[0] : 0;
  }

private:
  std::string path;
  ArrayRef<Array> arrays;
};
} // namespace

/// Fails unless the checkpoint belongs to this program and this data.
static Error checkIdentity(const Loader &loader,
                           const CheckpointOptions &options) {
  Expected<std::vector<int64_t>> version = loader.integers("version", 1);
  if (!version)
    return version.takeError();
  if (version->front() != kVersion)
    return loader.fail("checkpoint version " + Twine(version->front()) +
                       ", expected " + Twine(kVersion));
  Expected<ArrayRef<uint8_t>> hash =
      loader.get("program", ElementType::U8, options.programHash.size());
  if (!hash)
    return hash.takeError();
  if (*hash != ArrayRef(options.programHash))
    return loader.fail("checkpoint of another program: its hash is " +
                       toHex(*hash, true) + ", this program's is " +
                       toHex(options.programHash, true));
  Expected<std::vector<int64_t>> seed = loader.integers("data_seed", 1);
  if (!seed)
    return seed.takeError();
  if (static_cast<uint64_t>(seed->front()) != options.dataSeed)
    return loader.fail("checkpoint of a run with seed " +
                       Twine(static_cast<uint64_t>(seed->front())) +
                       ", this run's is " + Twine(options.dataSeed));
  return Error::success();
}

static Error loadRegions(const Loader &loader, MachineState &state) {
  for (auto [i, region] : enumerate(state.memory.regions)) {
    Expected<ArrayRef<uint8_t>> bytes =
        loader.get("region." + utostr(i), ElementType::U8, region.bytes());
    if (!bytes)
      return bytes.takeError();
    std::copy(bytes->begin(), bytes->end(), region.data());
  }
  return Error::success();
}

/// Where the processors stood.
static Error loadPosition(const Loader &loader, const Program &program,
                          MachineState &state) {
  Expected<std::vector<int64_t>> trips = loader.integers("trips", 1);
  if (!trips)
    return trips.takeError();
  Expected<std::vector<int64_t>> pc =
      loader.integers("pc", program.code.size());
  if (!pc)
    return pc.takeError();
  state.trips = trips->front();
  if (trips->front() < 1)
    return loader.fail("finished trips: " + Twine(trips->front()) +
                       ", expected at least 1");
  for (auto [p, position] : enumerate(*pc)) {
    const std::vector<Instruction> &code = program.code[p];
    if (position < 0 || static_cast<size_t>(position) >= code.size() ||
        code[position].op != Opcode::Checkpoint)
      return loader.fail("no checkpoint instruction at pc " + Twine(position));
    state.pc[p] = static_cast<uint32_t>(position);
  }
  return Error::success();
}

static Error loadBarriers(const Loader &loader, const Program &program,
                          MachineState &state) {
  for (const std::vector<Instruction> &code : program.code)
    for (const Instruction &instruction : code) {
      std::string name = "barrier." + utostr(instruction.a);
      if (instruction.op != Opcode::Barrier || loader.size(name) == 0)
        continue;
      auto counts = loader.integers(name, program.code.size());
      if (!counts)
        return counts.takeError();
      state.synchronizer.barriers[instruction.a] = std::move(*counts);
    }
  return Error::success();
}

Error takt::runtime::loadCheckpoint(const CheckpointOptions &options,
                                    const Program &program,
                                    MachineState &state) {
  std::string path = checkpointPath(options);
  Expected<std::vector<Array>> arrays = readArrayFile(path);
  if (!arrays)
    return arrays.takeError();
  Loader loader(path, *arrays);
  if (Error error = checkIdentity(loader, options))
    return error;
  if (Error error = loadPosition(loader, program, state))
    return error;
  if (Error error = loadBarriers(loader, program, state))
    return error;
  auto semaphores = loader.integers("semaphores", program.semaphores.size());
  if (!semaphores)
    return semaphores.takeError();
  state.synchronizer.setSemaphoreCounts(*semaphores);
  auto losses =
      loader.numbers<double>("losses", ElementType::F64, loader.size("losses"));
  if (!losses)
    return losses.takeError();
  state.recorder.restore(std::move(*losses));
  auto versions = loader.integers("versions", loader.size("versions"));
  if (!versions)
    return versions.takeError();
  if (!state.versions.restore(*versions))
    return loader.fail("not a checkpoint of this program: 'versions' has " +
                       Twine(versions->size()) + " elements");
  return loadRegions(loader, state);
}
