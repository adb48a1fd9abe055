#include "loading/chat_templates.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "config/text_file.hpp"
#include "model/printable.hpp"
#include "text/chat_template.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

constexpr std::string_view kKey = "tokenizer.chat_template";
constexpr std::string_view kDefaultName = "default";
constexpr std::string_view kToolUseName = "tool_use";
constexpr std::string_view kChoicePrefix = "file:";
constexpr std::uint64_t kLargestTemplate = 16 * 1024 * 1024;

std::string read_template(const std::string& path) {
  try {
    return read_text_file(path, "a template", kLargestTemplate);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("chat template {}", error.what()));
  }
}

std::optional<std::string_view> find_stored(const GgufMetadata& metadata, std::string_view name) {
  for (const StoredTemplate& stored : stored_chat_templates(metadata)) {
    if (stored.name == name) return stored.source;
  }
  return std::nullopt;
}

/// "default, tool_use"
std::string names_of(const GgufMetadata& metadata) {
  std::string names;
  for (const StoredTemplate& stored : stored_chat_templates(metadata)) {
    names += (names.empty() ? "" : ", ") + printable(stored.name);
  }
  return names.empty() ? "none" : names;
}

/// The NAME of "file:NAME".
std::optional<std::string_view> chosen_name(const ModelSettings& settings) {
  const std::string_view text = settings.chat_template;
  if (!text.starts_with(kChoicePrefix)) return std::nullopt;
  return text.substr(kChoicePrefix.size());
}

std::shared_ptr<const ChatTemplate> parse(std::string_view source, const ModelSettings& settings) {
  return std::make_shared<const ChatTemplate>(
      ChatTemplate::parse(source, "chat template of " + settings.name));
}

ModelTemplates parse_stored(const GgufMetadata& metadata, const ModelSettings& settings) {
  ModelTemplates out;
  const auto chosen = chosen_name(settings);
  const auto source = find_stored(metadata, chosen.value_or(kDefaultName));
  if (!source) {
    const std::string names = names_of(metadata);
    out.problem = names == "none" ? "the model file has no chat template"
                                  : fmt::format(
                                        "the model file has no default chat template, only "
                                        "{}: choose one with chat_template = \"file:NAME\"",
                                        names);
    return out;
  }
  out.chat = parse(*source, settings);
  const auto tool_use = find_stored(metadata, kToolUseName);
  if (tool_use && !chosen) out.tool_use = parse(*tool_use, settings);
  return out;
}

}  // namespace

std::vector<StoredTemplate> stored_chat_templates(const GgufMetadata& metadata) {
  std::vector<StoredTemplate> out;
  for (const GgufEntry& entry : metadata.entries()) {
    const std::string_view key = entry.key;
    if (!key.starts_with(kKey) || entry.kind != GgufKind::kString) continue;
    const std::string_view rest = key.substr(kKey.size());
    const bool is_named = rest.size() > 1 && rest.front() == '.';
    const auto source = metadata.find_string(key);
    if (source && (rest.empty() || is_named)) {
      out.push_back({is_named ? rest.substr(1) : kDefaultName, *source});
    }
  }
  return out;
}

void check_chosen_template(const GgufMetadata& metadata, const ModelSettings& settings) {
  static_cast<void>(metadata.find_string(kKey));  // refuses another type
  const auto chosen = chosen_name(settings);
  if (!chosen || find_stored(metadata, *chosen)) return;
  throw Error(VERNAL_NOT_FOUND,
              fmt::format("chat_template = \"{}\": expected a chat template of the model file; it "
                          "has: {}",
                          printable(settings.chat_template), names_of(metadata)));
}

ModelTemplates load_chat_templates(const GgufMetadata& metadata, const ModelSettings& settings) {
  if (settings.chat_template == "none") {
    return {.problem = "the deployment says chat_template = \"none\""};
  }
  try {
    if (settings.chat_template == "file" || chosen_name(settings)) {
      return parse_stored(metadata, settings);
    }
    return {.chat = parse(read_template(settings.chat_template), settings)};
  } catch (const Error& error) {
    return {.problem = error.what()};
  }
}

}  // namespace vernal
