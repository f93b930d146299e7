//===- ZipArchive.cpp - the container of .npz files -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Field offsets are those of PKWARE's APPNOTE 6.3.10, sections 4.3.7 (local
// header), 4.3.12 (central directory), 4.3.14 to 4.3.16 (ends) and 4.5.3
// (zip64 extra field).
//
//===----------------------------------------------------------------------===//

#include "ZipArchive.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/EndianStream.h"
#include <zlib.h>

using namespace llvm;
using namespace takt;
using support::endian::read16le;
using support::endian::read32le;
using support::endian::read64le;

namespace {
constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50;
constexpr uint32_t kLocator64Signature = 0x07064b50;
constexpr size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22,
                 kEnd64Bytes = 56, kLocator64Bytes = 20;
constexpr uint16_t kZip64Tag = 1;
constexpr uint32_t kIn64 = 0xFFFFFFFF; ///< "see the zip64 field"
/// DEFLATE cannot expand by more (zlib's technical documentation).
constexpr uint64_t kMaxInflation = 1032;

struct Directory {
  uint64_t entries, offset, size;
};

struct Entry {
  StringRef name;
  uint16_t flags, method;
  uint32_t crc;
  uint64_t compressed, uncompressed, offset;
};

Error truncated() { return createStringError("truncated zip archive"); }

Error entryError(StringRef name, const Twine &message) {
  std::string shown;
  raw_string_ostream(shown).write_escaped(name);
  return createStringError("entry '" + shown + "': " + message);
}
} // namespace

bool takt::isZip(StringRef bytes) {
  if (bytes.size() < 4)
    return false;
  uint32_t signature = read32le(bytes.data());
  return signature == kLocalSignature || signature == kEndSignature;
}

/// Position of the end record: the last one whose comment ends with the file.
static Expected<size_t> findEnd(StringRef file) {
  constexpr size_t kMaxComment = 0xFFFF;
  for (size_t back = kEndBytes;
       back <= std::min(file.size(), kEndBytes + kMaxComment); ++back) {
    const char *at = file.end() - back;
    if (read32le(at) == kEndSignature && read16le(at + 20) == back - kEndBytes)
      return file.size() - back;
  }
  return createStringError("truncated zip archive: no end record");
}

static Expected<Directory> findDirectory(StringRef file) {
  Expected<size_t> end = findEnd(file);
  if (!end)
    return end.takeError();
  const char *at = file.data() + *end;
  Directory d{read16le(at + 10), read32le(at + 16), read32le(at + 12)};
  if (*end >= kLocator64Bytes &&
      read32le(at - kLocator64Bytes) == kLocator64Signature) {
    uint64_t end64 = read64le(at - kLocator64Bytes + 8);
    if (end64 > file.size() || file.size() - end64 < kEnd64Bytes ||
        read32le(file.data() + end64) != kEnd64Signature)
      return createStringError("malformed zip64 end record");
    at = file.data() + end64;
    d = {read64le(at + 32), read64le(at + 48), read64le(at + 40)};
  }
  if (d.offset > file.size() || file.size() - d.offset < d.size)
    return truncated();
  return d;
}

/// Replaces the sizes that stand in the zip64 extra field.
static Error readZip64(StringRef extra, Entry &entry) {
  while (extra.size() >= 4) {
    uint16_t tag = read16le(extra.data()), size = read16le(extra.data() + 2);
    extra = extra.drop_front(4);
    if (extra.size() < size)
      break;
    StringRef field = extra.take_front(size);
    extra = extra.drop_front(size);
    if (tag != kZip64Tag)
      continue;
    for (uint64_t *value :
         {&entry.uncompressed, &entry.compressed, &entry.offset}) {
      if (*value != kIn64)
        continue;
      if (field.size() < 8)
        return entryError(entry.name, "malformed zip64 field");
      *value = read64le(field.data());
      field = field.drop_front(8);
    }
  }
  return Error::success();
}

/// Cuts the first entry off the directory.
static Expected<Entry> readEntry(StringRef &directory) {
  if (directory.size() < kCentralBytes)
    return truncated();
  const char *at = directory.data();
  if (read32le(at) != kCentralSignature)
    return createStringError("malformed zip directory");
  size_t name = read16le(at + 28), extra = read16le(at + 30),
         comment = read16le(at + 32);
  if (directory.size() - kCentralBytes < name + extra + comment)
    return truncated();
  Entry entry{directory.substr(kCentralBytes, name),
              read16le(at + 8),
              read16le(at + 10),
              read32le(at + 16),
              read32le(at + 20),
              read32le(at + 24),
              read32le(at + 42)};
  if (Error error =
          readZip64(directory.substr(kCentralBytes + name, extra), entry))
    return std::move(error);
  directory = directory.drop_front(kCentralBytes + name + extra + comment);
  return entry;
}

/// The entry's bytes in the file.
static Expected<StringRef> locate(StringRef file, const Entry &entry) {
  if (entry.offset > file.size() || file.size() - entry.offset < kLocalBytes)
    return entryError(entry.name, "lies outside the file");
  const char *at = file.data() + entry.offset;
  if (read32le(at) != kLocalSignature)
    return entryError(entry.name, "malformed local header");
  StringRef rest = file.drop_front(entry.offset + kLocalBytes);
  size_t skip = size_t(read16le(at + 26)) + read16le(at + 28);
  if (rest.size() < skip || rest.size() - skip < entry.compressed)
    return entryError(entry.name, "lies outside the file");
  return rest.substr(skip, entry.compressed);
}

static Error inflateInto(std::string &target, StringRef source) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return createStringError("out of memory");
  scope_exit end([&] { inflateEnd(&stream); });
  constexpr size_t kChunk = 1u << 30; // zlib counts in 32 bits
  size_t read = 0, written = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    uInt in = std::min(kChunk, source.size() - read);
    uInt out = std::min(kChunk, target.size() - written);
    stream.next_in =
        reinterpret_cast<Bytef *>(const_cast<char *>(source.data() + read));
    stream.next_out = reinterpret_cast<Bytef *>(target.data() + written);
    stream.avail_in = in;
    stream.avail_out = out;
    status = inflate(&stream, Z_NO_FLUSH);
    read += in - stream.avail_in;
    written += out - stream.avail_out;
  }
  if (status != Z_STREAM_END || written != target.size())
    return createStringError("corrupt compressed data");
  return Error::success();
}

static Error visitEntry(StringRef file, const Entry &entry,
                        function_ref<Error(StringRef, StringRef)> visit) {
  Expected<StringRef> stored = locate(file, entry);
  if (!stored)
    return stored.takeError();
  constexpr uint16_t kEncrypted = 1, kStored = 0, kDeflated = 8;
  if (entry.flags & kEncrypted)
    return entryError(entry.name, "is encrypted");
  if (entry.method != kStored && entry.method != kDeflated)
    return entryError(entry.name, "compression method " + Twine(entry.method) +
                                      ", expected 0 (stored) or 8 (deflated)");
  std::string inflated;
  StringRef content = *stored;
  if (entry.method == kDeflated) {
    if (entry.uncompressed / kMaxInflation > entry.compressed)
      return entryError(entry.name,
                        "corrupt compressed data: " + Twine(entry.compressed) +
                            " bytes cannot hold " + Twine(entry.uncompressed));
    inflated.resize(entry.uncompressed);
    if (Error error = inflateInto(inflated, *stored))
      return entryError(entry.name, toString(std::move(error)));
    content = inflated;
  } else if (entry.compressed != entry.uncompressed) {
    return entryError(entry.name, "two different sizes");
  }
  uint32_t crc = crc32_z(0, content.bytes_begin(), content.size());
  if (crc != entry.crc)
    return entryError(entry.name, "wrong checksum");
  if (Error error = visit(entry.name, content))
    return entryError(entry.name, toString(std::move(error)));
  return Error::success();
}

Error takt::readZip(StringRef file,
                    function_ref<Error(StringRef, StringRef)> visit) {
  Expected<Directory> directory = findDirectory(file);
  if (!directory)
    return directory.takeError();
  StringRef rest = file.substr(directory->offset, directory->size);
  uint64_t total = 0; // entries may overlap: bounds the sum, not only each
  for (uint64_t i = 0; i < directory->entries; ++i) {
    Expected<Entry> entry = readEntry(rest);
    if (!entry)
      return entry.takeError();
    if (Error error = visitEntry(file, *entry, visit))
      return error;
    total += entry->uncompressed;
    if (total / kMaxInflation > file.size())
      return createStringError("overlapping entries");
  }
  return Error::success();
}

namespace {
/// Writes one archive front to back.
class ZipWriter {
public:
  explicit ZipWriter(raw_ostream &os)
      : base(os.tell()), os(os), out(os, endianness::little) {}

  void entry(const ZipEntry &entry) {
    Written w{entry.name, 0, entry.head.size() + entry.tail.size(),
              os.tell() - base};
    w.crc = crc32_z(0, StringRef(entry.head).bytes_begin(), entry.head.size());
    if (!entry.tail.empty()) // zlib takes a null pointer for a new beginning
      w.crc = crc32_z(w.crc, entry.tail.bytes_begin(), entry.tail.size());
    bool large = w.size >= kIn64;
    write(kLocalSignature);
    common(w, large ? 2 * 8 : 0, large);
    os << entry.name;
    if (large)
      zip64({w.size, w.size});
    os << entry.head << entry.tail;
    written.push_back(std::move(w));
  }

  void finish() {
    uint64_t offset = os.tell() - base;
    for (const Written &w : written)
      central(w);
    uint64_t size = os.tell() - base - offset, count = written.size();
    if (offset + size >= kIn64 || count >= 0xFFFF) {
      uint64_t end64 = os.tell() - base;
      write(kEnd64Signature);
      write<uint64_t>(kEnd64Bytes - 12);
      write<uint16_t>(kVersion64);
      write<uint16_t>(kVersion64);
      write<uint32_t>(0);
      write<uint32_t>(0);
      for (uint64_t value : {count, count, size, offset})
        write(value);
      write(kLocator64Signature);
      write<uint32_t>(0);
      write(end64);
      write<uint32_t>(1);
    }
    write(kEndSignature);
    write<uint32_t>(0);
    write<uint16_t>(std::min<uint64_t>(count, 0xFFFF));
    write<uint16_t>(std::min<uint64_t>(count, 0xFFFF));
    write<uint32_t>(std::min<uint64_t>(size, kIn64));
    write<uint32_t>(std::min<uint64_t>(offset, kIn64));
    write<uint16_t>(0);
  }

private:
  struct Written {
    std::string name;
    uint32_t crc;
    uint64_t size, offset;
  };
  static constexpr uint16_t kVersion = 20, kVersion64 = 45;
  static constexpr uint16_t kUtf8 = 1 << 11;
  static constexpr uint32_t kDate = 0x00210000; ///< 1980-01-01 00:00

  template <typename T> void write(T value) { out.write<T>(value); }

  /// The fields that local header and directory share.
  void common(const Written &w, size_t extra, bool large) {
    write<uint16_t>(extra ? kVersion64 : kVersion);
    write<uint16_t>(kUtf8);
    write<uint16_t>(0);
    write<uint32_t>(kDate);
    write<uint32_t>(w.crc);
    write<uint32_t>(large ? kIn64 : w.size);
    write<uint32_t>(large ? kIn64 : w.size);
    write<uint16_t>(w.name.size());
    write<uint16_t>(extra ? extra + 4 : 0);
  }

  void zip64(ArrayRef<uint64_t> values) {
    write<uint16_t>(kZip64Tag);
    write<uint16_t>(values.size() * 8);
    for (uint64_t value : values)
      write(value);
  }

  void central(const Written &w) {
    SmallVector<uint64_t, 3> values;
    bool large = w.size >= kIn64, far = w.offset >= kIn64;
    if (large)
      values = {w.size, w.size};
    if (far)
      values.push_back(w.offset);
    write(kCentralSignature);
    write<uint16_t>(kVersion64);
    common(w, values.size() * 8, large);
    write<uint16_t>(0); // comment
    write<uint16_t>(0); // disk
    write<uint16_t>(0); // internal attributes
    write<uint32_t>(0); // external attributes
    write<uint32_t>(far ? kIn64 : w.offset);
    os << w.name;
    if (!values.empty())
      zip64(values);
  }

  uint64_t base;
  raw_ostream &os;
  support::endian::Writer out;
  std::vector<Written> written;
};
} // namespace

void takt::writeZip(raw_ostream &os, ArrayRef<ZipEntry> entries) {
  ZipWriter writer(os);
  for (const ZipEntry &entry : entries)
    writer.entry(entry);
  writer.finish();
}
