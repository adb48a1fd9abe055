// What another engine computed for a small model: prompts, greedy tokens and rows of logits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace vernal::test {

struct GoldenRun {
  std::vector<std::int32_t> prompt;
  std::vector<std::uint64_t> positions;  // of the prompt: those whose logits are stored
  std::uint64_t first_row = 0;           // the row of the first of them in the logits file
  std::vector<std::int32_t> greedy;
};

struct GoldenModel {
  std::filesystem::path file;  // the GGUF
  std::vector<GoldenRun> runs;
  std::vector<float> logits;  // [rows, vocabulary]
  std::uint64_t vocabulary_size = 0;

  std::span<const float> row(std::uint64_t index) const {
    return std::span(logits).subspan(index * vocabulary_size, vocabulary_size);
  }
};

/// The folder with NAME.gguf and NAME.json: tests/golden/models, or the larger reference set. Empty
/// if neither has them.
std::filesystem::path golden_folder(const std::string& name);

/// Reads NAME.json and NAME.logits.f32. Throws std::runtime_error if they are damaged.
GoldenModel read_golden_model(const std::string& name);

}  // namespace vernal::test
