//===- FileOutputTest.cpp - whole files or none ---------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/FileOutput.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "gtest/gtest.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace {
class FileOutput : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(sys::fs::createUniqueDirectory("takt-output", directory));
    path = directory;
    sys::path::append(path, "file");
  }
  void TearDown() override { sys::fs::remove_directories(directory); }

  std::string content() const {
    auto file = MemoryBuffer::getFile(path);
    return file ? (*file)->getBuffer().str() : file.getError().message();
  }

  SmallString<128> directory, path;
};

TEST_F(FileOutput, FailureLeavesTheOldFileAlone) {
  ASSERT_FALSE(errorToBool(takt::writeFile(path, "old")));
  Error error = takt::writeFile(path, [](raw_ostream &os) {
    os << "half";
    return createStringError("no more");
  });
  EXPECT_EQ(toString(std::move(error)), (path + ": no more").str());
  EXPECT_EQ(content(), "old");
  std::error_code code;
  sys::fs::directory_iterator it(directory, code);
  EXPECT_EQ(it->path(), path);
  EXPECT_EQ(it.increment(code), sys::fs::directory_iterator());
}

TEST_F(FileOutput, SuccessReplaces) {
  ASSERT_FALSE(errorToBool(takt::writeFile(path, "old")));
  ASSERT_FALSE(errorToBool(takt::writeFile(path, "new")));
  EXPECT_EQ(content(), "new");
}

TEST_F(FileOutput, PipesAreWrittenToNotReplaced) {
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  EXPECT_FALSE(errorToBool(takt::writeFile(path, "text")));
  char buffer[8] = {};
  EXPECT_EQ(read(reader, buffer, sizeof(buffer)), 4);
  close(reader);
  EXPECT_STREQ(buffer, "text");
  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_TRUE(S_ISFIFO(status.st_mode));
}
} // namespace
