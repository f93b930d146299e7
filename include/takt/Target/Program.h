//===- Program.h - a decoded Takt program -----------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The content of a program container as plain structures: what the compiler's
// last step fills, what `encode` turns into bytes and `decode` reads back, and
// what executor, simulator and disassembler work on. Byte layout: Container.h.
//
// Time and versions. A value that is produced once per minibatch lives in a
// ring of `slots` buffers: the instance of minibatch j is in slot j mod slots.
// A reader that works on minibatch m reads instance m + lag (lag <= 0): lag is
// minus the distance of the dependence. Updated parameters are values too: the
// update of minibatch j writes instance j; forward and dgrad with delay d read
// lag -(1 + d), the update itself reads lag -1. Before the first update every
// slot of a parameter's ring holds the initial weights, so instances j < 0 are
// the initial weights.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_PROGRAM_H
#define TAKT_TARGET_PROGRAM_H

#include "takt/Support/ElementType.h"
#include "takt/Support/TaskKind.h"
#include "takt/Target/InitialData.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace takt {

enum class Opcode : uint8_t {
#define TAKT_OPCODE(Name, mnemonic, code, a, b, c, summary) Name = code,
#include "takt/Target/Isa.def"
};

enum class KernelId : uint16_t {
#define TAKT_KERNEL(Name, mnemonic, code, operands, results, words) Name = code,
#include "takt/Target/Kernels.def"
};

/// What the kernels `unary` and `binary` compute; see Functions.def.
enum class UnaryFunction : uint32_t {
#define TAKT_UNARY(Name, mnemonic, code, formula) Name = code,
#include "takt/Target/Functions.def"
};
enum class BinaryFunction : uint32_t {
#define TAKT_BINARY(Name, mnemonic, code, formula) Name = code,
#include "takt/Target/Functions.def"
};

/// What the kernel `compare` asks of two numbers.
enum class CompareFunction : uint32_t {
#define TAKT_COMPARISON(Name, mnemonic, code, formula) Name = code,
#include "takt/Target/Functions.def"
};

/// What the kernel `scatter_elements` makes of an element and its updates.
enum class ScatterMode : uint32_t {
#define TAKT_SCATTERING(Name, mnemonic, code, formula) Name = code,
#include "takt/Target/Functions.def"
};

/// What the kernel `pad` puts around a tensor.
enum class PadMode : uint32_t {
#define TAKT_PADDING(Name, mnemonic, code, meaning) Name = code,
#include "takt/Target/Functions.def"
};

/// What a region of memory holds. The values are part of the container.
enum class RegionClass : uint8_t {
  Parameter = 1,
  Gradient = 2,
  OptimizerState = 3,
  Activation = 4,
  Scratch = 5,
  HostInput = 6,
  HostOutput = 7,
  Scalars = 8,
  State = 9, ///< running statistics and the like
};

/// Owner of the regions that live in the host's memory.
constexpr uint32_t kHostProcessor = 0xFFFFFFFF;

struct Region {
  RegionClass kind;
  uint32_t processor; ///< or kHostProcessor
  uint64_t size;      ///< bytes; host regions: bytes of one minibatch's entry
  uint32_t alignment;
  bool readable = true, writable = true;

  bool operator==(const Region &o) const;
};

/// A tensor in memory: address, ring and shape. Row-major, dense.
struct TensorRef {
  ElementType type = ElementType::F32;
  llvm::SmallVector<int64_t, 4> dims; ///< at most 8, each positive
  uint32_t region = 0;
  uint64_t offset = 0;     ///< of slot 0, bytes from the region's start
  uint32_t slots = 1;      ///< ring depth
  uint64_t slotStride = 0; ///< bytes between slots
  int32_t lag = 0;         ///< instance read = minibatch + lag
  /// Which value this is (index into Program::values); the reference
  /// interpreter goes by this and ignores addresses, slots and lag.
  uint32_t value = 0;

  int64_t elements() const {
    int64_t n = 1;
    for (int64_t d : dims)
      n *= d;
    return n;
  }
  int64_t bytes() const { return elements() * elementBytes(type); }
  bool operator==(const TensorRef &o) const;
};

/// One call of a kernel.
struct Kernel {
  KernelId id;
  uint32_t task = 0;                     ///< index into Program::tasks
  uint64_t cycles = 0;                   ///< predicted duration
  llvm::SmallVector<uint32_t, 12> words; ///< attributes, see Kernels.def
  llvm::SmallVector<TensorRef, 4> operands;
  llvm::SmallVector<TensorRef, 2> results;

  bool operator==(const Kernel &o) const;
};

/// A copy of one value from one processor's memory into a peer's ring.
struct Transfer {
  TensorRef source;        ///< in the sender's memory, lag 0
  TensorRef destination;   ///< in the receiver's memory, lag 0
  uint32_t arrival = 0;    ///< semaphore that the receiver waits on
  uint32_t completion = 0; ///< semaphore that the sender waits on
  uint64_t cycles = 0;     ///< predicted time on the link
  uint64_t latency = 0;    ///< predicted time from the link to arrival

  bool operator==(const Transfer &o) const;
};

/// A copy between the host and a local buffer, by load or store.
struct HostCopy {
  uint32_t binding = 0; ///< index into Program::bindings
  TensorRef local;

  bool operator==(const HostCopy &o) const;
};

/// Monotonic counter with one writer.
struct Semaphore {
  uint32_t writer; ///< processor that adds (the sender, for transfers)
  uint32_t waiter; ///< processor that waits
  uint64_t initial = 0;

  bool operator==(const Semaphore &o) const;
};

struct Instruction {
  Opcode op;
  uint8_t flags = 0;  ///< reserved, zero
  uint16_t stage = 0; ///< pipeline stage, inside a loop body
  uint32_t a = 0, b = 0, c = 0;

  bool operator==(const Instruction &o) const;
};

enum class BindingKind : uint8_t { Input = 1, Label = 2, Output = 3, Loss = 4 };

/// Something that the host supplies or receives for every minibatch. An
/// iteration of a program may be of several minibatches: then each has bindings
/// of its own, under the same names, in their order.
struct Binding {
  std::string name;
  BindingKind kind;
  uint32_t region; ///< a host region
  ElementType type;
  llvm::SmallVector<int64_t, 4> dims;

  bool operator==(const Binding &o) const;
};

/// Initial content of one buffer: a box cut out of a parameter's initial value
/// (or all of it), copied into every slot of the ring.
struct Initializer {
  uint32_t parameter; ///< index into Program::parameters
  TensorRef target;
  uint32_t axis = 0;  ///< axis of the cut
  uint64_t begin = 0; ///< first index of the cut; its extent is the target's

  bool operator==(const Initializer &o) const;
};

enum class ParameterKind : uint8_t {
  Trainable = 1, ///< updated by the optimizer, possibly delayed
  State = 2,     ///< written by a forward task (running statistics)
  OptimizerState = 3,
  Constant = 4,
  /// Kept up by another parameter's update: a slice of that one, or its earlier
  /// versions, reconstructed; begins as a slice of it.
  Derived = 5,
};

/// A named tensor that outlives the minibatch. Several parameters of one name
/// are parts of one tensor along its first axis, versions of a part that
/// different updates of an iteration make, or replicas' own states; all begin
/// as the tensor does, and of equal parts the first one holds the result.
struct Parameter {
  std::string name; ///< the ONNX initializer's name where there is one
  ParameterKind kind;
  uint32_t layer = 0;
  uint32_t delay = 0; ///< d: update by the gradient of minibatch t - d
  /// By how many updates the version that dgrad reads is newer than the one
  /// that forward tasks read; at most 1 + delay, that of its own minibatch.
  uint32_t lead = 0;
  /// Where an iteration makes several updates, of several minibatches: which of
  /// them, 0 to lastUpdate, makes this version. Delay and lead count updates.
  uint16_t update = 0, lastUpdate = 0;
  /// Ring of the owner, lag 0. After N iterations the result is instance N-1.
  TensorRef home;
  /// The value (index into Program::values) that reads of the parameter carry,
  /// and the one that its update produces.
  uint32_t readValue = 0, writeValue = 0;
  /// Of a derived parameter: whose slice it is, and where the slice begins; its
  /// extent on that axis is its home's. Of a part, axis 0 and where it begins.
  uint32_t base = 0, axis = 0;
  uint64_t begin = 0;
  /// Initial content (not of a derived parameter): bytes of one element that
  /// fills the tensor, or an offset into Program::data.
  bool splat = true;
  std::array<uint8_t, 8> splatBytes = {};
  uint64_t dataOffset = 0;

  bool operator==(const Parameter &o) const;
};

/// By how many updates the version of a parameter that is updated is older than
/// the one that its reader's own gradient goes into: an update reads the
/// version before its own.
inline uint32_t updatesBehind(const Parameter &parameter, TaskKind reader) {
  switch (reader) {
  case TaskKind::Update:
    return 1;
  case TaskKind::Forward:
    return 1 + parameter.delay;
  case TaskKind::Dgrad:
  case TaskKind::Wgrad:
    break;
  }
  return 1 + parameter.delay - parameter.lead;
}

/// By how many iterations the version of a parameter that is updated is older
/// than its reader.
inline uint32_t readDistance(const Parameter &parameter, TaskKind reader) {
  return (parameter.update + updatesBehind(parameter, reader)) /
         (parameter.lastUpdate + 1u);
}

/// A value of the training step, whatever processors hold copies of it.
struct ValueInfo {
  std::string name;
  ElementType type;
  llvm::SmallVector<int64_t, 4> dims;

  bool operator==(const ValueInfo &o) const;
};

/// A task as the scheduler placed it; optional knowledge for traces and the
/// reference interpreter. Tasks are stored in sequential order: running all of
/// them in this order for one minibatch after the other is the definition of
/// what the program computes, given the parameters' delays.
struct TaskInfo {
  std::string name;
  TaskKind kind;
  uint32_t layer;
  uint32_t processor;
  uint64_t start;  ///< predicted, of minibatch 0, in cycles
  uint64_t cycles; ///< predicted

  bool operator==(const TaskInfo &o) const;
};

/// Run-time scalars of every program.
constexpr uint32_t kLearningRateScalar = 0, kIterationsScalar = 1;
/// Optional: minibatches over which the learning rate of a parameter with delay
/// d rises from 1/d of the program's to all of it; 0: it is all of it at once.
constexpr uint32_t kDelayScalingScalar = 2;
/// Optional, from here on: how the learning rate goes with the updates
/// (LearningRate.h).
constexpr uint32_t kRateScheduleScalar = 3, kRateScheduleScalars = 4;
/// Optional: what gradients are multiplied by behind the loss and divided by
/// before updates.
constexpr uint32_t kLossScaleScalar = 7;
/// Of programs that clip by the norm: the largest norm of all gradients
/// together that stays as it is, at least 0.
constexpr uint32_t kClipNormScalar = 8;
/// Up to here every number of iterations is a double.
constexpr uint64_t kMaxIterations = uint64_t(1) << 53;

struct ScalarInfo {
  std::string name; ///< scalar 0 is learning_rate, 1 is iterations
  double value;     ///< default

  bool operator==(const ScalarInfo &o) const;
};

struct Program {
  std::string model;    ///< the ONNX graph's name
  std::string schedule; ///< the scheduler's name
  std::string machine; ///< canonical text of the machine (hashed in the header)
  uint64_t interval = 0; ///< predicted cycles between two minibatches
  uint64_t batch = 1;

  std::vector<Region> regions;
  std::vector<Binding> bindings;
  std::vector<ScalarInfo> scalars;
  std::vector<Semaphore> semaphores;
  std::vector<ValueInfo> values;
  std::vector<Parameter> parameters;
  std::vector<Initializer> initializers;
  std::vector<Kernel> kernels;
  std::vector<Transfer> transfers;
  std::vector<HostCopy> hostCopies;
  std::vector<TaskInfo> tasks;
  std::vector<std::string> layers; ///< names
  /// One instruction stream per processor: loop, body, end_loop, halt.
  std::vector<std::vector<Instruction>> code;
  InitialData data; ///< initial values that are not splats

  bool operator==(const Program &o) const;
};

llvm::StringRef mnemonic(Opcode op);   ///< empty when illegal
llvm::StringRef mnemonic(KernelId id); ///< empty when unknown
/// Names in listings and in the C header; empty when unknown.
llvm::StringRef name(UnaryFunction function);   ///< empty when unknown
llvm::StringRef name(BinaryFunction function);  ///< empty when unknown
llvm::StringRef name(CompareFunction function); ///< empty when unknown
llvm::StringRef name(ScatterMode mode);         ///< empty when unknown
llvm::StringRef name(PadMode mode);             ///< empty when unknown

/// The value of an enumeration that counts from 1 and has names.
template <typename Enum> std::optional<Enum> findNamed(llvm::StringRef text) {
  for (uint32_t code = 1; !name(Enum(code)).empty(); ++code)
    if (name(Enum(code)) == text)
      return Enum(code);
  return std::nullopt;
}

llvm::StringRef name(RegionClass kind);
llvm::StringRef name(BindingKind kind);
llvm::StringRef name(ParameterKind kind);

} // namespace takt

#endif // TAKT_TARGET_PROGRAM_H
