#include "openai_http/anthropic/message_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "openai_http/protocol/api_error.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostMessages = 100'000;

/// Claude Code begins its system prompt with such a line. It holds a checksum of the request.
constexpr std::string_view kBillingLine = "x-anthropic-billing-header:";
constexpr std::string_view kBillingWarning =
    "A line of billing data (x-anthropic-billing-header) was left out of the system prompt: it "
    "differs "
    "in each request, so that nothing behind it could be reused.\n";

/// What the blocks of one message become.
struct MessageParts {
  json::array results;  // whole messages of the role tool
  json::array text;     // content parts
  json::array calls;
  std::string thinking;
};

json::object as_part(std::string_view text) { return {{"type", "text"}, {"text", text}}; }

/// The block number `index` of the array `key`.
JsonFields block_at(const JsonFields& fields, std::string_view key, const json::array& blocks,
                    std::size_t index) {
  if (!blocks[index].is_object()) fields.refuse(key, "a string or an array of blocks");
  return JsonFields(blocks[index].get_object(), element_path(fields.path_of(key), index));
}

/// What a model can read of a block: a text, or a document of plain text behind its title and its
/// context. Nothing of other blocks.
std::optional<std::string> readable_text(const JsonFields& block, std::string_view type) {
  if (type == "text") return std::string(block.required_string("text"));
  const json::object* const source = type == "document" ? block.object("source") : nullptr;
  if (source == nullptr) return std::nullopt;
  const JsonFields document(*source, block.path_of("source."));
  if (document.required_string("type") != "text") return std::nullopt;
  std::string out;
  for (const std::string_view key : {"title", "context"}) {
    const auto line = block.string(key);
    if (line && !line->empty()) out += fmt::format("{}\n", *line);
  }
  return out += document.required_string("data");
}

/// A string or a list of readable blocks, as content parts. Absent: none.
json::array read_text(const JsonFields& fields, std::string_view key) {
  json::array parts;
  const json::value* const value = fields.find(key);
  if (value == nullptr) return parts;
  if (value->is_string()) {
    parts.push_back(as_part(*fields.string(key)));
    return parts;
  }
  if (!value->is_array()) fields.refuse(key, "a string or an array of text blocks");
  const json::array& blocks = value->get_array();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const JsonFields block = block_at(fields, key, blocks, i);
    const std::string_view type = block.required_string("type");
    const auto text = readable_text(block, type);
    if (!text) {
      throw RequestRefused(unreadable_part(block.path_of("type"), type, "a block of type text"));
    }
    parts.push_back(as_part(*text));
  }
  return parts;
}

/// One part is a plain string, which every chat template takes.
json::value as_content(json::array parts) {
  if (parts.empty()) return "";
  if (parts.size() > 1) return parts;
  return parts.front().get_object().at("text");
}

/// Takes a line of billing data off the beginning of the text. Whether it was there.
bool take_billing_line(std::string& text) {
  if (!text.starts_with(kBillingLine)) return false;
  text.erase(0, std::min(text.find('\n'), text.size() - 1) + 1);
  return true;
}

/// The system prompt as content parts.
json::array read_system(const JsonFields& fields, std::string& warnings) {
  json::array kept;
  bool is_shortened = false;
  for (json::value& part : read_text(fields, "system")) {
    std::string text(text_of(part.get_object().at("text").get_string()));
    if (take_billing_line(text)) {
      is_shortened = true;
      if (text.empty()) continue;
    }
    kept.push_back(as_part(text));
  }
  if (is_shortened) warnings += kBillingWarning;
  return kept;
}

json::object read_tool_use(const JsonFields& block) {
  const json::object* const input = block.object("input");
  json::object function{{"name", block.required_string("name")},
                        {"arguments", input == nullptr ? json::object() : *input}};
  return {
      {"id", block.required_string("id")}, {"type", "function"}, {"function", std::move(function)}};
}

/// Chat templates know no mark for a failure, so the text says it.
void mark_as_error(json::array& parts) {
  if (parts.empty()) {
    parts.push_back(as_part("Error"));
    return;
  }
  const std::string_view text = text_of(parts.front().get_object().at("text").get_string());
  parts.front() = as_part(fmt::format("Error: {}", text));
}

json::object read_tool_result(const JsonFields& block) {
  json::array parts = read_text(block, "content");
  if (block.boolean("is_error").value_or(false)) mark_as_error(parts);
  return {{"role", "tool"},
          {"tool_call_id", block.required_string("tool_use_id")},
          {"content", as_content(std::move(parts))}};
}

void read_block(const JsonFields& block, bool is_assistant, MessageParts& parts) {
  const std::string_view type = block.required_string("type");
  if (const auto text = readable_text(block, type)) {
    parts.text.push_back(as_part(*text));
  } else if (is_assistant && type == "tool_use") {
    parts.calls.push_back(read_tool_use(block));
  } else if (is_assistant && type == "thinking") {
    parts.thinking += block.required_string("thinking");
  } else if (!is_assistant && type == "tool_result") {
    parts.results.push_back(read_tool_result(block));
  } else if (!is_assistant || type != "redacted_thinking") {
    throw RequestRefused(unreadable_part(
        block.path_of("type"), type,
        is_assistant ? "a block of type text, tool_use, thinking or redacted_thinking"
                     : "a block of type text or tool_result"));
  }
}

MessageParts read_parts_of(const JsonFields& message, bool is_assistant) {
  const json::value* const content = message.find("content");
  MessageParts parts;
  // An answer that ended before its first word comes back as null.
  if (content == nullptr && is_assistant) return parts;
  if (content != nullptr && content->is_string()) {
    parts.text = read_text(message, "content");
    return parts;
  }
  if (content == nullptr || !content->is_array()) {
    message.refuse("content", "a string or an array of blocks");
  }
  const json::array& blocks = content->get_array();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    read_block(block_at(message, "content", blocks, i), is_assistant, parts);
  }
  return parts;
}

void append_message(const JsonFields& message, json::array& out) {
  const std::string_view role = message.required_string("role");
  if (role != "user" && role != "assistant" && role != "system") {
    message.refuse("role", "one of user, assistant, system");
  }
  MessageParts parts = read_parts_of(message, role == "assistant");
  for (json::value& result : parts.results) out.push_back(std::move(result));
  if (parts.text.empty() && !parts.results.empty()) return;
  const bool has_calls = !parts.calls.empty();
  json::object converted{{"role", role}};
  converted["content"] =
      parts.text.empty() && has_calls ? json::value() : as_content(std::move(parts.text));
  if (has_calls) converted["tool_calls"] = std::move(parts.calls);
  if (!parts.thinking.empty()) converted["reasoning_content"] = parts.thinking;
  out.push_back(std::move(converted));
}

}  // namespace

json::array read_conversation(const JsonFields& fields, std::string& warnings) {
  json::array out;
  json::array system = read_system(fields, warnings);
  if (!system.empty()) {
    out.push_back(json::object{{"role", "system"}, {"content", as_content(std::move(system))}});
  }
  const json::array& messages = fields.required_array("messages");
  if (messages.empty() || messages.size() > kMostMessages) {
    fields.refuse("messages", fmt::format("from 1 to {} messages", kMostMessages));
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (!messages[i].is_object()) fields.refuse("messages", "an array of objects");
    append_message(JsonFields(messages[i].get_object(), element_path("messages", i)), out);
  }
  return out;
}

bool ends_with_a_beginning(const json::array& messages) {
  if (messages.size() < 2) return false;
  const json::object& last = messages.back().get_object();
  const json::value& content = last.at("content");
  const bool has_text =
      content.is_array() || (content.is_string() && !content.get_string().empty());
  return last.at("role") == "assistant" && has_text && !last.contains("tool_calls");
}

}  // namespace vernal::openai_http
