// Conversations that a chat template refuses because of their shape, made fit for it.
#pragma once

#include <cstdint>
#include <vector>

#include "text/request/chat_message.hpp"
#include "text/request/message_forms.hpp"
#include "text/request/message_policy.hpp"

namespace vernal {

/// Changes only what agents' histories are known to have and templates are known to refuse:
///
///   a system message behind the first place    becomes the user's, or joins the first one
///   a result whose call is not there            becomes a message of the user
///   a call without a result                     gets an empty one, unless it ends the conversation
///   arguments that are no JSON object           stand in one: {"arguments": "text"}
///   several messages of one role in a row       become one (those of tools stay as they are)
///   no message of the user before an answer     gets one, "Continue."
///
/// Thread   any
///   warnings   gets a sentence for every kind of change
std::vector<ChatMessage> repair_messages(std::vector<ChatMessage> messages,
                                         const MessagePolicy& policy, Warnings& warnings);

/// Puts an answer, "(no answer)", between a result and a message of the user that follows it, for
/// templates that want user and assistant in turns whatever the tools say. Any thread.
///   warnings   gets a sentence if there was such a place
std::vector<ChatMessage> separate_results(std::vector<ChatMessage> messages, Warnings& warnings);

}  // namespace vernal
