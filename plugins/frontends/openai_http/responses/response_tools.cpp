#include "openai_http/responses/response_tools.hpp"

#include <boost/json.hpp>
#include <string>
#include <utility>

#include "openai_http/openai/chat_tools.hpp"
#include "openai_http/protocol/tool_check.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

/// {"type": "function", "function": {...}} of {"type": "function", ...}.
json::object nested(const json::object& flat) {
  json::object function;
  for (const auto& [key, value] : flat) {
    if (key != "type") function[key] = value;
  }
  return {{"type", "function"}, {"function", std::move(function)}};
}

/// Functions in the form of a chat request; some clients send them so.
json::array nested_tools(const JsonFields& fields, const json::array& tools) {
  json::array out;
  ToolCheck check;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    if (!tools[i].is_object()) fields.refuse("tools", "an array of objects");
    const JsonFields tool(tools[i].get_object(), element_path("tools", i));
    if (tool.required_string("type") != "function") continue;
    if (const json::object* const function = tool.object("function")) {
      check.add(JsonFields(*function, tool.path_of("function.")), "parameters");
      out.push_back(tools[i]);
      continue;
    }
    check.add(tool, "parameters");
    out.push_back(nested(tool.all()));
  }
  return out;
}

/// {"type": "function", "name"} and {"type": "allowed_tools", "mode", "tools"} as in a chat request.
/// Anything else is left to read_tools().
json::value nested_choice(const json::value& choice) {
  const json::object* const object = choice.if_object();
  if (object == nullptr) return json::value(choice, json::storage_ptr());
  const JsonFields fields(*object, "tool_choice.");
  const std::string_view type = fields.string("type").value_or("");
  if (type == "function" && fields.find("name") != nullptr) return nested(*object);
  if (type != "allowed_tools" || fields.find("tools") == nullptr)
    return json::value(choice, json::storage_ptr());
  json::array tools;
  for (const json::value& tool : fields.required_array("tools")) {
    const json::object* const named = tool.if_object();
    const bool is_flat = named != nullptr && named->contains("name");
    tools.push_back(is_flat ? json::value(nested(*named)) : json::value(tool, json::storage_ptr()));
  }
  json::object allowed{{"mode", fields.string("mode").value_or("auto")},
                       {"tools", std::move(tools)}};
  return json::object{{"type", "allowed_tools"}, {"allowed_tools", std::move(allowed)}};
}

json::array repeated(const json::array& tools) {
  json::array out;
  for (const json::value& tool : tools) {
    json::object flat{{"type", "function"},
                      {"description", nullptr},
                      {"parameters", nullptr},
                      {"strict", nullptr}};
    for (const auto& [key, value] : tool.at("function").get_object()) flat[key] = value;
    out.push_back(std::move(flat));
  }
  return out;
}

}  // namespace

json::array read_response_tools(const JsonFields& fields, json::object& document) {
  json::object chat;
  if (const json::array* const tools = fields.array("tools")) {
    chat["tools"] = nested_tools(fields, *tools);
  }
  if (const json::value* const choice = fields.find("tool_choice")) {
    chat["tool_choice"] = nested_choice(*choice);
  }
  if (const json::value* const parallel = fields.find("parallel_tool_calls")) {
    chat["parallel_tool_calls"] = *parallel;
  }
  read_tools(JsonFields(chat), document);
  const json::value* const offered = document.if_contains("tools");
  return offered == nullptr ? json::array() : repeated(offered->get_array());
}

}  // namespace vernal::openai_http
