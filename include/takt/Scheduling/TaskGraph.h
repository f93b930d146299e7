//===- TaskGraph.h - the cyclic task graph of training ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The scheduling library's own view of one training iteration: tasks, the
// values that flow between them, and by how many iterations a consumer comes
// after the producer. Knows nothing of MLIR or of ONNX.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SCHEDULING_TASKGRAPH_H
#define TAKT_SCHEDULING_TASKGRAPH_H

#include "takt/Machine/CostModel.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>
#include <string>
#include <vector>

namespace takt {

/// Along which axis of its matrix product a task may be cut in parts.
///
/// | axis      | of the product | parts take shares of | their results are |
/// |-----------|----------------|----------------------|-------------------|
/// | Channel   | N              | the second operand   | concatenated      |
/// | Batch     | M              | the first operand    | concatenated      |
/// | Reduction | K              | both operands        | added             |
///
/// The operands of an F are activations and weights, of a D the gradient and
/// weights, of a W activations and the gradient or, as Task says, the other way
/// round. So samples are along Batch in F and D, along Reduction in W.
enum class CutAxis : uint8_t { Channel, Batch, Reduction };

/// "channel", "batch" or "reduction".
inline llvm::StringRef keyword(CutAxis axis) {
  constexpr llvm::StringLiteral names[] = {"channel", "batch", "reduction"};
  return names[static_cast<size_t>(axis)];
}

struct CutOption {
  CutAxis axis;
  int64_t extent; ///< number of indices along the axis; a cut is at 1..extent-1
};

/// The axis along which a product has samples.
inline CutAxis sampleAxis(TaskKind kind) {
  return kind == TaskKind::Wgrad ? CutAxis::Reduction : CutAxis::Batch;
}

/// The part of a task's number where it is no part: all of it, or the join.
constexpr int kWhole = -1;

struct Task {
  std::string
      name; ///< unique: "layer.F", "layer.D", "layer.D.0", "layer.D.join"
  TaskKind kind = TaskKind::Forward;
  int layer = 0;      ///< index into TaskGraph::layers
  int microbatch = 0; ///< of a synchronous step; updates are of the last one
  /// Its operations' work: [0] is the layer's matrix product (the one that a
  /// cut divides), the rest are fused operations.
  llvm::SmallVector<Work, 2> work;
  llvm::SmallVector<CutOption, 3> cuts; ///< legal cuts; empty: none
  /// Every operation, not only the product, can be done for some samples (of a
  /// W: to give a summand of the result). Then a cut by samples divides all of
  /// the task, and otherwise the product alone.
  bool rowwise = false;
  bool gradientFirst = false; ///< of a W's product the first operand
  /// Task that must be on the same processor (an update with its wgrad), or -1.
  int colocated = -1;
  /// Duration on whatever processor, where the problem states it; otherwise the
  /// cost model answers for `work`.
  std::optional<int64_t> cycles;
  /// Change of its processor's memory in bytes, beside the values', where the
  /// problem states one: a positive change counts from the task's start, a
  /// negative one from its end.
  int64_t memory = 0;
  /// In a graph that applyCuts made: the task of the graph before, and which
  /// part of it.
  int uncut = -1, part = kWhole;
};

enum class ValueClass : uint8_t {
  Activation,
  Gradient,
  Weight,
  WeightGradient,
  State,
  Input
};

/// Which operations of a task read a value: its matrix product (work[0]), those
/// fused to it, or both. A cut gives the parts what the product reads and the
/// join what the others read. Unknown: the cut infers it, see applyCuts.
enum class Reader : uint8_t { Unknown, Product, Fused, Both };

struct Use {
  int task;
  /// Iterations between producer and consumer: 0, or 1 for what the previous
  /// iteration left (state, optimizer state, the update's own old weights).
  int distance = 0;
  /// Set on the uses of an updated weight by F and D: the distance is
  /// 1 + delay of the producer's layer.
  bool delayed = false;
  /// Only uses by tasks with cuts need it.
  Reader reader = Reader::Unknown;
};

/// What a dependence carries.
struct Value {
  std::string name;
  ValueClass kind = ValueClass::Activation;
  int producer; ///< task, or -1 for what the host supplies (kind Input)
  int64_t bytes = 0;
  llvm::SmallVector<Use, 3> uses;
  /// Of a share that applyCuts cuts out at its producer: the name of the whole.
  std::string sliceOf;
  /// Of a weight, its gradient and its optimizer state: the indices of the
  /// first axis, among which replicas divide it; 0: unknown.
  int64_t rows = 0;
};

struct Layer {
  std::string name;
  int64_t parameterBytes = 0;
  int64_t optimizerBytes = 0; ///< optimizer state
};

/// One training iteration. Tasks are in sequential order: every dependence of
/// distance 0 goes from a smaller to a larger index. Layers are in topological
/// order of the forward graph.
struct TaskGraph {
  std::string name;
  std::vector<Layer> layers;
  std::vector<Task> tasks;
  std::vector<Value> values;
  /// Of one iteration. More than one only where replicate() made it so: then
  /// Task::microbatch tells them apart, and distances may exceed 1.
  int minibatches = 1;

  /// Index of the task of that name, or -1.
  int find(llvm::StringRef taskName) const;

  /// Whether an iteration has several microbatches, or minibatches.
  bool isDivided() const;

  /// Fails with the offending task or value named: an index out of range, a
  /// duplicate name, a negative size, a distance-0 dependence against the
  /// order, a colocation chain, an update without a wgrad.
  llvm::Error check() const;
};

/// A task divided in parts: indices [0, at[0]) of the axis, [at[0], at[1]), …
struct Cut {
  int task; ///< in the uncut graph
  CutAxis axis;
  llvm::SmallVector<int64_t, 2> at; ///< increasing
  /// By part (missing: no): whether its share of an operand is cut out where
  /// the operand is produced, so that only the share crosses to another
  /// processor. Where that producer is cut by samples too, the share comes from
  /// those of its parts that have some of it. Otherwise the part takes the
  /// whole operand and cuts it itself.
  llvm::SmallVector<bool, 2> sliceAtProducer;

  int parts() const { return static_cast<int>(at.size()) + 1; }
  bool slicesAtProducer(int part) const {
    return static_cast<size_t>(part) < sliceAtProducer.size() &&
           sliceAtProducer[part];
  }
};

/// The graph with those tasks divided into "X.0", "X.1", … and "X.join", in
/// this order and in the place of X.
///
/// The parts of a rowwise task that is cut by samples do all its operations for
/// theirs: of each of its values V, part i makes "V.i". Whoever needs
/// all of V takes it from the join, which concatenates or adds; without anyone
/// there is no join. Otherwise parts do the matrix product only, as the values
/// "X.0", "X.1", …, and the join concatenates or adds, and does what was fused
/// behind.
///
/// A slice at the producer is a Value of its own, named "VALUE.slice0 for X",
/// and its work is the last of the producer's.
///
/// Where a use does not say which operations read the value, a weight of the
/// size of the product's second operand and the gradient that the layer's W
/// reads too (or else the latest one) are the product's, all others the join's.
///
/// Fails if a cut is not one of the task's options, or a task is cut twice.
llvm::Expected<TaskGraph> applyCuts(const TaskGraph &graph,
                                    llvm::ArrayRef<Cut> cuts);

} // namespace takt

#endif // TAKT_SCHEDULING_TASKGRAPH_H
