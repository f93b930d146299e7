//===- TensorTest.cpp - initial values of parameters ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ImportTestSupport.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"
#include <cstring>

using namespace takt;
using namespace takt::test;
using onnx::TensorProto;

namespace {

TensorProto *weights(onnx::ModelProto &model) {
  return model.mutable_graph()->mutable_initializer(0);
}

template <typename T> std::string bytesOf(std::initializer_list<T> values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.begin(), bytes.size());
  return bytes;
}

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

TEST(ImportTensor, FloatFieldAndRawAreTheSame) {
  onnx::ModelProto field = makeAdd(TensorProto::FLOAT);
  weights(field)->add_float_data(1.5f);
  weights(field)->add_float_data(-0.25f);
  onnx::ModelProto raw = makeAdd(TensorProto::FLOAT);
  weights(raw)->set_raw_data(bytesOf({1.5f, -0.25f}));
  std::vector<float> expected = {1.5f, -0.25f};
  EXPECT_EQ(importModel(field).values("w"), expected);
  EXPECT_EQ(importModel(raw).values("w"), expected);
}

TEST(ImportTensor, EqualElementsAreASplat) {
  onnx::ModelProto model = makeAdd(TensorProto::FLOAT);
  weights(model)->set_raw_data(bytesOf({3.0f, 3.0f}));
  Imported imported = importModel(model);
  ASSERT_TRUE(imported) << imported.error();
  auto value = mlir::dyn_cast<mlir::DenseElementsAttr>(
      *imported.parameter("w").getInitialValue());
  ASSERT_TRUE(value);
  EXPECT_TRUE(value.isSplat());
}

TEST(ImportTensor, ZerosOfBothSignsAreNoSplat) {
  onnx::ModelProto model = makeAdd(TensorProto::FLOAT);
  weights(model)->set_raw_data(bytesOf({0.0f, -0.0f}));
  std::vector<float> values = importModel(model).values("w");
  ASSERT_EQ(values.size(), 2u);
  EXPECT_FALSE(std::signbit(values[0]));
  EXPECT_TRUE(std::signbit(values[1]));
}

/// x + w, all of that type.
onnx::ModelProto makeAddOf(TensorProto::DataType type) {
  onnx::ModelProto model = makeAdd(type);
  for (onnx::ValueInfoProto *info : {model.mutable_graph()->mutable_input(0),
                                     model.mutable_graph()->mutable_output(0)})
    info->mutable_type()->mutable_tensor_type()->set_elem_type(type);
  return model;
}

/// The elements of w as they are in memory.
template <typename T> std::vector<T> elementsOf(const onnx::ModelProto &model) {
  Imported imported = importModel(model);
  EXPECT_TRUE(imported) << imported.error();
  if (!imported)
    return {};
  auto value = mlir::cast<mlir::DenseResourceElementsAttr>(
      *imported.parameter("w").getInitialValue());
  llvm::ArrayRef<char> bytes = value.getRawHandle().getBlob()->getData();
  std::vector<T> elements(bytes.size() / sizeof(T));
  std::memcpy(elements.data(), bytes.data(), bytes.size());
  return elements;
}

TEST(ImportTensor, ShortFloatsStayShort) {
  for (auto type : {TensorProto::FLOAT16, TensorProto::BFLOAT16}) {
    onnx::ModelProto raw = makeAddOf(type), field = makeAddOf(type);
    weights(raw)->set_raw_data(bytesOf<uint16_t>({0x3E00, 0x0001}));
    weights(field)->add_int32_data(0x3E00);
    weights(field)->add_int32_data(0x0001);
    std::vector<uint16_t> expected = {0x3E00, 0x0001};
    EXPECT_EQ(elementsOf<uint16_t>(raw), expected);
    EXPECT_EQ(elementsOf<uint16_t>(field), expected);
  }
}

TEST(ImportTensor, IntegersStayAsWideAsTheyAre) {
  onnx::ModelProto bytes = makeAddOf(TensorProto::INT8);
  weights(bytes)->add_int32_data(-128);
  weights(bytes)->add_int32_data(127);
  EXPECT_EQ(elementsOf<int8_t>(bytes), (std::vector<int8_t>{-128, 127}));
  onnx::ModelProto wide = makeAddOf(TensorProto::UINT64);
  weights(wide)->add_uint64_data(~uint64_t(0));
  weights(wide)->add_uint64_data(0);
  EXPECT_EQ(elementsOf<uint64_t>(wide),
            (std::vector<uint64_t>{~uint64_t(0), 0}));
}

TEST(ImportTensor, DoubleStaysDouble) {
  onnx::ModelProto raw = makeAddOf(TensorProto::DOUBLE);
  weights(raw)->set_raw_data(bytesOf({0.1, 1e-300}));
  EXPECT_EQ(elementsOf<double>(raw), (std::vector<double>{0.1, 1e-300}));
  onnx::ModelProto field = makeAddOf(TensorProto::DOUBLE);
  weights(field)->add_double_data(0.1);
  weights(field)->add_double_data(2);
  EXPECT_EQ(elementsOf<double>(field), (std::vector<double>{0.1, 2}));
}

TEST(ImportTensor, DoubleThatIsCastIsRounded) {
  onnx::ModelProto model = makeAdd(TensorProto::DOUBLE);
  model.mutable_graph()->mutable_node(0)->set_input(1, "c");
  addNode(model, "Cast", {"w"}, {"c"});
  onnx::AttributeProto *to =
      model.mutable_graph()->mutable_node(1)->add_attribute();
  to->set_name("to");
  to->set_type(onnx::AttributeProto::INT);
  to->set_i(TensorProto::FLOAT);
  weights(model)->set_raw_data(bytesOf({0.1, 1e-300}));
  EXPECT_EQ(importModel(model).values("c"), (std::vector<float>{0.1f, 0.0f}));
  weights(model)->set_raw_data(bytesOf({0.1, 1e300}));
  EXPECT_EQ(importModel(model).error(),
            "unsupported: tensor 'c' has elements of type double that are too "
            "large for float");
}

TEST(ImportTensor, TypesThatAreNoNumbers) {
  EXPECT_EQ(importModel(makeAdd(TensorProto::STRING)).error(),
            "unsupported: initializer 'w' has elements of type string");
  onnx::ModelProto model = makeAdd(TensorProto::FLOAT);
  weights(model)->set_data_type(77);
  EXPECT_EQ(importModel(model).error(),
            "unsupported: initializer 'w' has elements of type number 77");
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

TEST(ImportTensor, WrongLength) {
  onnx::ModelProto model = makeAdd(TensorProto::FLOAT);
  weights(model)->set_raw_data("seven b");
  EXPECT_EQ(importModel(model).error(),
            "invalid ONNX: tensor 'w' has 7 bytes of data, expected 8 for 2 "
            "elements of type float");
  weights(model)->clear_raw_data();
  EXPECT_EQ(importModel(model).error(), "invalid ONNX: tensor 'w' has 0 "
                                        "elements of type float, expected 2");
}

TEST(ImportTensor, SizesThatOverflow) {
  onnx::ModelProto model = makeAdd(TensorProto::FLOAT);
  weights(model)->set_dims(0, int64_t(1) << 62);
  weights(model)->add_dims(int64_t(1) << 62);
  EXPECT_EQ(importModel(model).error(),
            "unsupported: initializer 'w' has shape "
            "4611686018427387904x4611686018427387904, expected at most "
            "1099511627776 elements");
  weights(model)->set_dims(1, -4);
  EXPECT_EQ(importModel(model).error(),
            "invalid ONNX: initializer 'w' has shape "
            "4611686018427387904x-4, expected no negative size");
}

TEST(ImportTensor, NothingIsAllocatedForDataThatAreNotThere) {
  // Four terabytes.
  onnx::ModelProto model = makeAdd(TensorProto::FLOAT);
  weights(model)->set_dims(0, int64_t(1) << 40);
  weights(model)->set_raw_data("12345678");
  EXPECT_NE(importModel(model).error().find("has 8 bytes of data"),
            std::string::npos);
}

//===----------------------------------------------------------------------===//
// External data
//===----------------------------------------------------------------------===//

/// A directory with a model's place, its weights beside it, and a file outside.
class ImportExternal : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("takt-import", root));
    ASSERT_FALSE(llvm::sys::fs::create_directories(path("model/sub")));
    write("secret", bytesOf({7.0f, 8.0f}));
    write("model/weights", "skip" + bytesOf({1.0f, 2.0f}));
    write("model/sub/weights", bytesOf({3.0f, 4.0f}));
    // The link exists only where the file system has links.
    hasLink = !llvm::sys::fs::create_link(path("secret"), path("model/link"));
  }
  void TearDown() override { llvm::sys::fs::remove_directories(root); }

  std::string path(llvm::StringRef name) const {
    llvm::SmallString<128> result(root);
    llvm::sys::path::append(result, name);
    return result.str().str();
  }
  void write(llvm::StringRef name, llvm::StringRef bytes) {
    std::error_code error;
    llvm::raw_fd_ostream os(path(name), error);
    ASSERT_FALSE(error);
    os << bytes;
  }

  using Entries = std::initializer_list<std::pair<const char *, std::string>>;
  Imported import(Entries entries) {
    onnx::ModelProto model = makeAdd(TensorProto::FLOAT);
    weights(model)->set_data_location(TensorProto::EXTERNAL);
    for (const auto &[key, value] : entries) {
      onnx::StringStringEntryProto *entry = weights(model)->add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    }
    return importModel(model, {}, path("model/model.onnx"));
  }
  std::string error(Entries entries) { return import(entries).error(); }

  llvm::SmallString<128> root;
  bool hasLink = false;
};

TEST_F(ImportExternal, BesideTheModel) {
  EXPECT_EQ(import({{"location", "weights"}, {"offset", "4"}, {"length", "8"}})
                .values("w"),
            (std::vector<float>{1, 2}));
  EXPECT_EQ(import({{"location", "sub/weights"}}).values("w"),
            (std::vector<float>{3, 4}));
  EXPECT_EQ(
      import({{"location", "sub/../weights"}, {"offset", "4"}}).values("w"),
      (std::vector<float>{1, 2}));
}

TEST_F(ImportExternal, OutsideTheModelsDirectory) {
  std::string expected = "', expected a file in the model's directory";
  EXPECT_EQ(error({{"location", "../secret"}}),
            "invalid ONNX: tensor 'w' has external data in '../secret" +
                expected);
  EXPECT_EQ(error({{"location", path("secret")}}),
            "invalid ONNX: tensor 'w' has external data in '" + path("secret") +
                expected);
  EXPECT_EQ(error({{"location", "absent"}}),
            "invalid ONNX: tensor 'w' has external data in 'absent" + expected);
  EXPECT_EQ(error({{"location", "sub"}}),
            "invalid ONNX: tensor 'w' has external data in 'sub" + expected);
  if (!hasLink)
    GTEST_SKIP() << "no symbolic links here";
  EXPECT_EQ(error({{"location", "link"}}),
            "invalid ONNX: tensor 'w' has external data in 'link" + expected);
}

TEST_F(ImportExternal, SizesThatDoNotFit) {
  EXPECT_EQ(error({{"location", "weights"}, {"offset", "5"}}),
            "invalid ONNX: tensor 'w' has external data in bytes 5 to 5 + 8 of "
            "'weights', which has 12");
  EXPECT_EQ(
      error({{"location", "weights"}, {"offset", "18446744073709551615"}}),
      "invalid ONNX: tensor 'w' has external data in bytes "
      "18446744073709551615 to 18446744073709551615 + 8 of 'weights', "
      "which has 12");
  EXPECT_EQ(error({{"location", "weights"}, {"length", "4"}}),
            "invalid ONNX: tensor 'w' has 4 bytes of external data, expected "
            "8");
  EXPECT_EQ(error({{"location", "weights"}, {"offset", "-1"}}),
            "invalid ONNX: tensor 'w' has external data of offset '-1', "
            "expected a number that is not negative");
  EXPECT_EQ(error({}), "invalid ONNX: tensor 'w' has external data without a "
                       "location");
}

} // namespace
