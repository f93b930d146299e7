//===- ToStream.cpp - programs to text ------------------------------------===//
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

using namespace mlir;
using namespace takt;

template <typename A, typename B> static constexpr bool same(A a, B b) {
  return static_cast<int>(a) == static_cast<int>(b);
}
static_assert(same(stream::RegionKind::Parameter, RegionClass::Parameter) &&
              same(stream::RegionKind::State, RegionClass::State) &&
              same(stream::BindingRole::Input, BindingKind::Input) &&
              same(stream::BindingRole::Loss, BindingKind::Loss) &&
              same(stream::ParameterRole::Trainable,
                   takt::ParameterKind::Trainable) &&
              same(stream::ParameterRole::Derived,
                   takt::ParameterKind::Derived) &&
              same(stream::Letter::Forward, TaskKind::Forward) &&
              same(stream::Letter::Update, TaskKind::Update));

namespace {
class StreamWriter {
public:
  StreamWriter(const Program &program, MLIRContext &context)
      : program(program), builder(&context), loc(builder.getUnknownLoc()) {}

  OwningOpRef<ModuleOp> write() {
    OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
    builder.setInsertionPointToEnd(module->getBody());
    auto op = stream::ProgramOp::create(
        builder, loc, str(program.model), str(program.schedule),
        i64(program.interval), i64(program.batch), str(program.machine),
        data());
    builder.createBlock(&op.getBody());
    writeMemory();
    writeParameters();
    writeWork();
    writeCode();
    return module;
  }

private:
  IntegerAttr i64(uint64_t value) { return builder.getI64IntegerAttr(value); }
  /// The attribute of an enumeration whose values are those of Program.h's.
  template <typename Attr, typename Enum> Attr keyword(Enum value) {
    using Keyword = decltype(std::declval<Attr>().getValue());
    return Attr::get(builder.getContext(), static_cast<Keyword>(value));
  }
  StringAttr str(StringRef text) { return builder.getStringAttr(text); }

  TypeAttr type(ElementType element, ArrayRef<int64_t> dims) {
    return TypeAttr::get(
        RankedTensorType::get(dims, mlirType(builder, element)));
  }
  stream::TensorAttr tensor(const TensorRef &ref) {
    return stream::TensorAttr::get(
        builder.getContext(),
        RankedTensorType::get(ref.dims, mlirType(builder, ref.type)),
        ref.region, ref.offset, ref.slots, ref.slotStride, ref.lag, ref.value);
  }
  ArrayAttr tensors(ArrayRef<TensorRef> refs) {
    SmallVector<Attribute> all;
    for (const TensorRef &ref : refs)
      all.push_back(tensor(ref));
    return builder.getArrayAttr(all);
  }

  /// Initial values as a resource, so that they are not printed by element.
  ElementsAttr data() {
    if (program.data.empty())
      return {};
    auto type = RankedTensorType::get({int64_t(program.data.size())},
                                      builder.getIntegerType(8));
    AsmResourceBlob blob = HeapAsmResourceBlob::allocate(
        program.data.size(), alignof(std::max_align_t));
    char *next = blob.getMutableData().data();
    program.data.forEach([&](ArrayRef<uint8_t> bytes) {
      next = std::copy(bytes.begin(), bytes.end(), next);
    });
    return DenseResourceElementsAttr::get(type, "takt_data", std::move(blob));
  }

  void writeMemory();
  void writeParameters();
  void writeWork();
  void writeCode();

  const Program &program;
  OpBuilder builder;
  Location loc;
};
} // namespace

void StreamWriter::writeMemory() {
  for (const takt::Region &region : program.regions) {
    std::string access = (region.readable ? "r" : "");
    access += region.writable ? "w" : "";
    IntegerAttr processor;
    if (region.processor != kHostProcessor)
      processor = i64(region.processor);
    stream::RegionOp::create(
        builder, loc, keyword<stream::RegionKindAttr>(region.kind), processor,
        i64(region.size), i64(region.alignment), str(access));
  }
  for (const Binding &binding : program.bindings)
    stream::BindingOp::create(builder, loc, str(binding.name),
                              keyword<stream::BindingRoleAttr>(binding.kind),
                              type(binding.type, binding.dims),
                              i64(binding.region));
  for (const ScalarInfo &scalar : program.scalars)
    stream::ScalarOp::create(builder, loc, str(scalar.name),
                             builder.getF64FloatAttr(scalar.value));
  for (const Semaphore &semaphore : program.semaphores)
    stream::SemaphoreOp::create(builder, loc, i64(semaphore.writer),
                                i64(semaphore.waiter), i64(semaphore.initial));
  for (const ValueInfo &value : program.values)
    stream::ValueOp::create(builder, loc, str(value.name),
                            type(value.type, value.dims));
}

void StreamWriter::writeParameters() {
  for (const Parameter &p : program.parameters) {
    DenseI64ArrayAttr splat;
    if (p.splat)
      splat = builder.getDenseI64ArrayAttr(
          SmallVector<int64_t>(p.splatBytes.begin(), p.splatBytes.end()));
    stream::ParameterOp::create(
        builder, loc, str(p.name), keyword<stream::ParameterRoleAttr>(p.kind),
        i64(p.layer), i64(p.delay), i64(p.lead), i64(p.update),
        i64(p.lastUpdate), tensor(p.home), i64(p.readValue), i64(p.writeValue),
        i64(p.base), i64(p.axis), i64(p.begin), splat, i64(p.dataOffset));
  }
  for (const Initializer &init : program.initializers)
    stream::InitializerOp::create(builder, loc, i64(init.parameter),
                                  i64(init.axis), i64(init.begin),
                                  tensor(init.target));
}

void StreamWriter::writeWork() {
  for (const Kernel &kernel : program.kernels)
    stream::KernelOp::create(builder, loc, str(mnemonic(kernel.id)),
                             i64(kernel.task), i64(kernel.cycles),
                             builder.getDenseI64ArrayAttr(SmallVector<int64_t>(
                                 kernel.words.begin(), kernel.words.end())),
                             tensors(kernel.operands), tensors(kernel.results));
  for (const Transfer &transfer : program.transfers)
    stream::TransferOp::create(builder, loc, tensor(transfer.source),
                               tensor(transfer.destination),
                               i64(transfer.arrival), i64(transfer.completion),
                               i64(transfer.cycles), i64(transfer.latency));
  for (const HostCopy &copy : program.hostCopies)
    stream::HostCopyOp::create(builder, loc, i64(copy.binding),
                               tensor(copy.local));
  for (const TaskInfo &task : program.tasks)
    stream::TaskOp::create(builder, loc, str(task.name),
                           keyword<stream::LetterAttr>(task.kind),
                           i64(task.layer), i64(task.processor),
                           i64(task.start), i64(task.cycles));
  for (const std::string &layer : program.layers)
    stream::LayerOp::create(builder, loc, str(layer));
}

void StreamWriter::writeCode() {
  for (const std::vector<Instruction> &code : program.code) {
    auto processor = stream::ProcessorOp::create(builder, loc);
    OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&processor.getBody());
    for (const Instruction &instruction : code) {
      OperationState state(loc, ("stream." + mnemonic(instruction.op)).str());
      state.addAttribute("a", i64(instruction.a));
      state.addAttribute("b", i64(instruction.b));
      state.addAttribute("c", i64(instruction.c));
      state.addAttribute("stage", i64(instruction.stage));
      builder.create(state);
    }
  }
}

OwningOpRef<ModuleOp> stream::programToStream(const Program &program,
                                              MLIRContext &context) {
  context.loadDialect<stream::StreamDialect>();
  return StreamWriter(program, context).write();
}
