#include "engine/answer/answer_grammar.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "text/grammar/forced_tokens.hpp"
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

AnswerGrammar::AnswerGrammar(AnswerRules rules, const AnswerFormat& format,
                             const RequestDocument& document, const Tokenizer& tokenizer)
    : rules_(std::move(rules)), has_begun_(!document.answer_beginning.empty()) {
  if (!is_bound()) return;
  std::erase_if(rules_.call_signs, [&](const CallSign& sign) {
    return !rules_.calls || !grammar::Matcher(*rules_.calls).accept_bytes(sign.text);
  });
  if (has_begun_) keep_recent(document.answer_beginning);
  if (rules_.content) ways_.push_back({grammar::Matcher(*rules_.content)});
  const bool begins_with_call = rules_.content || rules_.must_call;
  if (rules_.calls && begins_with_call) {
    ways_.push_back({grammar::Matcher(*rules_.calls), true});
  }
  if (ways_.empty()) return;
  std::erase_if(ways_,
                [&](Way& way) { return !way.matcher.accept_bytes(document.answer_beginning); });
  if (ways_.empty()) {
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
  if (!offers_tools || rules_.calls) return;
  for (const CallOpening& opening : syntax.openings) {
    if (!opening.is_marked) continue;
    if (const auto token = one_token(opening.mark, tokenizer)) call_openers_.push_back(*token);
  }
}

std::span<const std::uint32_t> AnswerGrammar::mask(bool is_thinking) {
  if (is_free(is_thinking)) return {};
  if (ways_.empty()) return watch_mask();
  const std::span<const std::uint32_t> first = ways_.front().matcher.mask();
  if (has_begun_ && ways_.size() == 1) return first;
  words_.assign(first.begin(), first.end());
  for (Way& way : std::span(ways_).subspan(1)) {
    const std::span<const std::uint32_t> more = way.matcher.mask();
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= more[i];
  }
  if (has_begun_) return words_;
  if (!has_thought_) {
    for (const TokenId token : thinking_openers_) grammar::set_bit(words_, token);
  }
  for (const TokenId token : call_openers_) grammar::set_bit(words_, token);
  if (has_thought_ && gap_) grammar::set_bit(words_, *gap_);
  return words_;
}

std::vector<TokenId> AnswerGrammar::forced(bool is_thinking, std::span<const TokenId> recent,
                                           const Tokenizer& tokenizer) const {
  if (is_free(is_thinking) || ways_.size() != 1) return {};
  const bool may_begin_otherwise =
      !has_begun_ && ((!has_thought_ && !thinking_openers_.empty()) || !call_openers_.empty() ||
                      (has_thought_ && gap_));
  if (may_begin_otherwise) return {};
  return grammar::forced_tokens(ways_.front().matcher, tokenizer, recent);
}

bool AnswerGrammar::can_end() const noexcept {
  return has_begun_ &&
         std::ranges::any_of(ways_, [](const Way& way) { return way.matcher.can_end(); });
}

void AnswerGrammar::accept(TokenId token, bool was_thinking) {
  if (is_free(was_thinking)) {
    has_thought_ = has_thought_ || was_thinking;
  } else if (ways_.empty()) {
    watch(token);
  } else if (has_begun_ || !begins_otherwise(token)) {
    go_on(token);
  }
}

// Before the content, thinking may open, the white space behind it come, or a call that is free.
bool AnswerGrammar::begins_otherwise(TokenId token) {
  if (!has_thought_ && has(thinking_openers_, token)) return true;
  if (has(call_openers_, token)) {
    rules_ = {};
    ways_.clear();
    return true;
  }
  const auto takes_token = [&](const Way& way) {
    return grammar::Matcher(way.matcher).accept(token);
  };
  return has_thought_ && gap_ == token && std::ranges::none_of(ways_, takes_token);
}

void AnswerGrammar::go_on(TokenId token) {
  has_begun_ = true;
  std::erase_if(ways_, [&](Way& way) { return !way.matcher.accept(token); });
  if (ways_.empty()) {
    throw Error(VERNAL_INTERNAL,
                "A token was drawn that the grammar of the answer does not allow.");
  }
  const Way& way = ways_.front();
  const bool ends_call = ways_.size() == 1 && way.is_call && way.matcher.can_end();
  if (ends_call && !rules_.must_call) {
    ways_.clear();
    recent_.clear();
    recent_place_ = CallSign::Place::kLineStart;  // readers take a call for a line of its own
  }
}

}  // namespace vernal
