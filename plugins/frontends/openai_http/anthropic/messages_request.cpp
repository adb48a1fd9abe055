#include "openai_http/anthropic/messages_request.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "openai_http/anthropic/message_blocks.hpp"
#include "openai_http/anthropic/message_tools.hpp"
#include "openai_http/protocol/answer_format.hpp"
#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/refused_members.hpp"
#include "openai_http/protocol/sampling_fields.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

/// Efforts of output_config that templates know.
constexpr std::array<std::string_view, 5> kOutputEfforts = {"low", "medium", "high", "xhigh",
                                                            "max"};

/// How much the model should think, of output_config. The answer itself has no such setting.
std::string_view effort_of(const JsonFields& fields) {
  const json::object* const config = fields.object("output_config");
  if (config == nullptr) return {};
  const auto effort = JsonFields(*config, "output_config.").string("effort");
  const bool is_known = effort && std::find(kOutputEfforts.begin(), kOutputEfforts.end(),
                                            *effort) != kOutputEfforts.end();
  return is_known ? *effort : std::string_view();
}

void read_thinking_config(const JsonFields& fields, GenerationRequest& request,
                          json::object& document) {
  const json::object* const config = fields.object("thinking");
  if (config == nullptr) return;
  const JsonFields thinking(*config, "thinking.");
  const std::string_view type = thinking.required_string("type");
  if (type == "disabled") {
    document["thinking"] = "off";
    return;
  }
  if (type != "enabled" && type != "adaptive" && type != "between_tools") {
    thinking.refuse("type", "one of enabled, adaptive, between_tools, disabled");
  }
  const std::string_view effort = effort_of(fields);
  document["thinking"] = effort.empty() ? "on" : effort;
  constexpr Range kBudget{0, 1e9};
  if (const auto budget = thinking.integer("budget_tokens", kBudget)) {
    document["thinking_budget"] = *budget;
  }
  const std::string_view display = thinking.string("display").value_or("summarized");
  if (display != "summarized" && display != "omitted") {
    thinking.refuse("display", "one of summarized, omitted");
  }
  request.hides_thinking = display == "omitted";
}

void read_token_choice(const JsonFields& fields, json::object& document) {
  read_sampling_settings(fields, document);
  read_token_rules(fields, document);
  read_seed(fields, document);
  read_stops(fields, "stop_sequences", document);
  if (fields.integer("n", {1, 128}).value_or(1) != 1) {
    throw RequestRefused(unsupported_parameter("n", "a message is one answer."));
  }
}

GenerationRequest read_messages(const json::object& body, bool is_counted) {
  const JsonFields fields(body);
  GenerationRequest request;
  request.model = fields.string("model").value_or("");
  request.is_streamed = fields.boolean("stream").value_or(false);
  refuse_members_that_bind(fields);
  json::array messages = read_conversation(fields, request.warnings);
  json::object document{{"kind", "generate"}};
  if (ends_with_a_beginning(messages)) document["continue_final_message"] = true;
  document["messages"] = std::move(messages);
  read_message_tools(fields, document, request.warnings);
  request.format_member = read_answer_format(fields, document);
  read_thinking_config(fields, request, document);
  read_token_choice(fields, document);
  if (!read_output_budget(fields, "max_tokens", document) && !is_counted) {
    fields.refuse("max_tokens", "an integer of at least 1");
  }
  request.prompts.push_back({to_text(document), {}});
  return request;
}

}  // namespace

GenerationRequest read_messages_request(const json::object& body) {
  return read_messages(body, false);
}

GenerationRequest read_messages_to_count(const json::object& body) {
  return read_messages(body, true);
}

}  // namespace vernal::openai_http
