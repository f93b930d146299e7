//===- OnnxWeightsTest.cpp - weights in ONNX files ------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Whole files are checked with ONNX's own library in test/Export; here, what
// broken files and small messages do.
//
//===----------------------------------------------------------------------===//

#include "takt/Export/OnnxWeights.h"
#include "OnnxFile.h"
#include "takt/Support/Onnx.h"
#include "gtest/gtest.h"
#include <cstring>

using namespace takt;
using namespace llvm;
using onnx::GraphProto;
using onnx::ModelProto;
using onnx::NodeProto;
using onnx::TensorProto;

namespace {

std::string tensor(StringRef name, uint64_t type, StringRef raw) {
  std::string out;
  wire::appendVarint(out, TensorProto::kDimsFieldNumber, 2);
  wire::appendVarint(out, TensorProto::kDataTypeFieldNumber, type);
  wire::appendBytes(out, TensorProto::kNameFieldNumber, name);
  wire::appendBytes(out, TensorProto::kRawDataFieldNumber, raw);
  return out;
}

/// A graph of the weight `w`, of 2 elements, its Identity `v`, and a node.
std::string model(uint64_t type = TensorProto::FLOAT,
                  StringRef raw = StringRef("abcdefgh", 8)) {
  std::string graph, identity, relu, out;
  wire::appendBytes(identity, NodeProto::kInputFieldNumber, "w");
  wire::appendBytes(identity, NodeProto::kOutputFieldNumber, "v");
  wire::appendBytes(identity, NodeProto::kOpTypeFieldNumber, "Identity");
  wire::appendBytes(relu, NodeProto::kInputFieldNumber, "x");
  wire::appendBytes(relu, NodeProto::kOutputFieldNumber, "y");
  wire::appendBytes(relu, NodeProto::kOpTypeFieldNumber, "Relu");
  wire::appendBytes(graph, GraphProto::kNodeFieldNumber, identity);
  wire::appendBytes(graph, GraphProto::kNodeFieldNumber, relu);
  wire::appendBytes(graph, GraphProto::kInitializerFieldNumber,
                    tensor("w", type, raw));
  wire::appendVarint(out, ModelProto::kIrVersionFieldNumber, 8);
  wire::appendBytes(out, ModelProto::kGraphFieldNumber, graph);
  return out;
}

Expected<OnnxWeights> find(StringRef bytes,
                           ArrayRef<WeightDeclaration> weights) {
  return OnnxWeights::find(MemoryBufferRef(bytes, "m.onnx"), weights);
}

Array array(StringRef name, std::vector<float> values) {
  Array result{name.str(), ElementType::F32, {}, {}};
  result.dims.push_back(values.size());
  result.data.resize(values.size() * sizeof(float));
  std::memcpy(result.data.data(), values.data(), result.data.size());
  return result;
}

std::string written(const OnnxWeights &weights, ArrayRef<Array> values) {
  std::string path = testing::TempDir() + "takt-export-test.onnx";
  EXPECT_EQ(toString(weights.write(path, values)), "");
  auto buffer = MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : "";
}

TEST(OnnxWeights, WithoutWeightsTheFileStaysAsItIs) {
  std::string bytes = model();
  Expected<OnnxWeights> weights = find(bytes, {});
  ASSERT_TRUE(bool(weights)) << toString(weights.takeError());
  EXPECT_EQ(written(*weights, {}), bytes);
}

TEST(OnnxWeights, ElementsAreReplacedInPlace) {
  std::string bytes = model(), ones("\0\0\x80\x3f\0\0\x80\x3f", 8);
  Expected<OnnxWeights> weights = find(bytes, {{"w", {2}}});
  ASSERT_TRUE(bool(weights)) << toString(weights.takeError());
  std::string out = written(*weights, array("w", {1, 1}));
  Expected<OnnxFile> file = OnnxFile::read(out);
  ASSERT_TRUE(bool(file)) << toString(file.takeError());
  ASSERT_TRUE(file->initializer("w"));
  EXPECT_EQ(file->initializer("w")->message, tensor("w", 1, ones));
}

TEST(OnnxWeights, AnIdentityOfAWeightStaysWhatItWas) {
  std::string bytes = model();
  Expected<OnnxWeights> weights = find(bytes, {{"w", {2}}});
  ASSERT_TRUE(bool(weights)) << toString(weights.takeError());
  std::string out = written(*weights, array("w", {1, 1}));
  Expected<OnnxFile> file = OnnxFile::read(out);
  ASSERT_TRUE(bool(file)) << toString(file.takeError());
  const NodeInfo *node = file->maker("v");
  ASSERT_TRUE(node && node->value);
  EXPECT_EQ(node->type, "Constant");
  EXPECT_EQ(node->value->message, tensor("w", 1, "abcdefgh"));
  // Nothing else is new.
  ASSERT_TRUE(file->maker("y"));
  EXPECT_EQ(file->maker("y")->type, "Relu");
  EXPECT_EQ(file->allNodes().size(), 2u);
}

TEST(OnnxWeights, SixteenBitsAreRoundedToEven) {
  // 1 + 2^-11 lies between 1 and the next float16, 1 + 2^-10.
  std::string bytes = model(10, "abcd"), halves("\0\x3c\x02\x3c", 4);
  Expected<OnnxWeights> weights = find(bytes, {{"w", {2}}});
  ASSERT_TRUE(bool(weights)) << toString(weights.takeError());
  EXPECT_NE(written(*weights, array("w", {1 + 0x1p-11f, 1 + 0x3p-11f}))
                .find(tensor("w", 10, halves)),
            std::string::npos);
}

TEST(OnnxWeights, AnIdentityGetsElementsOfItsOwn) {
  std::string bytes = model();
  Expected<OnnxWeights> weights = find(bytes, {{"v", {2}}});
  ASSERT_TRUE(bool(weights)) << toString(weights.takeError());
  std::string out = written(*weights, array("v", {1, 1}));
  Expected<OnnxFile> file = OnnxFile::read(out);
  ASSERT_TRUE(bool(file)) << toString(file.takeError());
  const NodeInfo *node = file->maker("v");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->type, "Constant");
  EXPECT_TRUE(node->inputs.empty());
  EXPECT_NE(out.find("abcdefgh"), std::string::npos);
}

/// Any bytes are read, or refused with one message.
void readsOrExplains(StringRef bytes) {
  Expected<OnnxWeights> weights = find(bytes, {{"w", {2}}, {"v", {2}}});
  if (!weights) {
    EXPECT_EQ(toString(weights.takeError()).rfind("m.onnx: ", 0), 0u);
    return;
  }
  Array values[] = {array("w", {1, 1}), array("v", {1, 1})};
  EXPECT_EQ(toString(weights->write("/dev/null", values)), "");
}

TEST(OnnxWeights, EveryTruncation) {
  std::string bytes = model();
  for (size_t size = 0; size < bytes.size(); ++size)
    readsOrExplains(StringRef(bytes).take_front(size));
}

TEST(OnnxWeights, EveryByteReplaced) {
  std::string bytes = model();
  for (size_t at = 0; at < bytes.size(); ++at)
    for (int value = 0; value < 256; ++value) {
      std::string broken = bytes;
      broken[at] = static_cast<char>(value);
      readsOrExplains(broken);
    }
}

TEST(OnnxWeights, AChainOfIdentitiesMayNotEnd) {
  std::string graph, out;
  for (auto [input, output] : {std::pair("a", "w"), std::pair("w", "a")}) {
    std::string node;
    wire::appendBytes(node, NodeProto::kInputFieldNumber, input);
    wire::appendBytes(node, NodeProto::kOutputFieldNumber, output);
    wire::appendBytes(node, NodeProto::kOpTypeFieldNumber, "Identity");
    wire::appendBytes(graph, GraphProto::kNodeFieldNumber, node);
  }
  wire::appendBytes(out, ModelProto::kGraphFieldNumber, graph);
  Expected<OnnxWeights> weights = find(out, {{"w", {2}}});
  ASSERT_FALSE(bool(weights));
  EXPECT_NE(toString(weights.takeError()).find("expected a constant"),
            std::string::npos);
}

} // namespace
