#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "text/grammar/grammar.hpp"
#include "text/grammar/mask/vocabulary.hpp"
#include "text/grammar/matcher.hpp"

namespace vernal::grammar {
namespace {

/// All bytes, and tokens that begin, cross and end lexemes, cut characters, and have twins.
std::shared_ptr<const GrammarVocabulary> vocabulary() {
  std::vector<std::string> bytes;
  for (int byte = 0; byte < 256; ++byte) {
    bytes.emplace_back(1, static_cast<char>(byte));
  }
  for (const char* text : {"name",       "na",       "\"name\"",   "\"na",
                           "me\":",      "\":",      "\": ",       "\": \"",
                           "\",",        "\", \"",   "\"}",        "\"]}",
                           "}}]",        "}]",       "{\"",        "[{\"",
                           "[\"",        "true",     "false",      "null",
                           "tr",         "12",       "-1",         "1.5",
                           ", ",         ",\n",      ",\n  ",      "\n  ",
                           "\n    \"",   "abc",      "abcdefghij", "abc\"",
                           "abc\",\"na", "\\n",      "\\u00",      "\\ud83d",
                           "\\ude00",    "\\\"",     "\xC3",       "\xC3\xA9",
                           "\xA9",       "\xF0\x9F", "\x98\x80",   "\xE4\xBD\xA0\xE5\xA5\xBD",
                           "name",       "\"",       " ",          "  ",
                           "x-",         "x-1\": 5", "e5",         "E+",
                           "0",          "00",       "2024-",      "-02-",
                           "29T",        "@example", ".org",       "\xED\xA0",
                           "\xFF",       "[]",       "{}",         "[]}",
                           "{},"}) {
    bytes.emplace_back(text);
  }
  bytes.emplace_back(1024, ' ');
  bytes.emplace_back();        // a control token
  bytes.emplace_back("</s>");  // the end
  const auto end = static_cast<TokenId>(bytes.size() - 1);
  return std::make_shared<const GrammarVocabulary>(std::move(bytes), std::vector<TokenId>{end},
                                                   500);
}

const std::vector<std::string>& schemas() {
  static const std::vector<std::string> all = {
      "{}",
      R"({"type":"object","properties":{"name":{"type":"string"},"nat":{"type":"integer"}},"required":["name"]})",
      R"({"type":"object","properties":{"name":{"maxLength":3}},"additionalProperties":false,"required":["name"]})",
      R"({"type":"object","patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":false})",
      R"({"type":"object","patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":{"type":"null"}})",
      R"({"type":"array","items":{"anyOf":[{"type":"string","pattern":"^[a-c]+$"},{"type":"number","minimum":1}]}})",
      R"({"type":"array","items":{"enum":["abc","name","é",12,null,true]},"minItems":2})",
      R"({"type":"string","minLength":2,"maxLength":40})",
      R"({"type":"string","format":"date-time"})",
      R"({"anyOf":[{"type":"array","items":{"$ref":"#"}},{"type":"object","additionalProperties":{"$ref":"#"}}]})",
      R"({"type":"array","items":{"type":"object","properties":{"name":{"type":"array","items":{"type":"boolean"}}}}})",
      R"({"not":{"type":["string","object"]}})",
  };
  return all;
}

/// Follows random tokens of the masks and compares each mask with every token tried alone.
void walk(const std::string& text, PropertyOrder order, unsigned seed) {
  const auto tokens = vocabulary();
  GrammarSource source;
  source.text = text;
  source.options.order = order;
  source.options.additional = AdditionalProperties::kSpec;
  CompiledGrammar grammar(source, tokens);
  const TokenId end = tokens->end_tokens()[0];
  Matcher matcher(grammar);
  for (int step = 0; step < 60; ++step) {
    const std::span<const std::uint32_t> words = matcher.mask();
    const std::vector<std::uint32_t> mask(words.begin(), words.end());
    std::vector<TokenId> allowed;
    for (TokenId token = 0; token < 500; ++token) {
      Matcher alone = matcher;
      const bool is_allowed = alone.accept(token);
      const auto index = static_cast<std::size_t>(token);
      ASSERT_EQ((mask[index / 32] >> (index % 32) & 1U) != 0, is_allowed)
          << text << ": token " << token << " '" << tokens->bytes(token) << "' at step " << step;
      if (is_allowed && token != end) {
        allowed.push_back(token);
      }
    }
    const std::span<const std::uint32_t> again = matcher.mask();
    ASSERT_EQ(mask, std::vector<std::uint32_t>(again.begin(), again.end()));
    if (allowed.empty()) {
      EXPECT_TRUE(matcher.can_end()) << text;
      return;
    }
    seed = seed * 1'664'525 + 1'013'904'223;
    ASSERT_TRUE(matcher.accept(allowed[(seed >> 8U) % allowed.size()]));
  }
}

TEST(Mask, IsWhatEachTokenAloneSays) {
  for (const std::string& text : schemas()) {
    for (unsigned seed = 1; seed <= 4; ++seed) {
      walk(text, seed % 2 == 0 ? PropertyOrder::kAny : PropertyOrder::kSchema, seed * 77);
    }
  }
}

TEST(Mask, HoldsEndTokensExactlyWhereTheAnswerMayEnd) {
  GrammarSource source;
  source.text = R"({"type":"integer"})";
  const auto tokens = vocabulary();
  CompiledGrammar grammar(source, tokens);
  Matcher matcher(grammar);
  const auto end = static_cast<std::size_t>(tokens->end_tokens()[0]);
  EXPECT_EQ(matcher.mask()[end / 32] >> (end % 32) & 1U, 0U);
  EXPECT_FALSE(matcher.accept(static_cast<TokenId>(end)));
  ASSERT_TRUE(matcher.accept('1'));
  EXPECT_EQ(matcher.mask()[end / 32] >> (end % 32) & 1U, 1U);
  EXPECT_TRUE(matcher.accept(static_cast<TokenId>(end)));
}

TEST(Mask, LogitsBeyondTheTokensAreNeverAllowed) {
  const auto tokens = vocabulary();
  GrammarSource source;
  source.text = "{}";
  CompiledGrammar grammar(source, tokens);
  Matcher matcher(grammar);
  ASSERT_TRUE(matcher.accept_bytes("\"a"));
  const std::span<const std::uint32_t> mask = matcher.mask();
  ASSERT_EQ(mask.size(), 16U);
  EXPECT_EQ(mask[15], 0U);
  EXPECT_NE(mask['a' / 32], 0U);
}

}  // namespace
}  // namespace vernal::grammar
