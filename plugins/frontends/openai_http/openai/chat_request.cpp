#include "openai_http/openai/chat_request.hpp"

#include <boost/json.hpp>

#include "openai_http/openai/chat_messages.hpp"
#include "openai_http/openai/chat_tools.hpp"
#include "openai_http/protocol/answer_format.hpp"
#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/refused_members.hpp"
#include "openai_http/protocol/thinking_fields.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

void read_logprobs(const JsonFields& fields, GenerationRequest& request, json::object& document) {
  request.wants_logprobs = fields.boolean("logprobs").value_or(false);
  const auto alternatives = fields.integer("top_logprobs", {0, kMaxAlternatives});
  if (alternatives && *alternatives > 0 && !request.wants_logprobs) {
    throw RequestRefused(invalid_value(
        "top_logprobs", "Invalid value for 'top_logprobs': it needs 'logprobs' to be true."));
  }
  if (!request.wants_logprobs) return;
  request.num_alternatives = static_cast<std::uint32_t>(alternatives.value_or(0));
  document["logprobs"] = request.num_alternatives;
}

bool may_be_continued(const json::array& messages) {
  const json::object& last = messages.back().get_object();
  return messages.size() > 1 && last.at("role") == "assistant" && !last.contains("tool_calls");
}

/// A last message of the assistant is the beginning of its answer, unless the client says otherwise.
void read_continuation(const JsonFields& fields, json::object& document) {
  const bool can_be = may_be_continued(document.at("messages").get_array());
  const auto continues = fields.boolean("continue_final_message");
  const auto begins_anew = fields.boolean("add_generation_prompt");
  if (continues == true || (!continues && begins_anew != true && can_be)) {
    document["continue_final_message"] = true;  // where it cannot be, the engine says so
  } else if (begins_anew == false) {
    throw RequestRefused(unsupported_parameter(
        "add_generation_prompt",
        "without continue_final_message an answer begins a new message of the assistant."));
  }
}

}  // namespace

GenerationRequest read_chat_request(const json::object& body) {
  const JsonFields fields(body);
  GenerationRequest request;
  read_delivery(fields, request);
  json::object document{{"kind", "generate"}, {"messages", read_messages(fields)}};
  request.answers_function_call = read_tools(fields, document);
  request.format_member = read_answer_format(fields, document);
  refuse_members_that_bind(fields);
  read_continuation(fields, document);
  read_thinking(fields, document);
  read_sampling(fields, document);
  read_logprobs(fields, request, document);
  if (!read_output_budget(fields, "max_completion_tokens", document)) {
    read_output_budget(fields, "max_tokens", document);
  }
  request.prompts.push_back({to_text(document), {}});
  return request;
}

}  // namespace vernal::openai_http
