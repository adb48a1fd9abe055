// Deployments as text, which are read with the schemas of invented plugins.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/deployment.hpp"
#include "support/invented_schemas.hpp"
#include "support/temporary_folder.hpp"
#include "vernal/error.hpp"

namespace vernal::testing {

/// Reads deployments in a folder that has a model file and a chat template.
class DeploymentText : public ::testing::Test {
 public:
  DeploymentText() {
    std::ofstream(folder_ / "model.gguf") << "GGUF";
    std::ofstream(folder_ / "chat.jinja") << "{{ messages }}";
  }

  std::filesystem::path folder() const { return folder_.path(); }

  Deployment parse(std::string_view text) {
    return parse_deployment(text, folder_ / "a.toml", make_schemas_);
  }

  /// Reads a text, which must be refused, and returns the message with paths relative to the
  /// folder.
  std::string refusal(std::string_view text) {
    return refusal_of([&] { parse(text); });
  }

  /// Reads a file in the folder, which must be refused, and returns the message.
  std::string file_refusal(const std::string& name) {
    return refusal_of([&] { read_deployment(folder_ / name, make_schemas_); });
  }

 private:
  std::string refusal_of(const std::function<void()>& read) {
    try {
      read();
    } catch (const Error& error) {
      std::string message = error.what();
      const std::string prefix = folder_.path().string() + "/";
      for (std::size_t at; (at = message.find(prefix)) != message.npos;)
        message.erase(at, prefix.size());
      return message;
    }
    return "accepted";
  }

  TemporaryFolder folder_;
  std::function<SchemaSourceFactory> make_schemas_ = [](const RuntimeSettings&) {
    return std::make_unique<InventedSchemas>();
  };
};

/// A whole deployment in seven lines. Text that a test appends begins at line 8, in [models.m].
inline constexpr std::string_view kSmallest = R"(schema = 1
[backends.cpu]
plugin = "calc"
threads = 2
[models.m]
path = "model.gguf"
backend = "cpu"
)";

/// A text that must be refused, and the whole message.
struct BrokenText {
  std::string name;  // CamelCase: what is wrong
  std::string text;
  std::string message;
};

inline std::string name_of(const ::testing::TestParamInfo<BrokenText>& info) {
  return info.param.name;
}
inline void PrintTo(const BrokenText& broken, std::ostream* out) { *out << broken.name; }

}  // namespace vernal::testing
