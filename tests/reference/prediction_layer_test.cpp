// Compares the function "mtp" with an independent computation (tools/mtp_reference.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <numeric>

#include "reference/golden_model.hpp"
#include "support/backends_under_test.hpp"
#include "support/model_under_test.hpp"

namespace vernal::test {
namespace {

using Tokens = std::vector<std::int32_t>;

constexpr std::uint64_t kMain = 0;
constexpr std::uint64_t kMtp = 1;
constexpr std::size_t kWidth = 256;
constexpr double kBound = 1e-5;

std::string read_bytes(const std::string& name) {
  std::ifstream stream(VERNAL_GOLDEN_DIR "/models/tiny-qwen35-mtp.prediction" + name,
                       std::ios::binary);
  if (!stream) throw std::runtime_error("no golden data " + name);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The results of the layer along a prompt, and then in rounds that use its own results.
struct Prediction {
  Prediction() {
    const auto json = boost::json::parse(read_bytes(".json"));
    const auto numbers = [&](const char* key) {
      Tokens out;
      for (const auto& n : json.at(key).as_array()) out.push_back(n.to_number<std::int32_t>());
      return out;
    };
    prompt = numbers("prompt");
    next = json.at("next").to_number<std::int32_t>();
    positions = numbers("positions");
    drafts = numbers("drafts");
    vocabulary_size = static_cast<std::size_t>(numbers("shape").at(1));
    const std::string raw = read_bytes(".logits.f32");
    logits.resize(raw.size() / sizeof(float));
    std::copy(raw.begin(), raw.end(), reinterpret_cast<char*>(logits.data()));
  }

  std::span<const float> row(std::size_t index) const {
    return std::span(logits).subspan(index * vocabulary_size, vocabulary_size);
  }

  Tokens prompt;
  std::int32_t next = 0;  // the token after the prompt
  Tokens positions;       // of the first rows
  Tokens drafts;          // the best token of each row after them
  std::size_t vocabulary_size = 0;
  std::vector<float> logits;
};

class PredictionLayer : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto folder = golden_folder("tiny-qwen35-mtp");
    if (folder.empty()) GTEST_SKIP() << "the larger reference set is not here: tiny-qwen35-mtp";
    ModelOptions options;
    options.backend = GetParam();
    options.keys = options.values = GetParam() == "reference" ? "f32" : "f16";
    options.functions = {"mtp"};
    model_ = std::make_unique<ModelUnderTest>(folder / "tiny-qwen35-mtp.gguf", options);
    golden_ = std::make_unique<Prediction>();
  }

  /// For each token of the prompt, the token after it.
  Tokens following() const {
    Tokens ids(golden_->prompt.begin() + 1, golden_->prompt.end());
    ids.push_back(golden_->next);
    return ids;
  }
  std::span<const float> row(const std::vector<float>& logits, std::size_t index) const {
    return std::span(logits).subspan(index * golden_->vocabulary_size, golden_->vocabulary_size);
  }

  std::unique_ptr<ModelUnderTest> model_;
  std::unique_ptr<Prediction> golden_;
};

TEST_P(PredictionLayer, AnswersAsTheIndependentComputation) {
  const auto sequence = model_->sequence(golden_->prompt.size() + golden_->drafts.size());
  const Answer main = model_->answer(kMain, {sequence, golden_->prompt});
  const auto best = std::ranges::max_element(row(main.logits, golden_->prompt.size() - 1));
  EXPECT_EQ(best - row(main.logits, golden_->prompt.size() - 1).begin(), golden_->next);

  Answer mtp = model_->answer(kMtp, {sequence, following()}, main.hidden);
  double worst = 0;
  std::size_t index = 0;
  for (const std::int32_t position : golden_->positions) {
    const auto found = row(mtp.logits, static_cast<std::size_t>(position));
    worst = std::max(worst, nmse(found, golden_->row(index++)));
  }
  for (const std::int32_t draft : golden_->drafts) {
    const auto found = std::span(mtp.logits).last(golden_->vocabulary_size);
    worst = std::max(worst, nmse(found, golden_->row(index++)));
    EXPECT_EQ(std::ranges::max_element(found) - found.begin(), draft);
    const std::vector<float> hidden(mtp.hidden.end() - kWidth, mtp.hidden.end());
    mtp = model_->answer(kMtp, {sequence, {draft}}, hidden);
  }
  RecordProperty("worst_nmse", std::to_string(worst));
  std::printf("worst NMSE %.3g of %zu rows\n", worst, index);
  EXPECT_LE(worst, kBound);
}

TEST_P(PredictionLayer, HasALengthOfItsOwn) {
  const auto sequence = model_->sequence(40);
  const Tokens prompt(golden_->prompt.begin(), golden_->prompt.begin() + 20);
  const Answer main = model_->answer(kMain, {sequence, prompt});
  plugin::BackendPool& pool = model_->pool();
  EXPECT_EQ(pool.seq_length(sequence, kMain), 20U);
  EXPECT_EQ(pool.seq_length(sequence, kMtp), 0U);
  const Tokens ids = following();
  const std::size_t half = 12;
  model_->answer(kMtp, {sequence, {ids.begin(), ids.begin() + half}},
                 std::span(main.hidden).first(half * kWidth));
  EXPECT_EQ(pool.seq_length(sequence, kMtp), half);
  EXPECT_EQ(pool.seq_length(sequence, kMain), 20U);
  const auto fork = pool.seq_fork(sequence, 0, 20);
  ASSERT_TRUE(fork);
  EXPECT_EQ(pool.seq_length(*fork, kMtp), half);
  ASSERT_TRUE(pool.seq_truncate(sequence, 0));
  EXPECT_EQ(pool.seq_length(sequence, kMtp), 0U);
  EXPECT_EQ(pool.seq_length(*fork, kMtp), half);
}

TEST_P(PredictionLayer, AnswersWithTheSameBitsInPieces) {
  const auto sequence = model_->sequence(40);
  const Tokens prompt(golden_->prompt.begin(), golden_->prompt.begin() + 20);
  const Answer main = model_->answer(kMain, {sequence, prompt});
  const auto other = model_->pool().seq_fork(sequence, 0, 20);
  ASSERT_TRUE(other);
  const Tokens ids = following();
  const Answer whole =
      model_->answer(kMtp, {sequence, {ids.begin(), ids.begin() + 20}}, main.hidden);
  model_->answer(kMtp, {*other, {ids.begin(), ids.begin() + 7}},
                 std::span(main.hidden).first(7 * kWidth));
  const Answer rest = model_->answer(kMtp, {*other, {ids.begin() + 7, ids.begin() + 20}},
                                     std::span(main.hidden).subspan(7 * kWidth));
  EXPECT_TRUE(std::ranges::equal(rest.logits,
                                 std::span(whole.logits).subspan(7 * golden_->vocabulary_size)));
}

// With one token first: small steps take another way on some backends, the results of two steps are
// held at once, and nobody has written the right ones there before.
TEST_P(PredictionLayer, TakesTheHiddenRowsOfAnEarlierStepWhereTheyLie) {
  for (const std::size_t count : {std::size_t{1}, golden_->prompt.size()}) {
    const auto sequence = model_->sequence(count);
    const Tokens prompt(golden_->prompt.begin(),
                        golden_->prompt.begin() + static_cast<std::ptrdiff_t>(count));
    Tokens next = following();
    next.resize(count);
    Tokens positions(count);
    std::iota(positions.begin(), positions.end(), 0);
    const std::vector<StepSequence> parts{{sequence, 0, count, 0}};
    const auto input = [](std::string_view name, const Tokens& values) {
      return plugin::StepInput::host<std::int32_t>(name, values);
    };
    const std::vector<plugin::StepInput> main_inputs{input("ids", prompt),
                                                     input("positions", positions)};
    const std::vector<std::string_view> hidden{"hidden"};
    auto main = model_->pool().submit({kMain, count, parts, positions, main_inputs, hidden});
    ASSERT_TRUE(main.wait(0));
    const std::vector<plugin::StepInput> mtp_inputs{
        input("ids", next), input("positions", positions), {"hidden", {}, main.ticket(), "hidden"}};
    const std::vector<std::string_view> logits{"logits"};
    auto mtp = model_->pool().submit({kMtp, count, parts, positions, mtp_inputs, logits});
    ASSERT_TRUE(mtp.wait(0));
    const StepOutput found = mtp.output("logits", count, golden_->vocabulary_size);
    const std::span<const float> first(found.data, golden_->vocabulary_size);
    EXPECT_LE(nmse(first, golden_->row(0)), kBound) << count << " tokens";
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, PredictionLayer, testing::ValuesIn(backends_under_test()));

}  // namespace
}  // namespace vernal::test
