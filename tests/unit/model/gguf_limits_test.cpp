// The time and memory that large headers take, and headers that claim too much.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "model/gguf_file.hpp"
#include "support/gguf_writer.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

using test::GgufWriter;
using ::testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif
#else
constexpr bool kIsSanitized = false;
#endif

std::uint64_t peak_resident_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// A file in the temporary folder that is removed with this object.
class TemporaryFile {
 public:
  TemporaryFile()
      : pattern_((std::filesystem::temp_directory_path() / "vernal-gguf-XXXXXX").string()) {
    descriptor_ = ::mkstemp(pattern_.data());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    ::close(descriptor_);
    std::filesystem::remove(pattern_);
  }

  void write(const std::vector<std::byte>& bytes) const {
    ASSERT_EQ(::pwrite(descriptor_, bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
  }
  /// Makes the file `size` bytes long without storing anything.
  void grow(std::int64_t size) const { ASSERT_EQ(::ftruncate(descriptor_, size), 0); }
  std::filesystem::path path() const { return pattern_; }

 private:
  std::string pattern_;
  int descriptor_;
};

TEST(GgufLimits, ReadsAHundredThousandKeysAndFiftyThousandTensors) {
  GgufWriter writer;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    writer.add_integer(fmt::format("some.prefix.shared.by.all.keys.{}", i), GgufKind::kUint32, i);
  }
  for (std::uint32_t i = 0; i < 50'000; ++i) {
    writer.add_tensor(fmt::format("blk.{}.weight", i), {1}, 0, std::vector<std::byte>(4));
  }
  const std::vector<std::byte> bytes = writer.bytes();

  const std::uint64_t resident_before = peak_resident_bytes();
  const auto start = std::chrono::steady_clock::now();
  const GgufFile file = GgufFile::parse(bytes, "large.gguf");
  EXPECT_LT(seconds_since(start), kIsSanitized ? 10.0 : 2.0);
  if (!kIsSanitized) {
    EXPECT_LT(peak_resident_bytes() - resident_before, 4 * file.header_bytes() + (64U << 20U));
  }
  EXPECT_EQ(file.metadata().require_integer("some.prefix.shared.by.all.keys.99999"), 99'999);
  EXPECT_NE(file.find_tensor("blk.49999.weight"), nullptr);
}

TEST(GgufLimits, ReadsALargeVocabulary) {
  std::vector<std::string> tokens;
  for (std::uint32_t i = 0; i < 250'000; ++i) tokens.push_back(fmt::format("token{}", i));
  const std::vector<std::byte> bytes =
      GgufWriter().add_strings("tokenizer.ggml.tokens", tokens).bytes();
  const GgufFile file = GgufFile::parse(bytes, "vocabulary.gguf");
  const auto found = file.metadata().require_string_array("tokenizer.ggml.tokens");
  ASSERT_EQ(found.size(), tokens.size());
  EXPECT_EQ(found.back(), "token249999");
}

TEST(GgufLimits, RefusesMoreKeysThanAnyModelHasBeforeTakingMemory) {
  // A sparse file that is large enough for the billion keys that it claims.
  std::vector<std::byte> header = GgufWriter().bytes();
  const std::uint64_t count = 1'000'000'000;
  std::memcpy(header.data() + 16, &count, sizeof count);
  const TemporaryFile file;
  file.write(header);
  file.grow(std::int64_t{16} << 30);
  const std::uint64_t resident_before = peak_resident_bytes();
  const auto start = std::chrono::steady_clock::now();
  try {
    GgufFile::open(file.path());
    FAIL() << "a billion keys were read";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("number of metadata entries is 1000000000, expected at most"));
  }
  EXPECT_LT(seconds_since(start), 1.0);
  EXPECT_LT(peak_resident_bytes() - resident_before, 16U << 20U);
}

TEST(GgufLimits, RefusesALieAboutAMillionKeysWithoutTouchingMemoryForThem) {
  std::vector<std::byte> header = GgufWriter().bytes();
  const std::uint64_t count = GgufFile::kMaxEntries;
  std::memcpy(header.data() + 8, &count, sizeof count);
  std::memcpy(header.data() + 16, &count, sizeof count);
  const TemporaryFile file;
  file.write(header);
  file.grow(std::int64_t{4} << 30);
  const std::uint64_t resident_before = peak_resident_bytes();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(GgufFile::open(file.path()), Error);
  EXPECT_LT(seconds_since(start), 1.0);
  EXPECT_LT(peak_resident_bytes() - resident_before, 16U << 20U);
}

TEST(GgufLimits, OpensALargeFileWithoutTouchingTensorData) {
  GgufWriter writer;
  writer.add_tensor("weight", {std::uint64_t{1} << 30}, 0, {});
  const TemporaryFile file;
  file.write(writer.bytes());
  file.grow((std::int64_t{4} << 30) + 4096);
  const std::uint64_t resident_before = peak_resident_bytes();
  const GgufFile opened = GgufFile::open(file.path());
  EXPECT_EQ(opened.require_tensor("weight").bytes(), std::uint64_t{4} << 30);
  EXPECT_LT(peak_resident_bytes() - resident_before, 16U << 20U);
}

}  // namespace
}  // namespace vernal
