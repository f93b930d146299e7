//===- NpzTest.cpp --------------------------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/Npz.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>
#include <random>

using namespace llvm;
using namespace takt;

namespace {
/// numpy.savez_compressed of a, 2x3 '<f4' in column-major order with elements
/// 0 to 5, and n, 5 '<i8' with elements 0 to 4 (NumPy 1.24).
constexpr StringLiteral kCompressed =
    "504b030414000000080000002100ce2ce0d3560000009800000005001400612e6e70790100"
    "1000980000000000000056000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46e"
    "a5a06e9366a2aea3a09e965f54529498179f5f94920a120f292a4d050a17672416a402b91a"
    "463a0ac69a3a0ab50ae4032e06307070606068b007620710878161810300504b0304140000"
    "00080000002100cb779da951000000a8000000050014006e2e6e707901001000a800000000"
    "00000051000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9369a1ae"
    "a3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91aa63a9a3a0ab5"
    "0a14002e06286084d24c509a194ab3406900504b0102140314000000080000002100ce2ce0"
    "d35600000098000000050000000000000000000000800100000000612e6e7079504b010214"
    "0314000000080000002100cb779da951000000a80000000500000000000000000000008001"
    "8d0000006e2e6e7079504b0506000000000200020066000000150100000000";

template <typename T> std::vector<T> values(const Array &array) {
  std::vector<T> result(array.elements());
  std::memcpy(result.data(), array.data.data(), array.data.size());
  return result;
}

template <typename T>
Array array(StringRef name, ElementType type, ArrayRef<int64_t> dims,
            std::vector<T> elements) {
  auto *bytes = reinterpret_cast<const uint8_t *>(elements.data());
  return {name.str(),
          type,
          SmallVector<int64_t, 4>(dims),
          {bytes, bytes + elements.size() * sizeof(T)}};
}

std::string errorOf(Expected<std::vector<Array>> arrays) {
  return arrays ? "" : toString(arrays.takeError());
}

std::string errorOf(StringRef bytes) {
  return errorOf(readArrays(MemoryBufferRef(bytes, "f")));
}

/// A .npy file with that dictionary and content.
std::string npy(StringRef dictionary, StringRef content = "") {
  std::string header = ("{" + dictionary + "}\n").str();
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size());
  bytes += '\0';
  return bytes + header + content.str();
}

/// Removes a temporary file at the end.
struct TemporaryFile {
  TemporaryFile() {
    std::error_code code = sys::fs::createTemporaryFile("takt", "npz", path);
    EXPECT_FALSE(code);
  }
  ~TemporaryFile() { sys::fs::remove(path); }
  std::string content() const {
    auto buffer = MemoryBuffer::getFile(path);
    return buffer ? (*buffer)->getBuffer().str() : "";
  }
  SmallString<128> path;
};
} // namespace

TEST(Npz, WrittenArraysAreReadAgain) {
  std::vector<Array> arrays = {
      array<float>("w/\"odd\" name", ElementType::F32, {2, 3},
                   {0, 1, 2, 3, 4, -5}),
      array<double>("d", ElementType::F64, {}, {1.5}),
      array<int32_t>("i", ElementType::I32, {1}, {-7}),
      array<int64_t>("l", ElementType::I64, {2, 1, 1}, {1, int64_t(1) << 40}),
      array<uint8_t>("u", ElementType::U8, {0, 4}, {}),
      array<uint8_t>("b", ElementType::I1, {2}, {0, 1}),
      array<Float16>("h", ElementType::F16, {1}, {Float16(0.1f)}),
      array<uint64_t>("n", ElementType::U64, {1}, {~uint64_t(0)})};
  TemporaryFile file, again;
  ASSERT_FALSE(static_cast<bool>(writeNpz(file.path, arrays)));
  ASSERT_FALSE(static_cast<bool>(writeNpz(again.path, arrays)));
  EXPECT_EQ(file.content(), again.content());
  auto read = readArrayFile(file.path);
  ASSERT_EQ(read ? "" : toString(read.takeError()), "");
  ASSERT_EQ(read->size(), arrays.size());
  for (auto [expected, found] : zip(arrays, *read)) {
    EXPECT_EQ(found.name, expected.name);
    EXPECT_EQ(found.type, expected.type);
    EXPECT_EQ(found.dims, expected.dims);
    EXPECT_EQ(found.data, expected.data);
  }
}

TEST(Npz, NumpysCompressedColumnMajorArraysAreRead) {
  std::string bytes = fromHex(kCompressed);
  auto arrays = readArrays(MemoryBufferRef(bytes, "f"));
  ASSERT_EQ(arrays ? "" : toString(arrays.takeError()), "");
  ASSERT_EQ(arrays->size(), 2u);
  EXPECT_EQ((*arrays)[0].name, "a");
  EXPECT_EQ((*arrays)[0].dims, (SmallVector<int64_t, 4>{2, 3}));
  EXPECT_EQ(values<float>((*arrays)[0]),
            (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(values<int64_t>((*arrays)[1]),
            (std::vector<int64_t>{0, 1, 2, 3, 4}));
}

TEST(Npz, SingleArrayTakesTheFilesName) {
  TemporaryFile file;
  Array x = array<int32_t>("x", ElementType::I32, {3}, {1, 2, 3});
  ASSERT_FALSE(static_cast<bool>(writeNpy(file.path, x)));
  auto read =
      readArrays(MemoryBufferRef(StringRef(file.content()), "dir/labels.npy"));
  // The content is gone by now: arrays own their elements.
  ASSERT_EQ(read ? "" : toString(read.takeError()), "");
  EXPECT_EQ(read->front().name, "labels");
  EXPECT_EQ(values<int32_t>(read->front()), (std::vector<int32_t>{1, 2, 3}));
}

/// numpy has no bfloat16.
TEST(Npz, BFloat16IsWrittenWider) {
  std::vector<Array> arrays = {
      array<BFloat16>("w", ElementType::BF16, {2}, {BFloat16(0.1f), {}})};
  TemporaryFile file;
  ASSERT_FALSE(static_cast<bool>(writeNpz(file.path, arrays)));
  auto read = readArrayFile(file.path);
  ASSERT_EQ(read ? "" : toString(read.takeError()), "");
  EXPECT_EQ(read->front().type, ElementType::F32);
  EXPECT_EQ(values<float>(read->front()),
            (std::vector<float>{0.10009765625f, 0}));
}

TEST(Npz, MessagesSayWhatIsWrong) {
  EXPECT_EQ(errorOf(StringRef("")), "f: not a .npy array: wrong magic");
  EXPECT_EQ(errorOf(npy("'descr': '>f4', 'fortran_order': False, 'shape': ()")),
            "f: element type '>f4' is not supported, expected one of '<f4', "
            "'<f8', '<f2', '|i1', '<i2', '<i4', '<i8', '|u1', '<u2', '<u4', "
            "'<u8', '|b1'");
  EXPECT_EQ(errorOf(npy("'descr': [('a', '<f4')], 'fortran_order': False, "
                        "'shape': ()")),
            "f: the array's elements are records, expected numbers");
  EXPECT_EQ(errorOf(npy("'descr': '<f4', 'fortran_order': False, "
                        "'shape': (2, 3)",
                        "abc")),
            "f: the array has 3 bytes, its shape says 24");
  EXPECT_EQ(errorOf(npy("'descr': '<f4', 'fortran_order': False, 'shape': "
                        "(99999999999, 99999999999)")),
            "f: the array's shape is too large");
  for (StringRef malformed :
       {"", "'descr': '<f4'", "'descr': '<f4', 'fortran_order': False",
        "'descr': '<f4', 'descr': '<f4'", "'shape': (-1,)", "'shape': (1",
        "'shape': (99999999999999999999,)", "'other': 1",
        "'descr': '<f4', 'fortran_order': Maybe, 'shape': ()"})
    EXPECT_EQ(errorOf(npy(malformed)), "f: malformed .npy header")
        << malformed.str();
  EXPECT_EQ(errorOf(readArrayFile("does-not-exist.npz")),
            "does-not-exist.npz: No such file or directory");
}

TEST(Npz, ZerosInAShapeDoNotHideOverflow) {
  EXPECT_EQ(errorOf(npy("'descr': '<f8', 'fortran_order': True, 'shape': (0, "
                        "9223372036854775807, 9223372036854775807)")),
            "f: the array's shape is too large");
}

TEST(Npz, DuplicateNamesAndBrokenEntriesAreRefused) {
  std::string bytes = fromHex(kCompressed);
  std::string same = bytes;
  size_t central = StringRef(same).rfind("n.npy");
  same[central] = 'a';
  EXPECT_EQ(errorOf(same), "f: entry 'a.npy': appears twice");
  std::string size = bytes; // uncompressed size of the first entry
  size_t entry = StringRef(size).rfind("a.npy") - 46;
  size[entry + 24 + 3] = 0x7F;
  EXPECT_EQ(errorOf(size),
            "f: entry 'a.npy': corrupt compressed data: 86 bytes "
            "cannot hold 2130706584");
  std::string method = bytes;
  method[entry + 10] = 12;
  EXPECT_EQ(errorOf(method),
            "f: entry 'a.npy': compression method 12, expected "
            "0 (stored) or 8 (deflated)");
  std::string crc = bytes;
  crc[entry + 16] ^= 1;
  EXPECT_EQ(errorOf(crc), "f: entry 'a.npy': wrong checksum");
}

/// Any bytes give arrays or one error; sanitizers see the rest.
TEST(Npz, HostileBytesNeverCrash) {
  std::string bytes = fromHex(kCompressed);
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_NE(errorOf(StringRef(bytes).take_front(size)), "") << size;
  for (size_t at = 0; at < bytes.size(); ++at)
    for (unsigned value : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(value);
      (void)errorOf(changed);
    }
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string changed = bytes;
    for (unsigned flips = 1 + random() % 4; flips > 0; --flips)
      changed[random() % changed.size()] ^= 1 << random() % 8;
    (void)errorOf(changed);
  }
}

TEST(Npz, ConversionsKeepValuesOrFail) {
  Array bytes = array<uint8_t>("x", ElementType::U8, {2}, {3, 255});
  auto floats = convert(bytes, ElementType::F32);
  ASSERT_TRUE(static_cast<bool>(floats));
  EXPECT_EQ(values<float>(*floats), (std::vector<float>{3, 255}));
  Array large =
      array<int64_t>("n", ElementType::I64, {2}, {1, int64_t(1) << 33});
  auto narrow = convert(large, ElementType::I32);
  ASSERT_FALSE(static_cast<bool>(narrow));
  EXPECT_EQ(toString(narrow.takeError()),
            "array 'n': element 1 is 8589934592, which '<i4' cannot hold");
  Array big = array<uint64_t>("n", ElementType::U64, {1}, {~uint64_t(0)});
  auto negative = convert(big, ElementType::I64);
  ASSERT_FALSE(bool(negative));
  EXPECT_EQ(toString(negative.takeError()),
            "array 'n': element 0 is 18446744073709551615, which '<i8' cannot "
            "hold");
  Array third = array<double>("t", ElementType::F64, {1}, {1.0 / 3});
  auto half = convert(third, ElementType::F16);
  ASSERT_TRUE(bool(half));
  EXPECT_EQ(values<Float16>(*half)[0].bits, 0x3555);
  Array real = array<double>("r", ElementType::F64, {1}, {0.5});
  auto integer = convert(real, ElementType::I64);
  ASSERT_FALSE(static_cast<bool>(integer));
  EXPECT_EQ(toString(integer.takeError()),
            "array 'r' has elements '<f8', expected '<i8'");
}
