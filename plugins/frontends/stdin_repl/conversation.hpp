// The messages of a conversation.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "stdin_repl/generation_options.hpp"

namespace vernal::stdin_repl {

struct Message {
  std::string role;       // "user" or "assistant"
  std::string content;    // UTF-8
  std::string reasoning;  // of the assistant, before the content; may be empty

  bool operator==(const Message&) const = default;
};

/// A system message, which may be empty, and the messages after it. One thread.
class Conversation {
 public:
  std::string system;
  std::vector<Message> messages;

  bool ends_with(std::string_view role) const {
    return !messages.empty() && messages.back().role == role;
  }
  /// The vernal.request/1 document that asks for the next message.
  std::string request(const GenerationOptions& options) const;

  /// Writes the conversation as JSON: {"format": "vernal.conversation/1", "model", "messages"}. An
  /// existing file is replaced as a whole or stays as it was. Throws Error with the path and the
  /// reason.
  void save(const std::filesystem::path& path, std::string_view model) const;
  /// Reads a file that save() wrote. Throws Error with the path and the place of the mistake.
  static Conversation load(const std::filesystem::path& path);

 private:
  boost::json::array messages_json() const;
};

/// The vernal.request/1 document that continues the text `prompt`, for a model without a chat
/// template.
std::string completion_request(std::string_view prompt, const GenerationOptions& options);

}  // namespace vernal::stdin_repl
