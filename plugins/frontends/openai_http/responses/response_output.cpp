#include "openai_http/responses/response_output.hpp"

#include <boost/json.hpp>
#include <utility>

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

json::array single_part(const OutputItem& item) {
  json::array parts;
  if (item.status != "in_progress") parts.push_back(part_object(item));
  return parts;
}

}  // namespace

json::object part_object(const OutputItem& item, bool is_begun) {
  const std::string_view text = is_begun ? "" : std::string_view(item.text);
  if (item.kind == OutputItem::Kind::kReasoning) {
    return {{"type", "reasoning_text"}, {"text", text}};
  }
  json::object part{{"type", "output_text"}, {"text", text}};
  part["annotations"] = json::array();
  part["logprobs"] = is_begun ? json::array() : item.logprobs;
  return part;
}

json::object item_object(const OutputItem& item) {
  json::object out{{"id", item.id}};
  switch (item.kind) {
    case OutputItem::Kind::kMessage:
      out["type"] = "message";
      out["status"] = item.status;
      out["role"] = "assistant";
      out["content"] = single_part(item);
      break;
    case OutputItem::Kind::kReasoning:
      out["type"] = "reasoning";
      out["summary"] = json::array();
      out["content"] = single_part(item);
      out["status"] = item.status;
      break;
    case OutputItem::Kind::kCall:
      out["type"] = "function_call";
      out["status"] = item.status;
      out["call_id"] = item.call_id;
      out["name"] = item.name;
      out["arguments"] = item.status == "in_progress" ? std::string_view() : item.text;
      break;
  }
  return out;
}

}  // namespace vernal::openai_http
