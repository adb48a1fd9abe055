// The request document vernal.request/1: what a client asks of a model. Specification:
// sdk/spec/request.md.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/grammar.hpp"
#include "text/request/chat_message.hpp"
#include "text/request/json_reader.hpp"
#include "text/request/message_policy.hpp"
#include "text/request/sampling_options.hpp"
#include "text/request/sampling_reader.hpp"
#include "text/request/token_rules.hpp"
#include "text/request/tool_choice.hpp"

namespace vernal {

/// What a deployment or a profile sets for requests that leave it out.
struct RequestDefaults {
  SamplingOptions sampling;
  std::optional<std::uint64_t> max_tokens;
  std::string thinking = "auto";  ///< as RequestDocument::thinking
  MessagePolicy message_policy;
  boost::json::object template_kwargs;
};

/// A request, checked. Everything that depends on the model (lengths, token ids) is checked later.
struct RequestDocument {
  bool is_embedding = false;  ///< the vector of the prompt is wanted, and no answer
  std::optional<std::vector<ChatMessage>> messages;  ///< a conversation, or
  MessagePolicy message_policy;       ///< what may be done to them; not the client's to say
  std::optional<std::string> prompt;  ///< text as it stands; neither: the prompt comes as token ids
  std::vector<ToolDefinition> tools;  ///< none if tool_choice is "none"
  ToolChoice tool_choice;             ///< which of them the answer may or must call
  bool has_parallel_calls = true;     ///< false: the answer ends behind its first call
  boost::json::object template_kwargs;  ///< variables of the chat template
  std::string thinking =
      "auto";  ///< "auto": as the template does, "off", "on", or an effort ("low", "high", ...)
  std::optional<std::uint64_t> thinking_budget{};  ///< tokens; absent: any number
  SamplingOptions sampling;
  std::optional<grammar::GrammarSource> format;  ///< what the content may be; absent: any text
  std::vector<TextBias> text_biases;             ///< become biases of sampling.logit_bias
  TokenRules rules;
  std::optional<std::uint64_t> seed;  ///< absent: another one each time
  std::vector<std::string> stop;
  std::optional<std::uint64_t>
      max_tokens;  ///< of each choice; 0: only the prompt; absent: what the context length allows
  std::uint32_t n = 1;                    ///< choices
  std::optional<std::uint32_t> logprobs;  ///< alternatives to report; absent: no log-probabilities
  bool reuses_prompt = true;  ///< what an earlier request computed of the same prompt may be used
  /// The prompt is reported too, with so many alternatives for each token; absent: it is not.
  std::optional<std::uint32_t> prompt_logprobs;
  bool echo = false;  ///< the prompt is reported, if need be without log-probabilities
  /// What the answer to a conversation begins with: the text of a last message of the assistant.
  std::string answer_beginning;
  std::int32_t priority = 0;                          ///< higher ones are seated first
  std::optional<std::chrono::milliseconds> deadline;  ///< of the whole request, from its submission
};

/// Largest values that a request may ask for.
inline constexpr std::uint32_t kMaxChoices = 8;
inline constexpr std::uint32_t kMaxLogprobs = 20;
inline constexpr std::size_t kMaxStopStrings = 16;

/// Reads and checks one document. What it leaves out is taken from `defaults`. Any thread.
///   has_tokens   the prompt comes as token ids beside the document
/// Errors   RequestError, naming the field
RequestDocument parse_request(std::string_view text, const RequestDefaults& defaults,
                              bool has_tokens, const JsonLimits& limits = {});

}  // namespace vernal
