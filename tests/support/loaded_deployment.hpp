// A deployment of one model that is loaded and computes steps, without engine and frontends.
#pragma once

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "loading/open_deployment.hpp"
#include "plugin/backend_client.hpp"
#include "vernal/error.hpp"

namespace vernal::test {

/// A deployment that is loaded. This thread is its engine thread.
class LoadedDeployment {
 public:
  explicit LoadedDeployment(const std::string& text) {
    const auto file = std::filesystem::temp_directory_path() /
                      ("vernal-loaded-" + std::to_string(::getpid()) + ".toml");
    std::ofstream(file) << text;
    try {
      open_.emplace(file, log_);
      open_->plan_models();
    } catch (...) {
      std::filesystem::remove(file);
      throw;
    }
    std::filesystem::remove(file);
    model_ = open_->model("").load([](std::uint64_t, std::uint64_t) { return true; });
    const plugin::ScopedThreadRole role(VERNAL_ROLE_ENGINE);
    model_.steps->open();
  }
  ~LoadedDeployment() {
    const plugin::ScopedThreadRole role(VERNAL_ROLE_ENGINE);
    model_.steps.reset();
  }

  StepModel& steps() { return *model_.steps; }
  OpenDeployment& open() { return *open_; }

  /// Feeds tokens and returns the logits of the last one.
  std::vector<float> feed(SequenceId sequence, std::uint64_t first,
                          const std::vector<TokenId>& tokens) {
    const StepChunk chunk{sequence, first, tokens, 1};
    steps().begin_step({&chunk, 1});
    while (!steps().wait_step(std::chrono::seconds(10))) {
    }
    const std::span<const float> row = steps().logits(0);
    std::vector<float> out(row.begin(), row.end());
    steps().end_step();
    return out;
  }

 private:
  Log log_{LogLevel::kOff};
  std::optional<OpenDeployment> open_;
  LoadedModel model_;
};

}  // namespace vernal::test
