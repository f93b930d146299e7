//===- OnnxWeights.h - trained weights in the model they are of -*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes values back into the ONNX file that a program was compiled from. The
// file is never taken apart and put together again: of its protobuf all bytes
// are copied as they are but the elements of the tensors that get others, and
// the lengths of the messages around them.
//
// A weight is an initializer, or what a node Constant, ConstantOfShape,
// Identity or Cast (of one of these) makes. Such a node becomes a Constant of
// the same name and output, since exporters share one initializer between
// weights that were equal when the file was written and are not any more.
//
// Files are untrusted: any sequence of bytes gives a file or one error.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_EXPORT_ONNXWEIGHTS_H
#define TAKT_EXPORT_ONNXWEIGHTS_H

#include "takt/Support/Npz.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>

namespace takt {

/// A tensor that a model is expected to have.
struct WeightDeclaration {
  std::string name;
  llvm::SmallVector<int64_t, 4> dims;
};

/// An ONNX file and where the weights are in it.
class OnnxWeights {
public:
  OnnxWeights(OnnxWeights &&);
  OnnxWeights &operator=(OnnxWeights &&);
  ~OnnxWeights();

  /// Finds the weights; the buffer must outlive them. Fails with "IDENTIFIER:
  /// reason" if the file is no protobuf of a model, or if it has no such
  /// tensor, one of another shape, or one that is no float tensor or not the
  /// same for every input.
  static llvm::Expected<OnnxWeights>
  find(llvm::MemoryBufferRef model, llvm::ArrayRef<WeightDeclaration> weights);

  /// find() in the file of that path. Fails, too, if it cannot be read.
  static llvm::Expected<OnnxWeights>
  open(llvm::StringRef path, llvm::ArrayRef<WeightDeclaration> weights);

  /// Writes the model with those values of the weights that find() was asked
  /// for; arrays of other names are passed over. Elements get the type that
  /// they have in the file; to 16-bit floats they are rounded, to nearest, ties
  /// to even. External data of a weight moves into the file.
  ///
  /// The file appears whole or not at all. Fails if a weight has no value, one
  /// of another shape, or one that its type in the file cannot hold; if the
  /// file would be larger than a protobuf may be, 2 GiB; or if another tensor
  /// has external data, which `path` would not find as it is in another
  /// directory.
  llvm::Error write(llvm::StringRef path, llvm::ArrayRef<Array> values) const;

private:
  struct Content;
  explicit OnnxWeights(std::unique_ptr<Content> content);
  std::unique_ptr<Content> content;
};

} // namespace takt

#endif // TAKT_EXPORT_ONNXWEIGHTS_H
