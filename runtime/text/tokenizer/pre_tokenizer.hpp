// Cutting text into words, inside which byte-pair merges happen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vernal {

/// The rules by which a family of byte-pair vocabularies cuts text. As regular expressions, first
/// match wins, with L, M, N the letters, marks and numbers of Unicode:
///
///   gpt-2      's|'t|'re|'ve|'m|'ll|'d | ?L+ | ?N+ | ?[^\s L N]+ | \s+(?!\S) | \s+
///   others     (?i:'s|'t|'re|'ve|'m|'ll|'d) | [^\r\n L N]?W+ | N{1,digits} | ?[^\s W N]+[\r\n]*
///              | \s*[\r\n]+ | \s+(?!\S) | \s+        with W = L, or L and M for qwen35
struct PreTokenizer {
  enum class Family : std::uint8_t { kGpt2, kModern };

  Family family = Family::kGpt2;
  bool marks_join_words = false;  ///< combining marks count as letters
  std::uint32_t max_digits = 1;   ///< longest run of digits in one word (kModern)
  bool ignores_merges = false;    ///< a word that is a token as a whole needs no merges
  bool adds_bos = false;          ///< prompts begin with bos unless the file says otherwise
  bool is_known = true;           ///< false: the name was unknown and gpt-2 is assumed
};

/// The rules of that name of tokenizer.ggml.pre: "qwen2", "qwen35", "llama-bpe", "gpt-2" and the
/// names of models that share them. Anything else gives gpt-2 with is_known = false.
PreTokenizer find_pre_tokenizer(std::string_view name) noexcept;

/// Hands out the words of one text, which joined again are the text. Bytes that are no UTF-8 count
/// as symbols. Time is linear in the text. `text` must outlive the object.
class WordScanner {
 public:
  WordScanner(const PreTokenizer& rules, std::string_view text) noexcept
      : rules_(rules), text_(text) {}

  bool at_end() const noexcept { return position_ == text_.size(); }
  /// The next word, never empty. Not to be called at the end.
  std::string_view next() noexcept;

 private:
  enum class Kind : std::uint8_t { kEnd, kLetter, kNumber, kSpace, kNewline, kSymbol };
  // The character at some position and where the next one starts.
  struct Character {
    Kind kind;
    std::size_t end;
  };

  Character at(std::size_t position) const noexcept;
  // End of the longest run of characters of that kind from `position`.
  std::size_t end_of_run(std::size_t position, Kind kind) const noexcept;
  std::size_t end_of_gpt2_word() const noexcept;
  std::size_t end_of_modern_word() const noexcept;
  // Length of 's, 't, 're, 've, 'm, 'll, 'd at the position, or 0.
  std::size_t contraction_length() const noexcept;
  std::size_t end_of_number(std::size_t position) const noexcept;
  std::size_t end_of_spaces() const noexcept;

  PreTokenizer rules_;
  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace vernal
