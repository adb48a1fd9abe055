// A stream of tokens to a stream of whole characters.
#pragma once

#include <string>
#include <string_view>

#include "text/tokenizer/token_id.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

/// Turns the tokens of one answer into text as they come. A token may end inside a character: what
/// is incomplete is held back until the next token, so every piece handed out is valid UTF-8. Bytes
/// that cannot become a character are replaced by U+FFFD. Unlike Tokenizer::decode, no leading
/// space is dropped: an answer continues a prompt.
/// Thread   one at a time.
class Detokenizer {
 public:
  /// `tokenizer` outlives the object. With `skip_special`, control and unknown tokens give no text.
  explicit Detokenizer(const Tokenizer& tokenizer, bool skip_special = true) noexcept
      : tokenizer_(tokenizer), skip_special_(skip_special) {}

  /// The text that `id` completes; may be empty. An id outside the vocabulary gives nothing.
  std::string push(TokenId id);

  /// The end of the answer: U+FFFD if it ends inside a character, else nothing. Afterwards another
  /// answer may begin.
  std::string flush();

  /// Bytes held back: the beginning of a character, at most 3.
  std::string_view pending() const noexcept { return pending_; }

 private:
  const Tokenizer& tokenizer_;
  bool skip_special_;
  std::string pending_;
};

}  // namespace vernal
