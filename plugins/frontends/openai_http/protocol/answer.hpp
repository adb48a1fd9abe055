// What an endpoint that generates makes of the engine's events.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "openai_http/protocol/api_error.hpp"
#include "vernal/abi/frontend.h"

namespace vernal::openai_http {

/// Builds one answer, an event stream or a document, from the events of its engine requests. Each
/// function appends the bytes that may be sent now to `out`. Calls come in this order: begin; then
/// on_event for every event of every prompt, with keep_alive in between; then end or fail. Not
/// thread-safe.
class Answer {
 public:
  Answer() = default;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  virtual ~Answer() = default;

  /// Every prompt is accepted.
  virtual void begin(std::string& out) = 0;
  /// A DELTA, CHOICE_FINISHED or FINISHED event of prompt number `prompt`; others are ignored.
  virtual void on_event(std::size_t prompt, const vernal_event& event, std::string& out) = 0;
  /// Nothing was sent for a while. Appends an event without content: clients watch for events, not
  /// for bytes.
  virtual void keep_alive(std::string& out) = 0;
  /// Every prompt has finished.
  virtual void end(std::string& out) = 0;
  /// The answer ends early because of `error`, after its head was sent.
  virtual void fail(const ApiError& error, std::string& out) = 0;

  /// A prompt was accepted: its length, and the warnings of the event; before begin.
  void accept(const vernal_event& accepted);

  /// What the server has to say about a prompt, one sentence a line; before begin. It becomes the
  /// member `warnings` of the document, or of the first chunk.
  void warn(std::string_view lines);

 protected:
  /// Adds `warnings` to the first object that is given, if there are any.
  void add_warnings(boost::json::object& to);
  /// Tokens of the accepted prompts.
  std::uint64_t prompt_tokens() const noexcept { return prompt_tokens_; }

 private:
  boost::json::array warnings_;
  std::uint64_t prompt_tokens_ = 0;
};

/// What all chunks and documents of one answer have in common.
struct AnswerIdentity {
  std::string id;        // "chatcmpl-..."
  std::string model;     // as the client named it
  std::int64_t created;  // Unix seconds
};

}  // namespace vernal::openai_http
