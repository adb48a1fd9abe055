#include "openai_http/openai/chat_tools.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/text_safety.hpp"
#include "openai_http/protocol/tool_check.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxTools = 1'000;

/// Tools go on as they were sent: the prompt that a model was trained on has their members in the
/// client's order.
json::array read_tool_list(const JsonFields& fields, const json::array& tools) {
  if (tools.size() > kMaxTools) fields.refuse("tools", fmt::format("at most {} tools", kMaxTools));
  json::array out;
  ToolCheck check;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    if (!tools[i].is_object()) fields.refuse("tools", "an array of objects");
    const JsonFields tool(tools[i].get_object(), element_path("tools", i));
    if (tool.string("type").value_or("function") != "function") continue;
    const json::object* const function = tool.object("function");
    if (function == nullptr) tool.refuse("function", "an object with a name");
    check.add(JsonFields(*function, tool.path_of("function.")), "parameters");
    out.push_back(tools[i]);
  }
  return out;
}

json::array read_function_list(const JsonFields& fields, const json::array& functions) {
  if (functions.size() > kMaxTools) {
    fields.refuse("functions", fmt::format("at most {} functions", kMaxTools));
  }
  json::array out;
  ToolCheck check;
  for (std::size_t i = 0; i < functions.size(); ++i) {
    if (!functions[i].is_object()) fields.refuse("functions", "an array of objects");
    check.add(JsonFields(functions[i].get_object(), element_path("functions", i)), "parameters");
    out.push_back(json::object{{"type", "function"}, {"function", functions[i]}});
  }
  return out;
}

void check_offered(std::string_view member, std::string_view name, const json::array& tools) {
  const auto has_name = [&](const json::value& tool) {
    const json::value& function = tool.get_object().at("function");
    return text_of(function.get_object().at("name").get_string()) == name;
  };
  if (std::any_of(tools.begin(), tools.end(), has_name)) return;
  throw RequestRefused(invalid_value(
      member, fmt::format("Invalid value for '{}': the tool \"{}\" is not among the tools of the "
                          "request.",
                          member, shortened(name))));
}

/// {"type": "function", "function": {"name": N}}
std::string_view name_of(const JsonFields& choice) {
  if (choice.string("type").value_or("function") != "function") {
    choice.refuse("type", "\"function\" or \"allowed_tools\"");
  }
  const json::object* const function = choice.object("function");
  if (function == nullptr) choice.refuse("function", "an object with a name");
  return JsonFields(*function, choice.path_of("function.")).required_string("name");
}

/// {"mode": "auto" or "required", "tools": [{"type": "function", "function": {"name": N}}, ...]}
void read_allowed(const JsonFields& allowed, const json::array& tools, json::object& document) {
  const std::string_view mode = allowed.string("mode").value_or("auto");
  if (mode != "auto" && mode != "required") allowed.refuse("mode", "\"auto\" or \"required\"");
  const json::array& listed = allowed.required_array("tools");
  json::array names;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    if (!listed[i].is_object()) allowed.refuse("tools", "an array of objects");
    const JsonFields tool(listed[i].get_object(), element_path(allowed.path_of("tools"), i));
    const std::string_view name = name_of(tool);
    check_offered("tool_choice", name, tools);
    names.emplace_back(name);
  }
  if (names.empty()) allowed.refuse("tools", "at least one tool");
  document["tool_choice"] = mode;
  document["allowed_tools"] = std::move(names);
}

void read_choice_object(const json::object& choice, const json::array& tools,
                        json::object& document) {
  const JsonFields fields(choice, "tool_choice.");
  if (fields.string("type") == "allowed_tools") {
    const json::object* const allowed = fields.object("allowed_tools");
    if (allowed == nullptr) fields.refuse("allowed_tools", "an object with mode and tools");
    read_allowed(JsonFields(*allowed, "tool_choice.allowed_tools."), tools, document);
    return;
  }
  const std::string_view name = name_of(fields);
  check_offered("tool_choice", name, tools);
  document["tool_choice"] = json::object{{"name", name}};
}

void read_choice(const JsonFields& fields, const json::array& tools, json::object& document) {
  const json::value* const choice = fields.find("tool_choice");
  if (choice == nullptr) return;
  if (choice->is_object()) {
    read_choice_object(choice->get_object(), tools, document);
    return;
  }
  const std::string_view word = choice->is_string() ? text_of(choice->get_string()) : "";
  if (word != "none" && word != "auto" && word != "required") {
    fields.refuse("tool_choice", "\"none\", \"auto\", \"required\" or an object that names a tool");
  }
  if (word == "required" && tools.empty()) {
    throw RequestRefused(invalid_value(
        "tool_choice",
        "Invalid value for 'tool_choice': \"required\" needs tools, but the request offers none."));
  }
  if (!tools.empty()) document["tool_choice"] = word;
}

/// "none", "auto" or {"name": N}
void read_function_call(const JsonFields& fields, const json::array& tools,
                        json::object& document) {
  const json::value* const choice = fields.find("function_call");
  if (choice == nullptr) return;
  if (choice->is_object()) {
    const JsonFields named(choice->get_object(), "function_call.");
    const std::string_view name = named.required_string("name");
    check_offered("function_call", name, tools);
    document["tool_choice"] = json::object{{"name", name}};
    return;
  }
  if (*choice != "none" && *choice != "auto") {
    fields.refuse("function_call", "\"none\", \"auto\" or an object that names a function");
  }
  document["tool_choice"] = *choice;
}

}  // namespace

bool read_tools(const JsonFields& fields, json::object& document) {
  json::array tools;
  if (const json::array* const listed = fields.array("tools")) {
    tools = read_tool_list(fields, *listed);
  }
  read_choice(fields, tools, document);
  if (fields.boolean("parallel_tool_calls") == false) document["parallel_tool_calls"] = false;
  const json::array* const functions = fields.array("functions");
  const bool has_functions = functions != nullptr && !functions->empty();
  if (has_functions) {
    if (fields.find("tools") != nullptr) {
      throw RequestRefused(invalid_value(
          "functions",
          "Invalid value for 'functions': a request has functions or tools, not both."));
    }
    tools = read_function_list(fields, *functions);
    document["parallel_tool_calls"] = false;
  }
  if (tools.empty() || has_functions) read_function_call(fields, tools, document);
  if (tools.empty()) {
    document.erase("tool_choice");
  } else {
    document["tools"] = std::move(tools);
  }
  return has_functions;
}

}  // namespace vernal::openai_http
