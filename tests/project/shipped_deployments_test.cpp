// Every file of configs/ is a valid deployment for the plugins of this build.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "loading/open_deployment.hpp"
#include "observe/log.hpp"
#include "support/temporary_folder.hpp"

namespace vernal {
namespace {

std::vector<std::filesystem::path> shipped_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(VERNAL_CONFIGS_DIR)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

/// A copy of configs/ beside a models/ with empty files, because a model need not be fetched to be
/// named.
class ShippedDeployment : public ::testing::TestWithParam<std::filesystem::path> {
 public:
  ShippedDeployment() {
    std::filesystem::copy(VERNAL_CONFIGS_DIR, folder_ / "configs");
    std::filesystem::create_directory(folder_ / "models");
    for (const char* name : {"qwen2.5-coder-1.5b-instruct-q4_k_m.gguf", "gemma-3-270m-q4_k_m.gguf",
                             "qwen3.6-27b-iq4_ks.gguf"}) {
      std::ofstream(folder_ / "models" / name).flush();
    }
  }

  std::filesystem::path file() const { return folder_ / "configs" / GetParam().filename(); }

  /// Whether the plugins that the file names are in this build; the one for cards may have a
  /// stand-in, which the copy then names.
  bool has_plugins() const {
    constexpr std::string_view kLine = "plugin = \"cuda_sm86\"";
    std::ostringstream content;
    content << std::ifstream(file()).rdbuf();
    std::string text = content.str();
    const std::size_t at = text.find(kLine);
    if (at == std::string::npos) return true;
    const std::string plugin = VERNAL_CARD_PLUGIN;
    if (plugin.empty()) return false;
    text.replace(at, kLine.size(), "plugin = \"" + plugin + "\"");
    std::ofstream(file()) << text;
    return true;
  }

 private:
  testing::TemporaryFolder folder_;
};

TEST_P(ShippedDeployment, NamesOnlyKeysAndPluginsThatExist) {
  if (!has_plugins()) GTEST_SKIP() << "this build has no plugin for NVIDIA devices";
  std::ostringstream lines;
  Log log(LogLevel::kInfo, lines);
  const OpenDeployment open(file(), log);
  EXPECT_FALSE(open.deployment().models.empty());
  EXPECT_FALSE(open.deployment().frontends.empty());
  EXPECT_EQ(lines.str(), "");
}

TEST_P(ShippedDeployment, BeginsWithACommentThatSaysWhatItIsFor) {
  std::ifstream text(file());
  std::string line;
  std::getline(text, line);
  EXPECT_EQ(line.substr(0, 2), "# ");
}

INSTANTIATE_TEST_SUITE_P(Configs, ShippedDeployment, ::testing::ValuesIn(shipped_files()),
                         [](const auto& info) {
                           std::string name = info.param.stem().string();
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace vernal
