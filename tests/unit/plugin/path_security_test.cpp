#include "plugin/path_security.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "support/elf_writer.hpp"
#include "support/temporary_folder.hpp"
#include "vernal/error.hpp"

namespace vernal::plugin {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PathSecurity : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_);
    testing::write_file(file_, "content");
    mode(folder_, 0755);
  }
  static void mode(const std::filesystem::path& path, mode_t bits) {
    ASSERT_EQ(::chmod(path.c_str(), bits), 0);
  }
  std::string refusal(bool strict = false) const {
    try {
      check_plugin_path(file_, strict);
      return {};
    } catch (const Error& error) {
      return error.what();
    }
  }

  testing::TemporaryFolder parent_;
  std::filesystem::path folder_ = parent_ / "plugins";
  std::filesystem::path file_ = folder_ / "a.so";
};

TEST_F(PathSecurity, AcceptsWhatOnlyTheOwnerMayWrite) {
  EXPECT_THAT(check_plugin_path(file_, false), IsEmpty());
  EXPECT_EQ(refusal(true), "");
}

TEST_F(PathSecurity, RefusesAFileThatEverybodyMayWrite) {
  mode(file_, 0646);
  EXPECT_THAT(refusal(), AllOf(HasSubstr(file_.string()), HasSubstr("chmod o-w")));
}

TEST_F(PathSecurity, RefusesAFolderThatEverybodyMayWrite) {
  mode(folder_, 0777);
  EXPECT_THAT(refusal(), HasSubstr("plugins: everybody may write it"));
}

TEST_F(PathSecurity, AcceptsAStickyFolder) {
  mode(folder_, 01777);
  EXPECT_EQ(refusal(), "");
}

TEST_F(PathSecurity, WarnsOfAWritableGroupAndRefusesItWhenStrict) {
  mode(file_, 0664);
  EXPECT_THAT(check_plugin_path(file_, false), ElementsAre(HasSubstr("a.so: group")));
  EXPECT_THAT(refusal(true), HasSubstr("require_secure_paths"));
}

TEST_F(PathSecurity, ChecksFoldersAboveWhenStrict) {
  mode(parent_.path(), 0777);
  EXPECT_EQ(refusal(false), "");
  EXPECT_THAT(refusal(true), HasSubstr(parent_.path().string()));
}

TEST_F(PathSecurity, RefusesAForeignOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give a file away";
  ASSERT_EQ(::chown(file_.c_str(), 12345, 12345), 0);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("owner expected root or user 0, found user 12345"),
                               HasSubstr("chown")));
}

TEST_F(PathSecurity, RefusesAMissingFile) {
  EXPECT_THROW(check_plugin_path(folder_ / "b.so", false), Error);
}

}  // namespace
}  // namespace vernal::plugin
