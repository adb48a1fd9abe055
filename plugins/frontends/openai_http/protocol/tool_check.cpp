#include "openai_http/protocol/tool_check.hpp"

namespace vernal::openai_http {

void ToolCheck::add(const JsonFields& function, std::string_view schema) {
  const std::string_view name = function.required_string("name");
  if (name.empty()) function.refuse("name", "a name");
  if (!names_.insert(name).second) function.refuse("name", "a name that no other tool has");
  function.string("description");
  function.object(schema);
}

}  // namespace vernal::openai_http
