#include "text/chat_template.hpp"

#include <boost/json/value.hpp>
#include <utility>

namespace vernal {

ChatTemplate ChatTemplate::parse(std::string_view source, std::string name) {
  return {jinja::Template::parse(source, std::move(name)), source};
}

std::string ChatTemplate::render(const Inputs& inputs, const RenderLimits& limits,
                                 const Clock& clock) const {
  boost::json::object variables;
  variables["bos_token"] = inputs.bos_token;
  variables["eos_token"] = inputs.eos_token;
  for (const auto& [name, value] : inputs.extra) {
    variables.insert_or_assign(name, value);
  }
  variables["messages"] = inputs.messages;
  variables["add_generation_prompt"] = inputs.add_generation_prompt;
  variables.erase("tools");
  if (!inputs.tools.empty()) {
    variables["tools"] = inputs.tools;
  }
  return template_.render(variables, limits, clock);
}

}  // namespace vernal
