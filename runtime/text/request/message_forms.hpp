// Conversations in the form that a chat template takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/request/request_document.hpp"
#include "text/template_probe.hpp"

namespace vernal {

/// How the tools of a request reach the prompt.
enum class ToolForm : std::uint8_t {
  kAsSent,     ///< the template prints them, as the client sent them
  kCompleted,  ///< the same, with an empty description and parameters where they have none
  kPreamble,   ///< they stand as text before the first message (generic_tools.hpp)
};

/// What a client is told about its request, one sentence each.
using Warnings = std::vector<std::string>;

/// The messages of the document, changed only where the template would lose or refuse them as they
/// are: calls as text where it has no calls; the preamble; text and calls, or several calls, in
/// messages of their own; a system message in front of the user's where it has no place for one.
///   document   has messages
///   warnings   gets a sentence for what is lost or stands elsewhere
std::vector<ChatMessage> adapt_messages(const RequestDocument& document,
                                        const TemplateCapabilities& capabilities,
                                        ToolForm tool_form, Warnings& warnings);

}  // namespace vernal
