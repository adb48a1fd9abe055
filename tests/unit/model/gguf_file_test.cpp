#include "model/gguf_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "support/gguf_walk.hpp"
#include "support/gguf_writer.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

using test::GgufWriter;
using ::testing::ElementsAre;

std::vector<std::byte> filled(std::uint64_t size, int value = 7) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

/// f32 [3, 2], iq4_ks [512, 2, 3] and f16 [5], with uneven sizes between them.
GgufWriter three_tensors(std::uint32_t version = 3) {
  GgufWriter writer(version);
  writer.add_string("general.architecture", "llama");
  writer.add_tensor("first", {3, 2}, 0, filled(24, 1));
  writer.add_tensor("second", {512, 2, 3}, 144, filled(6 * (4 + 2 * 136), 2));
  writer.add_tensor("third", {5}, 1, filled(10, 3));
  return writer;
}

TEST(GgufFile, ReadsTheTensorDirectory) {
  const std::vector<std::byte> bytes = three_tensors().bytes();
  const GgufFile file = GgufFile::parse(bytes, "three.gguf");
  EXPECT_EQ(file.version(), 3U);
  EXPECT_EQ(file.file_name(), "three.gguf");
  EXPECT_EQ(file.alignment(), 32U);
  EXPECT_EQ(file.file_bytes(), bytes.size());
  EXPECT_EQ(file.data_start() % 32, 0U);
  EXPECT_LE(file.header_bytes(), file.data_start());
  EXPECT_EQ(file.tensor_bytes(), 24U + 1656U + 10U);
  ASSERT_EQ(file.tensors().size(), 3U);

  const GgufTensor& second = file.require_tensor("second");
  EXPECT_EQ(&second, &file.tensors()[1]);
  EXPECT_THAT(second.dims, ElementsAre(512, 2, 3, 1));
  EXPECT_EQ(second.rank, 3U);
  EXPECT_EQ(second.type->name, "iq4_ks");
  EXPECT_EQ(second.row_bytes(), 276U);
  EXPECT_EQ(second.rows(), 6U);
  EXPECT_EQ(second.num_elements(), 3072U);
  EXPECT_EQ(second.bytes(), 1656U);
  EXPECT_EQ(second.offset, 32U);
  EXPECT_EQ(second.data.data(), bytes.data() + file.data_start() + 32);
  EXPECT_EQ(second.row(5), second.data.data() + 5 * 276);
  EXPECT_EQ(second.shape_text(), "[512, 2, 3]");
}

TEST(GgufFile, ReadsVersion2) {
  const std::vector<std::byte> bytes = three_tensors(2).bytes();
  EXPECT_EQ(GgufFile::parse(bytes, "v2").version(), 2U);
}

TEST(GgufFile, FindsTensorsByName) {
  const std::vector<std::byte> bytes = three_tensors().bytes();
  const GgufFile file = GgufFile::parse(bytes, "three.gguf");
  EXPECT_EQ(file.find_tensor("third"), &file.tensors()[2]);
  EXPECT_EQ(file.find_tensor("fourth"), nullptr);
  EXPECT_EQ(file.find_tensor(""), nullptr);
  try {
    file.require_tensor("output\n");
    FAIL() << "a missing tensor was found";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_NOT_FOUND);
    EXPECT_STREQ(error.what(), "three.gguf: tensor \"output\\n\" is missing");
  }
}

TEST(GgufFile, SkipsTensorsWithoutElements) {
  GgufWriter writer;
  // Of a type whose blocks hold 32: no columns are no block, which is no mistake.
  writer.add_tensor("none", {0}, 8, {}).add_tensor("a", {16}, 0, filled(64));
  writer.add_tensor("no_rows", {32, 0, 4}, 8, {}).add_tensor("b", {32, 2}, 8, filled(68));
  writer.add_tensor("last", {5, 7, 0, 2}, 0, {});
  const std::vector<std::byte> bytes = writer.bytes();
  const GgufFile file = GgufFile::parse(bytes, "empty.gguf");
  EXPECT_EQ(file.num_empty_tensors(), 3U);
  ASSERT_EQ(file.tensors().size(), 2U);
  EXPECT_EQ(file.tensors()[0].name, "a");
  EXPECT_EQ(file.tensors()[1].name, "b");
  EXPECT_EQ(file.tensor_bytes(), 64U + 68U);
  EXPECT_EQ(file.find_tensor("no_rows"), nullptr);
}

TEST(GgufFile, ObeysTheAlignmentOfTheFile) {
  GgufWriter writer;
  writer.set_alignment(128).add_tensor("a", {1}, 0, filled(4)).add_tensor("b", {1}, 0, filled(4));
  const std::vector<std::byte> bytes = writer.bytes();
  const GgufFile file = GgufFile::parse(bytes, "aligned");
  EXPECT_EQ(file.alignment(), 128U);
  EXPECT_EQ(file.data_start() % 128, 0U);
  EXPECT_EQ(file.tensors()[1].offset, 128U);
}

TEST(GgufFile, TakesAFileWithMetadataAlone) {
  const std::vector<std::byte> bytes = GgufWriter().add_bool("tokenizer.x", true).bytes();
  const GgufFile file = GgufFile::parse(bytes, "vocabulary");
  EXPECT_TRUE(file.tensors().empty());
  EXPECT_EQ(file.tensor_bytes(), 0U);
  EXPECT_EQ(file.header_bytes(), bytes.size());
}

TEST(GgufFile, TakesAFileWithoutAnything) {
  const std::vector<std::byte> bytes = GgufWriter().bytes();
  EXPECT_EQ(bytes.size(), 24U);
  EXPECT_TRUE(GgufFile::parse(bytes, "empty").metadata().entries().empty());
}

TEST(GgufFile, ListsTensorsThatItCannotRead) {
  GgufWriter writer;
  writer.add_tensor("ids", {3}, 26, filled(12)).add_tensor("wide", {3}, 28, filled(24));
  const std::vector<std::byte> bytes = writer.bytes();
  const GgufFile file = GgufFile::parse(bytes, "listed");
  EXPECT_EQ(file.tensors()[0].type->id, "i32");
  EXPECT_EQ(file.tensors()[1].type->name, "f64");
  EXPECT_FALSE(file.tensors()[1].type->is_readable());
}

TEST(GgufFile, MeasuresTensorsOfEveryType) {
  GgufWriter writer;
  std::uint64_t sum = 0;
  for (const BlockType& type : kBlockTypes) {
    // Two rows of three blocks. Each row has a row header, but not each block.
    const std::uint64_t bytes =
        2 * (type.row_header_bytes + 3 * std::uint64_t{type.bytes_per_block});
    writer.add_tensor(std::string(type.name), {3 * std::uint64_t{type.weights_per_block}, 2},
                      type.gguf_number, filled(bytes));
    sum += bytes;
  }
  const std::vector<std::byte> bytes = writer.bytes();
  const GgufFile file = GgufFile::parse(bytes, "every type");
  EXPECT_EQ(file.tensor_bytes(), sum);
  for (const BlockType& type : kBlockTypes) {
    const GgufTensor& tensor = file.require_tensor(type.name);
    EXPECT_EQ(tensor.type, &type);
    EXPECT_EQ(tensor.bytes(), 2 * tensor.row_bytes()) << type.name;
  }
}

TEST(GgufFile, TakesTensorsInAnyOrderOfOffsets) {
  // The directory entries of the tensors are exchanged: the data of "b" lies before that of "a".
  test::GgufImage image = GgufWriter()
                              .add_tensor("a", {1}, 0, filled(4, 1))
                              .add_tensor("b", {1}, 0, filled(4, 2))
                              .image();
  std::vector<std::uint64_t> offsets;
  for (const test::GgufField& field : image.fields) {
    if (field.role == test::GgufFieldRole::kOffset) offsets.push_back(field.offset);
  }
  std::swap(image.bytes[offsets[0]], image.bytes[offsets[1]]);
  const GgufFile file = GgufFile::parse(image.bytes, "swapped");
  EXPECT_EQ(file.require_tensor("a").data[0], std::byte{2});
  EXPECT_EQ(file.require_tensor("b").data[0], std::byte{1});
}

TEST(GgufFile, StaysValidWhenMoved) {
  const std::vector<std::byte> bytes = three_tensors().bytes();
  GgufFile first = GgufFile::parse(bytes, "moved");
  const GgufFile second = std::move(first);
  EXPECT_EQ(second.require_tensor("third").data[0], std::byte{3});
  EXPECT_EQ(second.metadata().require_string("general.architecture"), "llama");
}

TEST(GgufFile, OpensAFileOnDisk) {
  const GgufFile file = GgufFile::open(VERNAL_GOLDEN_DIR "/quants/q4_K.gguf");
  const GgufTensor& tensor = file.require_tensor("x");
  EXPECT_THAT(tensor.dims, ElementsAre(1024, 8, 1, 1));
  EXPECT_EQ(tensor.type->id, "ggml.q4_k/1");
  file.advise(tensor, MappingAdvice::kWillNeed);
  EXPECT_NE(test::walk_gguf(file), 0U);
}

TEST(GgufFile, ReportsAMissingFile) {
  EXPECT_THROW(GgufFile::open("/nonexistent/model.gguf"), Error);
}

}  // namespace
}  // namespace vernal
