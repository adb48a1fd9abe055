// Texts with the tokens that other engines make of them (tests/golden/tokenizers).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "text/tokenizer/token_id.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal::test {

struct GoldenCase {
  std::string text;
  std::vector<TokenId> plain;    ///< special tokens in the text are ordinary text
  std::vector<TokenId> special;  ///< special tokens in the text are parsed
};

/// Reads `path`. Throws if it is missing or malformed, or has no cases.
std::vector<GoldenCase> read_golden_cases(const std::filesystem::path& path);

/// Reads the runs of a small model (models/NAME.json): their texts and prompts.
std::vector<GoldenCase> read_golden_prompts(const std::filesystem::path& path);

/// Expects both columns of every case, and that decoding gives the text back.
void expect_golden_cases(const Tokenizer& tokenizer, const std::vector<GoldenCase>& cases);

/// Expects that every token of `vocabulary` stands for the bytes of its text. The bytes are
/// computed here once more, independently.
void expect_bytes_of_vocabulary(const Tokenizer& tokenizer, const Vocabulary& vocabulary);

}  // namespace vernal::test
