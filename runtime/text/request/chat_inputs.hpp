// A request as the variables of a chat template.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "text/chat_template.hpp"
#include "text/request/request_document.hpp"

namespace vernal {

/// Applied to every string that comes from the client.
using StringMap = std::function<std::string(std::string_view)>;

/// The messages and tools in the forms that the template takes, and what `thinking` and
/// template_kwargs say; not the two tokens. `thinking` sets enable_thinking and thinking to true or
/// false, and reasoning_effort where it is an effort. A system message goes to the front of the
/// user's where the template has no place for one.
///   document   has messages
ChatTemplate::Inputs make_chat_inputs(const RequestDocument& document,
                                      const TemplateCapabilities& capabilities,
                                      const StringMap& map);

}  // namespace vernal
