// The text of one choice as the events that its client gets.
#pragma once

#include <optional>
#include <vector>

#include "engine/answer/choice_output.hpp"
#include "engine/request/event.hpp"
#include "text/answer/answer_parser.hpp"
#include "text/answer/model_answers.hpp"
#include "text/request/request_document.hpp"

namespace vernal {

/// A piece that is content.
Event content_event(std::uint32_t choice, OutputPiece piece);

/// Takes the answer of one choice apart, if there is anything to take apart: its thinking, content
/// and calls become events of their own channels. Tokens and log-probabilities go with the first
/// event of the piece that they came with, or with the next one. Engine thread.
class AnswerEvents {
 public:
  /// `format` and `document` outlive the object.
  AnswerEvents(const AnswerFormat& format, const RequestDocument& document, std::uint32_t choice);

  /// The whole answer is content: push() is not needed.
  bool is_plain() const noexcept { return !parser_; }

  std::vector<Event> push(OutputPiece piece);
  /// Ends the answer. To be called once.
  std::vector<Event> finish(AnswerEnd end);

  bool is_thinking() const noexcept { return parser_ && parser_->is_thinking(); }
  /// Nothing more will be read.
  bool is_complete() const noexcept { return parser_ && parser_->is_complete(); }
  std::size_t num_calls() const noexcept { return parser_ ? parser_->num_calls() : 0; }

 private:
  std::vector<Event> events_of(std::vector<AnswerDelta> deltas);

  std::optional<AnswerParser> parser_;
  const std::uint32_t choice_;
  OutputPiece held_;  // tokens whose text is not decided yet
};

}  // namespace vernal
