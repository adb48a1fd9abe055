#include "model/gguf_metadata.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf_file.hpp"
#include "support/gguf_writer.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

using test::GgufWriter;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

/// A parsed file together with the bytes it views.
struct Parsed {
  explicit Parsed(const GgufWriter& writer)
      : bytes(writer.bytes()), file(GgufFile::parse(bytes, "test.gguf")) {}
  const GgufMetadata& metadata() const { return file.metadata(); }

  std::vector<std::byte> bytes;
  GgufFile file;
};

template <typename Call>
std::string message_of(Call call, std::int32_t expected_code) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), expected_code);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(GgufMetadata, ReadsIntegersOfEveryWidth) {
  const Parsed parsed(GgufWriter()
                          .add_integer("u8", GgufKind::kUint8, 200)
                          .add_integer("i8", GgufKind::kInt8, -100)
                          .add_integer("u16", GgufKind::kUint16, 60'000)
                          .add_integer("i16", GgufKind::kInt16, -30'000)
                          .add_integer("u32", GgufKind::kUint32, 4'000'000'000)
                          .add_integer("i32", GgufKind::kInt32, -2'000'000'000)
                          .add_integer("u64", GgufKind::kUint64, 1LL << 62)
                          .add_integer("i64", GgufKind::kInt64, -(1LL << 62)));
  EXPECT_EQ(parsed.metadata().require_integer("u8"), 200);
  EXPECT_EQ(parsed.metadata().require_integer("i8"), -100);
  EXPECT_EQ(parsed.metadata().require_integer("u16"), 60'000);
  EXPECT_EQ(parsed.metadata().require_integer("i16"), -30'000);
  EXPECT_EQ(parsed.metadata().require_integer("u32"), 4'000'000'000);
  EXPECT_EQ(parsed.metadata().require_integer("i32"), -2'000'000'000);
  EXPECT_EQ(parsed.metadata().require_integer("u64"), 1LL << 62);
  EXPECT_THAT(parsed.metadata().find_integer("i64"), Optional(-(1LL << 62)));
}

TEST(GgufMetadata, ReadsFloatsAndIntegersAsFloats) {
  const Parsed parsed(GgufWriter()
                          .add_float("f32", GgufKind::kFloat32, 1e-6)
                          .add_float("f64", GgufKind::kFloat64, 1e-6)
                          .add_integer("u64", GgufKind::kUint64, -1)
                          .add_integer("i8", GgufKind::kInt8, -3));
  EXPECT_EQ(parsed.metadata().require_float("f32"), static_cast<double>(1e-6F));
  EXPECT_EQ(parsed.metadata().require_float("f64"), 1e-6);
  EXPECT_EQ(parsed.metadata().require_float("u64"), 18446744073709551616.0);
  EXPECT_EQ(parsed.metadata().require_float("i8"), -3.0);
}

TEST(GgufMetadata, ReadsBoolsAndStrings) {
  const std::string odd("\0\xFF\n", 3);
  const Parsed parsed(GgufWriter()
                          .add_bool("yes", true)
                          .add_bool("no", false)
                          .add_string("empty", "")
                          .add_string("odd", odd));
  EXPECT_TRUE(parsed.metadata().require_bool("yes"));
  EXPECT_FALSE(parsed.metadata().require_bool("no"));
  EXPECT_EQ(parsed.metadata().require_string("empty"), "");
  EXPECT_EQ(parsed.metadata().require_string("odd"), odd);
}

TEST(GgufMetadata, ReadsArrays) {
  const Parsed parsed(GgufWriter()
                          .add_integers("integers", GgufKind::kInt32, {1, -2, 3})
                          .add_floats("floats", GgufKind::kFloat32, {0.5, -1.5})
                          .add_bools("bools", {true, false, true})
                          .add_strings("strings", {"a", "", "ccc"}));
  EXPECT_THAT(parsed.metadata().require_integer_array("integers"), ElementsAre(1, -2, 3));
  EXPECT_THAT(parsed.metadata().require_float_array("floats"), ElementsAre(0.5, -1.5));
  EXPECT_THAT(parsed.metadata().require_float_array("integers"), ElementsAre(1.0, -2.0, 3.0));
  EXPECT_THAT(parsed.metadata().require_bool_array("bools"), ElementsAre(true, false, true));
  EXPECT_THAT(parsed.metadata().require_string_array("strings"), ElementsAre("a", "", "ccc"));
}

TEST(GgufMetadata, ViewsStringsInTheFileItself) {
  const Parsed parsed(GgufWriter().add_strings("strings", {"first", "second"}));
  const auto strings = parsed.metadata().require_string_array("strings");
  const auto* const begin = reinterpret_cast<const char*>(parsed.bytes.data());
  EXPECT_GE(strings[1].data(), begin);
  EXPECT_LT(strings[1].data(), begin + parsed.bytes.size());
}

TEST(GgufMetadata, ReadsAnEmptyArrayAsAnyKind) {
  const Parsed parsed(GgufWriter().add_strings("none", {}));
  EXPECT_THAT(parsed.metadata().require_integer_array("none"), IsEmpty());
  EXPECT_THAT(parsed.metadata().require_string_array("none"), IsEmpty());
  EXPECT_EQ(parsed.metadata().find("none")->value_text(), "[]");
}

TEST(GgufMetadata, KeepsTheOrderOfTheFile) {
  const Parsed parsed(GgufWriter().add_bool("z", true).add_bool("a", true).add_bool("m", true));
  std::vector<std::string_view> keys;
  for (const GgufEntry& entry : parsed.metadata().entries()) keys.push_back(entry.key);
  EXPECT_THAT(keys, ElementsAre("z", "a", "m"));
  EXPECT_TRUE(parsed.metadata().contains("a"));
  EXPECT_FALSE(parsed.metadata().contains("aa"));
  EXPECT_FALSE(parsed.metadata().contains(""));
}

TEST(GgufMetadata, FindsNothingUnderAnAbsentKey) {
  const Parsed parsed(GgufWriter().add_bool("a", true));
  EXPECT_EQ(parsed.metadata().find_integer("b"), std::nullopt);
  EXPECT_EQ(parsed.metadata().find_string_array("b"), std::nullopt);
}

TEST(GgufMetadata, NamesAMissingKeyAndWhatItShouldHold) {
  const Parsed parsed(GgufWriter().add_bool("a", true));
  EXPECT_EQ(message_of([&] { parsed.metadata().require_string("b\n"); }, VERNAL_NOT_FOUND),
            "test.gguf: metadata key \"b\\n\" is missing; expected a string");
}

TEST(GgufMetadata, NamesKeyExpectationAndFindingOfAWrongKind) {
  const Parsed parsed(GgufWriter()
                          .add_string("text", "four\x1b")
                          .add_integers("list", GgufKind::kUint16, {1, 2, 3, 4, 5})
                          .add_float("float", GgufKind::kFloat32, 2.5));
  const GgufMetadata& metadata = parsed.metadata();
  EXPECT_EQ(message_of([&] { metadata.find_integer("text"); }, VERNAL_INVALID_ARGUMENT),
            "test.gguf: metadata key \"text\": expected an integer that fits 64 bits with sign, "
            "found string \"four\\x1b\"");
  EXPECT_EQ(
      message_of([&] { metadata.require_bool("list"); }, VERNAL_INVALID_ARGUMENT),
      "test.gguf: metadata key \"list\": expected a bool, found array of 5 u16 [1, 2, 3, 4, ...]");
  EXPECT_THAT(message_of([&] { metadata.find_integer("float"); }, VERNAL_INVALID_ARGUMENT),
              HasSubstr("found f32 2.5"));
  EXPECT_THAT(message_of([&] { metadata.find_string_array("list"); }, VERNAL_INVALID_ARGUMENT),
              HasSubstr("expected an array of strings, found array of 5 u16"));
  EXPECT_THAT(message_of([&] { metadata.find_float_array("text"); }, VERNAL_INVALID_ARGUMENT),
              HasSubstr("expected an array of numbers, found string"));
}

TEST(GgufMetadata, RefusesAnIntegerThatDoesNotFit) {
  const Parsed parsed(
      GgufWriter()
          .add_integer("big", GgufKind::kUint64, std::numeric_limits<std::int64_t>::min())
          .add_integers("bigs", GgufKind::kUint64, {1, -1}));
  EXPECT_THAT(message_of([&] { parsed.metadata().find_integer("big"); }, VERNAL_INVALID_ARGUMENT),
              HasSubstr("found u64 9223372036854775808"));
  EXPECT_THAT(
      message_of([&] { parsed.metadata().find_integer_array("bigs"); }, VERNAL_INVALID_ARGUMENT),
      HasSubstr("found array of 2 u64 [1, 18446744073709551615]"));
}

TEST(GgufMetadata, KeepsNotANumberAndInfinity) {
  const Parsed parsed(GgufWriter()
                          .add_float("nan", GgufKind::kFloat32, std::nan(""))
                          .add_float("inf", GgufKind::kFloat64, HUGE_VAL));
  EXPECT_TRUE(std::isnan(parsed.metadata().require_float("nan")));
  EXPECT_TRUE(std::isinf(parsed.metadata().require_float("inf")));
}

TEST(GgufMetadata, DescribesValuesForListings) {
  const Parsed parsed(GgufWriter()
                          .add_strings("s", {"a\n", "b"})
                          .add_bools("b", {true, false})
                          .add_floats("f", GgufKind::kFloat64, {0.25}));
  EXPECT_EQ(parsed.metadata().find("s")->value_text(), "[\"a\\n\", \"b\"]");
  EXPECT_EQ(parsed.metadata().find("s")->value_text(1), "[\"a\\n\", ...]");
  EXPECT_EQ(parsed.metadata().find("s")->value_text(0), "[...]");
  EXPECT_EQ(parsed.metadata().find("s")->type_name(), "array of 2 string");
  EXPECT_EQ(parsed.metadata().find("b")->value_text(), "[true, false]");
  EXPECT_EQ(parsed.metadata().find("f")->value_text(), "[0.25]");
}

}  // namespace
}  // namespace vernal
