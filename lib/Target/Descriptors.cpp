//===- Descriptors.cpp - 64-byte descriptors ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Descriptors.h"

using namespace llvm;
using namespace takt;

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

template <typename T, typename Content>
uint32_t DescriptorWriter::descriptor(const Content &content) {
  if (count == UINT32_MAX)
    out.fail("the program has more than 2^32 - 1 descriptors");
  out.u8("type", Record<T>::kType);
  Record<T>::fields(out, content);
  return count++;
}

uint32_t DescriptorWriter::write(const TensorRef &tensor) {
  return descriptor<TensorRef>(tensor);
}

void DescriptorWriter::write(const Kernel &kernel) {
  kernels.push_back(descriptor<Kernel>(kernel));
  ArrayRef<uint32_t> words = kernel.words;
  for (size_t i = kInlineWords; i < words.size(); i += kFurtherWords)
    descriptor<FurtherWords>(words.drop_front(i));
  for (const TensorRef &tensor : kernel.operands)
    write(tensor);
  for (const TensorRef &tensor : kernel.results)
    write(tensor);
}

void DescriptorWriter::write(const Program &program) {
  for (const Kernel &kernel : program.kernels)
    write(kernel);
  for (const Transfer &transfer : program.transfers) {
    transfers.push_back(descriptor<Transfer>(transfer));
    write(transfer.source);
    write(transfer.destination);
  }
  for (const HostCopy &copy : program.hostCopies) {
    hostCopies.push_back(descriptor<HostCopy>(copy));
    write(copy.local);
  }
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

DescriptorType DescriptorReader::next() {
  DescriptorType type;
  in.u8("type", type);
  entries.push_back({type});
  return type;
}

template <typename T, typename Content>
void DescriptorReader::content(Content &&content) {
  uint64_t begin = in.offset() - 1;
  Record<T>::fields(in, content);
  std::string problem = problemOf(content);
  if (!problem.empty())
    in.failAt(begin, problem);
}

template <typename T, typename Content>
void DescriptorReader::part(Content &&into) {
  if (!in.error.empty())
    return;
  DescriptorType type = next();
  if (type != Record<T>::kType)
    in.fail("descriptor " + Twine(entries.size() - 1) + " is of type " +
            Twine(unsigned(type)) + ", expected " +
            Twine(unsigned(Record<T>::kType)) + ", a part of the one before");
  content<T>(into);
}

void DescriptorReader::readKernel() {
  entries.back().index = program.kernels.size();
  Kernel kernel;
  content<Kernel>(kernel);
  MutableArrayRef<uint32_t> words = kernel.words;
  for (size_t i = kInlineWords; i < words.size(); i += kFurtherWords)
    part<FurtherWords>(words.drop_front(i));
  for (TensorRef &tensor : kernel.operands)
    part<TensorRef>(tensor);
  for (TensorRef &tensor : kernel.results)
    part<TensorRef>(tensor);
  program.kernels.push_back(std::move(kernel));
}

void DescriptorReader::readTransfer() {
  entries.back().index = program.transfers.size();
  Transfer transfer;
  content<Transfer>(transfer);
  part<TensorRef>(transfer.source);
  part<TensorRef>(transfer.destination);
  program.transfers.push_back(std::move(transfer));
}

void DescriptorReader::readHostCopy() {
  entries.back().index = program.hostCopies.size();
  HostCopy copy;
  content<HostCopy>(copy);
  part<TensorRef>(copy.local);
  program.hostCopies.push_back(std::move(copy));
}

std::string DescriptorReader::read() {
  while (!in.atEnd() && in.error.empty()) {
    DescriptorType type = next();
    switch (type) {
    case DescriptorType::Tensor:
      entries.back().index = tensorRefs.size();
      tensorRefs.emplace_back();
      content<TensorRef>(tensorRefs.back());
      break;
    case DescriptorType::Kernel:
      readKernel();
      break;
    case DescriptorType::Transfer:
      readTransfer();
      break;
    case DescriptorType::HostCopy:
      readHostCopy();
      break;
    default:
      in.fail("descriptor " + Twine(entries.size() - 1) +
              " is of unknown type " + Twine(unsigned(type)));
    }
  }
  return in.error;
}

const TensorRef *DescriptorReader::tensor(uint32_t number) const {
  int64_t index = find(DescriptorType::Tensor, number);
  return index < 0 ? nullptr : &tensorRefs[index];
}
