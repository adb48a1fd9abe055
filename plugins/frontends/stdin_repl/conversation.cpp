#include "stdin_repl/conversation.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

#include "vernal/error.hpp"
#include "vernal/frontend/byte_order_mark.hpp"

namespace vernal::stdin_repl {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr std::string_view kFormat = "vernal.conversation/1";
constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{64} << 20;

[[noreturn]] void refuse(const fs::path& path, std::string_view reason) {
  throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("{}: {}", path.string(), reason));
}

[[noreturn]] void refuse_access(const fs::path& path, std::string_view what, int error) {
  throw Error(VERNAL_UNAVAILABLE,
              fmt::format("{}: {}: {}", path.string(), what, std::strerror(error)));
}

std::string read_file(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) refuse(path, "is a folder");
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) refuse_access(path, "cannot be read", error.value());
  if (size > kMaxFileBytes) refuse(path, fmt::format("is too long: {} bytes", size));
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse_access(path, "cannot be read", errno);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Writes another file in the same folder and renames it to `path`. If the disk is full, the old
// file stays.
void write_file(const fs::path& path, std::string_view text) {
  fs::path partial = path;
  partial += ".partial";
  {
    std::ofstream file(partial, std::ios::binary | std::ios::trunc);
    if (!file) refuse_access(path, "cannot be written", errno);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    file.close();
    if (!file) refuse_access(path, "cannot be written", errno);
  }
  std::error_code error;
  fs::rename(partial, path, error);
  if (!error) return;
  std::error_code ignored;
  fs::remove(partial, ignored);
  refuse_access(path, "cannot be written", error.value());
}

std::string read_text(const fs::path& path, const json::object& message, std::size_t index,
                      std::string_view key) {
  const json::value* value = message.if_contains(key);
  if (value == nullptr || !value->is_string()) {
    refuse(path, fmt::format("messages[{}].{}: expected a string", index, key));
  }
  return std::string(value->get_string());
}

void read_message(const fs::path& path, const json::value& value, std::size_t index,
                  Conversation& out) {
  const json::object* object = value.if_object();
  if (object == nullptr) refuse(path, fmt::format("messages[{}]: expected an object", index));
  Message message{
      read_text(path, *object, index, "role"), read_text(path, *object, index, "content"), {}};
  if (object->contains("reasoning_content")) {
    message.reasoning = read_text(path, *object, index, "reasoning_content");
  }
  if (message.role == "system" && index == 0) {
    out.system = std::move(message.content);
  } else if (message.role == "user" || message.role == "assistant") {
    out.messages.push_back(std::move(message));
  } else {
    refuse(path, fmt::format("messages[{}].role: expected user or assistant, or system in the "
                             "first message",
                             index));
  }
}

std::string finish(json::object document, const GenerationOptions& options) {
  options.add_to(document);
  return json::serialize(document);
}

}  // namespace

json::array Conversation::messages_json() const {
  json::array list;
  if (!system.empty()) list.push_back({{"role", "system"}, {"content", system}});
  for (const Message& message : messages) {
    json::object object = {{"role", message.role}, {"content", message.content}};
    if (!message.reasoning.empty()) object["reasoning_content"] = message.reasoning;
    list.push_back(std::move(object));
  }
  return list;
}

std::string Conversation::request(const GenerationOptions& options) const {
  return finish({{"kind", "generate"}, {"messages", messages_json()}}, options);
}

std::string completion_request(std::string_view prompt, const GenerationOptions& options) {
  return finish({{"kind", "generate"}, {"prompt", prompt}}, options);
}

void Conversation::save(const fs::path& path, std::string_view model) const {
  const json::object document = {
      {"format", kFormat}, {"model", model}, {"messages", messages_json()}};
  write_file(path, json::serialize(document) + "\n");
}

Conversation Conversation::load(const fs::path& path) {
  json::error_code error;
  const std::string text = read_file(path);
  const json::value document = json::parse(without_byte_order_mark(text), error);
  if (error) refuse(path, fmt::format("is no JSON: {}", error.message()));
  const json::object* object = document.if_object();
  const json::value* format = object == nullptr ? nullptr : object->if_contains("format");
  if (format == nullptr || !format->is_string() || format->get_string() != kFormat) {
    refuse(path, fmt::format("is no saved conversation: expected an object with \"format\": \"{}\"",
                             kFormat));
  }
  const json::value* list = object->if_contains("messages");
  if (list == nullptr || !list->is_array()) refuse(path, "messages: expected a list");
  Conversation out;
  for (std::size_t i = 0; i < list->get_array().size(); ++i) {
    read_message(path, list->get_array()[i], i, out);
  }
  return out;
}

}  // namespace vernal::stdin_repl
