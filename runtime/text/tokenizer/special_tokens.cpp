#include "text/tokenizer/special_tokens.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace vernal {
namespace {

struct KnownText {
  std::string_view text;
  bool ends_generation;
};

constexpr std::array<KnownText, 54> kKnownTexts{{
    // The end of a turn, of a message, of the text.
    {"<|eot_id|>", true},
    {"<|eom_id|>", true},
    {"<|im_end|>", true},
    {"<|end|>", true},
    {"<|return|>", true},
    {"<|call|>", true},
    {"<|calls|>", true},
    {"<|flush|>", true},
    {"<end_of_turn>", true},
    {"<turn|>", true},
    {"<|tool_response>", true},
    {"<|endoftext|>", true},
    {"<|end_of_text|>", true},
    {"<end_of_utterance>", true},
    {"<eos>", true},
    {"<EOT>", true},
    {"_<EOT>", true},
    {"[EOT]", true},
    {"[EOS]", true},
    {"[e~[", true},
    {"<｜end▁of▁sentence｜>", true},
    {"</s>", false},
    // Fill in the middle: padding, repository, file. A model that writes one of them has finished.
    {"<|fim_pad|>", true},
    {"<fim-pad>", true},
    {"<fim_pad>", true},
    {"<PAD>", true},
    {"[PAD]", true},
    {"<|fim_repo|>", true},
    {"<|repo_name|>", true},
    {"<fim-repo>", true},
    {"<REPO>", true},
    {"<reponame>", true},
    {"<|file_sep|>", true},
    // Fill in the middle: the parts of a prompt.
    {"<|fim_prefix|>", false},
    {"<fim-prefix>", false},
    {"<fim_prefix>", false},
    {"<｜fim▁begin｜>", false},
    {"<PRE>", false},
    {"▁<PRE>", false},
    {"<|code_prefix|>", false},
    {"<|fim_suffix|>", false},
    {"<fim-suffix>", false},
    {"<fim_suffix>", false},
    {"<｜fim▁hole｜>", false},
    {"<SUF>", false},
    {"▁<SUF>", false},
    {"<|code_suffix|>", false},
    {"<|fim_middle|>", false},
    {"<fim-middle>", false},
    {"<fim_middle>", false},
    {"<｜fim▁end｜>", false},
    {"<MID>", false},
    {"▁<MID>", false},
    {"<|code_middle|>", false},
}};

constexpr std::size_t longest_known_text() noexcept {
  std::size_t longest = 0;
  for (const KnownText& known : kKnownTexts) longest = std::max(longest, known.text.size());
  return longest;
}

// Whether a text begins like a known text. It saves the comparison for nearly all tokens.
constexpr bool may_be_known(std::string_view text) noexcept {
  return !text.empty() && text.size() <= longest_known_text() &&
         (text[0] == '<' || text[0] == '[' || text[0] == '_' || text[0] == '\xE2');
}

const KnownText* find_known(std::string_view text) noexcept {
  if (!may_be_known(text)) return nullptr;
  const auto* found = std::find_if(kKnownTexts.begin(), kKnownTexts.end(),
                                   [&](const KnownText& known) { return known.text == text; });
  return found == kKnownTexts.end() ? nullptr : found;
}

TokenId find_text(const Vocabulary& vocabulary, std::string_view text) {
  const auto found = std::find_if(vocabulary.tokens.begin(), vocabulary.tokens.end(),
                                  [&](const VocabularyToken& token) { return token.text == text; });
  return found == vocabulary.tokens.end() ? kNoToken
                                          : static_cast<TokenId>(found - vocabulary.tokens.begin());
}

}  // namespace

void mark_special_tokens(Vocabulary& vocabulary) {
  for (VocabularyToken& token : vocabulary.tokens) {
    if (find_known(token.text) != nullptr) token.type = TokenType::kControl;
  }
}

std::vector<TokenId> end_of_generation_tokens(const Vocabulary& vocabulary) {
  std::vector<TokenId> ids;
  TokenId id = 0;
  for (const VocabularyToken& token : vocabulary.tokens) {
    const KnownText* known = find_known(token.text);
    if (known != nullptr && known->ends_generation) ids.push_back(id);
    ++id;
  }
  if (find_text(vocabulary, "<|return|>") != kNoToken &&
      find_text(vocabulary, "<|call|>") != kNoToken) {
    std::erase(ids, find_text(vocabulary, "<|end|>"));
  }
  for (const TokenId named :
       {vocabulary.eos, vocabulary.eot, vocabulary.eom, vocabulary.fim_padding,
        vocabulary.fim_repository, vocabulary.fim_separator}) {
    if (named != kNoToken) ids.push_back(named);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace vernal
