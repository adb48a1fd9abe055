#include "plugin/manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <random>
#include <string>

#include "plugin/cpu_level.hpp"
#include "support/elf_writer.hpp"
#include "support/temporary_folder.hpp"
#include "vernal/error.hpp"

namespace vernal::plugin {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::elf_bytes;
using testing::ElfSpec;
using ::testing::HasSubstr;
using testing::valid_manifest;
using testing::with_key;
using testing::write_file;

class ManifestFile : public ::testing::Test {
 protected:
  // The text of the refusal to read a file with these bytes; empty if it was read.
  std::string refusal_of(std::string_view bytes) {
    write_file(file_, bytes);
    try {
      manifest_ = read_manifest(file_);
      return {};
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(file_.string()));
      return error.what();
    }
  }
  std::string refusal_of(const ElfSpec& spec) { return refusal_of(elf_bytes(spec)); }
  // The text of the refusal to load a plugin with this manifest; empty if it may be loaded.
  std::string incompatibility_of(const std::string& text) {
    EXPECT_EQ(refusal_of(ElfSpec{.text = text}), "");
    try {
      require_compatible(manifest_, file_, {.abi_major = 1, .abi_minor = 3, .has_isa = {}});
      return {};
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), VERNAL_INCOMPATIBLE);
      return error.what();
    }
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "plugin.so";
  Manifest manifest_;
};

TEST_F(ManifestFile, ReadsEveryKey) {
  const std::string text =
      "manifest=1\nabi_major=1\nabi_minor_min=0\nabi_minor_built=2\nkinds=backend,"
      "architecture\nname=cpu_9\n"
      "id=org.example.cpu\nversion=1.2.3\nvendor=Example & "
      "Co\nsdk=0.1.0\nisa=x86-64-v3\nneeds=cuda>=12.4,sm=86\n"
      "provides=llama,mistral\nlicence=MIT\nof_a_later_interface=yes\n";
  ASSERT_EQ(refusal_of(ElfSpec{.text = text}), "");
  EXPECT_EQ(manifest_.abi_major, 1u);
  EXPECT_EQ(manifest_.abi_minor_min, 0u);
  EXPECT_EQ(manifest_.abi_minor_built, 2u);
  EXPECT_THAT(manifest_.kinds, ElementsAre("backend", "architecture"));
  EXPECT_EQ(manifest_.name, "cpu_9");
  EXPECT_EQ(manifest_.vendor, "Example & Co");
  EXPECT_EQ(manifest_.isa, "x86-64-v3");
  EXPECT_THAT(manifest_.needs, ElementsAre("cuda>=12.4", "sm=86"));
  EXPECT_TRUE(manifest_.provides_architecture("mistral"));
  EXPECT_FALSE(manifest_.provides_architecture("mistra"));
  EXPECT_TRUE(manifest_.has_kind(VERNAL_KIND_BACKEND));
  EXPECT_FALSE(manifest_.has_kind(VERNAL_KIND_FRONTEND));
  EXPECT_EQ(manifest_.licence, "MIT");
}

TEST_F(ManifestFile, ReadsABuiltPluginsOwnNote) {
  manifest_ = read_manifest(std::filesystem::path(VERNAL_PLUGIN_DIR) / "recording.so");
  EXPECT_EQ(manifest_.name, "recording");
  EXPECT_EQ(manifest_.vendor, "Example & Co");
  EXPECT_EQ(manifest_.abi_major, std::uint32_t{VERNAL_ABI_MAJOR});
  EXPECT_THAT(manifest_.kinds, ElementsAre("frontend"));
}

TEST_F(ManifestFile, RefusesFilesThatAreNoSharedObject) {
  EXPECT_THAT(refusal_of(""), HasSubstr("truncated: ELF header"));
  EXPECT_THAT(refusal_of(std::string(200, 'x')), HasSubstr("not an ELF file"));
  EXPECT_THAT(refusal_of(ElfSpec{.text = valid_manifest("a"), .elf_class = ELFCLASS32}),
              HasSubstr("64 bit little endian"));
  EXPECT_THAT(refusal_of(ElfSpec{.text = valid_manifest("a"), .machine = EM_MIPS}),
              AllOf(HasSubstr("ELF machine: expected"), HasSubstr("found 8")));
  EXPECT_THAT(refusal_of(ElfSpec{.text = valid_manifest("a"), .type = ET_EXEC}),
              HasSubstr("ELF type: expected 3"));
}

TEST_F(ManifestFile, RefusesMissingFilesAndPipes) {
  EXPECT_THROW(read_manifest(folder_ / "absent.so"), Error);
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  EXPECT_THROW(read_manifest(file_), Error);  // and does not wait for a writer
}

TEST_F(ManifestFile, RefusesAnotherMagic) {
  EXPECT_THAT(refusal_of(ElfSpec{.owner = "venral", .text = valid_manifest("a")}),
              HasSubstr("owner \"vernal\" and type 1"));
  EXPECT_THAT(refusal_of(ElfSpec{.note_type = 2, .text = valid_manifest("a")}),
              HasSubstr("no plugin manifest"));
  EXPECT_THAT(refusal_of(ElfSpec{.text = with_key(valid_manifest("a"), "manifest", "2")}),
              HasSubstr("manifest revision: expected 1, found 2"));
}

TEST_F(ManifestFile, RefusesSizesBeyondTheFile) {
  const std::string text = valid_manifest("a");
  EXPECT_THAT(refusal_of(ElfSpec{.text = text, .num_segments = 200}), HasSubstr("program headers"));
  EXPECT_THAT(refusal_of(ElfSpec{.text = text, .num_segments = 60000}), HasSubstr("at most 256"));
  EXPECT_THAT(refusal_of(ElfSpec{.text = text, .note_bytes = 4000}),
              HasSubstr("truncated: note segment"));
  EXPECT_THAT(refusal_of(ElfSpec{.text = text, .note_bytes = UINT64_MAX}),
              HasSubstr("at most 65536"));
  EXPECT_THAT(refusal_of(ElfSpec{.text = text, .descriptor_bytes = UINT32_MAX}),
              HasSubstr("no plugin manifest"));
}

TEST_F(ManifestFile, RefusesEveryTruncation) {
  const std::string bytes = elf_bytes({.text = valid_manifest("a")});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(refusal_of(std::string_view(bytes).substr(0, size)), "") << size;
  }
}

TEST_F(ManifestFile, SurvivesFlippedBits) {
  const std::string bytes = elf_bytes({.text = valid_manifest("a")});
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    std::string changed = bytes;
    for (int i = 0; i < 3; ++i)
      changed[random() % changed.size()] ^= static_cast<char>(1 << random() % 8);
    refusal_of(changed);  // any outcome but a crash
  }
}

TEST_F(ManifestFile, RefusesMalformedText) {
  const std::string valid = valid_manifest("a");
  const auto text_refusal = [&](const std::string& text) {
    return refusal_of(ElfSpec{.text = text});
  };
  EXPECT_THAT(text_refusal(with_key(valid, "name", "")), HasSubstr("key \"name\" is missing"));
  EXPECT_THAT(text_refusal(valid + "name=b\n"), HasSubstr("\"name\" occurs twice"));
  EXPECT_THAT(text_refusal(valid + "no equals sign\n"), HasSubstr("key=value"));
  EXPECT_THAT(text_refusal(valid + "x=\x1b[31m\n"), HasSubstr("key=value"));
  EXPECT_THAT(text_refusal(with_key(valid, "name", "../etc")),
              HasSubstr("name expected [a-z0-9_]+"));
  EXPECT_THAT(text_refusal(with_key(valid, "abi_major", "one")),
              HasSubstr("expected a number, found \"one\""));
  EXPECT_THAT(text_refusal(with_key(valid, "abi_major", "1.5")), HasSubstr("expected a number"));
  EXPECT_THAT(text_refusal(with_key(valid, "abi_major", "99999999999")),
              HasSubstr("expected a number"));
  EXPECT_THAT(text_refusal(with_key(valid, "kinds", "tokenizer")), HasSubstr("kinds expected"));
}

TEST_F(ManifestFile, RefusesAnotherMajorAndNewerNeeds) {
  const std::string valid = valid_manifest("a");
  EXPECT_EQ(incompatibility_of(valid), "");
  EXPECT_THAT(incompatibility_of(with_key(valid, "abi_major", "2")),
              AllOf(HasSubstr("plugin \"a\""), HasSubstr("abi_major expected 1, found 2")));
  EXPECT_THAT(incompatibility_of(with_key(valid, "abi_minor_min", "4")),
              HasSubstr("abi_minor_min expected at most 3, found 4"));
}

TEST_F(ManifestFile, AcceptsPluginsBuiltWithNewerHeaders) {
  EXPECT_EQ(incompatibility_of(with_key(valid_manifest("a"), "abi_minor_built", "900")), "");
  EXPECT_EQ(incompatibility_of(valid_manifest("a") + "isa2=none\n"), "");
}

TEST_F(ManifestFile, RefusesInstructionsTheMachineLacks) {
  EXPECT_THAT(incompatibility_of(with_key(valid_manifest("a"), "isa", "x86-64-v9")),
              HasSubstr("isa x86-64-v9 expected, this machine does not have it"));
  manifest_.isa = "x86-64-v3";
  const LoaderCapabilities old_machine{.has_isa = [](std::string_view isa) { return isa.empty(); }};
  EXPECT_THROW(require_compatible(manifest_, file_, old_machine), Error);
  const LoaderCapabilities new_machine{.has_isa = [](std::string_view) { return true; }};
  EXPECT_NO_THROW(require_compatible(manifest_, file_, new_machine));
}

TEST_F(ManifestFile, RefusesAnotherKind) {
  ASSERT_EQ(refusal_of(ElfSpec{.text = valid_manifest("a")}), "");
  EXPECT_NO_THROW(require_kind(manifest_, file_, VERNAL_KIND_BACKEND));
  try {
    require_kind(manifest_, file_, VERNAL_KIND_FRONTEND);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("plugin \"a\": kind expected frontend, found backend"));
  }
}

TEST(CpuLevel, KnowsEachLevelIncludesTheOneBelow) {
  EXPECT_TRUE(machine_has(""));
  EXPECT_FALSE(machine_has("x86-64-v9"));
  EXPECT_FALSE(machine_has("armv8"));
  EXPECT_TRUE(machine_has("x86-64-v3") || !machine_has("x86-64-v4"));
  EXPECT_TRUE(machine_has("x86-64-v2") || !machine_has("x86-64-v3"));
}

}  // namespace
}  // namespace vernal::plugin
