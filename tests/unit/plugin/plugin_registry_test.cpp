#include "plugin/plugin_registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <string>

#include "plugin/frontend_client.hpp"
#include "support/elf_writer.hpp"
#include "support/temporary_folder.hpp"

namespace vernal::plugin {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::elf_bytes;
using ::testing::HasSubstr;
using testing::valid_manifest;
using testing::with_key;
using testing::write_file;

class PluginRegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(first_);
    fs::create_directory(second_);
  }
  // A copy of a built plugin.
  void copy(const std::string& name, const fs::path& to) {
    fs::copy_file(fs::path(VERNAL_PLUGIN_DIR) / (name + ".so"), to);
  }
  PluginRegistry registry(RegistryOptions options = {}) {
    return PluginRegistry(host_, {first_, second_}, std::move(options));
  }
  static std::string refusal(PluginRegistry& registry, std::string_view name, std::uint32_t kind) {
    try {
      registry.open(name, kind);
      return {};
    } catch (const Error& error) {
      return error.what();
    }
  }

  testing::TemporaryFolder folder_;
  fs::path first_ = folder_ / "first";
  fs::path second_ = folder_ / "second";
  std::ostringstream out_;
  Log log_{LogLevel::kInfo, out_};
  CoreHost host_{log_};
};

TEST_F(PluginRegistryTest, FindsPluginsByManifestNameNotByFileName) {
  copy("recording", second_ / "anything.so");
  PluginRegistry plugins = registry();
  ASSERT_EQ(plugins.list().size(), 1u);
  EXPECT_EQ(plugins.list()[0].manifest->name, "recording");
  EXPECT_EQ(plugins.open("recording", VERNAL_KIND_FRONTEND).name(), "recording");
}

TEST_F(PluginRegistryTest, OpensOnceAndInitialisesInOrderAndShutsDownInReverse) {
  copy("recording", first_ / "recording.so");
  copy("fault_schema_null", first_ / "other.so");
  PluginRegistry plugins = registry();
  PluginLibrary& recording = plugins.open("recording", VERNAL_KIND_FRONTEND);
  EXPECT_EQ(&plugins.open("recording", VERNAL_KIND_FRONTEND), &recording);
  plugins.open("fault_schema_null", VERNAL_KIND_FRONTEND);
  EXPECT_EQ(out_.str(), "");
  plugins.init_all();
  plugins.init_all();
  EXPECT_TRUE(recording.is_initialised());
  plugins.shutdown_all();
  EXPECT_FALSE(recording.is_initialised());
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("initialised"), HasSubstr("shut down")));
}

TEST_F(PluginRegistryTest, ListsWhatCannotBeLoadedWithTheReasonAndLoadsTheRest) {
  copy("recording", first_ / "recording.so");
  write_file(first_ / "text.so", "not a library\n");
  write_file(first_ / "readme.txt", "ignored");
  write_file(second_ / "major.so",
             elf_bytes({.text = with_key(valid_manifest("major"), "abi_major", "2")}));
  write_file(second_ / "isa.so",
             elf_bytes({.text = with_key(valid_manifest("isa"), "isa", "x86-64-v9")}));
  write_file(second_ / "open.so", elf_bytes({.text = valid_manifest("open")}));
  ASSERT_EQ(::chmod((second_ / "open.so").c_str(), 0666), 0);
  PluginRegistry plugins = registry();
  ASSERT_EQ(plugins.list().size(), 5u);
  EXPECT_EQ(plugins.list()[0].refusal, "");
  EXPECT_THAT(plugins.list()[1].refusal, HasSubstr("truncated: ELF header"));
  EXPECT_THAT(plugins.list()[2].refusal, HasSubstr("isa x86-64-v9 expected"));
  EXPECT_THAT(plugins.list()[3].refusal, HasSubstr("abi_major expected 1, found 2"));
  EXPECT_THAT(plugins.list()[4].refusal, HasSubstr("chmod o-w"));
  EXPECT_EQ(refusal(plugins, "recording", VERNAL_KIND_FRONTEND), "");
  EXPECT_EQ(refusal(plugins, "major", VERNAL_KIND_BACKEND), plugins.list()[3].refusal);
  EXPECT_EQ(refusal(plugins, "open", VERNAL_KIND_BACKEND), plugins.list()[4].refusal);
  EXPECT_EQ(refusal(plugins, "text", VERNAL_KIND_BACKEND), plugins.list()[1].refusal);
}

TEST_F(PluginRegistryTest, NamesThePluginsThereAreWhenOneIsMissing) {
  copy("recording", first_ / "recording.so");
  PluginRegistry plugins = registry();
  EXPECT_THAT(refusal(plugins, "recordin", VERNAL_KIND_FRONTEND),
              AllOf(HasSubstr("no frontend plugin \"recordin\""), HasSubstr(first_.string()),
                    HasSubstr("there are: recording")));
  EXPECT_THAT(refusal(plugins, "recording", VERNAL_KIND_BACKEND),
              HasSubstr("kind expected backend, found frontend"));
}

TEST_F(PluginRegistryTest, RefusesTwoFilesOfOneName) {
  copy("recording", first_ / "a.so");
  copy("recording", second_ / "b.so");
  PluginRegistry plugins = registry();
  EXPECT_THAT(refusal(plugins, "recording", VERNAL_KIND_FRONTEND),
              AllOf(HasSubstr((first_ / "a.so").string()), HasSubstr((second_ / "b.so").string())));
}

TEST_F(PluginRegistryTest, TakesOneFileUnderTwoNamesAsOnePlugin) {
  copy("recording", first_ / "a.so");
  fs::create_symlink(first_ / "a.so", second_ / "b.so");
  fs::create_hard_link(first_ / "a.so", second_ / "c.so");
  PluginRegistry plugins = registry();
  EXPECT_EQ(plugins.list().size(), 1u);
  EXPECT_EQ(refusal(plugins, "recording", VERNAL_KIND_FRONTEND), "");
}

TEST_F(PluginRegistryTest, ChecksTheTargetOfALink) {
  const fs::path open = folder_ / "open";
  fs::create_directory(open);
  copy("recording", open / "a.so");
  ASSERT_EQ(::chmod(open.c_str(), 0777), 0);
  fs::create_symlink(open / "a.so", first_ / "a.so");
  PluginRegistry plugins = registry();
  ASSERT_EQ(plugins.list().size(), 1u);
  EXPECT_THAT(plugins.list()[0].refusal, HasSubstr("chmod o-w"));
}

TEST_F(PluginRegistryTest, WarnsOfWritableGroupsWhenThePluginIsUsed) {
  copy("recording", first_ / "a.so");
  ASSERT_EQ(::chmod((first_ / "a.so").c_str(), 0664), 0);
  PluginRegistry plugins = registry();
  EXPECT_EQ(out_.str(), "");
  plugins.open("recording", VERNAL_KIND_FRONTEND);
  EXPECT_THAT(out_.str(), HasSubstr("may write it"));
  PluginRegistry strict = registry({.require_secure_paths = true, .capabilities = {}});
  EXPECT_THAT(refusal(strict, "recording", VERNAL_KIND_FRONTEND),
              HasSubstr("require_secure_paths"));
}

TEST_F(PluginRegistryTest, FindsArchitecturesByWhatTheyProvide) {
  copy("throwing", first_ / "throwing.so");
  PluginRegistry plugins = registry();
  EXPECT_EQ(plugins.open_architecture("toy").name(), "throwing");
  try {
    plugins.open_architecture("tay");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_NOT_FOUND);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("provides the architecture \"tay\""), HasSubstr("known are: toy")));
  }
}

TEST_F(PluginRegistryTest, AsksWhenSeveralProvideAnArchitecture) {
  const auto manifest = [](const char* name) {
    return with_key(valid_manifest(name), "kinds", "architecture") + "provides=toy\n";
  };
  write_file(first_ / "a.so", elf_bytes({.text = manifest("a")}));
  write_file(first_ / "b.so", elf_bytes({.text = manifest("b")}));
  PluginRegistry plugins = registry();
  try {
    plugins.open_architecture("toy");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("several plugins provide the architecture \"toy\": a, b"));
  }
}

TEST_F(PluginRegistryTest, FindsTheOnePluginWithACapability) {
  const auto manifest = [](const char* name, const char* kind, const char* capabilities) {
    return with_key(valid_manifest(name), "kinds", kind) + "capabilities=" + capabilities + "\n";
  };
  const auto refusal_of = [](const PluginRegistry& plugins) {
    try {
      return plugins.find_capable("console", VERNAL_KIND_FRONTEND);
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  write_file(first_ / "a.so", elf_bytes({.text = manifest("a", "frontend", "sound")}));
  write_file(first_ / "b.so", elf_bytes({.text = manifest("b", "backend", "console")}));
  EXPECT_THAT(refusal_of(registry()), HasSubstr("has the capability \"console\""));
  write_file(first_ / "c.so", elf_bytes({.text = manifest("c", "frontend", "sound,console")}));
  EXPECT_EQ(refusal_of(registry()), "c");
  write_file(first_ / "d.so", elf_bytes({.text = manifest("d", "frontend", "console")}));
  EXPECT_THAT(refusal_of(registry()), HasSubstr("have the capability \"console\": c, d"));
}

TEST_F(PluginRegistryTest, RefusesAFolderThatDoesNotExist) {
  EXPECT_THROW(PluginRegistry(host_, {folder_ / "absent"}), Error);
}

TEST_F(PluginRegistryTest, RefusesTruncatedLibraries) {
  // The linker maps what the headers say, and would crash beyond the end of the file.
  const auto size = fs::file_size(fs::path(VERNAL_PLUGIN_DIR) / "recording.so");
  for (int sixteenths = 1; sixteenths < 4; ++sixteenths) {
    const fs::path file = first_ / (std::to_string(sixteenths) + ".so");
    copy("recording", file);
    fs::resize_file(file, size * static_cast<std::uintmax_t>(sixteenths) / 16);
  }
  PluginRegistry plugins = registry();
  ASSERT_EQ(plugins.list().size(), 3u);
  for (const PluginListing& listing : plugins.list()) {
    EXPECT_THAT(listing.refusal, HasSubstr("truncated"));
  }
}

TEST_F(PluginRegistryTest, LoadsTheSoundOneOfTwoFilesWithOneName) {
  write_file(first_ / "a.so",
             elf_bytes({.text = with_key(valid_manifest("recording"), "abi_major", "2")}));
  copy("recording", second_ / "b.so");
  PluginRegistry plugins = registry();
  EXPECT_EQ(refusal(plugins, "recording", VERNAL_KIND_FRONTEND), "");
}

}  // namespace
}  // namespace vernal::plugin
