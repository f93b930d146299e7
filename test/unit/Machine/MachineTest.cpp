//===- MachineTest.cpp - machine files ------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Machine/Machine.h"
#include "gtest/gtest.h"

using namespace takt;

namespace {

/// The message of a file that must not parse.
std::string errorOf(llvm::StringRef text) {
  llvm::Expected<Machine> machine = Machine::parse({text, "m.yaml"});
  if (machine) {
    ADD_FAILURE() << "accepted:\n" << text.str();
    return {};
  }
  return llvm::toString(machine.takeError());
}

TEST(MachineTest, UniformMachineHasTheDocumentedDefaults) {
  llvm::Expected<Machine> machine = Machine::uniform(4);
  ASSERT_TRUE(bool(machine));
  EXPECT_EQ(machine->processors(), 4);
  EXPECT_TRUE(machine->isUniform());
  const ProcessorClass &c = machine->processorClass(3);
  EXPECT_EQ(c.arrayRows, 128);
  EXPECT_EQ(c.arrayColumns, 128);
  EXPECT_EQ(c.memoryBytes, 0);
  EXPECT_EQ(c.macsPerCycle, 1);
  EXPECT_EQ(c.vectorLanes, 0);
  EXPECT_EQ(c.dataflow[0], Dataflow::WeightStationary);
  EXPECT_EQ(c.dataflow[1], Dataflow::WeightStationary);
  EXPECT_EQ(c.dataflow[2], Dataflow::OutputStationary);
  EXPECT_EQ(machine->transferCycles(0, 1, 1 << 30), 0);
  EXPECT_EQ(machine->transferLatency(0, 1), 0);
}

TEST(MachineTest, UniformMachineChecksItsSize) {
  for (int64_t processors : {int64_t(-1), int64_t(0), int64_t(4097)}) {
    llvm::Expected<Machine> machine = Machine::uniform(processors);
    ASSERT_FALSE(bool(machine));
    EXPECT_EQ(llvm::toString(machine.takeError()),
              "a machine of " + std::to_string(processors) +
                  " processors, expected 1 to 4096");
  }
}

TEST(MachineTest, CanonicalTextRoundTrips) {
  llvm::Expected<Machine> machine = Machine::uniform(3);
  ASSERT_TRUE(bool(machine));
  machine->description = "it's: a #machine";
  machine->classes.push_back({});
  machine->classes.back().name = "second";
  machine->classes.back().dataflow = {Dataflow::Best, Dataflow::InputStationary,
                                      Dataflow::WeightStationary};
  machine->interconnect = {Topology::Bus, 64, 100, {}, {}};
  std::string text = machine->canonicalText();
  llvm::Expected<Machine> again = Machine::parse({text, "again"});
  ASSERT_TRUE(bool(again)) << llvm::toString(again.takeError()) << text;
  EXPECT_EQ(again->canonicalText(), text);
  EXPECT_EQ(again->processors(), 4);
  EXPECT_EQ(again->processorClass(3).name, "second");
  EXPECT_EQ(again->description, machine->description);
  EXPECT_NE(text.find("memory_bytes:"), std::string::npos);
}

TEST(MachineTest, BusIsOneLink) {
  llvm::Expected<Machine> machine = Machine::uniform(3);
  ASSERT_TRUE(bool(machine));
  EXPECT_EQ(machine->links(), 9);
  EXPECT_NE(machine->route(0, 1), machine->route(1, 0));
  machine->interconnect = {Topology::Bus, 8, 5, {}, {}};
  EXPECT_EQ(machine->links(), 1);
  EXPECT_EQ(machine->route(2, 1), Machine::Route{0});
  EXPECT_EQ(machine->linkName(0), "the bus");
  EXPECT_EQ(machine->transferCycles(0, 1, 17), 3);
  EXPECT_EQ(machine->transferCycles(1, 1, 17), 0);
  EXPECT_EQ(machine->transferLatency(0, 1), 5);
}

TEST(MachineTest, ErrorsHaveAPosition) {
  EXPECT_EQ(errorOf("takt-machine: 1\n"),
            "m.yaml:1:1: missing required key 'processors'");
  EXPECT_EQ(errorOf("takt-machine: 2\nprocessors:\n  - class: a\n    count: "
                    "1\n"),
            "m.yaml:1:15: expected 1");
  EXPECT_EQ(errorOf("takt-machine: 1\nprocessors:\n  - class: a\n    count: "
                    "0\n"),
            "m.yaml:4:12: expected an integer from 1 to 4096");
  EXPECT_EQ(errorOf("takt-machine: 1\nprocessors:\n  - class: a\n    count: "
                    "1\n    speed: 9\n"),
            "m.yaml:5:5: unknown key 'speed'");
  EXPECT_EQ(errorOf("takt-machine: 1\nprocessors:\n  - class: a\n    count: "
                    "1\n    count: 2\n"),
            "m.yaml:5:5: duplicated mapping key 'count'");
  EXPECT_EQ(errorOf("takt-machine: 1\nprocessors:\n  - class: a\n    count: "
                    "1\n    vector_lanes: -3\n"),
            "m.yaml:5:19: expected an integer from 0 to 1099511627776");
}

TEST(MachineTest, ZeroProcessorsIsAnErrorWithALocation) {
  EXPECT_EQ(errorOf("takt-machine: 1\nprocessors: []\n"),
            "m.yaml:1:1: the machine has 0 processors, expected 1 to 4096");
  EXPECT_NE(errorOf("takt-machine: 1\nprocessors:\n  - class: a\n    count: "
                    "4096\n  - class: b\n    count: 1\n")
                .find("the machine has 4097 processors"),
            std::string::npos);
}

TEST(MachineTest, GarbageIsAnError) {
  for (llvm::StringRef text :
       {"", "\n", "# nothing", "[1, 2", "7", "- a", "\t:", "a: &x [*x]",
        "takt-machine: 1\nprocessors: 3\n", "--- {}\n--- {}\n", "\xff\xfe", "'",
        "*a", "%YAML 3"}) {
    std::string message = errorOf(text);
    EXPECT_EQ(message.rfind("m.yaml:", 0), 0u) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

} // namespace
