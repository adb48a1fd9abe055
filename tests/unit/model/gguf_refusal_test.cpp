// Each way in which a GGUF file can be wrong, and the message for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "model/gguf_file.hpp"
#include "support/gguf_writer.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

using test::GgufField;
using test::GgufFieldRole;
using test::GgufImage;
using test::GgufWriter;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Refusal {
  std::int32_t code = VERNAL_OK;
  std::string message = "the file was taken";
};

Refusal refusal_of(const std::vector<std::byte>& bytes) {
  try {
    GgufFile::parse(bytes, "bad.gguf");
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), StartsWith("bad.gguf: "));
    return {error.code(), error.what()};
  }
  return {};
}

Refusal refusal_of(const GgufWriter& writer) { return refusal_of(writer.bytes()); }

std::vector<std::byte> zeros(std::uint64_t size) { return std::vector<std::byte>(size); }

/// A file with one string, one array, and the tensors "a", f32 [16], and "b", q8_0 [32, 2].
GgufWriter sound_file() {
  GgufWriter writer;
  writer.add_string("general.name", "sound").add_integers("list", GgufKind::kUint32, {1, 2, 3});
  writer.add_tensor("a", {16}, 0, zeros(64)).add_tensor("b", {32, 2}, 8, zeros(68));
  return writer;
}

/// The `nth` field of a role in `image`.
const GgufField& field_of(const GgufImage& image, GgufFieldRole role, std::uint32_t nth = 0) {
  for (const GgufField& field : image.fields) {
    if (field.role == role && nth-- == 0) return field;
  }
  throw std::logic_error("the image has no such field");
}

/// sound_file() with one field overwritten.
Refusal refusal_with(GgufFieldRole role, std::uint64_t value, std::uint32_t nth = 0) {
  GgufImage image = sound_file().image();
  const GgufField& field = field_of(image, role, nth);
  std::memcpy(image.bytes.data() + field.offset, &value, field.size);
  return refusal_of(image.bytes);
}

TEST(GgufRefusal, TakesTheSoundFileThatTheOthersStartFrom) {
  EXPECT_EQ(refusal_of(sound_file()).code, VERNAL_OK);
}

TEST(GgufRefusal, NamesAForeignMagic) {
  EXPECT_EQ(refusal_with(GgufFieldRole::kMagic, 0x04034B50).message,
            "bad.gguf: byte 0: header: not a GGUF file: expected \"GGUF\", found \"PK\\x03\\x04\"");
}

TEST(GgufRefusal, NamesVersion1) {
  const Refusal refusal = refusal_with(GgufFieldRole::kVersion, 1);
  EXPECT_EQ(refusal.code, VERNAL_UNSUPPORTED);
  EXPECT_THAT(refusal.message, HasSubstr("version 1 of GGUF is not supported; convert"));
}

TEST(GgufRefusal, NamesALaterVersion) {
  const Refusal refusal = refusal_with(GgufFieldRole::kVersion, 4);
  EXPECT_EQ(refusal.code, VERNAL_UNSUPPORTED);
  EXPECT_EQ(refusal.message, "bad.gguf: byte 4: header: expected GGUF version 2 or 3, found 4");
}

TEST(GgufRefusal, NamesABigEndianFile) {
  const Refusal refusal = refusal_with(GgufFieldRole::kVersion, 0x03000000);
  EXPECT_EQ(refusal.code, VERNAL_UNSUPPORTED);
  EXPECT_THAT(refusal.message, HasSubstr("the file is big-endian; convert"));
}

TEST(GgufRefusal, NamesTheOffsetOfATruncation) {
  const GgufImage image =
      GgufWriter().add_string("long", std::string(200, 'x')).add_bool("second", true).image();
  const GgufField& key = field_of(image, GgufFieldRole::kKey, 1);
  std::vector<std::byte> cut = image.bytes;
  cut.resize(key.offset + 2);
  EXPECT_EQ(refusal_of(cut).message,
            "bad.gguf: byte 256: metadata entry 1: the file ends too early: name takes 6 bytes, 2 "
            "are left");
}

TEST(GgufRefusal, NamesTheFieldThatIsCutOff) {
  GgufWriter writer;
  writer.add_string("long", std::string(200, 'x'));
  std::vector<std::byte> bytes = writer.bytes();
  bytes.resize(bytes.size() - 1);
  EXPECT_EQ(refusal_of(bytes).message,
            "bad.gguf: byte 48: metadata entry \"long\": the file ends too early: string takes "
            "200 bytes, 199 are left");
}

TEST(GgufRefusal, NamesAnEmptyHeader) {
  EXPECT_THAT(refusal_of(zeros(0)).message, HasSubstr("byte 0: header: the file ends too early"));
  EXPECT_THAT(refusal_of(zeros(3)).message, HasSubstr("magic takes 4 bytes, 3 are left"));
}

TEST(GgufRefusal, NamesCountsBeyondTheFile) {
  for (const std::uint64_t count : {1ULL << 32U, 1ULL << 63U, ~0ULL, ~0ULL / 14 + 1}) {
    EXPECT_THAT(refusal_with(GgufFieldRole::kEntryCount, count).message,
                HasSubstr("byte 16: header: number of metadata entries is"));
    EXPECT_THAT(refusal_with(GgufFieldRole::kTensorCount, count).message,
                HasSubstr("byte 8: header: number of tensors is"));
  }
}

TEST(GgufRefusal, NamesATensorCountThatTheRestCannotHold) {
  GgufWriter writer;  // the metadata takes the room that the count pretended to have
  writer.add_string("long", std::string(2000, 'x'));
  std::vector<std::byte> bytes = writer.bytes();
  bytes[8] = std::byte{50};
  EXPECT_THAT(refusal_of(bytes).message, HasSubstr("number of tensors is 50, but the 0 bytes"));
}

TEST(GgufRefusal, NamesEmptyAndOverlongNames) {
  EXPECT_THAT(refusal_of(GgufWriter().add_string("", "long enough")).message,
              HasSubstr("metadata entry 0: expected a name of 1 to 65535 bytes, found 0"));
  EXPECT_THAT(refusal_of(GgufWriter().add_bool(std::string(65'536, 'k'), true)).message,
              HasSubstr("expected a name of 1 to 65535 bytes, found 65536"));
  EXPECT_THAT(refusal_of(GgufWriter().add_tensor("", {1}, 0, zeros(4))).message,
              HasSubstr("tensor 0: expected a name of 1 to 65535 bytes, found 0"));
}

TEST(GgufRefusal, NamesStringLengthsThatWrap) {
  for (const std::uint64_t length : {1ULL << 32U, 1ULL << 63U, ~0ULL, ~0ULL - 7}) {
    EXPECT_THAT(refusal_with(GgufFieldRole::kKeyLength, length).message,
                HasSubstr("metadata entry 0"));
    EXPECT_THAT(
        refusal_with(GgufFieldRole::kStringLength, length).message,
        HasSubstr("metadata entry \"general.name\": the file ends too early: string takes"));
    EXPECT_THAT(refusal_with(GgufFieldRole::kNameLength, length).message, HasSubstr("tensor 0"));
  }
}

TEST(GgufRefusal, NamesKindsOutOfRange) {
  for (const std::uint64_t kind : {13ULL, 255ULL, 0x80000000ULL, 0xFFFFFFFFULL}) {
    EXPECT_THAT(refusal_with(GgufFieldRole::kKind, kind).message,
                HasSubstr("metadata entry \"general.name\": kind is"));
    EXPECT_THAT(refusal_with(GgufFieldRole::kElementKind, kind).message,
                HasSubstr("metadata entry \"list\": kind of the elements is"));
  }
}

TEST(GgufRefusal, NamesNestedArrays) {
  EXPECT_THAT(refusal_with(GgufFieldRole::kElementKind, 9).message,
              HasSubstr("metadata entry \"list\": arrays of arrays are not supported"));
}

TEST(GgufRefusal, NamesElementCountsBeyondTheFile) {
  for (const std::uint64_t count : {1ULL << 32U, 1ULL << 62U, 1ULL << 63U, ~0ULL}) {
    EXPECT_THAT(refusal_with(GgufFieldRole::kElementCount, count).message,
                HasSubstr("metadata entry \"list\": number of elements is"));
  }
}

TEST(GgufRefusal, NamesBoolsThatAreNeither) {
  GgufImage image = GgufWriter().add_bools("flags", {true, false, true}).image();
  image.bytes[field_of(image, GgufFieldRole::kBool, 2).offset] = std::byte{2};
  EXPECT_THAT(refusal_of(image.bytes).message,
              HasSubstr("metadata entry \"flags\": expected a bool, 0 or 1, found 2"));
}

TEST(GgufRefusal, NamesDuplicateKeys) {
  EXPECT_EQ(
      refusal_of(GgufWriter().add_bool("k", true).add_bool("l", true).add_bool("k", true)).message,
      "bad.gguf: metadata key \"k\" appears more than once");
}

TEST(GgufRefusal, NamesDuplicateTensors) {
  GgufWriter writer;
  writer.add_tensor("t", {1}, 0, zeros(4)).add_tensor("t", {1}, 0, zeros(4));
  EXPECT_EQ(refusal_of(writer).message, "bad.gguf: tensor \"t\" appears more than once");
}

TEST(GgufRefusal, NamesImpossibleAlignments) {
  for (const std::int64_t alignment : {0LL, 1LL, 4LL, 24LL, 33LL, 1LL << 21, 1LL << 31}) {
    GgufWriter writer = sound_file();
    writer.add_integer("general.alignment", GgufKind::kUint32, alignment);
    EXPECT_THAT(
        refusal_of(writer).message,
        HasSubstr("\"general.alignment\": expected a power of two from 8 to 1048576, found"));
  }
}

TEST(GgufRefusal, NamesAlignmentsOfAnotherType) {
  for (const GgufKind kind :
       {GgufKind::kUint8, GgufKind::kInt8, GgufKind::kUint16, GgufKind::kInt16, GgufKind::kInt32,
        GgufKind::kUint64, GgufKind::kInt64}) {
    GgufWriter writer = sound_file();
    writer.add_integer("general.alignment", kind, 32);
    EXPECT_EQ(refusal_of(writer).message,
              "bad.gguf: metadata key \"general.alignment\": expected a u32, found " +
                  std::string(gguf_kind_name(kind)) + " 32");
  }
  GgufWriter text = sound_file();
  text.add_string("general.alignment", "32");
  EXPECT_THAT(refusal_of(text).message, HasSubstr("expected a u32, found string \"32\""));
  GgufWriter list = sound_file();
  list.add_integers("general.alignment", GgufKind::kUint32, {32});
  EXPECT_THAT(refusal_of(list).message, HasSubstr("expected a u32, found array of 1 u32 [32]"));
}

TEST(GgufRefusal, NamesImpossibleRanks) {
  for (const std::uint64_t rank : {0ULL, 5ULL, 0x80000000ULL, 0xFFFFFFFFULL}) {
    EXPECT_THAT(refusal_with(GgufFieldRole::kRank, rank).message,
                HasSubstr("tensor \"a\": expected 1 to 4 dimensions, found"));
  }
}

TEST(GgufRefusal, NamesShapesThatWrap) {
  for (const std::uint64_t rows : {1ULL << 32U, 1ULL << 58U, 1ULL << 63U, ~0ULL}) {
    EXPECT_THAT(refusal_with(GgufFieldRole::kDimension, rows, 2).message,
                HasSubstr("tensor \"b\": shape [32, "));
  }
  EXPECT_THAT(refusal_with(GgufFieldRole::kDimension, 1ULL << 62U).message,
              HasSubstr("tensor \"a\": a row of 4611686018427387904 columns cannot be f32"));
}

TEST(GgufRefusal, NamesRowsThatAreNotWholeBlocks) {
  EXPECT_THAT(
      refusal_with(GgufFieldRole::kDimension, 33, 1).message,
      HasSubstr("tensor \"b\": a row of 33 columns cannot be q8_0, which takes multiples of 32"));
}

TEST(GgufRefusal, NamesRowsThatAreNotWholeBlocksOfAnyType) {
  for (const BlockType& type : kBlockTypes) {
    if (type.weights_per_block == 1) continue;
    const std::uint64_t columns = type.weights_per_block + type.weights_per_block / 2;
    const Refusal refusal = refusal_of(GgufWriter().add_tensor(
        "w", {columns, 2}, type.gguf_number,
        zeros(4 * type.row_bytes(2 * std::uint64_t{type.weights_per_block}))));
    EXPECT_EQ(refusal.code, VERNAL_INVALID_ARGUMENT);
    EXPECT_THAT(refusal.message,
                HasSubstr("cannot be " + std::string(type.name) + ", which takes multiples of " +
                          std::to_string(type.weights_per_block)));
  }
}

TEST(GgufRefusal, NamesTensorsWithoutRoomForTheirRowHeaders) {
  for (const BlockType& type : kBlockTypes) {
    if (type.row_header_bytes == 0) continue;
    // Enough bytes for the blocks of two rows, but not for the row headers.
    const Refusal refusal = refusal_of(GgufWriter().add_tensor(
        "w", {type.weights_per_block, 2}, type.gguf_number, zeros(2 * type.bytes_per_block)));
    EXPECT_THAT(refusal.message, HasSubstr("tensor \"w\": ")) << type.name;
  }
}

TEST(GgufRefusal, NamesUnknownTensorTypes) {
  for (const std::uint64_t type : {4ULL, 5ULL, 31ULL, 158ULL, 0x80000008ULL, 0xFFFFFFFFULL}) {
    const Refusal refusal = refusal_with(GgufFieldRole::kTensorType, type, 1);
    EXPECT_EQ(refusal.code, VERNAL_UNSUPPORTED);
    EXPECT_THAT(refusal.message, HasSubstr("tensor \"b\": tensor type"));
  }
}

TEST(GgufRefusal, NamesUnalignedOffsets) {
  EXPECT_EQ(refusal_with(GgufFieldRole::kOffset, 65, 1).message,
            "bad.gguf: tensor \"b\": offset 65 is not a multiple of the alignment 32");
}

TEST(GgufRefusal, NamesOffsetsThatOverlap) {
  EXPECT_EQ(refusal_with(GgufFieldRole::kOffset, 32, 1).message,
            "bad.gguf: tensor \"b\": data at offset 32 overlaps tensor \"a\", 64 bytes at 0");
  EXPECT_THAT(refusal_with(GgufFieldRole::kOffset, 0, 1).message, HasSubstr("overlaps tensor"));
}

TEST(GgufRefusal, NamesOffsetsThatWrap) {
  for (const std::uint64_t offset : {1ULL << 32U, 1ULL << 63U, ~0ULL - 31}) {
    EXPECT_THAT(refusal_with(GgufFieldRole::kOffset, offset, 1).message,
                HasSubstr("tensor \"b\": 68 bytes of data at offset"));
  }
}

TEST(GgufRefusal, NamesDataBeyondTheEnd) {
  std::vector<std::byte> bytes = sound_file().bytes();
  bytes.resize(bytes.size() - 1);
  EXPECT_THAT(
      refusal_of(bytes).message,
      HasSubstr("tensor \"b\": 68 bytes of data at offset 64 lie beyond the end of the file"));
  bytes.resize(bytes.size() - 131);
  EXPECT_THAT(refusal_of(bytes).message, HasSubstr("tensor \"a\": 64 bytes of data at offset 0"));
}

TEST(GgufRefusal, EscapesNamesInMessages) {
  GgufWriter writer;
  writer.add_tensor("evil\x1b[2J\nname", {3}, 8, zeros(34));
  EXPECT_THAT(refusal_of(writer).message, HasSubstr("tensor \"evil\\x1b[2J\\nname\": a row of 3"));
}

TEST(GgufRefusal, ShortensLongNamesInMessages) {
  EXPECT_LT(refusal_of(GgufWriter().add_tensor(std::string(60'000, 'n'), {3}, 8, zeros(34)))
                .message.size(),
            400U);
}

}  // namespace
}  // namespace vernal
