#include "model/mapped_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "vernal/error.hpp"

namespace vernal {
namespace {

using ::testing::HasSubstr;

/// Each test has a folder, which is removed with everything in it.
class MappedFileTest : public ::testing::Test {
 protected:
  MappedFileTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "vernal-mapped-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~MappedFileTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    const auto path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  /// Status code and message of a refusal; 0 and "" if the file opens.
  static std::pair<std::int32_t, std::string> refusal(const std::filesystem::path& path) {
    try {
      MappedFile::open(path);
    } catch (const Error& error) {
      return {error.code(), error.what()};
    }
    return {VERNAL_OK, ""};
  }

  std::filesystem::path folder_;
};

std::string text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TEST_F(MappedFileTest, ShowsTheBytesOfTheFile) {
  const MappedFile file = MappedFile::open(write("a", "some bytes"), MappingAdvice::kWillNeed);
  EXPECT_EQ(text_of(file), "some bytes");
}

TEST_F(MappedFileTest, FollowsALinkToARegularFile) {
  write("a", "linked");
  std::filesystem::create_symlink("a", folder_ / "link");
  EXPECT_EQ(text_of(MappedFile::open(folder_ / "link")), "linked");
}

TEST_F(MappedFileTest, KeepsItsBytesInPlaceWhenMoved) {
  MappedFile first = MappedFile::open(write("a", "moved"));
  const std::byte* const address = first.bytes().data();
  MappedFile second = std::move(first);
  EXPECT_EQ(second.bytes().data(), address);
  MappedFile third = MappedFile::open(write("b", "other"));
  third = std::move(second);
  EXPECT_EQ(text_of(third), "moved");
}

TEST_F(MappedFileTest, TakesAdviceOnAnyPart) {
  const MappedFile file = MappedFile::open(write("a", std::string(3 * 4096 + 5, 'x')));
  file.advise(file.bytes().subspan(4097, 4096), MappingAdvice::kSequential);
  file.advise(file.bytes().subspan(12289), MappingAdvice::kWillNeed);
  file.advise({}, MappingAdvice::kNormal);
  EXPECT_EQ(text_of(file), std::string(3 * 4096 + 5, 'x'));
}

TEST_F(MappedFileTest, StillReadsAFileThatWasReplacedByRenaming) {
  const MappedFile file = MappedFile::open(write("a", "old"));
  std::filesystem::rename(write("b", "new text"), folder_ / "a");
  EXPECT_EQ(text_of(file), "old");
}

TEST_F(MappedFileTest, ReportsAMissingFileAsNotFound) {
  const auto [code, message] = refusal(folder_ / "absent.gguf");
  EXPECT_EQ(code, VERNAL_NOT_FOUND);
  EXPECT_THAT(message, HasSubstr("absent.gguf: cannot be opened: No such file"));
}

TEST_F(MappedFileTest, RefusesAPipeAtOnce) {
  const auto path = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto start = std::chrono::steady_clock::now();
  const auto [code, message] = refusal(path);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  EXPECT_EQ(code, VERNAL_INVALID_ARGUMENT);
  EXPECT_THAT(message, HasSubstr("expected a regular file, but this is a pipe"));
}

TEST_F(MappedFileTest, RefusesADirectory) {
  EXPECT_THAT(refusal(folder_).second, HasSubstr("but this is a directory"));
}

TEST_F(MappedFileTest, RefusesADevice) {
  EXPECT_THAT(refusal("/dev/zero").second, HasSubstr("but this is a character device"));
}

TEST_F(MappedFileTest, RefusesAnEmptyFile) {
  EXPECT_THAT(refusal(write("a", "")).second, HasSubstr("the file is empty"));
}

TEST_F(MappedFileTest, RefusesALoopOfLinks) {
  std::filesystem::create_symlink("b", folder_ / "a");
  std::filesystem::create_symlink("a", folder_ / "b");
  const auto [code, message] = refusal(folder_ / "a");
  EXPECT_EQ(code, VERNAL_INVALID_ARGUMENT);
  EXPECT_THAT(message, HasSubstr("symbolic links"));
}

TEST_F(MappedFileTest, RefusesAFileThatMayNotBeRead) {
  constexpr uid_t kNobody = 65'534;
  const auto path = write("a", "secret");
  std::filesystem::permissions(path, std::filesystem::perms::none);
  const uid_t user = ::geteuid();  // root may read everything, so root steps down for a moment
  if (user == 0 && ::seteuid(kNobody) != 0) GTEST_SKIP() << "root cannot become another user here";
  const auto [code, message] = refusal(path);
  ASSERT_EQ(::seteuid(user), 0);
  EXPECT_EQ(code, VERNAL_INVALID_ARGUMENT);
  EXPECT_THAT(message, HasSubstr("Permission denied"));
}

TEST_F(MappedFileTest, EscapesThePathInMessages) {
  EXPECT_THAT(refusal(folder_ / "a\x1b[31m\nb").second, HasSubstr("a\\x1b[31m\\nb: cannot be"));
}

}  // namespace
}  // namespace vernal
