//===- MutateModel.cpp - changes models so that they stay models ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Changed bytes are hardly ever a protobuf, let alone a graph. So what
// libFuzzer mutates is parsed, and one to four of its fields are changed:
// numbers to those at which things break, names to other names of the model,
// types of nodes to those of other operators; elements are dropped, repeated,
// swapped, and copied from elsewhere in the model.
//
//===----------------------------------------------------------------------===//

#include "takt/Import/ImportOnnx.h"
#include "takt/Support/Onnx.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <limits>
#include <random>

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

namespace {
/// A field of a message that is set, or one element of it.
struct Place {
  Message *message;
  const FieldDescriptor *field;
  int index; ///< −1: not repeated
};

/// Changes one model at random.
class Mutator {
public:
  Mutator(onnx::ModelProto &model, unsigned seed)
      : model(model), random(seed) {}

  /// A number below `end`.
  size_t below(size_t end) { return random() % end; }
  template <typename List> auto &pick(List &list) {
    return list[below(std::size(list))];
  }

  void mutate() {
    places.clear();
    collect(model);
    if (!places.empty())
      change(pick(places));
  }

private:
  void collect(Message &message);
  void change(const Place &place);
  void changeList(const Place &place);
  void changeMessage(const Place &place);
  void changeText(const Place &place);
  int64_t number(int64_t old);
  /// A place of the same field, perhaps in another message.
  const Place &other(const Place &place);

  onnx::ModelProto &model;
  std::mt19937 random;
  std::vector<Place> places;
};
} // namespace

void Mutator::collect(Message &message) {
  const Reflection &reflection = *message.GetReflection();
  std::vector<const FieldDescriptor *> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor *field : fields) {
    bool isMessage = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (!field->is_repeated()) {
      places.push_back({&message, field, -1});
      if (isMessage)
        collect(*reflection.MutableMessage(&message, field));
      continue;
    }
    int size = reflection.FieldSize(message, field);
    // A few elements of long lists of numbers stand for all.
    int step = isMessage ? 1 : std::max(1, size / 8);
    for (int i = 0; i < size; i += step) {
      places.push_back({&message, field, i});
      if (isMessage)
        collect(*reflection.MutableRepeatedMessage(&message, field, i));
    }
  }
}

int64_t Mutator::number(int64_t old) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const int64_t special[] = {0,         1,         2,       -1,
                             7,         1 << 20,   kLeast,  kMost,
                             1LL << 31, 1LL << 62, old / 2, old ^ 1024};
  auto bits = static_cast<uint64_t>(old); // whose arithmetic wraps around
  switch (below(4)) {
  case 0:
    return static_cast<int64_t>(-bits);
  case 1:
    return pick(special);
  default:
    return static_cast<int64_t>(bits + below(5) - 2);
  }
}

const Place &Mutator::other(const Place &place) {
  std::vector<const Place *> same;
  for (const Place &candidate : places)
    if (candidate.field == place.field)
      same.push_back(&candidate);
  return *pick(same);
}

/// Drops, repeats or swaps an element.
void Mutator::changeList(const Place &place) {
  const Reflection &reflection = *place.message->GetReflection();
  int last = reflection.FieldSize(*place.message, place.field) - 1;
  bool isMessage = place.field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  switch (below(3)) {
  case 0:
    reflection.SwapElements(place.message, place.field, place.index, last);
    return reflection.RemoveLast(place.message, place.field);
  case 1:
    return reflection.SwapElements(place.message, place.field, place.index,
                                   below(last + 1));
  default:
    if (isMessage) {
      Message *copy = reflection.AddMessage(place.message, place.field);
      copy->CopyFrom(reflection.GetRepeatedMessage(*place.message, place.field,
                                                   place.index));
    }
  }
}

/// Replaces a message by another of its kind, or takes it away.
void Mutator::changeMessage(const Place &place) {
  const Reflection &reflection = *place.message->GetReflection();
  auto at = [&](const Place &place) {
    return place.index < 0
               ? reflection.MutableMessage(place.message, place.field)
               : reflection.MutableRepeatedMessage(place.message, place.field,
                                                   place.index);
  };
  if (place.index < 0 && below(4) == 0)
    return reflection.ClearField(place.message, place.field);
  // A copy: one of the two may lie in the other.
  const Place &source = other(place);
  std::unique_ptr<Message> copy(at(source)->New());
  copy->CopyFrom(*at(source));
  at(place)->CopyFrom(*copy);
}

/// Names of all operators.
static const std::vector<std::string> &operators() {
  static const std::vector<std::string> names = [] {
    std::string text;
    llvm::raw_string_ostream os(text);
    takt::listOps(os);
    llvm::SmallVector<llvm::StringRef> lines;
    llvm::StringRef(text).split(lines, '\n', -1, /*KeepEmpty=*/false);
    std::vector<std::string> names;
    for (llvm::StringRef line : llvm::drop_begin(lines))
      names.push_back(line.substr(0, line.find(' ')).str());
    return names;
  }();
  return names;
}

void Mutator::changeText(const Place &place) {
  const Reflection &reflection = *place.message->GetReflection();
  auto get = [&](const Place &place) {
    return place.index < 0 ? reflection.GetString(*place.message, place.field)
                           : reflection.GetRepeatedString(
                                 *place.message, place.field, place.index);
  };
  std::string text = get(place);
  if (place.field->name() == "op_type") {
    text = pick(operators());
  } else if (place.field->type() == FieldDescriptor::TYPE_BYTES || !below(4)) {
    size_t most = text.size() + 8, size = text.size();
    text.resize(most);
    text.resize(
        LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(&text[0]), size, most));
  } else {
    text = get(other(place));
  }
  if (place.index < 0)
    reflection.SetString(place.message, place.field, text);
  else
    reflection.SetRepeatedString(place.message, place.field, place.index, text);
}

void Mutator::change(const Place &place) {
  if (place.index >= 0 && below(3) == 0)
    return changeList(place);
  const Reflection &reflection = *place.message->GetReflection();
  Message *message = place.message;
  const FieldDescriptor *field = place.field;
  int i = place.index;
  switch (field->cpp_type()) {
  case FieldDescriptor::CPPTYPE_MESSAGE:
    return changeMessage(place);
  case FieldDescriptor::CPPTYPE_STRING:
    return changeText(place);
  case FieldDescriptor::CPPTYPE_INT64:
    if (i < 0)
      return reflection.SetInt64(message, field,
                                 number(reflection.GetInt64(*message, field)));
    return reflection.SetRepeatedInt64(
        message, field, i,
        number(reflection.GetRepeatedInt64(*message, field, i)));
  case FieldDescriptor::CPPTYPE_INT32:
    if (i < 0)
      return reflection.SetInt32(message, field,
                                 number(reflection.GetInt32(*message, field)));
    return reflection.SetRepeatedInt32(
        message, field, i,
        number(reflection.GetRepeatedInt32(*message, field, i)));
  case FieldDescriptor::CPPTYPE_ENUM:
    if (i < 0)
      return reflection.SetEnumValue(message, field, below(24));
    return;
  case FieldDescriptor::CPPTYPE_FLOAT: {
    const float special[] = {0, -1, 1e30f, 0.5f, -0.0f, INFINITY, NAN};
    if (i < 0)
      return reflection.SetFloat(message, field, pick(special));
    return reflection.SetRepeatedFloat(message, field, i, pick(special));
  }
  default:
    return;
  }
}

/// libFuzzer's hook: changes `size` bytes in a buffer of `most`.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t most, unsigned seed) {
  onnx::ModelProto model;
  if (seed % 8 == 0 || !model.ParseFromArray(data, size))
    return LLVMFuzzerMutate(data, size, most);
  Mutator mutator(model, seed);
  for (size_t i = mutator.below(4) + 1; i > 0; --i)
    mutator.mutate();
  std::string bytes = model.SerializeAsString();
  if (bytes.size() > most)
    return LLVMFuzzerMutate(data, size, most);
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}
