//===- Emit.cpp - what taktc writes ---------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/Emit.h"
#include "mlir/IR/AsmState.h"
#include "takt/Dialect/Sched/Setting.h"
#include "takt/Dialect/Stream/Conversion.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Driver/Diagnostics.h"
#include "takt/Driver/Explain.h"
#include "takt/Driver/Front.h"
#include "takt/Driver/Recomputation.h"
#include "takt/Driver/Trace.h"
#include "takt/Export/OnnxGradients.h"
#include "takt/Export/OnnxWeights.h"
#include "takt/Support/FileOutput.h"
#include "takt/Target/CHeader.h"
#include "takt/Target/Container.h"
#include "takt/Target/Disassemble.h"
#include "takt/Transforms/Freeze.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace takt;

namespace {
/// What is left to say when a diagnostic has said it all.
llvm::Error alreadySaid() { return llvm::createStringError(""); }

llvm::Error writeModule(StringRef output, ModuleOp module) {
  return writeFile(output, [&](llvm::raw_ostream &os) {
    module.print(os, OpPrintingFlags().enableDebugInfo());
    os << "\n";
    return llvm::Error::success();
  });
}

/// What training changes of a model, and what is not trained but has a value.
std::vector<WeightDeclaration> weightsOf(ModuleOp module,
                                         ArrayRef<Array> values) {
  std::vector<WeightDeclaration> weights;
  for (auto parameter : module.getOps<train::ParameterOp>()) {
    StringRef name = parameter.getSymName();
    if (parameter.getKind() != ParameterKind::Constant ||
        (train::isFloatTensor(parameter.getTensorType()) &&
         findArray(values, name)))
      weights.push_back(
          {name.str(),
           llvm::to_vector<4>(parameter.getTensorType().getShape())});
  }
  return weights;
}

/// What can be said of a schedule that has no program.
bool isOfSchedule(EmitKind kind) {
  return kind == EmitKind::Report || kind == EmitKind::Html ||
         kind == EmitKind::Trace || kind == EmitKind::Sched;
}

/// Of more tasks a report is the schedule's: the program would take minutes.
constexpr size_t kMostTasksOfReport = 50000;

/// Compiles and writes for one request.
class Emitter {
public:
  Emitter(const EmitRequest &request, const Machine &machine,
          const CostModel &cost, CompileOptions options)
      : request(request), machine(machine), cost(cost),
        options(std::move(options)), printer(context, request.input) {
    context.disableMultithreading();
    context.printOpOnDiagnostic(false);
    registerAllDialects(context);
  }

  llvm::Error run(llvm::MemoryBufferRef model) {
    if (request.kind == EmitKind::Onnx)
      return writeOnnx(model);
    FailureOr<TrainingStep> built = buildTrainingStep(model, context, options);
    if (failed(built))
      return alreadySaid();
    step = std::move(*built);
    options.makeProgram = !isOfSchedule(request.kind) ||
                          step.graph->tasks.size() <= kMostTasksOfReport;
    if (request.showParameters)
      printParameters(*step.module, llvm::errs());
    if (request.explain)
      return writeExplanation(model);
    switch (request.kind) {
    case EmitKind::Train:
      return writeStep();
    case EmitKind::OnnxGradients:
      return writeGradients();
    case EmitKind::Report:
    case EmitKind::Html:
      return writeComparison();
    default:
      return writeOne();
    }
  }

private:
  FailureOr<std::vector<ScheduledProgram>>
  compileAll(ArrayRef<std::string> names) {
    std::vector<ScheduledProgram> all;
    for (const std::string &name : names) {
      FailureOr<CompiledStep> entry =
          compileWithRecomputation(step, name, machine, cost, options);
      if (failed(entry))
        return failure();
      all.push_back(std::move(entry->scheduled));
    }
    return std::move(all);
  }

  llvm::Error writeStep() {
    FailureOr<OwningOpRef<ModuleOp>> module = step.wholeModule();
    return failed(module) ? alreadySaid()
                          : writeModule(request.output, **module);
  }

  llvm::Error writeExplanation(llvm::MemoryBufferRef model) {
    std::string text;
    llvm::raw_string_ostream os(text);
    if (failed(explain(step, model, os)))
      return alreadySaid();
    return writeFile(request.output, text);
  }

  llvm::Error writeComparison() {
    std::vector<std::string> names = {request.schedule};
    names.insert(names.end(), request.compare.begin(), request.compare.end());
    FailureOr<std::vector<ScheduledProgram>> found =
        request.pareto ? compileFront(step, names, machine, cost, options)
                       : compileAll(names);
    if (failed(found))
      return alreadySaid();
    const std::vector<ScheduledProgram> &all = *found;
    return writeFile(request.output, [&](llvm::raw_ostream &os) {
      if (request.kind == EmitKind::Report)
        writeReport(os, step.summary, machine, all);
      else
        writePage(os, step.summary, machine, all);
      return llvm::Error::success();
    });
  }

  llvm::Error writeOne() {
    FailureOr<CompiledStep> found = compileWithRecomputation(
        step, request.schedule, machine, cost, options);
    if (failed(found))
      return alreadySaid();
    const TrainingStep *own = &found->step;
    const ScheduledProgram *compiled = &found->scheduled;
    switch (request.kind) {
    case EmitKind::Sched:
      return writeModule(request.output,
                         *sched::scheduleModule(own->module.get().getLoc(),
                                                *own->graph, machine, cost,
                                                compiled->schedule));
    case EmitKind::Stream:
      return writeModule(request.output,
                         *stream::programToStream(compiled->program, context));
    case EmitKind::Trace:
      return writeFile(request.output, [&](llvm::raw_ostream &os) {
        writeTrace(os, *compiled, machine);
        return llvm::Error::success();
      });
    case EmitKind::Listing:
      return writeFile(request.output, [&](llvm::raw_ostream &os) {
        disassemble(compiled->program, os);
        return llvm::Error::success();
      });
    default:
      return writeProgram(compiled->program);
    }
  }

  /// The import says which tensors are parameters.
  llvm::Error writeOnnx(llvm::MemoryBufferRef model) {
    OwningOpRef<ModuleOp> module = importOnnx(model, context, options.import);
    if (!module ||
        (!options.frozen.empty() && failed(freeze(*module, options.frozen))))
      return alreadySaid();
    if (request.showParameters)
      printParameters(*module, llvm::errs());
    std::vector<Array> values;
    std::vector<WeightDeclaration> weights;
    if (!request.checkpoint.empty()) {
      llvm::Expected<std::vector<Array>> read =
          readArrayFile(request.checkpoint);
      if (!read)
        return read.takeError();
      values = std::move(*read);
      weights = weightsOf(*module, values);
    }
    llvm::Expected<OnnxWeights> found = OnnxWeights::find(model, weights);
    return found ? found->write(request.output, values) : found.takeError();
  }

  llvm::Error writeGradients() {
    // What an update is given before it is clipped.
    auto writeModel = gradientsAsOnnx(*step.module);
    if (failed(writeModel))
      return alreadySaid();
    return writeFile(request.output, [&](llvm::raw_ostream &os) {
      (*writeModel)(os);
      return llvm::Error::success();
    });
  }

  llvm::Error writeProgram(const Program &program) {
    return writeFile(request.output, [&](llvm::raw_ostream &os) {
      return encode(program, os);
    });
  }

  const EmitRequest &request;
  const Machine &machine;
  const CostModel &cost;
  CompileOptions options;
  MLIRContext context;
  DiagnosticPrinter printer;
  TrainingStep step;
};
} // namespace

llvm::Error takt::emitModel(llvm::MemoryBufferRef model,
                            const EmitRequest &request, const Machine &machine,
                            const CostModel &cost,
                            const CompileOptions &options) {
  return Emitter(request, machine, cost, options).run(model);
}

llvm::Error takt::emitCHeaderFile(StringRef output) {
  return writeFile(output.empty() ? "-" : output, [](llvm::raw_ostream &os) {
    emitCHeader(os);
    return llvm::Error::success();
  });
}
