#include "loading/text_side.hpp"

#include <fmt/format.h>

#include "loading/chat_templates.hpp"
#include "model/printable.hpp"
#include "text/tokenizer/vocabulary.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

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
  if (!templates.chat) {
    out.push_back(fmt::format("chat is refused, completions work: {}", templates.problem));
  }
  return out;
}

TextSide read_text_side(const GgufFile& file, const ModelSettings& settings) {
  check_chosen_template(file.metadata(), settings);
  return {std::make_shared<const Tokenizer>(read_vocabulary(file)),
          load_chat_templates(file.metadata(), settings)};
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
