#include "openai_http/responses/response_request.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>
#include <vector>

#include "openai_http/protocol/answer_format.hpp"
#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/refused_members.hpp"
#include "openai_http/protocol/thinking_fields.hpp"
#include "openai_http/responses/response_items.hpp"
#include "openai_http/responses/response_tools.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

void refuse_what_no_response_has(const JsonFields& fields) {
  refuse_members_that_bind(fields);
  if (fields.boolean("background").value_or(false)) {
    throw RequestRefused(unsupported_parameter(
        "background", "a response is made while its client waits; stream it instead."));
  }
  if (fields.find("conversation") != nullptr) {
    throw RequestRefused(
        unsupported_parameter("conversation", "go on with previous_response_id instead."));
  }
  if (fields.find("prompt") != nullptr) {
    throw RequestRefused(unsupported_parameter(
        "prompt", "this server stores no prompts; send instructions and input."));
  }
  if (fields.integer("n", {1, 128}).value_or(1) != 1) {
    throw RequestRefused(unsupported_parameter("n", "a response is one answer."));
  }
}

bool includes(const JsonFields& fields, std::string_view what) {
  const json::array* const list = fields.array("include");
  if (list == nullptr) return false;
  return std::any_of(list->begin(), list->end(), [&](const json::value& name) {
    return name.is_string() && text_of(name.get_string()) == what;
  });
}

void read_response_logprobs(const JsonFields& fields, GenerationRequest& request,
                            json::object& document) {
  const auto alternatives = fields.integer("top_logprobs", {0, kMaxAlternatives}).value_or(0);
  request.wants_logprobs = alternatives > 0 || includes(fields, "message.output_text.logprobs");
  if (!request.wants_logprobs) return;
  request.num_alternatives = static_cast<std::uint32_t>(alternatives);
  document["logprobs"] = request.num_alternatives;
}

/// History, instructions and input, as messages of the document.
void read_conversation(const JsonFields& fields, const StoredItems& stored,
                       ResponseRequest& request, json::object& document) {
  std::vector<json::array> lists;
  if (const auto previous = fields.string("previous_response_id")) {
    request.history = stored.find_conversation(*previous);
    for (const auto& turn : request.history) {
      lists.push_back(json::parse(turn->text()).as_array());
    }
  }
  lists.push_back(read_input_items(fields, stored.find_item));
  request.input = to_text(lists.back());
  for (const json::value& item : lists.back()) {
    request.item_ids.emplace_back(text_of(item.at("id").get_string()));
  }
  json::array messages = messages_of(fields.string("instructions").value_or(""), lists);
  const bool has_items = lists.size() > 1 || !lists.back().empty();
  if (!has_items || messages.empty()) fields.refuse("input", "a string or an array of items");
  document["messages"] = std::move(messages);
}

/// The member as it was sent, or what stands for it.
json::value member(const JsonFields& fields, std::string_view key, json::value otherwise) {
  const json::value* const value = fields.find(key);
  return value == nullptr ? std::move(otherwise) : json::value(*value, json::storage_ptr());
}

json::object text_settings(const JsonFields& fields) {
  json::object out;
  if (const json::object* const text = fields.object("text")) out = *text;
  if (!out.contains("format")) out["format"] = json::object{{"type", "text"}};
  return out;
}

json::object reasoning_settings(const JsonFields& fields) {
  json::object out{{"effort", nullptr}, {"summary", nullptr}};
  if (const json::object* const reasoning = fields.object("reasoning")) {
    for (const std::string_view key : {"effort", "summary"}) {
      const json::value* const value = reasoning->if_contains({key.data(), key.size()});
      if (value != nullptr) out[json::string_view(key.data(), key.size())] = *value;
    }
  }
  return out;
}

json::object settings_of(const JsonFields& fields, json::array tools) {
  json::object out{
      {"background", false},
      {"max_tool_calls", nullptr},
      {"parallel_tool_calls", fields.boolean("parallel_tool_calls").value_or(true)},
      {"reasoning", reasoning_settings(fields)},
      {"service_tier", "default"},
      {"store", fields.boolean("store").value_or(true)},
      {"text", text_settings(fields)},
      {"tool_choice", member(fields, "tool_choice", "auto")},
      {"top_logprobs", fields.integer("top_logprobs", {0, kMaxAlternatives}).value_or(0)},
      {"truncation", "disabled"}};
  out["tools"] = std::move(tools);
  out["metadata"] = json::object();
  if (const json::object* const metadata = fields.object("metadata")) out["metadata"] = *metadata;
  for (const std::string_view key :
       {"instructions", "max_output_tokens", "previous_response_id", "prompt_cache_key",
        "safety_identifier", "temperature", "top_p", "user"}) {
    out[json::string_view(key.data(), key.size())] = member(fields, key, nullptr);
  }
  return out;
}

}  // namespace

ResponseRequest read_response_request(const json::object& body, const StoredItems& stored) {
  const JsonFields fields(body);
  refuse_what_no_response_has(fields);
  ResponseRequest request;
  read_delivery(fields, request.generation);
  json::object document{{"kind", "generate"}};
  read_conversation(fields, stored, request, document);
  json::array tools = read_response_tools(fields, document);
  request.generation.format_member = read_response_format(fields, document);
  read_thinking(fields, document);
  read_sampling(fields, document);
  read_response_logprobs(fields, request.generation, document);
  read_output_budget(fields, "max_output_tokens", document);
  request.settings = settings_of(fields, std::move(tools));
  request.is_to_be_stored = fields.boolean("store").value_or(true);
  request.generation.prompts.push_back({to_text(document), {}});
  return request;
}

}  // namespace vernal::openai_http
