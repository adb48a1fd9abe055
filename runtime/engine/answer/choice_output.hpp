// The tokens of one answer as the text that its client gets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "engine/answer/stop_matcher.hpp"
#include "engine/request/event.hpp"
#include "engine/sampling/sampler.hpp"
#include "text/answer/answer_syntax.hpp"
#include "text/tokenizer/detokenizer.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

/// A piece of an answer: text with the tokens and log-probabilities that made it.
struct OutputPiece {
  std::string text;
  std::vector<TokenId> tokens;
  std::vector<TokenLogprob> logprobs;

  bool empty() const noexcept { return text.empty() && tokens.empty(); }
};

/// Detokenises one choice, watches for stop strings and holds text back that may belong to one. A
/// token is handed out with the piece that holds its first byte. Engine thread.
class ChoiceOutput {
 public:
  /// `tokenizer` and `stops` outlive the object.
  ///   reports_logprobs   whether pieces carry log-probabilities
  ///   syntax             control tokens that are marks of it give their text, others none; it
  ///                      outlives the object; null: no control token gives text
  ChoiceOutput(const Tokenizer& tokenizer, const std::vector<std::string>& stops,
               bool reports_logprobs, const AnswerSyntax* syntax = nullptr);

  /// Takes the next token and returns what may be handed out. The token must not be one that ends
  /// the answer.
  OutputPiece push(const SampledToken& token);
  /// Ends the answer and returns the rest of it.
  OutputPiece flush();

  /// The stop string that ended the answer, once push() has found one.
  const std::optional<std::string>& found_stop() const noexcept { return matcher_.found(); }

 private:
  struct HeldToken {
    std::size_t begin;  // of its text, in the whole text of the answer
    TokenId id;
    std::optional<TokenLogprob> logprob;
  };

  std::string text_of(TokenId token);
  OutputPiece release(std::string text);

  const Tokenizer& tokenizer_;
  const bool reports_logprobs_;
  const AnswerSyntax* const syntax_;
  Detokenizer detokenizer_;
  StopMatcher matcher_;
  std::deque<HeldToken> held_;
  std::size_t num_decoded_ = 0;   // bytes that came from the detokenizer
  std::size_t num_released_ = 0;  // bytes handed out
};

}  // namespace vernal
