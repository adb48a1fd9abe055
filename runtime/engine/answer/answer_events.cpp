#include "engine/answer/answer_events.hpp"

#include <iterator>
#include <random>
#include <string_view>
#include <utility>

namespace vernal {
namespace {

constexpr std::size_t kIdLetters = 24;

/// An id that no other call has. It does not come from the request's seed: two requests with one
/// seed may belong to one conversation.
std::string new_call_id() {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device device;
  std::uniform_int_distribution<std::size_t> letter(0, kLetters.size() - 1);
  std::string id = "call_";
  for (std::size_t i = 0; i < kIdLetters; ++i) id += kLetters[letter(device)];
  return id;
}

std::uint32_t channel_of(AnswerPart part) {
  switch (part) {
    case AnswerPart::kReasoning:
      return VERNAL_CHANNEL_REASONING;
    case AnswerPart::kCallBegin:
      return VERNAL_CHANNEL_TOOL_NAME;
    case AnswerPart::kCallArguments:
      return VERNAL_CHANNEL_TOOL_ARGUMENTS;
    default:
      return VERNAL_CHANNEL_CONTENT;
  }
}

/// Ids of the calls in a conversation.
std::vector<std::string> ids_in(const RequestDocument& document) {
  std::vector<std::string> ids;
  if (!document.messages) return ids;
  for (const ChatMessage& message : *document.messages) {
    for (const ToolCall& call : message.tool_calls) ids.push_back(call.id);
  }
  return ids;
}

Event delta_event(std::uint32_t choice, std::uint32_t channel) {
  Event event;
  event.type = VERNAL_EVENT_DELTA;
  event.choice = choice;
  event.channel = channel;
  return event;
}

}  // namespace

Event content_event(std::uint32_t choice, OutputPiece piece) {
  Event event = delta_event(choice, VERNAL_CHANNEL_CONTENT);
  event.text = std::move(piece.text);
  event.tokens = std::move(piece.tokens);
  event.logprobs = std::move(piece.logprobs);
  return event;
}

AnswerEvents::AnswerEvents(const AnswerFormat& format, const RequestDocument& document,
                           std::uint32_t choice)
    : choice_(choice) {
  if (format.syntax == nullptr) return;
  parser_.emplace(*format.syntax, document.tools,
                  AnswerParser::Options{.is_thinking = format.is_thinking,
                                        .max_calls = document.has_parallel_calls ? 0U : 1U,
                                        .used_ids = ids_in(document)});
}

std::vector<Event> AnswerEvents::push(OutputPiece piece) {
  std::move(piece.tokens.begin(), piece.tokens.end(), std::back_inserter(held_.tokens));
  std::move(piece.logprobs.begin(), piece.logprobs.end(), std::back_inserter(held_.logprobs));
  return events_of(parser_->push(piece.text));
}

std::vector<Event> AnswerEvents::finish(AnswerEnd end) {
  if (!parser_) return {};
  std::vector<Event> events = events_of(parser_->finish(end));
  if (!held_.empty()) {  // tokens of marks at the very end
    events.push_back(content_event(choice_, std::exchange(held_, {})));
  }
  return events;
}

std::vector<Event> AnswerEvents::events_of(std::vector<AnswerDelta> deltas) {
  std::vector<Event> events;
  events.reserve(deltas.size());
  for (AnswerDelta& delta : deltas) {
    Event event = delta_event(choice_, channel_of(delta.part));
    event.call_index = static_cast<std::uint32_t>(delta.call);
    if (delta.part == AnswerPart::kCallBegin) {
      event.call_id = delta.id.empty() ? new_call_id() : std::move(delta.id);
    }
    event.text = std::move(delta.text);
    if (events.empty()) {
      event.tokens = std::exchange(held_.tokens, {});
      event.logprobs = std::exchange(held_.logprobs, {});
    }
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace vernal
