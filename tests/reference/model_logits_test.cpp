// Compares the logits of whole models, on each backend, with those of another engine.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "reference/golden_model.hpp"
#include "support/backends_under_test.hpp"
#include "support/instruction_sets.hpp"
#include "support/model_under_test.hpp"

namespace vernal::test {
namespace {

struct Case {
  std::string model;
  std::string backend;
  std::string isa;
  std::string kv_format;
  double worst_nmse;  // of a stored row
  int least_matches;  // of 48 greedy positions: those where our best token is the reference's
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.model + "_" + info.param.backend;
  if (!info.param.isa.empty()) name += "_" + info.param.isa;
  std::ranges::replace_if(
      name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
}

class ModelLogits : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (golden_folder(GetParam().model).empty()) {
      GTEST_SKIP() << "the larger reference set is not here: " << GetParam().model;
    }
    golden_ = read_golden_model(GetParam().model);
    ModelOptions options;
    options.backend = GetParam().backend;
    options.keys = options.values = GetParam().kv_format;
    options.isa = GetParam().isa;
    model_ = std::make_unique<ModelUnderTest>(golden_.file, options);
  }

  std::span<const float> row(const std::vector<float>& logits, std::size_t position) const {
    return std::span(logits).subspan(position * golden_.vocabulary_size, golden_.vocabulary_size);
  }

  /// The logits of every token, fed to a new sequence in chunks of `chunk` tokens; 0: all at once.
  std::vector<float> logits_of(std::span<const std::int32_t> tokens, std::uint64_t chunk) {
    const auto sequence = model_->sequence(tokens.size());
    auto logits = model_->feed(sequence, tokens, chunk);
    model_->pool().seq_release(sequence);
    return logits;
  }

  /// The greatest error of a stored row of the run, given the logits of its tokens.
  double worst_nmse(const GoldenRun& run, const std::vector<float>& logits) const {
    double worst = 0;
    for (std::size_t i = 0; i < run.positions.size(); ++i) {
      worst = std::max(worst, nmse(row(logits, run.positions[i]), golden_.row(run.first_row + i)));
    }
    return worst;
  }

  GoldenModel golden_;
  std::unique_ptr<ModelUnderTest> model_;
};

TEST_P(ModelLogits, StayWithinTheErrorBoundOnStoredRows) {
  ASSERT_EQ(model_->vocabulary_size(), golden_.vocabulary_size);
  double worst = 0;
  for (const GoldenRun& run : golden_.runs) {
    worst = std::max(worst, worst_nmse(run, logits_of(run.prompt, 64)));
  }
  RecordProperty("worst_nmse", std::to_string(worst));
  std::printf("worst NMSE %.3g\n", worst);
  EXPECT_LE(worst, GetParam().worst_nmse);
}

TEST_P(ModelLogits, ChooseTheReferencesTokensWhenTeacherForced) {
  for (const GoldenRun& run : golden_.runs) {
    std::vector<std::int32_t> tokens = run.prompt;
    tokens.insert(tokens.end(), run.greedy.begin(), run.greedy.end() - 1);
    const auto logits = logits_of(tokens, 64);
    EXPECT_LE(worst_nmse(run, logits), GetParam().worst_nmse);
    double error = 0;  // mean square over the stored rows
    for (std::size_t i = 0; i < run.positions.size(); ++i) {
      const auto found = row(logits, run.positions[i]);
      const auto wanted = golden_.row(run.first_row + i);
      for (std::size_t j = 0; j < found.size(); ++j) error += std::pow(found[j] - wanted[j], 2);
    }
    error = std::sqrt(error / static_cast<double>(run.positions.size() * golden_.vocabulary_size));
    int matches = 0;
    for (std::size_t i = 0; i < run.greedy.size(); ++i) {
      const auto found = row(logits, run.prompt.size() - 1 + i);
      const auto best = std::ranges::max_element(found);
      const float wanted = found[static_cast<std::size_t>(run.greedy[i])];
      matches += best - found.begin() == run.greedy[i] ? 1 : 0;
      EXPECT_GE(wanted, *best - 6 * error) << "greedy position " << i;
    }
    EXPECT_GE(matches, GetParam().least_matches);
  }
}

// All backends promise equal bits, not only a small difference: the order of the arithmetic for a
// token does not depend on where steps begin and end. The slow ones get a page and some tokens.
TEST_P(ModelLogits, HaveTheSameBitsHoweverAPrefillIsCut) {
  const bool is_slow = GetParam().backend == "reference" || GetParam().backend == "cuda_sm86_emu";
  std::span<const std::int32_t> prompt = golden_.runs.back().prompt;
  if (is_slow) prompt = prompt.first(72);
  const auto one_by_one = logits_of(prompt, 1);
  for (const std::uint64_t chunk : {3U, 64U, 65U, 0U}) {
    const auto found = logits_of(prompt, chunk);
    EXPECT_TRUE(found == one_by_one)
        << "chunks of " << chunk << ": NMSE " << nmse(found, one_by_one);
  }
}

class ModelBits : public testing::TestWithParam<std::string> {};

TEST_P(ModelBits, AreTheSameForEveryInstructionSet) {
  if (golden_folder(GetParam()).empty()) GTEST_SKIP() << "the larger reference set is not here";
  const GoldenModel golden = read_golden_model(GetParam());
  const GoldenRun& run = golden.runs.back();
  std::vector<float> expected;
  for (const std::string& isa : instruction_sets_here()) {
    ModelOptions options{.backend = "cpu_avx2", .keys = "f16", .values = "f16", .isa = isa};
    ModelUnderTest model(golden.file, options);
    std::vector<float> found = model.feed(model.sequence(run.prompt.size()), run.prompt, 64);
    if (expected.empty()) expected = found;
    EXPECT_TRUE(found == expected) << isa;
  }
}

std::vector<std::string> models_of_the_cpu() {
  if (!is_under_test("cpu_avx2")) return {};
  return {"tiny-llama", "tiny-llama-q4_k_m", "tiny-qwen35-iq4_ks", "tiny-qwen3moe"};
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ModelBits);
INSTANTIATE_TEST_SUITE_P(Golden, ModelBits, testing::ValuesIn(models_of_the_cpu()));

std::vector<Case> cases() {
  std::vector<Case> out;
  for (const char* model : {"tiny-llama", "tiny-qwen2", "tiny-qwen3", "tiny-gemma3",
                            "tiny-llama-q4_k_m", "tiny-qwen3moe", "tiny-qwen35", "tiny-qwen35-mtp",
                            "tiny-qwen35moe", "tiny-qwen35-iq4_ks"}) {
    out.push_back({model, "reference", "", "f32", 1e-5, 48});
    for (const std::string& isa : instruction_sets_here()) {
      out.push_back({model, "cpu_avx2", isa, "f16", 1e-3, 44});
    }
    for (const char* backend : {"cuda_sm86_emu", "cuda_sm86"}) {
      out.push_back({model, backend, "", "f16", 1e-3, 44});
    }
  }
  return under_test(std::move(out));
}

INSTANTIATE_TEST_SUITE_P(Golden, ModelLogits, testing::ValuesIn(cases()), name_of);

}  // namespace
}  // namespace vernal::test
