#include "openai_http/anthropic/message_tools.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string_view>
#include <utility>

#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/text_safety.hpp"
#include "openai_http/protocol/tool_check.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostTools = 1'000;

/// Members of a tool that speak to the server, not to the model.
constexpr std::array<std::string_view, 6> kNotForModels = {
    "type",          "cache_control", "defer_loading", "allowed_callers", "eager_input_streaming",
    "input_examples"};

/// A tool as templates know it: the same members in the same order, the schema as `parameters`.
json::object function_of(const json::object& tool) {
  json::object function;
  for (const auto& member : tool) {
    const std::string_view key(member.key().data(), member.key().size());
    if (std::find(kNotForModels.begin(), kNotForModels.end(), key) != kNotForModels.end()) continue;
    function[key == "input_schema" ? json::string_view("parameters") : member.key()] =
        member.value();
  }
  return function;
}

bool is_of_the_service(const JsonFields& tool) {
  return tool.string("type").value_or("custom") != "custom" &&
         tool.object("input_schema") == nullptr;
}

json::array read_tool_array(const JsonFields& fields, std::string& warnings) {
  json::array out;
  ToolCheck check;
  const json::array* const tools = fields.array("tools");
  if (tools == nullptr) return out;
  if (tools->size() > kMostTools)
    fields.refuse("tools", fmt::format("at most {} tools", kMostTools));
  for (std::size_t i = 0; i < tools->size(); ++i) {
    if (!(*tools)[i].is_object()) fields.refuse("tools", "an array of objects");
    const json::object& sent = (*tools)[i].get_object();
    const JsonFields tool(sent, element_path("tools", i));
    if (is_of_the_service(tool)) {
      warnings +=
          fmt::format("The tool of type \"{}\" was left out: this server does not have it.\n",
                      shortened(*tool.string("type")));
      continue;
    }
    check.add(tool, "input_schema");
    if (tool.object("input_schema") == nullptr) {
      tool.refuse("input_schema", "an object that is a JSON Schema");
    }
    out.push_back(json::object{{"type", "function"}, {"function", function_of(sent)}});
  }
  return out;
}

bool has_tool(const json::array& tools, std::string_view name) {
  return std::any_of(tools.begin(), tools.end(), [&](const json::value& tool) {
    return text_of(tool.at("function").at("name").get_string()) == name;
  });
}

/// The document's tool_choice for a choice of type "tool".
json::object named_tool(const JsonFields& choice, const json::array& tools) {
  const std::string_view name = choice.required_string("name");
  if (!has_tool(tools, name)) {
    throw RequestRefused(invalid_value(
        choice.path_of("name"),
        fmt::format(
            "Invalid value for '{}': the tool \"{}\" is not among the tools of the request.",
            choice.path_of("name"), shortened(name))));
  }
  return {{"name", name}};
}

void read_message_choice(const JsonFields& choice, const json::array& tools,
                         json::object& document) {
  const std::string_view type = choice.required_string("type");
  if (type == "tool") {
    document["tool_choice"] = named_tool(choice, tools);
  } else if (type == "any") {
    if (tools.empty()) {
      throw RequestRefused(invalid_value(
          choice.path_of("type"),
          fmt::format("Invalid value for '{}': \"any\" needs tools, but the request offers none.",
                      choice.path_of("type"))));
    }
    document["tool_choice"] = "required";
  } else if (type != "auto" && type != "none") {
    choice.refuse("type", "one of auto, any, tool, none");
  } else if (!tools.empty()) {
    document["tool_choice"] = type;
  }
  if (choice.boolean("disable_parallel_tool_use").value_or(false)) {
    document["parallel_tool_calls"] = false;
  }
}

}  // namespace

void read_message_tools(const JsonFields& fields, json::object& document, std::string& warnings) {
  json::array tools = read_tool_array(fields, warnings);
  if (const json::object* const choice = fields.object("tool_choice")) {
    read_message_choice(JsonFields(*choice, "tool_choice."), tools, document);
  }
  if (!tools.empty()) document["tools"] = std::move(tools);
}

}  // namespace vernal::openai_http
