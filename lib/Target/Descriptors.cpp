//===- Descriptors.cpp - 64-byte descriptors ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Descriptors.h"
#include "takt/Target/Container.h"

using namespace llvm;
using namespace takt;

/// Attribute words in a kernel's own descriptor, and in each that follows.
static constexpr size_t kInlineWords = 11, kFurtherWords = 15;
static constexpr size_t kTensorRank = 8;

namespace {
/// Fields of each descriptor behind its type byte.
template <typename Archive, typename T>
void tensorFields(Archive &ar, T &tensor, uint8_t &rank) {
  ar.u8(tensor.type);
  ar.u8(rank);
  ar.zero(1);
  ar.u32(tensor.region);
  ar.u64(tensor.offset);
  ar.u64(tensor.slotStride);
  ar.u32(tensor.value);
  ar.u16(tensor.slots);
  ar.i16(tensor.lag);
}

template <typename Archive, typename T>
void kernelFields(Archive &ar, T &kernel, uint8_t &operands, uint8_t &results,
                  uint8_t &words) {
  ar.u8(operands);
  ar.u8(results);
  ar.u8(words);
  ar.u16(kernel.id);
  ar.zero(2);
  ar.u64(kernel.cycles);
  ar.u32(kernel.task);
}

template <typename Archive, typename T>
void transferFields(Archive &ar, T &transfer) {
  ar.zero(7);
  ar.u32(transfer.arrival);
  ar.u32(transfer.completion);
  ar.u64(transfer.cycles);
  ar.u64(transfer.latency);
  ar.zero(kDescriptorBytes - 32);
}

template <typename Archive, typename T>
void hostCopyFields(Archive &ar, T &copy) {
  ar.zero(3);
  ar.u32(copy.binding);
  ar.zero(kDescriptorBytes - 8);
}
} // namespace

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

void DescriptorWriter::begin(DescriptorType type) {
  ++count;
  out.u8(type);
}

void DescriptorWriter::end() {
  size_t used = out.bytes.size() % kDescriptorBytes;
  out.zero(used == 0 ? 0 : kDescriptorBytes - used);
}

uint32_t DescriptorWriter::write(const TensorRef &tensor) {
  begin(DescriptorType::Tensor);
  if (tensor.dims.size() > kTensorRank)
    out.error = "a tensor has more than 8 dimensions";
  uint8_t rank = std::min(tensor.dims.size(), kTensorRank);
  tensorFields(out, tensor, rank);
  for (int64_t dim : ArrayRef(tensor.dims).take_front(rank))
    out.u32(dim);
  end();
  return count - 1;
}

void DescriptorWriter::write(const Kernel &kernel) {
  kernels.push_back(count);
  begin(DescriptorType::Kernel);
  if (std::max({kernel.operands.size(), kernel.results.size(),
                kernel.words.size()}) > UINT8_MAX)
    out.error = "a kernel has more than 255 operands, results or words";
  uint8_t operands = kernel.operands.size(), results = kernel.results.size(),
          words = kernel.words.size();
  kernelFields(out, kernel, operands, results, words);
  ArrayRef<uint32_t> rest = kernel.words;
  for (uint32_t word : rest.take_front(kInlineWords))
    out.u32(word);
  end();
  rest = rest.drop_front(std::min(rest.size(), kInlineWords));
  while (!rest.empty()) {
    begin(DescriptorType::Words);
    out.zero(3);
    for (uint32_t word : rest.take_front(kFurtherWords))
      out.u32(word);
    end();
    rest = rest.drop_front(std::min(rest.size(), kFurtherWords));
  }
  for (const TensorRef &tensor : kernel.operands)
    write(tensor);
  for (const TensorRef &tensor : kernel.results)
    write(tensor);
}

void DescriptorWriter::write(const Program &program) {
  for (const Kernel &kernel : program.kernels)
    write(kernel);
  for (const Transfer &transfer : program.transfers) {
    transfers.push_back(count);
    begin(DescriptorType::Transfer);
    transferFields(out, transfer);
    write(transfer.source);
    write(transfer.destination);
  }
  for (const HostCopy &copy : program.hostCopies) {
    hostCopies.push_back(count);
    begin(DescriptorType::HostCopy);
    hostCopyFields(out, copy);
    write(copy.local);
  }
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

DescriptorType DescriptorReader::next() {
  if (number >= count) {
    in.fail("ends in the middle of a descriptor's parts");
    return DescriptorType::Tensor;
  }
  ++number;
  DescriptorType type;
  in.u8(type);
  return type;
}

TensorRef DescriptorReader::readTensor() {
  TensorRef tensor;
  uint8_t rank = 0;
  tensorFields(in, tensor, rank);
  if (elementBytes(tensor.type) == 0)
    in.fail("has a tensor of unknown element type " +
            Twine(unsigned(tensor.type)));
  if (rank > kTensorRank) {
    in.fail("has a tensor of rank " + Twine(unsigned(rank)) +
            ", expected at most 8");
    rank = kTensorRank;
  }
  tensor.dims.resize(rank);
  for (int64_t &dim : tensor.dims)
    in.u32(dim);
  in.zero(4 * (kTensorRank - rank));
  return tensor;
}

TensorRef DescriptorReader::nextTensor() {
  if (next() != DescriptorType::Tensor)
    in.fail("has descriptor " + Twine(number - 1) +
            " where a tensor is expected");
  return readTensor();
}

void DescriptorReader::readKernel() {
  kernels[number - 1] = program.kernels.size();
  Kernel kernel;
  uint8_t operands = 0, results = 0, words = 0;
  kernelFields(in, kernel, operands, results, words);
  if (mnemonic(kernel.id).empty())
    in.fail("has a kernel of unknown code " + Twine(unsigned(kernel.id)));
  auto readWords = [&](size_t room) {
    size_t taken = std::min<size_t>(room, words - kernel.words.size());
    for (size_t i = 0; i < taken; ++i) {
      kernel.words.emplace_back();
      in.u32(kernel.words.back());
    }
    in.zero(4 * (room - taken));
  };
  readWords(kInlineWords);
  while (kernel.words.size() < words && in.error.empty()) {
    if (next() != DescriptorType::Words)
      in.fail("has descriptor " + Twine(number - 1) +
              " where attribute words are expected");
    in.zero(3);
    readWords(kFurtherWords);
  }
  for (unsigned i = 0; i < operands && in.error.empty(); ++i)
    kernel.operands.push_back(nextTensor());
  for (unsigned i = 0; i < results && in.error.empty(); ++i)
    kernel.results.push_back(nextTensor());
  program.kernels.push_back(std::move(kernel));
}

void DescriptorReader::readTransfer() {
  transfers[number - 1] = program.transfers.size();
  Transfer transfer;
  transferFields(in, transfer);
  transfer.source = nextTensor();
  transfer.destination = nextTensor();
  program.transfers.push_back(std::move(transfer));
}

void DescriptorReader::readHostCopy() {
  hostCopies[number - 1] = program.hostCopies.size();
  HostCopy copy;
  hostCopyFields(in, copy);
  copy.local = nextTensor();
  program.hostCopies.push_back(std::move(copy));
}

Error DescriptorReader::read() {
  while (number < count && in.error.empty()) {
    switch (next()) {
    case DescriptorType::Tensor:
      tensors[number - 1] = tensorRefs.size();
      tensorRefs.push_back(readTensor());
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
      in.fail("has descriptor " + Twine(number - 1) + " of unknown type");
    }
  }
  if (!in.error.empty())
    return createStringError("section 'descriptors' " + in.error);
  return Error::success();
}

const TensorRef *DescriptorReader::tensor(uint32_t number) const {
  int64_t index = find(tensors, number);
  return index < 0 ? nullptr : &tensorRefs[index];
}
