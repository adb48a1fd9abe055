// docs/deployment-file.md tells operators what the code does where they say nothing.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "config/deployment.hpp"
#include "config/model_defaults.hpp"

namespace vernal {
namespace {

/// The column "default" of a key's row.
std::string documented(const std::string& key) {
  std::ifstream stream(VERNAL_DOCS_DIR "/deployment-file.md");
  for (std::string line; std::getline(stream, line);) {
    const std::string begin = "| `" + key + "` | ";
    if (!line.starts_with(begin)) continue;
    return line.substr(begin.size(), line.find(" |", begin.size()) - begin.size());
  }
  return "no row";
}

std::string seconds(std::uint64_t milliseconds) {
  return "`\"" + std::to_string(milliseconds / 1000) + "s\"`";
}

TEST(DocumentedDefaults, AreThoseOfTheCode) {
  const ModelSettings model;
  const RuntimeSettings runtime;
  EXPECT_EQ(documented("slots"), std::to_string(model.slots));
  EXPECT_EQ(documented("max_checkpoints"), std::to_string(model.max_checkpoints));
  EXPECT_EQ(documented("max_tokens_per_step"), std::to_string(model.max_tokens_per_step));
  EXPECT_EQ(documented("max_step_time"), "`\"" + std::to_string(model.max_step_time_ms) + "ms\"`");
  EXPECT_EQ(documented("speculation"), "`{ draft = \"" + model.draft + "\", max_tokens = " +
                                           std::to_string(model.max_draft_tokens) + " }`");
  EXPECT_EQ(documented("stream_weights"), std::to_string(kDefaultStreamWeights));
  EXPECT_EQ(documented("max_queue"), std::to_string(model.max_queue));
  EXPECT_EQ(documented("stall_timeout"), seconds(model.stall_timeout_ms));
  EXPECT_EQ(documented("step_timeout"), seconds(model.step_timeout_ms));
  EXPECT_EQ(documented("drain_timeout"), seconds(runtime.drain_timeout_ms));
}

}  // namespace
}  // namespace vernal
