#include "text/request/tool_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "text/request/request_error.hpp"

namespace vernal {
namespace {

namespace json = boost::json;

// The name of an offered tool.
std::string read_offered(const json::value& value, const std::string& path,
                         const std::vector<ToolDefinition>& tools) {
  std::string name = read_string(value, path, kMaxNameBytes);
  if (std::ranges::find(tools, name, &ToolDefinition::name) == tools.end()) {
    throw invalid_value(
        path, fmt::format("Invalid value for '{}': it names a tool that is not in 'tools'.", path));
  }
  return name;
}

void read_choice(const json::value& value, const std::vector<ToolDefinition>& tools,
                 ToolChoice& out) {
  if (value.is_object()) {
    ObjectReader named(value, "tool_choice");
    const std::string name = read_offered(named.require("name"), "tool_choice.name", tools);
    named.refuse_unknown_keys();
    if (!out.allows(name)) {
      throw invalid_value("tool_choice.name",
                          "Invalid value for 'tool_choice.name': the tool is not among "
                          "'allowed_tools'.");
    }
    out.allowed = {name};
    out.is_named = out.is_required = true;
    return;
  }
  out.is_none = value == "none";
  out.is_required = value == "required" && !tools.empty();
  if (value != "auto" && !out.is_none && !out.is_required) {
    throw invalid_value("tool_choice",
                        fmt::format("Invalid value for 'tool_choice': expected auto, none, or with "
                                    "tools required or a name; found {}.",
                                    describe(value)));
  }
}

}  // namespace

bool ToolChoice::allows(std::string_view tool) const {
  return allowed.empty() || std::ranges::find(allowed, tool) != allowed.end();
}

ToolChoice read_tool_choice(ObjectReader& reader, const std::vector<ToolDefinition>& tools) {
  ToolChoice choice;
  if (const json::array* const names = reader.find_array("allowed_tools")) {
    if (names->empty()) {
      throw invalid_value("allowed_tools",
                          "Invalid value for 'allowed_tools': expected at least one name.");
    }
    for (std::size_t i = 0; i < names->size(); ++i) {
      choice.allowed.push_back(
          read_offered((*names)[i], fmt::format("allowed_tools[{}]", i), tools));
    }
  }
  if (const json::value* const value = reader.find("tool_choice")) {
    read_choice(*value, tools, choice);
  }
  return choice;
}

}  // namespace vernal
