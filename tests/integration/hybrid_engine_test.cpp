// A hybrid model from deployment file to text: an answer is the same whether the engine reuses a
// prefix, shares a sequence or starts from nothing.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "support/engine_under_test.hpp"

namespace vernal::test {
namespace {

/// The model on the reference backend.
class HybridEngine : public EngineUnderTest {
 public:
  /// `model_keys` are more lines of the model's table; `slots` is one of them.
  explicit HybridEngine(const std::string& model_keys,
                        const std::string& place = "backend = \"main\"")
      : EngineUnderTest(
            "reference", "tiny-qwen35-iq4_ks",
            "kv_cache = { keys = \"f32\", values = \"f32\" }\n" + place + "\n" + model_keys) {}
};

/// Runs of another engine on this model: texts, and the tokens of its answers.
boost::json::array golden_runs() {
  std::ifstream stream(VERNAL_GOLDEN_DIR "/models/tiny-qwen35-iq4_ks.json");
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  return boost::json::parse(text).at("runs").as_array();
}

TEST(HybridEngine, AnswersWithTheTokensOfAnotherEngine) {
  HybridEngine engine("context_length = 512\nslots = 1\n");
  for (const auto& run : golden_runs()) {
    Tokens expected;
    for (const auto& token : run.at("greedy").as_array()) {
      expected.push_back(token.to_number<std::int32_t>());
    }
    const auto document = greedy(run.at("text").as_string(), static_cast<int>(expected.size()));
    EXPECT_EQ(engine.ask(document)[0], expected);
    EXPECT_EQ(engine.ask(document)[0], expected) << "the same prompt in the same slot";
  }
}

TEST(HybridEngine, NeverGoesOnFromTokensThatThePromptDoesNotHave) {
  const std::string text(golden_runs().at(1).at("text").as_string());
  const std::vector<std::string> prompts{text + " and so on", text.substr(0, text.size() / 2), text,
                                         text + " and so on",
                                         text.substr(0, text.size() / 2) + "x"};
  HybridEngine one_slot("context_length = 512\nslots = 1\n");
  for (const std::string& prompt : prompts) {
    HybridEngine fresh("context_length = 512\nslots = 1\n");
    EXPECT_EQ(one_slot.ask(greedy(prompt, 8)), fresh.ask(greedy(prompt, 8)));
  }
}

TEST(HybridEngine, GivesTheSameChoicesWithForksAndWithout) {
  const boost::json::object document{{"kind", "generate"},
                                     {"prompt", "Hello world, this is a hybrid"},
                                     {"n", 3},
                                     {"seed", 11},
                                     {"max_tokens", 12}};
  HybridEngine with_room("context_length = 256\nslots = 4\n");
  HybridEngine one_by_one("context_length = 256\nslots = 1\n");
  const auto expected = one_by_one.ask(document);
  EXPECT_EQ(expected.size(), 3U);
  EXPECT_NE(expected.at(0), expected.at(1));
  EXPECT_EQ(with_room.ask(document), expected);
}

constexpr const char* kOneSlot = "context_length = 512\nslots = 1\n";
constexpr const char* kTwoSegments =
    "layers = [{ backend = \"main\", first = 0, last = 1 }, "
    "{ backend = \"main\", first = 2, last = 3 }]";

class Conversation : public testing::TestWithParam<const char*> {
 protected:
  /// The answer of a new engine.
  Tokens fresh(const Tokens& prompt, int max_tokens) {
    return HybridEngine(kOneSlot, GetParam()).answer(prompt, max_tokens);
  }
};

TEST_P(Conversation, GoesOnWhereTheAnswerEnded) {
  HybridEngine engine(kOneSlot, GetParam());
  const Tokens first = made_up(90, 1);
  const Tokens answer = engine.answer(first, 12);
  ASSERT_EQ(answer.size(), 12U);
  const Tokens second = first + answer + made_up(9, 2);
  Tokens found;
  // The last token of an answer has not been computed yet.
  EXPECT_EQ(engine.processed([&] { found = engine.answer(second, 8); }), 10U);
  EXPECT_EQ(found, fresh(second, 8));
  EXPECT_EQ(engine.metric("vernal_cached_prompt_tokens_total"), 101U);
}

TEST_P(Conversation, GoesOnFromACheckpointAfterAnother) {
  HybridEngine engine(kOneSlot, GetParam());
  const Tokens first = made_up(90, 1);
  engine.answer(first, 6);
  EXPECT_EQ(engine.metric("vernal_checkpoints"), 2U);
  engine.answer(made_up(30, 3), 4);  // takes the only slot
  EXPECT_EQ(engine.metric("vernal_checkpoints"), 3U);
  const Tokens edited = first + made_up(7, 4);
  Tokens found;
  EXPECT_EQ(engine.processed([&] { found = engine.answer(edited, 8); }), 7U) << "end of prompt";
  EXPECT_EQ(found, fresh(edited, 8));
  EXPECT_EQ(engine.processed([&] { found = engine.answer(first, 8); }), 26U) << "multiple of 64";
  EXPECT_EQ(found, fresh(first, 8));
  Tokens other = first;
  other[70] += 1;
  EXPECT_EQ(engine.processed([&] { found = engine.answer(other, 8); }), 26U)
      << "last tokens differ";
  EXPECT_EQ(found, fresh(other, 8));
}

INSTANTIATE_TEST_SUITE_P(Places, Conversation, testing::Values("backend = \"main\"", kTwoSegments));

TEST(HybridEngine, KeepsAsManyCheckpointsAsTheDeploymentSays) {
  const Tokens first = made_up(90, 1);
  HybridEngine none(std::string(kOneSlot) + "max_checkpoints = 0\n");
  none.answer(first, 4);
  EXPECT_EQ(none.processed([&] { none.answer(first + made_up(5, 2), 4); }), 95U);
  EXPECT_EQ(none.metric("vernal_checkpoints"), 0U);
  HybridEngine one(std::string(kOneSlot) + "max_checkpoints = 1\n");
  one.answer(first, 4);
  one.answer(made_up(30, 3), 4);
  EXPECT_EQ(one.metric("vernal_checkpoints"), 1U);
  EXPECT_EQ(one.processed([&] { one.answer(first, 4); }), 90U) << "it went first";
}

TEST(HybridEngine, StartsAnewWhoeverHadToMakeRoom) {
  // Two answers of 100 tokens do not fit at the same time.
  HybridEngine tight("context_length = 160\nslots = 2\nkv_tokens = 160\n");
  HybridEngine roomy("context_length = 160\nslots = 1\n");
  const auto first = greedy("Hello world", 100);
  const auto second = greedy("The quick brown fox", 100);
  const RequestId a = tight.submit(first);
  const RequestId b = tight.submit(second);
  EXPECT_EQ(tight.read(a), roomy.ask(first));
  EXPECT_EQ(tight.read(b), roomy.ask(second));
}

}  // namespace
}  // namespace vernal::test
