//===- FromStream.cpp - text to programs ----------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "takt/Dialect/ElementTypes.h"
#include "takt/Dialect/Stream/Conversion.h"
#include "takt/Dialect/Stream/Stream.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace takt;

namespace {
/// Reads the records and instructions of a program. Numbers that do not fit
/// are remembered as the error, with the operation.
class StreamReader {
public:
  explicit StreamReader(stream::ProgramOp op) : op(op) {}

  llvm::Expected<Program> read() {
    program.model = op.getModel().str();
    program.schedule = op.getSchedule().str();
    program.machine = op.getMachine().str();
    number(op, op.getInterval(), program.interval);
    number(op, op.getBatch(), program.batch);
    readData();
    for (Operation &record : op.getBody().front())
      readRecord(&record);
    if (!error.empty())
      return llvm::createStringError(error);
    return std::move(program);
  }

private:
  void fail(Operation *at, const Twine &message) {
    if (error.empty())
      error = ("'" + at->getName().getStringRef() + "' " + message).str();
  }
  template <typename T> void number(Operation *at, uint64_t value, T &into) {
    into = static_cast<T>(value);
    if (static_cast<uint64_t>(into) != value ||
        value > uint64_t(std::numeric_limits<int64_t>::max()))
      fail(at,
           "has " + Twine(int64_t(value)) + ", which does not fit its field");
  }
  void type(Operation *at, Type from, ElementType &element,
            SmallVectorImpl<int64_t> &dims) {
    auto tensor = dyn_cast<RankedTensorType>(from);
    if (!tensor || !tensor.hasStaticShape())
      return fail(at, "has a type that is no static tensor");
    dims.assign(tensor.getShape().begin(), tensor.getShape().end());
    if (std::optional<ElementType> of = elementType(tensor.getElementType()))
      element = *of;
    else
      fail(at, "has a tensor of an element type that programs do not have");
  }
  TensorRef tensor(Operation *at, stream::TensorAttr attr) {
    TensorRef ref;
    type(at, attr.getType(), ref.type, ref.dims);
    ref.region = attr.getRegion();
    ref.offset = attr.getOffset();
    ref.slots = attr.getSlots();
    ref.slotStride = attr.getStride();
    ref.lag = attr.getLag();
    ref.value = attr.getValue();
    return ref;
  }

  void readData();
  void readRecord(Operation *record);
  void readMemory(Operation *record);
  void readParameter(stream::ParameterOp record);
  void readKernel(stream::KernelOp record);
  void readWork(Operation *record);
  void readProcessor(stream::ProcessorOp processor);

  stream::ProgramOp op;
  Program program;
  std::string error;
};
} // namespace

void StreamReader::readData() {
  std::optional<ElementsAttr> data = op.getData();
  if (!data)
    return;
  ArrayRef<char> bytes;
  auto dense = dyn_cast<DenseElementsAttr>(*data);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(*data)) {
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      bytes = blob->getData();
  } else if (dense) {
    bytes = dense.getRawData();
  }
  if (!data->getElementType().isInteger(8) || bytes.empty())
    return fail(op, "has data that is no array of bytes");
  if (dense && dense.isSplat()) {
    std::vector<uint8_t> splat(dense.getNumElements(), bytes.front());
    program.data = InitialData(std::move(splat));
    return;
  }
  if (int64_t(bytes.size()) != data->getNumElements())
    return fail(op, "has " + Twine(bytes.size()) + " bytes of data, expected " +
                        Twine(data->getNumElements()));
  program.data.add(
      {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
}

void StreamReader::readMemory(Operation *record) {
  if (auto region = dyn_cast<stream::RegionOp>(record)) {
    takt::Region result{RegionClass(region.getKind()), kHostProcessor, 0, 0};
    if (region.getProcessor())
      number(record, *region.getProcessor(), result.processor);
    number(record, region.getBytes(), result.size);
    number(record, region.getAlignment(), result.alignment);
    result.readable = region.getAccess().contains('r');
    result.writable = region.getAccess().contains('w');
    program.regions.push_back(result);
  } else if (auto binding = dyn_cast<stream::BindingOp>(record)) {
    Binding result;
    result.name = binding.getName().str();
    result.kind = BindingKind(binding.getRole());
    type(record, binding.getType(), result.type, result.dims);
    number(record, binding.getRegion(), result.region);
    program.bindings.push_back(std::move(result));
  } else if (auto scalar = dyn_cast<stream::ScalarOp>(record)) {
    program.scalars.push_back(
        {scalar.getName().str(), scalar.getValue().convertToDouble()});
  } else if (auto semaphore = dyn_cast<stream::SemaphoreOp>(record)) {
    Semaphore result{0, 0, 0};
    number(record, semaphore.getWriter(), result.writer);
    number(record, semaphore.getWaiter(), result.waiter);
    number(record, semaphore.getInitial(), result.initial);
    program.semaphores.push_back(result);
  } else if (auto value = dyn_cast<stream::ValueOp>(record)) {
    ValueInfo result;
    result.name = value.getName().str();
    type(record, value.getType(), result.type, result.dims);
    program.values.push_back(std::move(result));
  }
}

void StreamReader::readParameter(stream::ParameterOp record) {
  Parameter result;
  result.name = record.getName().str();
  result.kind = ParameterKind(record.getRole());
  number(record, record.getLayer(), result.layer);
  number(record, record.getDelay(), result.delay);
  number(record, record.getLead(), result.lead);
  number(record, record.getUpdate(), result.update);
  number(record, record.getLastUpdate(), result.lastUpdate);
  result.home = tensor(record, record.getHome());
  number(record, record.getReadValue(), result.readValue);
  number(record, record.getWriteValue(), result.writeValue);
  number(record, record.getDataOffset(), result.dataOffset);
  number(record, record.getBase(), result.base);
  number(record, record.getAxis(), result.axis);
  number(record, record.getBegin(), result.begin);
  std::optional<ArrayRef<int64_t>> splat = record.getSplat();
  result.splat = splat.has_value();
  if (splat)
    for (auto [byte, value] : llvm::zip_equal(result.splatBytes, *splat))
      number(record, value, byte);
  program.parameters.push_back(std::move(result));
}

static std::optional<KernelId> kernelOf(StringRef text) {
  static const llvm::StringMap<KernelId> kernels = {
#define TAKT_KERNEL(Name, mnemonic, code, operands, results, words)            \
  {mnemonic, KernelId::Name},
#include "takt/Target/Kernels.def"
  };
  auto it = kernels.find(text);
  return it == kernels.end() ? std::nullopt : std::optional(it->second);
}

void StreamReader::readKernel(stream::KernelOp record) {
  Kernel result;
  std::optional<KernelId> id = kernelOf(record.getKernel());
  if (!id)
    return fail(record, "calls a kernel that does not exist");
  result.id = *id;
  number(record, record.getTask(), result.task);
  number(record, record.getCycles(), result.cycles);
  for (int64_t word : record.getWords()) {
    result.words.emplace_back();
    number(record, word, result.words.back());
  }
  for (auto attr : record.getOperandTensors().getAsRange<stream::TensorAttr>())
    result.operands.push_back(tensor(record, attr));
  for (auto attr : record.getResultTensors().getAsRange<stream::TensorAttr>())
    result.results.push_back(tensor(record, attr));
  program.kernels.push_back(std::move(result));
}

void StreamReader::readWork(Operation *record) {
  if (auto init = dyn_cast<stream::InitializerOp>(record)) {
    Initializer result{0, tensor(record, init.getTarget()), 0, 0};
    number(record, init.getParameter(), result.parameter);
    number(record, init.getAxis(), result.axis);
    number(record, init.getBegin(), result.begin);
    program.initializers.push_back(std::move(result));
  } else if (auto transfer = dyn_cast<stream::TransferOp>(record)) {
    Transfer result;
    result.source = tensor(record, transfer.getSource());
    result.destination = tensor(record, transfer.getDestination());
    number(record, transfer.getArrival(), result.arrival);
    number(record, transfer.getCompletion(), result.completion);
    number(record, transfer.getCycles(), result.cycles);
    number(record, transfer.getLatency(), result.latency);
    program.transfers.push_back(std::move(result));
  } else if (auto copy = dyn_cast<stream::HostCopyOp>(record)) {
    HostCopy result{0, tensor(record, copy.getLocal())};
    number(record, copy.getBinding(), result.binding);
    program.hostCopies.push_back(std::move(result));
  } else if (auto task = dyn_cast<stream::TaskOp>(record)) {
    TaskInfo result{task.getName().str(), TaskKind(task.getKind()), 0, 0, 0, 0};
    number(record, task.getLayer(), result.layer);
    number(record, task.getProcessor(), result.processor);
    number(record, task.getStart(), result.start);
    number(record, task.getCycles(), result.cycles);
    program.tasks.push_back(std::move(result));
  } else if (auto layer = dyn_cast<stream::LayerOp>(record)) {
    program.layers.push_back(layer.getName().str());
  }
}

static std::optional<Opcode> opcodeOf(StringRef text) {
  static const llvm::StringMap<Opcode> opcodes = {
#define TAKT_OPCODE(Name, mnemonic, code, a, b, c, summary)                    \
  {"stream." mnemonic, Opcode::Name},
#include "takt/Target/Isa.def"
  };
  auto it = opcodes.find(text);
  return it == opcodes.end() ? std::nullopt : std::optional(it->second);
}

void StreamReader::readProcessor(stream::ProcessorOp processor) {
  program.code.emplace_back();
  for (Operation &record : processor.getBody().front()) {
    std::optional<Opcode> op = opcodeOf(record.getName().getStringRef());
    if (!op)
      return fail(&record, "is no instruction");
    Instruction result{*op};
    auto field = [&](StringRef name, auto &into) {
      if (auto attr = record.getAttrOfType<IntegerAttr>(name))
        number(&record, attr.getInt(), into);
    };
    field("a", result.a);
    field("b", result.b);
    field("c", result.c);
    field("stage", result.stage);
    program.code.back().push_back(result);
  }
}

void StreamReader::readRecord(Operation *record) {
  if (auto parameter = dyn_cast<stream::ParameterOp>(record))
    return readParameter(parameter);
  if (auto kernel = dyn_cast<stream::KernelOp>(record))
    return readKernel(kernel);
  if (auto processor = dyn_cast<stream::ProcessorOp>(record))
    return readProcessor(processor);
  readMemory(record);
  readWork(record);
}

llvm::Expected<Program> stream::streamToProgram(ModuleOp module) {
  auto programs = llvm::to_vector(module.getOps<stream::ProgramOp>());
  if (programs.size() != 1)
    return llvm::createStringError("the module has " + Twine(programs.size()) +
                                   " programs, expected 1");
  return StreamReader(programs.front()).read();
}
