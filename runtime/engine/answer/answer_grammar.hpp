// Holds one answer to a grammar.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/answer/call_writing.hpp"
#include "text/answer/model_answers.hpp"
#include "text/grammar/matcher.hpp"
#include "text/request/request_document.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

/// What an answer is held to. Where both grammars are there, it is either content or calls.
struct AnswerRules {
  std::shared_ptr<grammar::CompiledGrammar> content{};  ///< null: any text
  std::shared_ptr<grammar::CompiledGrammar> calls{};    ///< null: calls are free
  std::vector<CallSign> call_signs{};                   ///< by which a call is known in other text
  bool must_call = false;                               ///< the answer is `calls`, and no content
  bool holds_thinking = false;                          ///< thinking is a part of `calls`
};

/// Says which tokens an answer may go on with. Thinking is free. A grammar of content holds from the
/// first token of the content. One of calls does so if there must be one. Else it sleeps until the
/// sign of a call has come, holds the call, and sleeps again. Engine thread.
class AnswerGrammar {
 public:
  /// Borrows nothing beyond the call.
  ///   document   with tools the answer may be a call; what the answer begins with is the beginning
  ///              of what the grammar describes
  /// Errors   RequestError: the grammar has no answer that begins so
  AnswerGrammar(AnswerRules rules, const AnswerFormat& format, const RequestDocument& document,
                const Tokenizer& tokenizer);

  /// Whether it has a part in the answer at all.
  bool is_bound() const noexcept { return rules_.content || rules_.calls; }
  /// A bit for each token that may come, or nothing if all may. The words live until the next call
  /// for any answer that is held to the same grammar.
  std::span<const std::uint32_t> mask(bool is_thinking);
  /// The tokens that every answer goes on with, as the tokenizer cuts them
  /// (text/grammar/forced_tokens.hpp). Usually none.
  ///   recent   the last tokens of the answer
  std::vector<TokenId> forced(bool is_thinking, std::span<const TokenId> recent,
                              const Tokenizer& tokenizer) const;
  /// Whether the answer is whole by the grammar.
  bool can_end() const noexcept;
  /// The token that came. `was_thinking`: it belongs to the thinking, or ends it.
  void accept(TokenId token, bool was_thinking);

 private:
  /// A grammar that the answer has followed so far.
  struct Way {
    grammar::Matcher matcher;
    bool is_call = false;
  };

  void add_openers(const AnswerFormat& format, bool offers_tools, const Tokenizer& tokenizer);
  bool is_free(bool is_thinking) const noexcept {
    return !is_bound() || (is_thinking && !rules_.holds_thinking);
  }
  bool begins_otherwise(TokenId token);
  void go_on(TokenId token);
  // While no call is open (answer_grammar_watch.cpp).
  void watch(TokenId token);
  std::span<const std::uint32_t> watch_mask();
  std::vector<TokenId> overshooting(const CallSign& sign, std::size_t num_read);
  // Calls f(sign, what came) for each sign that the end of the text may be, from where it begins.
  template <class F>
  void for_each_begun(F&& f) const;
  void keep_recent(std::string_view more);

  AnswerRules rules_;
  std::vector<Way> ways_;  // those that are still possible; none: everything may come
  std::vector<TokenId> thinking_openers_;
  std::vector<TokenId> call_openers_;  // of calls that are free
  std::optional<TokenId> gap_;         // what the template writes between thinking and content
  std::vector<std::uint32_t> words_;
  std::string recent_;  // the end of the text, in which a call may begin
  CallSign::Place recent_place_ = CallSign::Place::kAnswerStart;  // where recent_ begins
  bool has_begun_;                                                // content or a call has
  bool has_thought_ = false;
};

}  // namespace vernal
