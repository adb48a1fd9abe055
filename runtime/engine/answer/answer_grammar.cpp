#include "engine/answer/answer_grammar.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "text/grammar/mask/vocabulary.hpp"
#include "text/request/request_error.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

// The token that a text is, if it is one.
std::optional<TokenId> one_token(const std::string& text, const Tokenizer& tokenizer) {
  const std::vector<TokenId> tokens = tokenizer.encode(text, {.parse_special = true});
  return tokens.size() == 1 ? std::optional(tokens.front()) : std::nullopt;
}

std::string white_space_at_end(const std::string& text) {
  const std::size_t last = text.find_last_not_of(" \t\n");
  return text.substr(last == std::string::npos ? 0 : last + 1);
}

bool has(const std::vector<TokenId>& tokens, TokenId token) {
  return std::ranges::find(tokens, token) != tokens.end();
}

}  // namespace

AnswerGrammar::AnswerGrammar(std::shared_ptr<grammar::CompiledGrammar> grammar,
                             const AnswerFormat& format, const RequestDocument& document,
                             const Tokenizer& tokenizer)
    : grammar_(std::move(grammar)), has_begun_(!document.answer_beginning.empty()) {
  if (grammar_ == nullptr) return;
  matcher_.emplace(*grammar_);
  if (!matcher_->accept_bytes(document.answer_beginning)) {
    throw invalid_value(
        "messages",
        "Invalid value for 'messages': no answer of the format begins like the last "
        "message, which it has to continue.");
  }
  if (format.syntax != nullptr) add_openers(format, !document.tools.empty(), tokenizer);
}

void AnswerGrammar::add_openers(const AnswerFormat& format, bool offers_tools,
                                const Tokenizer& tokenizer) {
  const AnswerSyntax& syntax = *format.syntax;
  if (!syntax.thinking.empty()) {
    const std::string gap = white_space_at_end(text_behind_thinking(syntax));
    if (!gap.empty()) gap_ = one_token(gap, tokenizer);
  }
  for (const MarkPair& mark : syntax.thinking) {
    if (const auto token = one_token(mark.open, tokenizer)) thinking_openers_.push_back(*token);
  }
  if (!offers_tools) return;
  for (const CallOpening& opening : syntax.openings) {
    if (!opening.is_marked) continue;
    if (const auto token = one_token(opening.mark, tokenizer)) call_openers_.push_back(*token);
  }
}

std::span<const std::uint32_t> AnswerGrammar::mask(bool is_thinking) {
  if (!is_bound() || is_thinking) return {};
  const std::span<const std::uint32_t> words = matcher_->mask();
  if (has_begun_) return words;
  first_mask_.assign(words.begin(), words.end());
  if (!has_thought_) {
    for (const TokenId token : thinking_openers_) grammar::set_bit(first_mask_, token);
  }
  for (const TokenId token : call_openers_) grammar::set_bit(first_mask_, token);
  if (has_thought_ && gap_) grammar::set_bit(first_mask_, *gap_);
  return first_mask_;
}

void AnswerGrammar::accept(TokenId token, bool was_thinking) {
  if (!is_bound()) return;
  if (was_thinking) {
    has_thought_ = true;
    return;
  }
  if (!has_begun_) {
    if (!has_thought_ && has(thinking_openers_, token)) return;
    if (has(call_openers_, token)) {
      is_left_ = true;
      return;
    }
    if (has_thought_ && gap_ == token && !grammar::Matcher(*matcher_).accept(token)) return;
  }
  has_begun_ = true;
  if (!matcher_->accept(token)) {
    throw Error(VERNAL_INTERNAL,
                "A token was drawn that the grammar of the answer does not allow.");
  }
}

}  // namespace vernal
