#include "engine/answer/choice_output.hpp"

#include <utility>

#include "engine/answer/token_logprob.hpp"

namespace vernal {

ChoiceOutput::ChoiceOutput(const Tokenizer& tokenizer, const std::vector<std::string>& stops,
                           bool reports_logprobs, const AnswerSyntax* syntax)
    : tokenizer_(tokenizer),
      reports_logprobs_(reports_logprobs),
      syntax_(syntax),
      detokenizer_(tokenizer, /*skip_special=*/false),
      matcher_(stops) {}

OutputPiece ChoiceOutput::push(const SampledToken& token) {
  HeldToken held{num_decoded_, token.chosen.id, std::nullopt};
  if (reports_logprobs_) {
    held.logprob = describe(token, tokenizer_);
  }
  held_.push_back(std::move(held));
  const std::string text = text_of(token.chosen.id);
  num_decoded_ += text.size();
  return release(matcher_.push(text));
}

std::string ChoiceOutput::text_of(TokenId token) {
  const bool is_hidden =
      tokenizer_.is_special(token) &&
      (syntax_ == nullptr || !is_part_of_mark(tokenizer_.token_bytes(token), *syntax_));
  return is_hidden ? std::string() : detokenizer_.push(token);
}

OutputPiece ChoiceOutput::flush() {
  const std::string text = detokenizer_.flush();
  num_decoded_ += text.size();
  std::string rest = matcher_.push(text);
  rest += matcher_.flush();
  OutputPiece piece = release(std::move(rest));
  if (!found_stop()) {  // tokens without text at the very end
    for (HeldToken& held : held_) {
      piece.tokens.push_back(held.id);
      if (held.logprob) {
        piece.logprobs.push_back(std::move(*held.logprob));
      }
    }
  }
  held_.clear();
  return piece;
}

OutputPiece ChoiceOutput::release(std::string text) {
  OutputPiece piece;
  num_released_ += text.size();
  piece.text = std::move(text);
  while (!held_.empty() && held_.front().begin < num_released_) {
    piece.tokens.push_back(held_.front().id);
    if (held_.front().logprob) {
      piece.logprobs.push_back(std::move(*held_.front().logprob));
    }
    held_.pop_front();
  }
  return piece;
}

}  // namespace vernal
