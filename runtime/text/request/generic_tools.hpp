// Tools for chat templates that know nothing of them: as text of messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/request/chat_message.hpp"

namespace vernal {

/// The first words of tools_preamble(): where a prompt lacks them, the preamble was lost.
inline constexpr std::string_view kPreambleBegin = "You can call functions.";

/// What tells a model which tools there are and how to call them: a line of JSON for each, and
/// calls as Hermes models and many others write them, in <tool_call> and </tool_call>.
std::string tools_preamble(const std::vector<ToolDefinition>& tools);

/// Puts the preamble in front of the first message: into it if it is a system message, else as one.
void add_preamble(const std::vector<ToolDefinition>& tools, std::vector<ChatMessage>& messages);

/// The conversation with calls and results as text, in the syntax that the preamble asks for.
/// Results become the user's, together with what the user says next: such templates want the roles
/// to take turns.
std::vector<ChatMessage> with_calls_as_text(const std::vector<ChatMessage>& messages);

}  // namespace vernal
