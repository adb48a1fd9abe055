// Turns a stream of tokens into a stream of whole characters.
#pragma once

#include <string>
#include <string_view>

#include "text/tokenizer/token_id.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

/// Turns the tokens of one answer into text as they come. A token may end inside a character. The
/// incomplete bytes are held back until the next token, so that every piece is valid UTF-8. Bytes
/// that cannot become a character are replaced by U+FFFD. Tokenizer::decode drops a space at the
/// start; this class does not, because an answer continues a prompt.
/// Thread   one at a time
class Detokenizer {
 public:
  ///   tokenizer      must outlive the object
  ///   skip_special   control and unknown tokens give no text
  explicit Detokenizer(const Tokenizer& tokenizer, bool skip_special = true) noexcept
      : tokenizer_(tokenizer), skip_special_(skip_special) {}

  /// Takes the next token and returns the text that it completes, which may be empty. An id outside
  /// the vocabulary gives nothing.
  std::string push(TokenId id);

  /// Ends the answer. Returns U+FFFD if it ends inside a character, else nothing. Afterwards
  /// another answer may begin.
  std::string flush();

  /// The bytes that are held back: the beginning of a character, at most 3 bytes.
  std::string_view pending() const noexcept { return pending_; }

 private:
  const Tokenizer& tokenizer_;
  bool skip_special_;
  std::string pending_;
};

}  // namespace vernal
