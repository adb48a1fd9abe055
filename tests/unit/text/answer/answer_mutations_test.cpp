// Answers that no model should write: cases with parts cut, doubled, moved and put in. Each run of
// the test goes on with other mutations: --gtest_repeat=50 makes a million.
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "text/tokenizer/utf8.hpp"
#include "unit/text/answer/answer_case.hpp"

namespace vernal {
namespace {

const std::string kFolder = std::string(VERNAL_REFERENCE_DIR) + "/answers";
constexpr std::size_t kNumMutations = 20'000;

constexpr std::array<std::string_view, 30> kParts = {"<tool_call>",
                                                     "</tool_call>",
                                                     "<think>",
                                                     "</think>",
                                                     "<function=",
                                                     "</function>",
                                                     "<parameter=",
                                                     "</parameter>",
                                                     "{",
                                                     "}",
                                                     "[",
                                                     "]",
                                                     "\"",
                                                     "'",
                                                     "\\",
                                                     "\\u",
                                                     "\n",
                                                     "\r\n",
                                                     ",",
                                                     ":",
                                                     "```json",
                                                     "```",
                                                     "<",
                                                     "null",
                                                     "\xF0\x9F\x97\xBC",
                                                     "name",
                                                     "arguments",
                                                     "<|channel|>",
                                                     ">>>",
                                                     "[TOOL_CALLS]"};

using Random = std::mt19937_64;

std::size_t below(std::size_t bound, Random& random) {
  return std::uniform_int_distribution<std::size_t>(0, bound == 0 ? 0 : bound - 1)(random);
}

/// Where a character begins.
std::size_t place_in(std::string_view text, Random& random) {
  std::size_t at = below(text.size() + 1, random);
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) ++at;
  return at;
}

std::string mutated(std::string text, const std::string& other, Random& random) {
  const std::size_t num_changes = 1 + below(4, random);
  for (std::size_t i = 0; i < num_changes; ++i) {
    const std::size_t a = place_in(text, random);
    const std::size_t b = place_in(text, random);
    const std::string part =
        text.substr(std::min(a, b), std::min<std::size_t>(std::max(a, b) - std::min(a, b), 4096));
    switch (below(4, random)) {
      case 0:
        text.erase(std::min(a, b), part.size());
        break;
      case 1:
        if (text.size() < 4096) text.insert(place_in(text, random), part);
        break;
      case 2:
        text.insert(a, kParts[below(kParts.size(), random)]);
        break;
      default:
        if (text.size() < 4096) text.insert(a, other.substr(place_in(other, random)));
        break;
    }
  }
  return text;
}

bool is_whole_utf8(std::string_view text) {
  while (!text.empty()) {
    const Utf8Character character = read_utf8(text);
    if (character.status != Utf8Status::kValid) return false;
    text.remove_prefix(character.length);
  }
  return true;
}

/// Put together from pieces of a few bytes each. Every delta is whole UTF-8.
WholeAnswer parse_cut(const AnswerSyntax& syntax, const AnswerCase& answer, Random& random) {
  AnswerParser parser(syntax, answer.tools, {.is_thinking = answer.is_thinking});
  WholeAnswer whole;
  const bool is_utf8 = is_whole_utf8(answer.text);
  const auto take = [&](const std::vector<AnswerDelta>& deltas) {
    for (const AnswerDelta& delta : deltas) {
      EXPECT_TRUE(!is_utf8 || is_whole_utf8(delta.text)) << delta.text;
    }
    whole.add(deltas);
  };
  std::string_view rest = answer.text;
  while (!rest.empty()) {
    const std::size_t length = 1 + below(std::min<std::size_t>(rest.size(), 20), random);
    take(parser.push(rest.substr(0, length)));
    rest.remove_prefix(length);
  }
  take(parser.finish(answer.end));
  return whole;
}

class AnswerMutations : public testing::Test {
 protected:
  // Another beginning in each repetition.
  static inline std::uint64_t next_seed_ = 1;

  Random random_{next_seed_++};
  std::vector<AnswerCase> cases_ = read_answer_cases(kFolder);

  AnswerCase next() {
    AnswerCase answer = cases_[below(cases_.size(), random_)];
    answer.text = mutated(answer.text, cases_[below(cases_.size(), random_)].text, random_);
    answer.end = below(2, random_) == 0 ? AnswerEnd::kStop : AnswerEnd::kLength;
    answer.is_thinking = answer.is_thinking && below(2, random_) == 0;
    return answer;
  }
};

TEST_F(AnswerMutations, GiveTheSameHoweverTheyAreCut) {
  for (std::size_t i = 0; i < kNumMutations; ++i) {
    const AnswerCase answer = next();
    const AnswerSyntax& syntax = *find_answer_syntax(answer.family);
    const WholeAnswer whole = parse_whole(syntax, answer);
    ASSERT_EQ(parse_cut(syntax, answer, random_), whole) << answer.id << "\n" << answer.text;
  }
}

/// Whether the text has a mark that is dropped without a call.
bool has_dropped_mark(std::string_view text, const AnswerSyntax& syntax) {
  for (const auto* pairs : {&syntax.thinking, &syntax.wrappers}) {
    for (const MarkPair& pair : *pairs) {
      const bool has_open = !pair.open.empty() && text.find(pair.open) != std::string_view::npos;
      if (has_open || text.find(pair.close) != std::string_view::npos) return true;
    }
  }
  return syntax.has_channels || syntax.has_recipients ||
         text.find("directly_answer") != std::string_view::npos;
}

TEST_F(AnswerMutations, LoseNoCharacterOfWhatIsNoCall) {
  std::size_t num_checked = 0;
  for (std::size_t i = 0; i < kNumMutations; ++i) {
    AnswerCase answer = next();
    const AnswerSyntax& syntax = *find_answer_syntax(answer.family);
    if (has_dropped_mark(answer.text, syntax) || answer.is_thinking) continue;
    if (i % 4 == 0) answer.tools.clear();
    const WholeAnswer whole = parse_whole(syntax, answer);
    ASSERT_TRUE(!answer.tools.empty() || whole.calls.empty()) << answer.text;
    if (!whole.calls.empty()) continue;
    ASSERT_EQ(whole.content, answer.text) << answer.id;
    ++num_checked;
  }
  EXPECT_GT(num_checked, kNumMutations / 10);
}

}  // namespace
}  // namespace vernal
