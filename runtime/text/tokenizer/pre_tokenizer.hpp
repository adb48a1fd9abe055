// Cuts text into words. Byte-pair merges never cross the border of a word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vernal {

/// The rules by which a family of byte-pair vocabularies cuts text. They are given as regular
/// expressions, of which the first match counts. L, M and N are the letters, marks and numbers of
/// Unicode; W is L, or L and M if marks_join_words is set.
///
///   gpt-2      's|'t|'re|'ve|'m|'ll|'d | ?L+ | ?N+ | ?[^\s L N]+ | \s+(?!\S) | \s+
///   others     (?i:'s|'t|'re|'ve|'m|'ll|'d) | [^\r\n L N]?W+ | N{1,digits} | ?[^\s W N]+[\r\n]*
///              | \s*[\r\n]+ | \s+(?!\S) | \s+
struct PreTokenizer {
  enum class Family : std::uint8_t { kGpt2, kModern };

  Family family = Family::kGpt2;
  bool marks_join_words = false;  ///< combining marks count as letters
  std::uint32_t max_digits = 1;   ///< the most digits of one word (kModern)
  bool ignores_merges = false;    ///< a word that is a token as a whole needs no merges
  bool adds_bos = false;          ///< prompts begin with bos unless the file says otherwise
  bool is_known = true;           ///< false: the name is unknown, and the rules are those of gpt-2
};

/// The rules of a name in tokenizer.ggml.pre: "qwen2", "qwen35", "llama-bpe", "gpt-2" and the names
/// of models that share them. Any other name gives gpt-2 with is_known = false.
PreTokenizer find_pre_tokenizer(std::string_view name) noexcept;

/// Gives the words of a text, one after another; together they are the text. Bytes that are not
/// UTF-8 count as symbols. Takes linear time. `text` must outlive the object.
class WordScanner {
 public:
  WordScanner(const PreTokenizer& rules, std::string_view text) noexcept
      : rules_(rules), text_(text) {}

  bool at_end() const noexcept { return position_ == text_.size(); }
  /// The next word, which is never empty. Not to be called at the end.
  std::string_view next() noexcept;

 private:
  enum class Kind : std::uint8_t { kEnd, kLetter, kNumber, kSpace, kNewline, kSymbol };
  // The kind of the character at some position, and where the next character begins.
  struct Character {
    Kind kind;
    std::size_t end;
  };

  Character at(std::size_t position) const noexcept;
  // The end of the longest run of characters of that kind that begins at `position`.
  std::size_t end_of_run(std::size_t position, Kind kind) const noexcept;
  std::size_t end_of_gpt2_word() const noexcept;
  std::size_t end_of_modern_word() const noexcept;
  // The length of 's, 't, 're, 've, 'm, 'll or 'd at the position; 0 if there is none.
  std::size_t contraction_length() const noexcept;
  std::size_t end_of_number(std::size_t position) const noexcept;
  std::size_t end_of_spaces() const noexcept;

  PreTokenizer rules_;
  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace vernal
