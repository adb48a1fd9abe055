#include "text/tokenizer/infill_tokens.hpp"

#include <array>
#include <string_view>

#include "text/tokenizer/tokenizer.hpp"

namespace vernal {
namespace {

/// The spellings of one family, in the order of InfillTokens. Empty: the family has none.
struct InfillSpelling {
  std::string_view prefix, suffix, middle, repository, file;
};

constexpr std::array kInfillSpellings = {
    InfillSpelling{"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|repo_name|>",
                   "<|file_sep|>"},
    InfillSpelling{"<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<reponame>", "<file_sep>"},
    InfillSpelling{"<fim-prefix>", "<fim-suffix>", "<fim-middle>", "<fim-repo>", ""},
    InfillSpelling{"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "", ""},
    InfillSpelling{"<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>", "", ""},
    InfillSpelling{"▁<PRE>", "▁<SUF>", "▁<MID>", "", ""},
    InfillSpelling{"<PRE>", "<SUF>", "<MID>", "", ""},
};

}  // namespace

InfillTokens find_infill_tokens(const Tokenizer& tokenizer) noexcept {
  for (const InfillSpelling& spelling : kInfillSpellings) {
    const auto find = [&](std::string_view text) {
      return text.empty() ? kNoToken : tokenizer.find_token(text);
    };
    const InfillTokens found{find(spelling.prefix), find(spelling.suffix), find(spelling.middle),
                             find(spelling.repository), find(spelling.file)};
    if (found.are_complete()) return found;
  }
  return {};
}

}  // namespace vernal
