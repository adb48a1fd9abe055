// A model with windows from deployment file to text: prefixes are reused although pages are freed,
// and an answer is the same as from nothing. tiny-gemma3 has windows of 16.
#include <gtest/gtest.h>

#include "support/engine_under_test.hpp"

namespace vernal::test {
namespace {

class WindowEngine : public EngineUnderTest {
 public:
  explicit WindowEngine(const std::string& model_keys = "slots = 1\n")
      : EngineUnderTest("cpu_avx2", "tiny-gemma3",
                        "backend = \"main\"\ncontext_length = 2048\nmax_tokens_per_step = 128\n" +
                            model_keys) {}
};

Tokens fresh(const Tokens& prompt, int max_tokens) {
  return WindowEngine().answer(prompt, max_tokens);
}

TEST(WindowEngine, GoesOnWhereTheAnswerEnded) {
  WindowEngine engine;
  const Tokens first = made_up(700, 1);
  const Tokens second = first + engine.answer(first, 12) + made_up(9, 2);
  Tokens found;
  EXPECT_EQ(engine.processed([&] { found = engine.answer(second, 8); }), 10U);
  EXPECT_EQ(found, fresh(second, 8));
}

TEST(WindowEngine, GoesOnFromACheckpointAfterAnother) {
  WindowEngine engine;
  const Tokens first = made_up(700, 1);
  engine.answer(first, 100);
  engine.answer(made_up(300, 3), 4);  // takes the only slot
  const Tokens edited = first + made_up(7, 4);
  Tokens found;
  EXPECT_EQ(engine.processed([&] { found = engine.answer(edited, 8); }), 7U) << "end of prompt";
  EXPECT_EQ(found, fresh(edited, 8));
  EXPECT_EQ(engine.processed([&] { found = engine.answer(first, 8); }), 60U) << "multiple of 64";
  EXPECT_EQ(found, fresh(first, 8));
}

TEST(WindowEngine, CutsASequenceBackAsFarAsItsPagesAreHeld) {
  const Tokens first = made_up(642, 1);
  for (const std::size_t place : {641U, 300U}) {
    WindowEngine engine("slots = 1\nmax_checkpoints = 1\n");  // it is at the end of the prompt
    engine.answer(first, 8);  // 649 tokens, held from position 576 on: 640 needs no others
    Tokens edited = first + made_up(20, 2);
    edited[place] += 1;
    Tokens found;
    const std::uint64_t reused = place == 641 ? 640 : 0;
    EXPECT_EQ(engine.processed([&] { found = engine.answer(edited, 8); }), 662 - reused);
    EXPECT_EQ(found, fresh(edited, 8));
  }
}

TEST(WindowEngine, LearnsWhatPromptsBeginWith) {
  WindowEngine engine;
  const Tokens common = made_up(500, 1);
  const auto prompt = [&](std::int32_t seed) { return common + made_up(100, seed); };
  EXPECT_EQ(engine.processed([&] { engine.answer(prompt(2), 4); }), 600U);
  EXPECT_EQ(engine.processed([&] { engine.answer(prompt(3), 4); }), 600U) << "found to be alike";
  for (const std::int32_t seed : {4, 5, 6}) {
    Tokens found;
    EXPECT_EQ(engine.processed([&] { found = engine.answer(prompt(seed), 4); }), 600U - 448U);
    EXPECT_EQ(found, fresh(prompt(seed), 4));
  }
}

TEST(WindowEngine, AnswersManyAtOnceAsItAnswersOne) {
  WindowEngine engine("slots = 3\nmax_checkpoints = 2\n");
  std::vector<Tokens> prompts;
  for (std::int32_t i = 0; i < 7; ++i) {
    prompts.push_back(made_up(200, 1) + made_up(static_cast<std::size_t>(40 * i + 30), i));
  }
  std::vector<RequestId> requests;
  for (const Tokens& prompt : prompts) requests.push_back(engine.submit(prompt, 40));
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    EXPECT_EQ(engine.read(requests[i]).at(0), fresh(prompts[i], 40)) << i;
  }
}

TEST(WindowEngine, GivesTheSameChoicesWithForksAndWithout) {
  const boost::json::object document{{"kind", "generate"},
                                     {"prompt", std::string(300, 'q')},
                                     {"n", 3},
                                     {"seed", 11},
                                     {"max_tokens", 30}};
  const auto expected = WindowEngine().ask(document);
  EXPECT_EQ(expected.size(), 3U);
  EXPECT_EQ(WindowEngine("slots = 4\n").ask(document), expected);
}

}  // namespace
}  // namespace vernal::test
