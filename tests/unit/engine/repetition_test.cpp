// Penalties that look at the tokens so far, against implementations that count them anew each time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>

#include "engine/sampling/dry_penalty.hpp"
#include "engine/sampling/token_penalties.hpp"
#include "support/byte_tokenizer.hpp"

namespace vernal {
namespace {

using Tokens = std::vector<TokenId>;

Tokens random_tokens(std::size_t count, int alphabet, std::uint32_t seed) {
  std::mt19937 random(seed);
  Tokens tokens(count);
  for (TokenId& token : tokens) {
    token = static_cast<TokenId>(random() % static_cast<unsigned>(alphabet));
  }
  return tokens;
}

std::vector<float> plain_penalties(const SamplingOptions& options, const Tokens& prompt,
                                   const Tokens& answer, std::vector<float> row) {
  Tokens all = prompt;
  all.insert(all.end(), answer.begin(), answer.end());
  const bool has_window = options.penalty_last_n != SamplingOptions::kOwnScopes;
  if (options.penalty_last_n >= 0) {
    const auto n = std::min(all.size(), static_cast<std::size_t>(options.penalty_last_n));
    all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(n));
  }
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    const bool repeats = std::count(all.begin(), all.end(), id) > 0;
    const Tokens& counted = has_window ? all : answer;
    const auto times = std::count(counted.begin(), counted.end(), id);
    const auto penalty = static_cast<float>(options.repetition_penalty);
    if (repeats) row[i] = row[i] > 0 ? row[i] / penalty : row[i] * penalty;
    if (times > 0) {
      row[i] -= static_cast<float>(options.presence_penalty +
                                   options.frequency_penalty * static_cast<double>(times));
    }
  }
  return row;
}

TEST(TokenPenalties, CountInTheirScopesAndWindows) {
  for (const std::int32_t window : {SamplingOptions::kOwnScopes, -1, 0, 1, 7, 30, 1000}) {
    SamplingOptions options;
    options.penalty_last_n = window;
    options.repetition_penalty = 1.4;
    options.presence_penalty = 0.3;
    options.frequency_penalty = 0.2;
    const Tokens prompt = random_tokens(23, 12, 1);
    TokenHistory history;
    TokenPenalties penalties(options, history);
    history.set_prompt(prompt);
    penalties.see_prompt();
    Tokens answer;
    std::mt19937 random(3);
    for (int i = 0; i < 80; ++i) {
      if (i % 9 == 8) {
        for (int back = 0; back < 3; ++back) {
          penalties.remove_newest();
          history.pop();
          answer.pop_back();
        }
      }
      answer.push_back(static_cast<TokenId>(random() % 12));
      history.push(answer.back());
      penalties.add_newest();
      std::vector<float> row(12);
      for (float& logit : row) logit = static_cast<float>(random() % 100) / 10.0F - 5.0F;
      const std::vector<float> expected = plain_penalties(options, prompt, answer, row);
      std::vector<Candidate> candidates;
      for (std::size_t k = 0; k < row.size(); ++k) {
        candidates.push_back({static_cast<TokenId>(k), row[k]});
      }
      penalties.apply(row);
      penalties.apply(std::span(candidates));
      for (std::size_t k = 0; k < row.size(); ++k) {
        EXPECT_EQ(row[k], expected[k]) << "window " << window;
        EXPECT_EQ(candidates[k].logit, expected[k]) << "window " << window;
      }
    }
  }
}

// For each token that occurs: the longest text before it that also ends the history and holds no
// breaker.
std::map<TokenId, double> plain_dry(const SamplingOptions& options, const std::string& text) {
  const std::size_t window =
      options.dry_penalty_last_n < 0
          ? text.size()
          : std::min(text.size(), static_cast<std::size_t>(options.dry_penalty_last_n));
  const std::size_t begin = text.size() - window;
  const auto has_breaker = [&](std::size_t from) {  // that ends behind `from`
    for (const std::string& breaker : options.dry_sequence_breakers) {
      for (std::size_t at = 0; at + breaker.size() <= text.size(); ++at) {
        if (text.compare(at, breaker.size(), breaker) == 0 && at + breaker.size() > from)
          return true;
      }
    }
    return false;
  };
  std::map<TokenId, double> penalties;
  for (std::size_t i = begin + 1; i < text.size(); ++i) {
    std::size_t length = 0;
    while (length < i - begin && text[i - 1 - length] == text[text.size() - 1 - length] &&
           !has_breaker(text.size() - 1 - length)) {
      ++length;
    }
    if (length < static_cast<std::size_t>(options.dry_allowed_length)) continue;
    const double amount =
        options.dry_multiplier *
        std::pow(options.dry_base, static_cast<double>(length) - options.dry_allowed_length);
    double& most = penalties[static_cast<unsigned char>(text[i])];
    most = std::max(most, amount);
  }
  return penalties;
}

void expect_dry(const SamplingOptions& options, const std::string& text, std::size_t prompt_size) {
  const auto tokenizer = test::make_byte_tokenizer();
  const Tokens tokens = test::byte_tokens(text);
  TokenHistory history;
  DryPenalty dry(options, history, tokenizer.get());
  history.set_prompt(std::span(tokens).first(prompt_size));
  dry.see_new();
  for (std::size_t i = prompt_size; i < tokens.size(); ++i) {
    history.push(tokens[i]);
    dry.see_new();
    const auto expected = plain_dry(options, text.substr(0, i + 1));
    std::vector<float> row(256, 0.0F);
    std::vector<Candidate> candidates = {{'a', 0.0F}, {'b', 0.0F}, {'c', 0.0F}};
    dry.find();
    dry.apply(row);
    dry.apply(std::span(candidates));
    for (std::size_t token = 0; token < row.size(); ++token) {
      const auto found = expected.find(static_cast<TokenId>(token));
      const double amount = found == expected.end() ? 0.0 : found->second;
      EXPECT_NEAR(static_cast<double>(row[token]), -amount, 1e-5 * std::max(1.0, amount))
          << "after " << text.substr(0, i + 1) << " token " << token;
    }
    for (const Candidate& candidate : candidates) {
      EXPECT_EQ(candidate.logit, row[static_cast<std::size_t>(candidate.id)]);
    }
  }
}

TEST(DryPenalty, PenalisesWhatGoesOnWithARepetition) {
  SamplingOptions options;
  options.dry_multiplier = 0.8;
  options.dry_allowed_length = 2;
  expect_dry(options, "abcabcabcab", 3);
  expect_dry(options, "aaaaaaaaaaaa", 0);
  expect_dry(options, "the cat: the cat: the cat", 5);
  options.dry_allowed_length = 4;
  options.dry_base = 1.2;
  expect_dry(options, "one two one two one two", 4);
  options.dry_penalty_last_n = 6;
  options.dry_allowed_length = 1;
  expect_dry(options, "abcabcxyzabcabc", 4);
  options.dry_penalty_last_n = 0;
  expect_dry(options, "abcabc", 1);
}

TEST(DryPenalty, StopsAtBreakersOfSeveralTokens) {
  SamplingOptions options;
  options.dry_multiplier = 1.0;
  options.dry_allowed_length = 1;
  options.dry_sequence_breakers = {"xy", "zzz"};
  expect_dry(options, "abxyabxyabxzzabxzzzab", 2);
  options.dry_sequence_breakers = {};
  expect_dry(options, "ab\nab\nab", 2);
}

TEST(DryPenalty, AgreesWithThePlainSearchOnRandomTexts) {
  for (std::uint32_t round = 0; round < 40; ++round) {
    std::mt19937 random(round);
    std::string text;
    for (int i = 0; i < 60; ++i) text.push_back("abcab:"[random() % 6]);
    SamplingOptions options;
    options.dry_multiplier = 0.5;
    options.dry_allowed_length = 1 + static_cast<int>(round % 3);
    options.dry_penalty_last_n = round % 4 == 0 ? 17 : -1;
    expect_dry(options, text, round % 20);
  }
}

TEST(DryPenalty, StaysFiniteOverLongRepetitions) {
  SamplingOptions options;
  options.dry_multiplier = 100.0;
  options.dry_base = 100.0;
  const Tokens tokens(5000, 7);
  TokenHistory history;
  DryPenalty dry(options, history, nullptr);
  history.set_prompt(tokens);
  dry.see_new();
  dry.find();
  std::vector<float> row(10, 1.0F);
  dry.apply(row);
  EXPECT_TRUE(std::isfinite(row[7]));
  EXPECT_LT(row[7], -1e30F);
}

}  // namespace
}  // namespace vernal
