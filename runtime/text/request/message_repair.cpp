#include "text/request/message_repair.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace vernal {
namespace {

using Messages = std::vector<ChatMessage>;

constexpr std::string_view kGoOn = "Continue.";
constexpr std::string_view kSystemMark = "[System message]\n";

void note_repair(Warnings& warnings, std::string_view sentence) {
  if (std::find(warnings.begin(), warnings.end(), sentence) == warnings.end()) {
    warnings.emplace_back(sentence);
  }
}

ChatMessage message_of(std::string_view role, std::string text) {
  ChatMessage message;
  message.role = role;
  message.parts = {std::move(text)};
  return message;
}

Messages move_late_system(Messages messages, LateSystem policy, Warnings& warnings) {
  Messages out;
  for (ChatMessage& message : messages) {
    if (message.role != "system" || out.empty()) {
      out.push_back(std::move(message));
      continue;
    }
    const bool joins_first = policy == LateSystem::kFirst || out.size() == 1;
    if (joins_first && out.front().role == "system") {
      out.front().parts.push_back("\n" + message.text());
    } else if (policy == LateSystem::kFirst) {
      out.insert(out.begin(), std::move(message));
    } else {
      out.push_back(message_of("user", std::string(kSystemMark) + message.text()));
    }
    note_repair(warnings, joins_first
                              ? "The chat template of this model refuses system messages behind "
                                "the first place: they were joined with the first."
                              : "The chat template of this model refuses system messages behind "
                                "the first place: they were given to it as the user's.");
  }
  return out;
}

bool answers_call(const ChatMessage& result, const ToolCall& call) {
  return !result.tool_call_id || call.id.empty() || *result.tool_call_id == call.id;
}

/// The results behind an answer with calls, one for each call and in their order.
void append_results(const ChatMessage& answer, Messages results, bool is_last, Messages& out,
                    Warnings& warnings) {
  for (const ToolCall& call : answer.tool_calls) {
    const auto found = std::find_if(results.begin(), results.end(), [&](const ChatMessage& result) {
      return answers_call(result, call);
    });
    if (found != results.end()) {
      out.push_back(std::move(*found));
      results.erase(found);
    } else if (!is_last) {
      ChatMessage missing = message_of("tool", "");
      if (!call.id.empty()) missing.tool_call_id = call.id;
      out.push_back(std::move(missing));
      note_repair(warnings, "A tool call without a result got an empty one.");
    }
  }
  for (ChatMessage& orphan : results) {
    out.push_back(message_of("user", "[Tool result]\n" + orphan.text()));
    note_repair(warnings,
                "A tool result whose call is not in the messages was given as the user's.");
  }
}

/// Calls and results in pairs.
Messages pair_results(const Messages& messages, Warnings& warnings) {
  Messages out;
  ChatMessage nobody;  // results before any answer belong to no call
  for (std::size_t i = 0; i < messages.size();) {
    const bool is_answer = messages[i].role == "assistant";
    const ChatMessage& answer = is_answer ? messages[i] : nobody;
    if (messages[i].role != "tool") out.push_back(messages[i++]);
    Messages results;
    while (i < messages.size() && messages[i].role == "tool") results.push_back(messages[i++]);
    append_results(answer, std::move(results), i == messages.size(), out, warnings);
  }
  return out;
}

void mend_arguments(Messages& messages, Warnings& warnings) {
  for (ChatMessage& message : messages) {
    for (ToolCall& call : message.tool_calls) {
      if (call.arguments.is_object()) continue;
      call.arguments = boost::json::object{{"arguments", call.arguments_text.value_or("")}};
      call.arguments_text.reset();
      note_repair(warnings, "Arguments of a tool call that are no JSON object were put into one.");
    }
  }
}

void append_text(ChatMessage& to, const ChatMessage& from) {
  const std::string text = from.text();
  if (text.empty()) return;
  to.parts.push_back(to.text().empty() ? text : "\n" + text);
  to.has_content = true;
}

/// Neighbours of one role in one message. An answer with calls ends what can be joined.
Messages join_neighbours(Messages messages, Warnings& warnings) {
  Messages out;
  for (ChatMessage& message : messages) {
    const bool is_joined = !out.empty() && out.back().role == message.role &&
                           message.role != "tool" && out.back().tool_calls.empty();
    if (!is_joined) {
      out.push_back(std::move(message));
      continue;
    }
    append_text(out.back(), message);
    if (message.reasoning) {
      out.back().reasoning = out.back().reasoning
                                 ? *out.back().reasoning + "\n" + *message.reasoning
                                 : *message.reasoning;
    }
    out.back().tool_calls = std::move(message.tool_calls);
    note_repair(warnings, "Messages of one role in a row were joined.");
  }
  return out;
}

void add_missing_user(Messages& messages, Warnings& warnings) {
  const auto is_first_turn = [](const ChatMessage& message) { return message.role != "system"; };
  const auto first = std::find_if(messages.begin(), messages.end(), is_first_turn);
  if (first != messages.end() && first->role == "user") return;
  messages.insert(first, message_of("user", std::string(kGoOn)));
  note_repair(warnings,
              "The messages have no turn of the user before the first answer: one was added.");
}

}  // namespace

std::vector<ChatMessage> repair_messages(std::vector<ChatMessage> messages,
                                         const MessagePolicy& policy, Warnings& warnings) {
  messages = move_late_system(std::move(messages), policy.late_system, warnings);
  messages = pair_results(messages, warnings);
  mend_arguments(messages, warnings);
  messages = join_neighbours(std::move(messages), warnings);
  add_missing_user(messages, warnings);
  return messages;
}

std::vector<ChatMessage> separate_results(std::vector<ChatMessage> messages, Warnings& warnings) {
  std::vector<ChatMessage> out;
  for (ChatMessage& message : messages) {
    if (message.role == "user" && !out.empty() && out.back().role == "tool") {
      out.push_back(message_of("assistant", "(no answer)"));
      note_repair(warnings, "An answer was put between a tool result and the user's next message.");
    }
    out.push_back(std::move(message));
  }
  return out;
}

}  // namespace vernal
