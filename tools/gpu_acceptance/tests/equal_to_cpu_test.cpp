// Models of random weights of every architecture, made by `vernal make-model`: a device computes what the processor does.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "support/backends_under_test.hpp"
#include "support/model_under_test.hpp"

namespace vernal::test {
namespace {

using Tokens = std::vector<std::int32_t>;

constexpr std::size_t kPrompt = 150;  // more than two pages, and no multiple of one
constexpr std::size_t kAnswer = 32;

struct Case {
  std::filesystem::path file;
  std::string backend;
  std::string kv_format;
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
  const Case& c = info.param;
  std::string name = c.file.stem().string() + "_" + c.kv_format + "_" + c.backend;
  std::ranges::replace_if(
      name, [](char x) { return !std::isalnum(static_cast<unsigned char>(x)); }, '_');
  return name;
}

class EqualToCpu : public testing::TestWithParam<Case> {
 protected:
  static ModelUnderTest open(const std::string& backend) {
    ModelOptions options;
    options.backend = backend;
    options.keys = options.values = GetParam().kv_format;
    options.rotate = GetParam().kv_format != "f16";
    options.context_length = 256;
    return {GetParam().file, options};
  }

  static std::int32_t best(std::span<const float> row) {
    return static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin());
  }
};

// The processor writes an answer token by token. The device reads prompt and answer, and would have
// written the same.
TEST_P(EqualToCpu, ChoosesTheTokensThatTheProcessorChooses) {
  ModelUnderTest cpu = open("cpu_avx2");
  ModelUnderTest device = open(GetParam().backend);
  const std::size_t vocabulary = cpu.vocabulary_size();
  std::mt19937 random(3);
  Tokens tokens(kPrompt);
  for (auto& token : tokens) token = static_cast<std::int32_t>(random() % vocabulary);
  const auto row_of = [&](const std::vector<float>& logits, std::size_t index) {
    return std::span(logits).subspan(index * vocabulary, vocabulary);
  };
  const auto sequence = cpu.sequence(kPrompt + kAnswer);
  std::vector<float> expected = cpu.feed(sequence, tokens, 64);
  while (tokens.size() < kPrompt + kAnswer - 1) {
    tokens.push_back(best(row_of(expected, tokens.size() - 1)));
    const std::vector<float> next = cpu.feed(sequence, std::span(tokens).last(1), 0);
    expected.insert(expected.end(), next.begin(), next.end());
  }
  const auto other = device.sequence(kPrompt + kAnswer);
  std::vector<float> found = device.feed(other, std::span(tokens).first(kPrompt), 64);
  for (std::size_t i = kPrompt; i < tokens.size(); ++i) {
    const std::vector<float> next = device.feed(other, std::span(tokens).subspan(i, 1), 0);
    found.insert(found.end(), next.begin(), next.end());
  }
  const double error = nmse(found, expected);
  std::size_t num_equal = 0;
  for (std::size_t i = kPrompt - 1; i < tokens.size(); ++i) {
    const auto wanted = best(row_of(expected, i));
    const auto chosen = best(row_of(found, i));
    num_equal += chosen == wanted ? 1 : 0;
    // Random weights prefer nothing much: two tokens may be nearer to each other than the rounding of
    // activations to 8 bits is large.
    const auto row = row_of(expected, i);
    double power = 0;
    for (const float value : row) power += static_cast<double>(value) * value;
    const double rounding = 6 * std::sqrt(error * power / static_cast<double>(vocabulary));
    EXPECT_GE(row[static_cast<std::size_t>(chosen)],
              row[static_cast<std::size_t>(wanted)] - rounding)
        << "position " << i;
  }
  std::printf("NMSE %.3g, %zu of %zu tokens equal\n", error, num_equal, kAnswer);
  EXPECT_LE(error, GetParam().kv_format == "q4_0" ? 4e-3 : 2e-3);
  EXPECT_GE(num_equal, kAnswer - kAnswer / 8);
}

/// Every model of the folder; none: nobody made them.
std::vector<Case> cases() {
  std::vector<Case> out;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(VERNAL_MADE_DIR, none)) {
    if (entry.path().extension() != ".gguf") continue;
    for (const std::string& backend : backends_under_test()) {
      for (const char* format : {"f16", "q8_0", "q4_0"}) {
        out.push_back({entry.path(), backend, format});
      }
    }
  }
  std::ranges::sort(out, {},
                    [](const Case& c) { return c.file.string() + c.backend + c.kv_format; });
  return out;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EqualToCpu);
INSTANTIATE_TEST_SUITE_P(MadeUp, EqualToCpu, testing::ValuesIn(cases()), name_of);

}  // namespace
}  // namespace vernal::test
