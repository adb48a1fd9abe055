// A request as the variables of a chat template.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "text/chat_template.hpp"
#include "text/request/message_forms.hpp"
#include "text/request/request_document.hpp"
#include "text/template_probe.hpp"

namespace vernal {

/// Applied to every string that comes from the client.
using StringMap = std::function<std::string(std::string_view)>;

/// What messages and tools have to look like.
struct TemplateForm {
  const TemplateCapabilities& capabilities;
  ToolForm tools;
};

/// Messages and tools in the shapes that the template takes, and what `thinking` and
/// template_kwargs say; not the two tokens. What a client sent stays as it was wherever the template
/// can take it: arguments of calls byte for byte, tools with all members in their order, numbers with
/// their digits. `thinking` sets enable_thinking and thinking to true or false, and reasoning_effort
/// where it is an effort.
///   messages   of the document, as adapt_messages() makes them for the same form
ChatTemplate::Inputs make_chat_inputs(const RequestDocument& document,
                                      const std::vector<ChatMessage>& messages,
                                      const TemplateForm& form, const StringMap& map);

}  // namespace vernal
