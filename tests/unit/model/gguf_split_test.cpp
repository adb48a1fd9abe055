// Models in several files: they are opened by the first part, and parts that disagree are refused.
#include "model/gguf_split.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "model/gguf_file.hpp"
#include "support/gguf_walk.hpp"
#include "support/gguf_writer.hpp"
#include "support/temporary_folder.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

using test::GgufWriter;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::vector<std::byte> filled(std::uint64_t size, int value) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

GgufWriter& add_split_keys(GgufWriter& writer, std::int64_t number, std::int64_t count,
                           std::int64_t num_tensors) {
  return writer.add_integer("split.no", GgufKind::kUint16, number)
      .add_integer("split.count", GgufKind::kUint16, count)
      .add_integer("split.tensors.count", GgufKind::kInt32, num_tensors);
}

class GgufSplitFiles : public ::testing::Test {
 protected:
  /// Writes model-00001-of-00003.gguf and the two other parts, with the tensors a | b, c | d.
  GgufSplitFiles() {
    add_split_keys(first_.add_string("general.architecture", "llama"), 0, 3, 4);
    first_.add_tensor("a", {8}, 0, filled(32, 1));
    add_split_keys(second_, 1, 3, 4).set_alignment(128);
    second_.add_tensor("b", {32, 2}, 8, filled(68, 2)).add_tensor("c", {8}, 0, filled(32, 3));
    add_split_keys(third_, 2, 3, 4).add_tensor("d", {256}, 144, filled(140, 4));
  }

  std::filesystem::path write(const std::string& name, const GgufWriter& writer) const {
    const std::vector<std::byte> bytes = writer.bytes();
    std::ofstream stream(folder_ / name, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
    return folder_ / name;
  }

  std::filesystem::path write_all() const {
    write("model-00003-of-00003.gguf", third_);
    write("model-00002-of-00003.gguf", second_);
    return write("model-00001-of-00003.gguf", first_);
  }

  /// Opens `path`, which must fail with `code`, and returns the message.
  static std::string refusal(const std::filesystem::path& path,
                             std::int32_t code = VERNAL_INVALID_ARGUMENT) {
    try {
      GgufFile::open(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.what();
    }
    return "the file was taken";
  }

  testing::TemporaryFolder folder_;
  GgufWriter first_, second_, third_;
};

TEST_F(GgufSplitFiles, AreOneModel) {
  const GgufFile file = GgufFile::open(write_all());
  EXPECT_EQ(file.num_parts(), 3U);
  ASSERT_EQ(file.tensors().size(), 4U);
  EXPECT_EQ(file.tensor_bytes(), 32U + 68U + 32U + 140U);
  EXPECT_EQ(file.metadata().require_string("general.architecture"), "llama");
  EXPECT_EQ(file.file_bytes(),
            std::filesystem::file_size(folder_ / "model-00001-of-00003.gguf") +
                std::filesystem::file_size(folder_ / "model-00002-of-00003.gguf") +
                std::filesystem::file_size(folder_ / "model-00003-of-00003.gguf"));
  int value = 1;
  for (const char* name : {"a", "b", "c", "d"}) {
    const GgufTensor& tensor = file.require_tensor(name);
    EXPECT_EQ(tensor.data.front(), static_cast<std::byte>(value)) << name;
    EXPECT_EQ(tensor.data.back(), static_cast<std::byte>(value)) << name;
    file.advise(tensor, MappingAdvice::kNotNeeded);
    EXPECT_EQ(tensor.data.front(), static_cast<std::byte>(value++)) << name;
  }
  EXPECT_EQ(file.require_tensor("a").part, 0U);
  EXPECT_EQ(file.require_tensor("c").part, 1U);
  EXPECT_EQ(file.require_tensor("c").offset, 128U);  // its own part's alignment
  EXPECT_EQ(file.require_tensor("d").part, 2U);
  EXPECT_EQ(file.part(2).file_name(), (folder_ / "model-00003-of-00003.gguf").string());
  EXPECT_GT(test::walk_gguf(file), 0U);
}

TEST_F(GgufSplitFiles, CountTensorsWithoutElements) {
  second_.add_tensor("none", {0}, 0, {});
  const std::filesystem::path path = write_all();
  EXPECT_THAT(refusal(path),
              HasSubstr("its 3 parts have 5 tensors, expected the 4 of split.tensors.count"));
}

TEST_F(GgufSplitFiles, StayValidWhenMoved) {
  GgufFile file = GgufFile::open(write_all());
  const GgufFile moved = std::move(file);
  EXPECT_EQ(moved.require_tensor("d").data[0], std::byte{4});
  EXPECT_EQ(moved.find_tensor("e"), nullptr);
}

TEST_F(GgufSplitFiles, MayHaveAFirstPartWithoutTensors) {
  GgufWriter first;
  add_split_keys(first.add_string("general.architecture", "llama"), 0, 2, 1);
  GgufWriter second;
  add_split_keys(second, 1, 2, 1).add_tensor("a", {8}, 0, filled(32, 1));
  write("m-00002-of-00002.gguf", second);
  const GgufFile file = GgufFile::open(write("m-00001-of-00002.gguf", first));
  EXPECT_EQ(file.require_tensor("a").part, 1U);
}

TEST_F(GgufSplitFiles, AreWholeWhenTheirCountSaysSo) {
  for (const std::int64_t count : {0, 1}) {
    GgufWriter joined;
    add_split_keys(joined, 0, count, 7).add_tensor("a", {8}, 0, filled(32, 1));
    const GgufFile file = GgufFile::open(write("joined.gguf", joined));
    EXPECT_EQ(file.num_parts(), 1U);
    EXPECT_EQ(file.tensors().size(), 1U);
  }
}

TEST_F(GgufSplitFiles, NameAMissingPart) {
  const auto path = write_all();
  std::filesystem::remove(folder_ / "model-00002-of-00003.gguf");
  EXPECT_THAT(refusal(path, VERNAL_NOT_FOUND),
              AllOf(HasSubstr("model-00001-of-00003.gguf: part 2 of 3: "),
                    HasSubstr("model-00002-of-00003.gguf: cannot be opened")));
}

TEST_F(GgufSplitFiles, NameADamagedPart) {
  const auto path = write_all();
  std::filesystem::resize_file(folder_ / "model-00003-of-00003.gguf", 200);
  EXPECT_THAT(refusal(path), AllOf(HasSubstr("part 3 of 3: "), HasSubstr("00003-of-00003.gguf")));
}

TEST_F(GgufSplitFiles, SendToTheFirstPart) {
  write_all();
  EXPECT_THAT(refusal(folder_ / "model-00002-of-00003.gguf"),
              HasSubstr("part 2 of 3 of a split model; open the first part, whose name ends in "
                        "-00001-of-00003.gguf"));
}

TEST_F(GgufSplitFiles, NeedTheNamesOfParts) {
  write_all();
  std::filesystem::rename(folder_ / "model-00001-of-00003.gguf", folder_ / "model.gguf");
  EXPECT_THAT(refusal(folder_ / "model.gguf"),
              HasSubstr("expected a name that ends in -00001-of-00003.gguf"));
  EXPECT_THAT(refusal(write("model-00001-of-00004.gguf", first_)),
              HasSubstr("expected a name that ends in -00001-of-00003.gguf"));
}

TEST_F(GgufSplitFiles, NameAPartInTheWrongPlace) {
  write_all();
  write("model-00002-of-00003.gguf", third_);
  EXPECT_THAT(refusal(folder_ / "model-00001-of-00003.gguf"),
              AllOf(HasSubstr("model-00002-of-00003.gguf: metadata key \"split.no\": expected 1"),
                    HasSubstr("found 2")));
}

TEST_F(GgufSplitFiles, NameCountsThatDisagree) {
  const auto path = write_all();
  GgufWriter other;
  add_split_keys(other, 2, 4, 4).add_tensor("d", {8}, 0, filled(32, 1));
  write("model-00003-of-00003.gguf", other);
  EXPECT_THAT(refusal(path), HasSubstr("\"split.count\": expected 3"));

  GgufWriter fewer;
  add_split_keys(fewer, 2, 3, 5).add_tensor("d", {8}, 0, filled(32, 1));
  write("model-00003-of-00003.gguf", fewer);
  EXPECT_THAT(refusal(path), HasSubstr("\"split.tensors.count\": expected 4"));
}

TEST_F(GgufSplitFiles, NameASumOfTensorsThatIsWrong) {
  const auto path = write_all();
  third_.add_tensor("e", {8}, 0, filled(32, 1));
  write("model-00003-of-00003.gguf", third_);
  EXPECT_THAT(refusal(path),
              HasSubstr("its 3 parts have 5 tensors, expected the 4 of split.tensors.count"));
}

TEST_F(GgufSplitFiles, NamePartsOfAnotherModel) {
  const auto path = write_all();
  GgufWriter whole;
  whole.add_tensor("d", {8}, 0, filled(32, 1));
  write("model-00003-of-00003.gguf", whole);
  EXPECT_THAT(refusal(path),
              HasSubstr("expected part 3 of 3 of a split model, found a whole file"));

  GgufWriter foreign;
  add_split_keys(foreign.add_string("general.architecture", "qwen3"), 2, 3, 4);
  write("model-00003-of-00003.gguf", foreign.add_tensor("d", {8}, 0, filled(32, 1)));
  EXPECT_THAT(refusal(path), AllOf(HasSubstr("a part of another model: general.architecture is "
                                             "\"qwen3\", in "),
                                   HasSubstr("it is \"llama\"")));

  GgufWriter twin;
  add_split_keys(twin, 2, 3, 4).add_tensor("b", {8}, 0, filled(32, 1));
  write("model-00003-of-00003.gguf", twin);
  EXPECT_THAT(refusal(path), AllOf(HasSubstr("model-00003-of-00003.gguf: tensor \"b\" appears more "
                                             "than once: it is in "),
                                   HasSubstr("model-00002-of-00003.gguf too")));
}

TEST_F(GgufSplitFiles, NameKeysThatAreMissingOrImpossible) {
  const auto refusal_of = [&](const std::function<void(GgufWriter&)>& add) {
    GgufWriter writer;
    add(writer);
    return refusal(write("model-00001-of-00003.gguf", writer));
  };
  EXPECT_THAT(refusal_of([](GgufWriter& w) { w.add_integer("split.count", GgufKind::kUint16, 3); }),
              HasSubstr("a part of a split model: metadata key \"split.no\" is missing"));
  EXPECT_THAT(refusal_of([](GgufWriter& w) { add_split_keys(w, 3, 3, 4); }),
              HasSubstr("\"split.no\": expected 0 to 2, found 3"));
  EXPECT_THAT(refusal_of([](GgufWriter& w) { add_split_keys(w, 0, 3, -1); }),
              HasSubstr("\"split.tensors.count\": expected 0 to 1000000, found -1"));
  EXPECT_THAT(
      refusal_of([](GgufWriter& w) { w.add_integer("split.count", GgufKind::kInt64, 100'000); }),
      HasSubstr("\"split.count\": expected 0 to 99999, found 100000"));
  EXPECT_THAT(refusal_of([](GgufWriter& w) { w.add_string("split.count", "3"); }),
              HasSubstr("split.count"));
}

}  // namespace
}  // namespace vernal
