//===- LowerToProgramTest.cpp - from a training step to its program -------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/LowerToProgram.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "takt/Dialect/Stream/Conversion.h"
#include "takt/Dialect/Stream/Stream.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Target/Validate.h"
#include "takt/Transforms/Differentiate.h"
#include "takt/Transforms/FormTasks.h"
#include "takt/Transforms/Replicate.h"
#include "takt/Transforms/Retime.h"
#include "takt/Transforms/Split.h"
#include "gtest/gtest.h"
#include <cstring>

using namespace takt;

namespace {
/// Three layers; batch norm gives it state, the second weight has data of its
/// own, the third a resource.
constexpr llvm::StringLiteral kModel = R"(
module @net attributes {train.batch = 4 : i64} {
  train.parameter @w0 : tensor<8x8xf32> = dense<0.5> {kind = #train.parameter_kind<trainable>}
  train.parameter @scale : tensor<8xf32> = dense<1.0> {kind = #train.parameter_kind<trainable>}
  train.parameter @bias : tensor<8xf32> = dense<0.0> {kind = #train.parameter_kind<trainable>}
  train.parameter @mean : tensor<8xf32> = dense<0.0> {kind = #train.parameter_kind<state>}
  train.parameter @var : tensor<8xf32> = dense<1.0> {kind = #train.parameter_kind<state>}
  train.parameter @w1 : tensor<8x2xf32> = dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 10.0], [11.0, 12.0], [13.0, 14.0], [15.0, 16.0]]> {kind = #train.parameter_kind<trainable>}
  train.parameter @w2 : tensor<2x2xf32> = dense_resource<data> {kind = #train.parameter_kind<trainable>}
  train.parameter @shift : tensor<4x2xf32> = dense<2.0> {kind = #train.parameter_kind<constant>}
  train.parameter @unused : tensor<9xf32> = dense<2.0> {kind = #train.parameter_kind<constant>}
  func.func @main(%x: tensor<4x8xf32> {train.name = "x"}) -> (tensor<4x2xf32> {train.name = "logits"}) {
    %w0 = train.read @w0 : tensor<8x8xf32>
    %s = train.read @scale : tensor<8xf32>
    %b = train.read @bias : tensor<8xf32>
    %m = train.read @mean : tensor<8xf32>
    %v = train.read @var : tensor<8xf32>
    %w1 = train.read @w1 : tensor<8x2xf32>
    %w2 = train.read @w2 : tensor<2x2xf32>
    %c = train.read @shift : tensor<4x2xf32>
    %0 = train.gemm %x, %w0 : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("fc0")
    %1:5 = train.batch_norm %0, %s, %b, %m, %v : (tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) loc("bn")
    train.write @mean, %1#3 : tensor<8xf32>
    train.write @var, %1#4 : tensor<8xf32>
    %2 = train.gemm %1#0, %w1 : (tensor<4x8xf32>, tensor<8x2xf32>) -> tensor<4x2xf32> loc("fc1")
    %3 = train.add %2, %c : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32> loc("shift")
    %4 = train.gemm %3, %w2 : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32> loc("fc2")
    return %4 : tensor<4x2xf32>
  }
}
{-# dialect_resources: { builtin: { data: "HEX" } } #-}
)";
/// Alignment 4, then 1, 2, 3, 4.
constexpr llvm::StringLiteral kFourFloats =
    "0x040000000000803F000000400000404000008040";
constexpr llvm::StringLiteral kThreeFloats =
    "0x040000000000803F0000004000004040";

class LowerToProgram : public ::testing::Test {
protected:
  LowerToProgram()
      : machine(llvm::cantFail(Machine::uniform(3))),
        cost(llvm::cantFail(createCostModel("macs"))) {
    context.loadDialect<mlir::func::FuncDialect, train::TrainDialect>();
  }

  llvm::Expected<Program> lower(llvm::StringRef scheduler,
                                llvm::StringRef data = kFourFloats) {
    std::string text = kModel.str();
    text.replace(text.find("HEX"), 3, data);
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    DifferentiateOptions options;
    options.optimizer = OptimizerKind::Momentum;
    if (!module || failed(differentiate(*module, options)))
      return llvm::createStringError("bad test");
    mlir::FailureOr<TaskGraph> formed = formTasks(*module);
    if (failed(formed))
      return llvm::createStringError("bad test");
    graph = *formed;
    Problem problem{&graph, &machine, cost.get()};
    schedule = llvm::cantFail(takt::schedule(scheduler, problem, {}));
    llvm::SmallVector<int64_t> delays(schedule.delay.begin(),
                                      schedule.delay.end()),
        replicas(schedule.replicas.begin(), schedule.replicas.end());
    if (replicas.empty()
            ? failed(split(*module, nameCuts(graph, schedule.cuts))) ||
                  failed(retime(*module, delays))
            : failed(replicateStep(*module, replicas, delays)))
      return llvm::createStringError("bad test");
    LowerOptions lowering;
    lowering.learningRate = 0.25;
    return lowerToProgram(*module, problem, schedule, lowering);
  }

  static const Parameter *find(const Program &program, llvm::StringRef name) {
    for (const Parameter &parameter : program.parameters)
      if (parameter.name == name)
        return &parameter;
    return nullptr;
  }

  mlir::MLIRContext context;
  Machine machine;
  std::unique_ptr<CostModel> cost;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  TaskGraph graph;
  Schedule schedule;
};
} // namespace

TEST_F(LowerToProgram, IsValidUnderEveryScheduler) {
  for (const SchedulerInfo &info : schedulers()) {
    llvm::Expected<Program> program = lower(info.name);
    // On free links replicas are the best there is.
    EXPECT_EQ(!schedule.replicas.empty(), info.mayReplicate);
    ASSERT_TRUE(bool(program)) << llvm::toString(program.takeError());
    EXPECT_EQ(llvm::toString(validate(*program)), "") << info.name.str();
    EXPECT_EQ(program->schedule, info.name);
    EXPECT_EQ(program->code.size(), 3u);
  }
}

TEST_F(LowerToProgram, DelaysBecomeLags) {
  Program program = llvm::cantFail(lower("pipedream"));
  int delayed = 0;
  for (const Kernel &kernel : program.kernels)
    for (const TensorRef &operand : kernel.operands)
      for (const Parameter &parameter : program.parameters) {
        if (operand.value != parameter.readValue ||
            parameter.readValue == parameter.writeValue)
          continue;
        bool updates = program.tasks[kernel.task].kind == TaskKind::Update;
        int delay = updates ? 0 : parameter.delay;
        EXPECT_EQ(operand.lag, -1 - delay) << parameter.name;
        delayed += delay > 0;
      }
  EXPECT_GT(delayed, 0);
}

TEST_F(LowerToProgram, ParametersKeepKindDelayAndLayer) {
  Program program = llvm::cantFail(lower("pipedream"));
  for (int layer = 0; layer < 3; ++layer) {
    const Parameter *weight = find(program, "w" + std::to_string(layer));
    ASSERT_NE(weight, nullptr);
    EXPECT_EQ(weight->kind, takt::ParameterKind::Trainable);
    EXPECT_EQ(weight->layer, unsigned(layer));
    EXPECT_EQ(weight->delay, unsigned(schedule.delay[layer]));
    EXPECT_NE(weight->readValue, weight->writeValue);
  }
  EXPECT_EQ(find(program, "mean")->kind, takt::ParameterKind::State);
  EXPECT_EQ(find(program, "mean")->delay, 0u);
  const Parameter *shift = find(program, "shift");
  EXPECT_EQ(shift->kind, takt::ParameterKind::Constant);
  EXPECT_EQ(shift->layer, 1u);
  EXPECT_EQ(shift->readValue, shift->writeValue);
  EXPECT_EQ(find(program, "unused"), nullptr);
}

TEST_F(LowerToProgram, InitialValuesAreSplatsOrAlignedData) {
  Program program = llvm::cantFail(lower("list"));
  auto element = [&](llvm::StringRef name, size_t index) {
    const Parameter &parameter = *find(program, name);
    EXPECT_EQ(parameter.dataOffset % 64, 0u);
    float value;
    std::memcpy(
        &value,
        parameter.splat
            ? parameter.splatBytes.data()
            : program.data.slice(parameter.dataOffset + 4 * index, 4)->data(),
        4);
    return value;
  };
  EXPECT_TRUE(find(program, "w0")->splat);
  EXPECT_EQ(element("w0", 0), 0.5f);
  EXPECT_FALSE(find(program, "w1")->splat);
  EXPECT_EQ(element("w1", 15), 16.0f);
  EXPECT_FALSE(find(program, "w2")->splat);
  EXPECT_EQ(element("w2", 3), 4.0f);
  EXPECT_EQ(program.data.size(), 64u + 16u);
}

TEST_F(LowerToProgram, HostSeesInputsLabelsLossAndOutputs) {
  Program program = llvm::cantFail(lower("layerpipe"));
  ASSERT_EQ(program.bindings.size(), 4u);
  EXPECT_EQ(program.bindings[0].name, "x");
  EXPECT_EQ(program.bindings[0].kind, BindingKind::Input);
  EXPECT_EQ(program.bindings[1].name, "label");
  EXPECT_EQ(program.bindings[1].kind, BindingKind::Label);
  EXPECT_EQ(program.bindings[2].name, "loss");
  EXPECT_EQ(program.bindings[2].kind, BindingKind::Loss);
  EXPECT_EQ(program.bindings[3].name, "logits");
  EXPECT_EQ(program.bindings[3].kind, BindingKind::Output);
  EXPECT_EQ(program.scalars[0].value, 0.25);
  EXPECT_EQ(program.batch, 4u);
  EXPECT_EQ(program.model, "net");
}

TEST_F(LowerToProgram, PredictionsAreTheSchedules) {
  Program program = llvm::cantFail(lower("layerpipe"));
  EXPECT_EQ(program.interval, uint64_t(schedule.interval));
  ASSERT_EQ(program.tasks.size(), schedule.tasks.size());
  std::vector<uint64_t> cycles(program.tasks.size());
  for (const Kernel &kernel : program.kernels)
    cycles[kernel.task] += kernel.cycles;
  for (size_t task = 0; task < cycles.size(); ++task) {
    EXPECT_EQ(program.tasks[task].start, uint64_t(schedule.tasks[task].start));
    EXPECT_EQ(cycles[task], uint64_t(schedule.tasks[task].cycles));
  }
}

TEST_F(LowerToProgram, IsDeterministic) {
  Program first = llvm::cantFail(lower("layerpipe"));
  EXPECT_TRUE(first == llvm::cantFail(lower("layerpipe")));
}

TEST_F(LowerToProgram, StreamTextIsTheSameProgram) {
  for (const SchedulerInfo &info : schedulers()) {
    Program program = llvm::cantFail(lower(info.name));
    std::string text;
    llvm::raw_string_ostream os(text);
    stream::programToStream(program, context)->print(os);
    mlir::MLIRContext fresh;
    fresh.loadDialect<stream::StreamDialect>();
    auto parsed = mlir::parseSourceString<mlir::ModuleOp>(text, &fresh);
    ASSERT_TRUE(parsed);
    EXPECT_TRUE(llvm::cantFail(stream::streamToProgram(*parsed)) == program);
  }
}

TEST_F(LowerToProgram, RefusesInitialDataOfAnotherSize) {
  EXPECT_EQ(llvm::toString(lower("list", kThreeFloats).takeError()),
            "parameter 'w2' has 12 bytes of initial data, expected 16");
}

TEST_F(LowerToProgram, RefusesATaskThatWasNotScheduled) {
  llvm::cantFail(lower("list"));
  for (Task &task : schedule.graph.tasks)
    task.name += "'";
  EXPECT_EQ(
      llvm::toString(
          lowerToProgram(*module, {&graph, &machine, cost.get()}, schedule, {})
              .takeError()),
      "operation 'fc0' (train.gemm): task 'fc0.F' was not scheduled");
}
