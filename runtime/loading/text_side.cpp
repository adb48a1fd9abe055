#include "loading/text_side.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "config/text_file.hpp"
#include "model/printable.hpp"
#include "text/tokenizer/vocabulary.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

constexpr std::uint64_t kLargestTemplate = 16 * 1024 * 1024;

/// The text of the template that the deployment chooses, or why there is none in `problem`.
std::optional<std::string> template_source(const GgufFile& file, const ModelSettings& settings,
                                           std::string& problem) {
  if (settings.chat_template == "none") {
    problem = "the deployment says chat_template = \"none\"";
    return std::nullopt;
  }
  if (settings.chat_template == "file") {
    const auto stored = file.metadata().find_string("tokenizer.chat_template");
    if (!stored) problem = "the model file has no chat template";
    return stored ? std::optional<std::string>(*stored) : std::nullopt;
  }
  try {
    return read_text_file(settings.chat_template, "a template", kLargestTemplate);
  } catch (const Error& error) {
    problem = fmt::format("chat template {}", error.what());
    return std::nullopt;
  }
}

void require_rows(std::string_view tensor, std::int64_t rows, std::size_t num_tokens,
                  const std::string& file_name) {
  if (rows < 0 || static_cast<std::uint64_t>(rows) >= num_tokens) return;
  throw Error(VERNAL_INVALID_ARGUMENT,
              fmt::format("{}: tensor \"{}\": expected a row for each of the {} tokens of the "
                          "vocabulary, found {} rows",
                          printable(file_name, 1024), printable(tensor), num_tokens, rows));
}

}  // namespace

std::vector<std::string> TextSide::warnings() const {
  std::vector<std::string> out(tokenizer->warnings().begin(), tokenizer->warnings().end());
  if (!chat_template) {
    out.push_back(fmt::format("chat is refused, completions work: {}", chat_template_problem));
  }
  return out;
}

TextSide read_text_side(const GgufFile& file, const ModelSettings& settings) {
  TextSide out;
  out.tokenizer = std::make_shared<const Tokenizer>(read_vocabulary(file));
  std::optional<std::string> source = template_source(file, settings, out.chat_template_problem);
  if (!source) return out;
  try {
    out.chat_template = std::make_shared<const ChatTemplate>(
        ChatTemplate::parse(*source, "chat template of " + settings.name));
  } catch (const Error& error) {
    out.chat_template_problem = error.what();
  }
  return out;
}

void require_rows_for_tokens(const Module& module, std::size_t num_tokens,
                             const std::string& file_name) {
  for (const Function& function : module.functions) {
    for (const Node& node : function.nodes) {
      if (node.op == "vernal.embed/1") {
        const Weight& table = module.weights.at(node.operand(1).index);
        require_rows(table.name, table.shape.dims[0], num_tokens, file_name);
      }
      if (node.op == "vernal.output/1" && node.text("name", "") == "logits") {
        const Value& logits = function.values.at(node.operand(0).index);
        require_rows("logits", logits.shape.last(), num_tokens, file_name);
      }
    }
  }
}

}  // namespace vernal
