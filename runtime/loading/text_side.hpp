// The side of a model that needs no weights: its vocabulary, and the template of its conversations.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/deployment.hpp"
#include "model/gguf_file.hpp"
#include "text/request/prompt_builder.hpp"
#include "text/tokenizer/tokenizer.hpp"
#include "vernal/module.hpp"

namespace vernal {

/// What the engine tokenizes and renders with. Immutable once read; shared with the engine.
struct TextSide {
  std::shared_ptr<const Tokenizer> tokenizer;  ///< never null
  ModelTemplates templates;                    ///< none for chat: chat is refused, completions work

  /// What an operator should know, one sentence each; empty as a rule.
  std::vector<std::string> warnings() const;
};

/// Reads the vocabulary of a model file, and the chat templates that the deployment chooses. A
/// template that does not parse, or whose file cannot be read, is no error: the model then answers
/// completions alone. Control thread.
/// Errors   those of read_vocabulary and check_chosen_template;
///          INVALID_ARGUMENT: the file's template is no string
TextSide read_text_side(const GgufFile& file, const ModelSettings& settings);

/// Refuses a module that cannot take, or never gives, some token of the vocabulary. More rows than
/// tokens are usual: files pad.
/// Errors   INVALID_ARGUMENT, with the tensor, its rows and the number of tokens
void require_rows_for_tokens(const Module& module, std::size_t num_tokens,
                             const std::string& file_name);

}  // namespace vernal
