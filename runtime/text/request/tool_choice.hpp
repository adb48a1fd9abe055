// Which tools an answer may or must call.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/request/chat_message.hpp"
#include "text/request/json_reader.hpp"

namespace vernal {

/// The members `tool_choice` and `allowed_tools` of a request document (sdk/spec/request.md).
struct ToolChoice {
  bool is_none = false;              ///< the tools are not offered
  bool is_required = false;          ///< the answer is at least one call
  bool is_named = false;             ///< the answer is one call, of the only tool in `allowed`
  std::vector<std::string> allowed;  ///< the tools that may be called; empty: all that are offered

  /// Whether a call of the tool is among those that the choice leaves.
  bool allows(std::string_view tool) const;
};

/// Reads both members.
/// Errors   RequestError: a wrong value, a name that none of `tools` has, calls that are required
///          where there are no tools
ToolChoice read_tool_choice(ObjectReader& reader, const std::vector<ToolDefinition>& tools);

}  // namespace vernal
