// Formats of the KV cache, for keys and for values, with rotation and without: both backends
// compute the same with them.
#include <gtest/gtest.h>

#include "reference/golden_model.hpp"
#include "support/model_under_test.hpp"
#include "vernal/error.hpp"

namespace vernal::test {
namespace {

std::vector<std::int32_t> prompt() {
  std::vector<std::int32_t> tokens;
  for (std::int32_t i = 0; i < 96; ++i) tokens.push_back(10 + i * 37 % 480);
  return tokens;
}

std::vector<float> logits_of(const ModelOptions& options) {
  ModelUnderTest model(golden_folder("tiny-llama") / "tiny-llama.gguf", options);
  const std::vector<std::int32_t> tokens = prompt();
  return model.feed(model.sequence(tokens.size()), tokens, 64);
}

/// The text with which planning the model with these options is refused.
std::string refusal_of(const ModelOptions& options) {
  try {
    logits_of(options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_UNSUPPORTED);
    return error.what();
  }
  return "nothing";
}

// The backends round in the same way. But products of cpu_avx2 round activations to 8 bits, so a
// number between two codes may get the other one.
constexpr double kBackendsNmse = 1e-2;

TEST(KvFormats, MeanTheSameToBothBackendsInEveryPair) {
  for (const char* keys : {"f16", "q8_0", "q4_0"}) {
    for (const char* values : {"f16", "q8_0", "q4_0"}) {
      for (const bool rotate : {false, true}) {
        ModelOptions options;
        options.keys = keys;
        options.values = values;
        options.rotate = rotate;
        const auto expected = logits_of(options);
        options.backend = "cpu_avx2";
        EXPECT_LE(nmse(logits_of(options), expected), kBackendsNmse)
            << keys << "/" << values << (rotate ? " rotated" : "");
      }
    }
  }
}

TEST(KvFormats, AreUnchangedByRotationUnlessTheyAreQuantised) {
  ModelOptions options;
  options.keys = options.values = "f16";
  const auto plain = logits_of(options);
  options.rotate = true;
  EXPECT_EQ(logits_of(options), plain);
}

TEST(KvFormats, StayNearF32InTheReferenceBackend) {
  ModelOptions options;
  const auto exact = logits_of(options);
  for (const bool rotate : {false, true}) {
    options.rotate = rotate;
    options.keys = options.values = "q8_0";
    EXPECT_LE(nmse(logits_of(options), exact), 1e-3);
    options.keys = options.values = "q4_0";
    EXPECT_LE(nmse(logits_of(options), exact), 1e-1);
  }
}

TEST(KvFormats, AreRefusedWithTheListOfThoseThatTheBackendHas) {
  ModelOptions options;
  options.backend = "cpu_avx2";
  options.keys = "f16";
  for (const char* format : {"f32", "bf16", "q6_0", "q5_0", "q5_1", "q4_1", "iq4_nl"}) {
    options.values = format;
    const std::string refusal = refusal_of(options);
    EXPECT_NE(refusal.find(format), std::string::npos) << refusal;
    EXPECT_NE(refusal.find("\"f16\", \"q8_0\" and \"q4_0\""), std::string::npos) << refusal;
  }
}

}  // namespace
}  // namespace vernal::test
