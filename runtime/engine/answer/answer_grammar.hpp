// Holds one answer to a grammar.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "text/answer/model_answers.hpp"
#include "text/grammar/matcher.hpp"
#include "text/request/request_document.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

/// Says which tokens an answer may go on with. Thinking is free, and so is an answer that begins with
/// a call of an offered tool: the grammar is one of the content. Where thinking or a call is opened
/// by one token, that token may come in place of the first one of the content. Engine thread.
class AnswerGrammar {
 public:
  /// Borrows nothing beyond the call.
  ///   grammar    null: everything may come
  ///   document   with tools the answer may be a call; what the answer begins with is the beginning
  ///              of what the grammar describes
  /// Errors   RequestError: the grammar has no answer that begins so
  AnswerGrammar(std::shared_ptr<grammar::CompiledGrammar> grammar, const AnswerFormat& format,
                const RequestDocument& document, const Tokenizer& tokenizer);

  bool is_bound() const noexcept { return matcher_.has_value() && !is_left_; }
  /// A bit for each token that may come, or nothing if all may. The words live until the next call
  /// for any answer that is held to the same grammar.
  std::span<const std::uint32_t> mask(bool is_thinking);
  /// Whether the content is whole by the grammar.
  bool can_end() const noexcept { return is_bound() && has_begun_ && matcher_->can_end(); }
  /// The token that came. `was_thinking`: it belongs to the thinking, or ends it.
  void accept(TokenId token, bool was_thinking);

 private:
  void add_openers(const AnswerFormat& format, bool offers_tools, const Tokenizer& tokenizer);

  std::shared_ptr<grammar::CompiledGrammar> grammar_;
  std::optional<grammar::Matcher> matcher_;
  std::vector<TokenId> thinking_openers_;
  std::vector<TokenId> call_openers_;
  std::optional<TokenId> gap_;  // what the template writes between thinking and content
  std::vector<std::uint32_t> first_mask_;
  bool has_begun_;  // content has
  bool has_thought_ = false;
  bool is_left_ = false;  // the answer is a call
};

}  // namespace vernal
