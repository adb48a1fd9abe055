// The chat templates of a model: which there are in its file, and which the deployment chooses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/deployment.hpp"
#include "model/gguf_metadata.hpp"
#include "text/request/prompt_builder.hpp"

namespace vernal {

/// A template of a model file: `tokenizer.chat_template` is the one named "default",
/// `tokenizer.chat_template.NAME` the one called NAME. The texts live as long as the metadata.
struct StoredTemplate {
  std::string_view name;
  std::string_view source;
};

/// In the order of the file.
std::vector<StoredTemplate> stored_chat_templates(const GgufMetadata& metadata);

/// Checks that the file has the template that `chat_template = "file:NAME"` asks for.
/// Errors   NOT_FOUND, with the names that there are
///          INVALID_ARGUMENT: the default template is no string
void check_chosen_template(const GgufMetadata& metadata, const ModelSettings& settings);

/// The templates that the deployment chooses, parsed. With "file" that is the default, and for
/// requests with tools the one named tool_use if the file has it. One that cannot be used makes a
/// `problem`, not an error: completions work without.
ModelTemplates load_chat_templates(const GgufMetadata& metadata, const ModelSettings& settings);

}  // namespace vernal
