//===- CheckpointTest.cpp -------------------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ErrorText.h"
#include "LinearProgram.h"
#include "takt/Runtime/Executor.h"
#include "takt/Target/Validate.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <gtest/gtest.h>

using namespace llvm;
using namespace takt;
using namespace takt::test;

namespace {
class Checkpoint : public testing::TestWithParam<uint32_t> {
protected:
  void SetUp() override {
    ASSERT_FALSE(sys::fs::createUniqueDirectory("takt-checkpoint", directory));
    program = linearProgram({{0, 1, 2, 2}, 4, true});
    data = makeSyntheticData(program, 9);
  }
  void TearDown() override { sys::fs::remove_directories(directory); }

  RunOptions options(uint64_t iterations, bool checkpoint) {
    RunOptions result;
    result.iterations = iterations;
    result.data = data.get();
    if (checkpoint)
      result.checkpoint.directory = directory.str().str();
    return result;
  }

  std::string file() const {
    SmallString<128> path(directory);
    sys::path::append(path, "checkpoint.npz");
    return path.str().str();
  }

  SmallString<128> directory;
  Program program;
  std::unique_ptr<HostData> data;
};
} // namespace

TEST_P(Checkpoint, ResumedRunIsThatWithoutInterruption) {
  auto whole = execute(program, options(25, false));
  ASSERT_EQ(errorText(whole), "");
  auto first = execute(program, options(GetParam(), true));
  ASSERT_EQ(errorText(first), "");
  RunOptions rest = options(25, true);
  rest.checkpoint.resume = true;
  auto second = execute(program, rest);
  ASSERT_EQ(errorText(second), "");
  EXPECT_EQ(firstDifference(*whole, *second), "");
  EXPECT_EQ(second->firstMinibatch, GetParam());
  EXPECT_EQ(second->staleness[0].updates, 4u);
  ASSERT_EQ(second->gradients.size(), 1u);
  EXPECT_EQ(second->gradients[0].data, whole->gradients[0].data);
}

INSTANTIATE_TEST_SUITE_P(At, Checkpoint, testing::Values(1, 2, 7, 24, 25));

TEST_F(Checkpoint, SavingDoesNotChangeTheRun) {
  auto plain = execute(program, options(20, false));
  RunOptions saving = options(20, true);
  saving.checkpoint.every = 3;
  auto saved = execute(program, saving);
  ASSERT_EQ(errorText(plain), "");
  ASSERT_EQ(errorText(saved), "");
  EXPECT_EQ(firstDifference(*plain, *saved), "");
}

TEST_F(Checkpoint, OfAnotherProgramIsRefused) {
  RunOptions saving = options(3, true);
  {
    auto saved = execute(program, saving);
    ASSERT_EQ(errorText(saved), "");
  }
  saving.checkpoint.resume = true;
  saving.checkpoint.programHash[0] = 1;
  expectError(execute(program, saving), "checkpoint of another program");
  saving.checkpoint.programHash[0] = 0;
  saving.checkpoint.dataSeed = 5;
  expectError(execute(program, saving),
              "checkpoint of a run with seed 0, this run's is 5");
  saving.checkpoint.dataSeed = 0;
  saving.iterations = 2;
  expectError(execute(program, saving),
              "has 3 iterations behind it, expected at most 2");
}

TEST_F(Checkpoint, CorruptFileIsRefused) {
  RunOptions saving = options(3, true);
  {
    auto saved = execute(program, saving);
    ASSERT_EQ(errorText(saved), "");
  }
  std::string bytes;
  {
    auto buffer = MemoryBuffer::getFile(file());
    ASSERT_TRUE(static_cast<bool>(buffer));
    bytes = (*buffer)->getBuffer().str();
  }
  saving.checkpoint.resume = true;
  auto resumeWith = [&](StringRef content) {
    {
      std::error_code code;
      raw_fd_ostream os(file(), code);
      os << content;
    }
    return execute(program, saving);
  };
  auto resumed = resumeWith(bytes);
  ASSERT_EQ(errorText(resumed), "");
  for (size_t cut : {size_t(0), size_t(10), bytes.size() / 2, bytes.size() - 1})
    expectError(resumeWith(StringRef(bytes).take_front(cut)),
                "checkpoint.npz: ");
  // The last array is the largest: a byte of a region.
  std::string flipped = bytes;
  flipped[bytes.size() / 2] ^= 1;
  expectError(resumeWith(flipped), "wrong checksum");
}

TEST_F(Checkpoint, NeedsTheInstruction) {
  for (Instruction &instruction : program.code[1])
    if (instruction.op == Opcode::Checkpoint)
      instruction = {Opcode::Nop};
  expectError(execute(program, options(3, true)),
              "the program cannot be checkpointed: processor 1 has no "
              "checkpoint instruction");
}

TEST_F(Checkpoint, UnwritableDirectoryIsKnownAtTheStart) {
  RunOptions saving = options(3, true);
  saving.checkpoint.directory = file(); // a file, not a directory
  std::error_code code;
  raw_fd_ostream(file(), code) << "x";
  int losses = 0;
  saving.onLoss = [&](uint64_t, double) { ++losses; };
  expectError(execute(program, saving), "checkpoint.npz: ");
  EXPECT_EQ(losses, 0);
}

// A run with such a wait ends well, but its processors cannot all stop between
// the same two trips: the reason why validation refuses it.
TEST_F(Checkpoint, NeedsWaitsThatDoNotLookAhead) {
  program = linearProgram({{0, 1, 1, 1}, 4});
  // y of minibatch m goes out when that of m - 1 is freed, a trip later.
  auto send = llvm::find_if(program.code[0], [](const Instruction &i) {
    return i.op == Opcode::Send;
  });
  ASSERT_EQ(std::prev(send)->op, Opcode::Wait);
  std::prev(send)->b = 1;
  EXPECT_TRUE(StringRef(toString(validate(program)))
                  .contains("waits for a later trip of signal"));
  auto run = execute(program, options(20, false));
  EXPECT_EQ(errorText(run), "");
  expectError(execute(program, options(20, true)), "at a checkpoint");
}
