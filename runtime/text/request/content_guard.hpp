// Keeps what users write from becoming the structure of a conversation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "text/request/control_texts.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

/// A rendered template is tokenised with the texts of control tokens becoming those tokens, for
/// that is how a template writes structure. The same texts inside a message must stay text. So,
/// before rendering, a mark (a private-use character that the request does not contain) is put
/// behind the first character of each control token's text that begins inside a string of the
/// request, and where such a string ends with the beginning or begins with the end of one, for the
/// template may put two strings next to each other. What is then found in the rendering is the
/// template's own; everything between is encoded as plain text, without the marks.
///
/// Most requests hold nothing of the kind: no mark is needed, and the rendering is encoded as it
/// stands. Both ways give the same tokens for text without control tokens.
///
/// A control token whose text is one character cannot be kept apart. No known vocabulary has one.
class ContentGuard {
 public:
  /// `controls` outlives the object.
  explicit ContentGuard(const ControlTexts& controls) noexcept : controls_(controls) {}

  /// Looks at one string of the request.
  void inspect(std::string_view text);
  /// Whether a string that was inspected has to be marked.
  bool is_needed() const noexcept { return is_needed_; }

  /// Chooses the mark. After all calls of inspect().
  /// Errors   RequestError: the request contains every character that could be one
  void choose_mark();
  /// The string with its marks.
  std::string protect(std::string_view text) const;
  /// A rendering without its marks.
  std::string strip(std::string_view rendered) const;
  /// The tokens of a rendering of protected strings.
  std::vector<TokenId> encode(const Tokenizer& tokenizer, std::string_view rendered) const;

 private:
  const ControlTexts& controls_;
  bool is_needed_ = false;
  std::unordered_set<std::string> used_marks_;
  std::string mark_;
};

}  // namespace vernal
