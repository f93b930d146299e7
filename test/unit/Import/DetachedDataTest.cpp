//===- DetachedDataTest.cpp - weights that stay in the file ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DetachedData.h"
#include "ImportTestSupport.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "gmock/gmock.h"

using namespace takt;
using namespace takt::import;
using namespace takt::test;
using llvm::StringRef;

static constexpr int64_t kLarge = 2048, kSmall = 2; ///< floats

static std::string floatBytes(int64_t count, float first) {
  std::vector<float> values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = first + i;
  return {reinterpret_cast<const char *>(values.data()), count * sizeof(float)};
}

static onnx::TensorProto *addTensor(onnx::ModelProto &model, StringRef name,
                                    int64_t count, float first) {
  onnx::TensorProto *tensor = model.mutable_graph()->add_initializer();
  tensor->set_name(name.str());
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  tensor->add_dims(count);
  tensor->set_raw_data(floatBytes(count, first));
  return tensor;
}

/// x is added to `small`, and to the sums of `first` and `second`.
static onnx::ModelProto makeSums() {
  onnx::ModelProto model = makeModel();
  addTensor(model, "first", kLarge, 1);
  addTensor(model, "small", kSmall, 2);
  addTensor(model, "second", kLarge, 3);
  addNode(model, "ReduceSum", {"first"}, {"a"});
  addNode(model, "ReduceSum", {"second"}, {"b"});
  addNode(model, "Add", {"x", "small"}, {"c"});
  addNode(model, "Add", {"a", "b"}, {"d"});
  addNode(model, "Add", {"c", "d"}, {"y"});
  return model;
}

TEST(DetachedData, LargeDataAreCutOutOfInitializers) {
  onnx::ModelProto model = makeSums();
  std::string file = model.SerializeAsString();
  DetachedModel detached = llvm::cantFail(detachData(file));
  EXPECT_LT(detached.bytes.size(), 1024u);
  ASSERT_EQ(detached.rawData.size(), 3u);
  EXPECT_EQ(detached.rawData[0], floatBytes(kLarge, 1));
  EXPECT_EQ(detached.rawData[1], std::nullopt);
  EXPECT_EQ(detached.rawData[2], floatBytes(kLarge, 3));
  EXPECT_GE(detached.rawData[0]->data(), file.data());
  // What is left is the model but for these data.
  onnx::ModelProto rest;
  ASSERT_TRUE(rest.ParseFromString(detached.bytes));
  for (int i : {0, 2})
    model.mutable_graph()->mutable_initializer(i)->clear_raw_data();
  EXPECT_EQ(rest.SerializeAsString(), model.SerializeAsString());
}

TEST(DetachedData, MessagesInPartsAreMerged) {
  onnx::ModelProto first = makeModel(), second;
  addTensor(first, "w", kLarge, 1);
  addTensor(second, "v", kLarge, 2);
  std::string file = first.SerializeAsString() + second.SerializeAsString();
  DetachedModel detached = llvm::cantFail(detachData(file));
  onnx::ModelProto merged;
  ASSERT_TRUE(merged.ParseFromString(detached.bytes));
  ASSERT_EQ(merged.graph().initializer_size(), 2);
  EXPECT_EQ(merged.graph().initializer(1).name(), "v");
  EXPECT_EQ(detached.rawData.size(), 2u);
}

TEST(DetachedData, EveryTruncationIsRefusedOrWhole) {
  std::string file = makeSums().SerializeAsString();
  for (size_t size = 0; size < file.size(); ++size) {
    std::string cut = file.substr(0, size);
    llvm::Expected<DetachedModel> detached = detachData(cut);
    if (!detached) {
      llvm::consumeError(detached.takeError());
      continue;
    }
    // At the end of a field.
    onnx::ModelProto model;
    EXPECT_TRUE(model.ParseFromString(cut)) << size;
  }
}

TEST(DetachedData, OwnedDataStayWhereTheyAre) {
  auto file = std::make_shared<std::string>(makeSums().SerializeAsString());
  ImportOptions options;
  auto dataOf = [&](Imported &imported) {
    auto value = mlir::cast<mlir::DenseResourceElementsAttr>(
        *imported.parameter("first").getInitialValue());
    return value.getRawHandle().getBlob()->getData();
  };
  Imported copied = importBytes(*file, options);
  options.owner = file;
  Imported mapped = importBytes(*file, options);
  ASSERT_TRUE(copied && mapped) << copied.error() << mapped.error();
  auto isInFile = [&](llvm::ArrayRef<char> data) {
    return data.data() >= file->data() &&
           data.data() < file->data() + file->size();
  };
  EXPECT_FALSE(isInFile(dataOf(copied)));
  EXPECT_TRUE(isInFile(dataOf(mapped)));
  for (StringRef name : {"first", "small", "second"})
    EXPECT_EQ(copied.values(name), mapped.values(name));
  EXPECT_EQ(mapped.values("second")[1], 4.0f);
}

TEST(DetachedData, SizesAreCheckedWhereDataAreDetached) {
  onnx::ModelProto model = makeSums();
  model.mutable_graph()->mutable_initializer(0)->set_dims(0, kLarge + 1);
  EXPECT_THAT(importModel(model).error(),
              testing::HasSubstr("has 8192 bytes of data, expected 8196"));
}

/// Bytes that all say that the number goes on.
TEST(DetachedData, NumbersWithoutEndAreRefused) {
  for (size_t size : {9, 10, 11, 20}) {
    llvm::Expected<DetachedModel> detached =
        detachData(std::string(size, '\x80') + '\0');
    EXPECT_EQ(bool(detached), false) << size;
    llvm::consumeError(detached.takeError());
  }
}
