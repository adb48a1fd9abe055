// Files that are written piece by piece are read back as a whole. Unfinished files are removed.
#include "model/gguf_file_writer.hpp"

#include <gtest/gtest.h>

#include <array>

#include "model/gguf_file.hpp"
#include "support/gguf_writer.hpp"
#include "support/temporary_folder.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

const BlockType& type(std::string_view id) { return *find_block_type(id); }

class GgufFileWriting : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_ / "m.gguf"; }
  std::size_t num_files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_.path()),
                      std::filesystem::directory_iterator()));
  }

  testing::TemporaryFolder folder_;
};

TEST_F(GgufFileWriting, IsReadBackAsItWasWritten) {
  const std::array<std::int64_t, 3> integers{1, -2, 3};
  const std::array<double, 2> reals{0.5, -0.25};
  const std::array<std::string_view, 2> texts{"a", ""};
  const std::array<std::byte, 34> block{std::byte{1}, std::byte{2}};
  GgufFileWriter writer(file());
  writer.add("general.architecture", GgufValue::text("llama"));
  writer.add("u", GgufValue::u32(7));
  writer.add("f", GgufValue::f32(0.5));
  writer.add("b", GgufValue::boolean(true));
  writer.add("is", GgufValue::i32s(integers));
  writer.add("fs", GgufValue::f32s(reals));
  writer.add("ts", GgufValue::texts(texts));
  const std::array<std::uint64_t, 2> dims{32, 3};
  const std::array<std::uint64_t, 1> vector{2};
  writer.add_tensor("x", dims, type("ggml.q8_0/1"));
  writer.add_tensor("y", vector, type("f32"));
  writer.begin_data();
  for (int row = 0; row < 3; ++row) writer.write(block);
  writer.write(std::span(block).first(8));
  writer.finish();

  const GgufFile read = GgufFile::open(file());
  const GgufMetadata& m = read.metadata();
  EXPECT_EQ(m.require_string("general.architecture"), "llama");
  EXPECT_EQ(m.require_integer("u"), 7);
  EXPECT_EQ(m.require_float("f"), 0.5);
  EXPECT_TRUE(m.require_bool("b"));
  EXPECT_EQ(m.require_integer_array("is"), (std::vector<std::int64_t>{1, -2, 3}));
  EXPECT_EQ(m.require_float_array("fs"), (std::vector<double>{0.5, -0.25}));
  EXPECT_EQ(m.require_string_array("ts"), (std::vector<std::string_view>{"a", ""}));
  EXPECT_EQ(read.require_tensor("x").rows(), 3U);
  EXPECT_EQ(read.require_tensor("x").row(2)[1], std::byte{2});
  EXPECT_EQ(read.require_tensor("y").bytes(), 8U);
  EXPECT_EQ(read.require_tensor("y").offset % GgufFileWriter::kAlignment, 0U);
  EXPECT_EQ(num_files(), 1U);
}

TEST_F(GgufFileWriting, CopiesEntriesByteForByte) {
  const std::vector<std::byte> bytes = test::GgufWriter()
                                           .add_string("general.architecture", "x")
                                           .add_strings("ts", {"p", "q"})
                                           .add_integers("is", GgufKind::kInt16, {-1, 2})
                                           .add_bool("b", true)
                                           .bytes();
  const GgufFile source = GgufFile::parse(bytes, "source");
  GgufFileWriter writer(file());
  for (const GgufEntry& entry : source.metadata().entries()) {
    writer.add(entry.key, GgufValue::copy_of(entry));
  }
  writer.begin_data();
  writer.finish();
  const GgufFile copy = GgufFile::open(file());
  ASSERT_EQ(copy.metadata().size(), source.metadata().size());
  for (const GgufEntry& entry : source.metadata().entries()) {
    const GgufEntry* found = copy.metadata().find(entry.key);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->type_name(), entry.type_name());
    EXPECT_EQ(found->value_text(), entry.value_text());
  }
}

TEST_F(GgufFileWriting, LeavesNothingBehindWithoutItsEnd) {
  {
    GgufFileWriter writer(file());
    const std::array<std::uint64_t, 1> dims{4};
    writer.add_tensor("x", dims, type("f32"));
    writer.begin_data();
    const std::array<std::byte, 17> bytes{};
    EXPECT_THROW(writer.write(bytes), Error);
    writer.write(std::span(bytes).first(15));
    EXPECT_THROW(writer.finish(), Error);
  }
  EXPECT_EQ(num_files(), 0U);
}

TEST_F(GgufFileWriting, NamesThePathThatCannotBeWritten) {
  try {
    const GgufFileWriter writer(folder_ / "none/m.gguf");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("none/m.gguf.partial"), std::string::npos);
  }
}

}  // namespace
}  // namespace vernal
