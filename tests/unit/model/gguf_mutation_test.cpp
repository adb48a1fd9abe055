// Damages sound files field by field. Damage that a reader must notice is refused with
// vernal::Error. Random damage is refused or read to the end. Under the address sanitizer this
// shows that no damage makes a reader leave the file.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf_file.hpp"
#include "support/gguf_walk.hpp"
#include "support/gguf_writer.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

using test::GgufField;
using test::GgufFieldRole;
using test::GgufImage;
using test::GgufWriter;

std::vector<std::byte> pattern(std::uint64_t size) {
  std::vector<std::byte> bytes(size);
  for (std::uint64_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 37 + 11);
  return bytes;
}

/// A value of every kind, arrays of every kind, tensors of several formats and ranks.
GgufImage rich_file(std::uint32_t version, std::uint32_t alignment) {
  GgufWriter writer(version);
  writer.set_alignment(alignment)
      .add_string("general.architecture", "llama")
      .add_integer("u8", GgufKind::kUint8, 1)
      .add_integer("i16", GgufKind::kInt16, -2)
      .add_integer("u64", GgufKind::kUint64, 3)
      .add_float("f32", GgufKind::kFloat32, 1e-5)
      .add_float("f64", GgufKind::kFloat64, 1e6)
      .add_bool("bool", true)
      .add_string("empty", "")
      .add_strings("tokens", {"<s>", "", "a", "\xC4\xA0the"})
      .add_floats("scores", GgufKind::kFloat32, {0, -1, -2, -3})
      .add_integers("types", GgufKind::kInt32, {3, 1, 1, 1})
      .add_bools("flags", {true, false, true});
  writer.add_tensor("token_embd.weight", {256, 3}, 12, pattern(3 * 144))
      .add_tensor("norm.weight", {64}, 0, pattern(256))
      .add_tensor("blk.0.attn_q.weight", {512, 2, 2}, 144, pattern(4 * 276))
      .add_tensor("blk.0.half", {7, 5, 3, 1}, 1, pattern(210))
      .add_tensor("blk.0.eight", {32, 8}, 8, pattern(8 * 34));
  return writer.image();
}

std::vector<GgufImage> sound_files() { return {rich_file(3, 32), rich_file(2, 64)}; }

enum class Outcome { kRefused, kRead };

/// Parses the bytes and, if that succeeds, reads everything. Any other exception than vernal::Error
/// fails the test.
Outcome outcome_of(const std::vector<std::byte>& bytes) {
  // A copy of exactly this size, so that the sanitizer finds a read of one byte too many.
  const std::vector<std::byte> exact(bytes.begin(), bytes.end());
  try {
    const GgufFile file = GgufFile::parse(exact, "damaged.gguf");
    test::walk_gguf(file);
    return Outcome::kRead;
  } catch (const Error& error) {
    const std::string_view message = error.what();
    EXPECT_NE(error.code(), VERNAL_INTERNAL) << message;
    EXPECT_TRUE(message.starts_with("damaged.gguf: ")) << message;
    EXPECT_LT(message.size(), 700U);
    EXPECT_TRUE(
        std::ranges::none_of(message, [](unsigned char c) { return std::iscntrl(c) != 0; }));
    return Outcome::kRefused;
  }
}

std::uint64_t value_of(const GgufImage& image, const GgufField& field) {
  std::uint64_t value = 0;
  std::memcpy(&value, image.bytes.data() + field.offset, std::min<std::uint64_t>(field.size, 8));
  return value;
}

std::vector<std::byte> with_value(const GgufImage& image, const GgufField& field,
                                  std::uint64_t value) {
  std::vector<std::byte> bytes = image.bytes;
  std::memcpy(bytes.data() + field.offset, &value, std::min<std::uint64_t>(field.size, 8));
  return bytes;
}

std::vector<std::uint64_t> hostile_lengths(std::uint64_t value) {
  return {value + (1ULL << 32U), 1ULL << 31U, 1ULL << 32U, 1ULL << 48U,
          1ULL << 62U,           1ULL << 63U, ~0ULL - 7,   ~0ULL};
}

/// Values that make the file wrong, whatever the other fields are.
std::vector<std::uint64_t> hostile_values(const GgufField& field, std::uint64_t value) {
  switch (field.role) {
    case GgufFieldRole::kMagic:
      return {0, value ^ 1U, value ^ 0x20000000U, 0x47475546, ~0ULL};
    case GgufFieldRole::kVersion:
      return {0, 1, 4, 255, 0x02000000, 0x03000000, 0xFFFFFFFF};
    case GgufFieldRole::kTensorCount:
    case GgufFieldRole::kEntryCount:
    case GgufFieldRole::kStringLength:
    case GgufFieldRole::kElementCount:
      return hostile_lengths(value);
    case GgufFieldRole::kKeyLength:
    case GgufFieldRole::kNameLength: {
      std::vector<std::uint64_t> lengths = hostile_lengths(value);
      lengths.insert(lengths.end(), {0, 65'536});
      return lengths;
    }
    case GgufFieldRole::kKind:
      return {13, 255, 0x80000000U | value, 0xFFFFFFFF};
    case GgufFieldRole::kElementKind:
      return {9, 13, 255, 0x80000000U | value, 0xFFFFFFFF};
    case GgufFieldRole::kBool:
      return {2, 128, 255};
    case GgufFieldRole::kRank:
      return {0, 5, 255, 1U << 31U, 0xFFFFFFFF};
    case GgufFieldRole::kDimension:
      // 0 is legal: a tensor without elements (gguf_file_test.cpp).
      return {1ULL << 32U, 1ULL << 48U, (1ULL << 48U) + 256, 1ULL << 61U, 1ULL << 63U, ~0ULL};
    case GgufFieldRole::kTensorType:
      return {4, 5, 9, 15, 31, 38, 40, 132, 158, 255, 0x80000000U | value, 0xFFFFFFFF};
    case GgufFieldRole::kOffset:
      return {value + 1, value + 8, 1ULL << 32U, 1ULL << 63U, ~0ULL - 63, ~0ULL};
    case GgufFieldRole::kNumber:
      if (field.owner == "general.alignment") return {0, 1, 3, 4, 33, 48, 1U << 21U, 0xFFFFFFFF};
      return {};
    default:
      return {};
  }
}

TEST(GgufMutation, TakesTheSoundFiles) {
  for (const GgufImage& image : sound_files()) EXPECT_EQ(outcome_of(image.bytes), Outcome::kRead);
}

TEST(GgufMutation, RefusesHostileValuesAndTruncationsInEveryField) {
  std::uint32_t num_refused = 0;
  for (const GgufImage& image : sound_files()) {
    for (const GgufField& field : image.fields) {
      for (const std::uint64_t value : hostile_values(field, value_of(image, field))) {
        EXPECT_EQ(outcome_of(with_value(image, field, value)), Outcome::kRefused)
            << "byte " << field.offset << " of \"" << field.owner << "\" set to " << value;
        ++num_refused;
      }
      for (const std::uint64_t kept : {std::uint64_t{0}, field.size / 2, field.size - 1}) {
        if (kept >= field.size) continue;
        const auto end = image.bytes.begin() + static_cast<std::ptrdiff_t>(field.offset + kept);
        EXPECT_EQ(outcome_of({image.bytes.begin(), end}), Outcome::kRefused)
            << "cut at byte " << field.offset + kept;
        ++num_refused;
      }
    }
  }
  RecordProperty("refused", static_cast<int>(num_refused));
  EXPECT_GE(num_refused, 300U);
}

TEST(GgufMutation, RefusesOverlapsOfEveryPairOfTensors) {
  for (const GgufImage& image : sound_files()) {
    std::vector<GgufField> offsets;
    std::ranges::copy_if(image.fields, std::back_inserter(offsets), [](const GgufField& field) {
      return field.role == GgufFieldRole::kOffset;
    });
    for (const GgufField& moved : offsets) {
      for (const GgufField& other : offsets) {
        if (moved.offset == other.offset) continue;
        const auto bytes = with_value(image, moved, value_of(image, other));
        EXPECT_EQ(outcome_of(bytes), Outcome::kRefused) << moved.owner << " onto " << other.owner;
      }
    }
  }
}

TEST(GgufMutation, SurvivesAnyFieldSetToAnyOtherKind) {
  for (const GgufImage& image : sound_files()) {
    for (const GgufField& field : image.fields) {
      if (field.size == 0 || field.size > 8) continue;
      for (std::uint64_t value = 0; value < 48; ++value) {
        outcome_of(with_value(image, field, value));
        outcome_of(with_value(image, field, value_of(image, field) - value));
      }
    }
  }
}

TEST(GgufMutation, SurvivesRandomDamage) {
  std::mt19937 random(20'240'229);
  const std::vector<GgufImage> images = sound_files();
  std::uint32_t num_refused = 0;
  for (std::uint32_t round = 0; round < 6000; ++round) {
    std::vector<std::byte> bytes = images[round % images.size()].bytes;
    const std::uint32_t num_changes = 1 + round % 4;
    for (std::uint32_t change = 0; change < num_changes; ++change) {
      // Two thirds of the damage hit the header, which is read completely.
      const std::uint64_t reach = round % 3 == 0 ? bytes.size() : bytes.size() / 3;
      std::byte& hit = bytes[random() % reach];
      hit = change % 2 == 0 ? hit ^ static_cast<std::byte>(1U << random() % 8)
                            : static_cast<std::byte>(random());
    }
    if (outcome_of(bytes) == Outcome::kRefused) ++num_refused;
  }
  EXPECT_GT(num_refused, 1000U);
}

}  // namespace
}  // namespace vernal
