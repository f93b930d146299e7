//===- ImportOnnx.h - from ONNX to the train dialect ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Opset 1 to 25 of ONNX's default domain, as protobuf or in ONNX's text format,
// becomes the forward graph @main and the module's parameters.
//
// What is a parameter is decided by dataflow: a float constant that an
// operation of @main takes is one, trainable unless it has rank 0, comes
// from sizes of inputs or nothing differentiable takes it; running statistics
// of batch normalization are state. An initializer that several nodes use is
// one parameter; an Identity of an initializer is a parameter of its own,
// because exporters merge initializers that are equal when the file is written.
//
// Files are untrusted: any sequence of bytes gives a module or one diagnostic,
// and no file can make the importer allocate more than in proportion to its
// size (and that of its external data).
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_IMPORT_IMPORTONNX_H
#define TAKT_IMPORT_IMPORTONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MemoryBufferRef.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace takt {

/// Oldest and newest opset of the default domain that are understood.
constexpr int64_t kMinOpset = 1;
constexpr int64_t kMaxOpset = 25;

enum class ImportMode {
  /// Batch normalization does as BatchNormMode says, dropout drops (unless the
  /// file says `training_mode` = false in so many words).
  Train,
  /// Batch normalization uses the running statistics, dropout does nothing.
  Forward
};

/// Which statistics batch normalization has in training.
enum class BatchNormMode {
  /// Those of the minibatch where the node is in training form: training_mode
  /// is set, or, before opset 14, it has more outputs than y. Otherwise the
  /// running ones, as in fine-tuning with frozen statistics.
  AsModel,
  Training, ///< of the minibatch; the running ones are updated
  Frozen    ///< the running ones, which stay as they are
};

struct ImportOptions {
  /// Size of the batch dimension, the first one of the inputs; replaces the
  /// size in the file, where it has one. 0: the file's own.
  int64_t batch = 0;
  /// Sizes of symbolic dimensions, by name.
  std::map<std::string, int64_t> dims;
  ImportMode mode = ImportMode::Train;
  BatchNormMode batchNorm = BatchNormMode::AsModel;
  /// Keeps the file's bytes alive, so that initial values may stay in them as
  /// long as the context lives. Null: they are copied.
  std::shared_ptr<const void> owner;
};

/// Imports a model. `file` is a protobuf, or ONNX's text format if its name
/// ends in .onnxtxt or .onnxtext or it begins with `<`; external data is looked
/// for beside the file that its identifier names, and is mapped. Values that
/// the file has in their computed type are used where they lie, if the options
/// say who owns them.
///
/// The module has `train.batch` and `train.opset`, its name is the graph's;
/// nodes that no output needs and inputs that no such node reads are left out.
/// Values are computed in the file's own type, 16-bit floats in f32.
///
/// Fails with one diagnostic: "invalid ONNX: …" for a file that breaks ONNX's
/// rules, "unsupported: …" for one that Takt cannot train, otherwise for
/// options that do not fit the file. The node's name is in the message and is
/// the location (the name of the first output, for a node without a name).
mlir::OwningOpRef<mlir::ModuleOp> importOnnx(llvm::MemoryBufferRef file,
                                             mlir::MLIRContext &context,
                                             const ImportOptions &options);

/// Registers --import-onnx, with --batch, --dim and --mode, with
/// mlir-translate's registry. Defines command line options; call once.
void registerImportOnnxTranslation();

/// One line per parameter: name, shape, kind and the nodes that use it.
void printParameters(mlir::ModuleOp module, llvm::raw_ostream &os);

/// Why each parameter of a step is of its kind, and the nodes that use it; in
/// the order of the parameters in the module.
std::vector<std::string> explainKinds(mlir::ModuleOp module);

/// A node of a model as it is written, functions inlined.
struct OnnxNode {
  std::string name; ///< that of its first output for a node without one
  std::string type; ///< its operator
  int64_t since;    ///< the opset that the operator's version came with
};

/// The nodes that the outputs need, producers first. Fails with a diagnostic
/// for what no model can be imported from.
mlir::FailureOr<std::vector<OnnxNode>> listNodes(llvm::MemoryBufferRef file,
                                                 mlir::MLIRContext &context);

/// One line per ONNX operator that is understood: name, versions, and what it
/// becomes.
void listOps(llvm::raw_ostream &os);

/// The same as a page in Markdown, docs/generated/operators.md, which also says
/// what has gradients.
void printOperatorPage(llvm::raw_ostream &os);

} // namespace takt

#endif // TAKT_IMPORT_IMPORTONNX_H
