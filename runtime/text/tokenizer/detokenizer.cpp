#include "text/tokenizer/detokenizer.hpp"

#include <utility>

#include "text/tokenizer/utf8.hpp"

namespace vernal {

std::string Detokenizer::push(TokenId id) {
  if (skip_special_ && tokenizer_.is_special(id)) return {};
  pending_.append(tokenizer_.token_bytes(id));

  std::string text;
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const Utf8Character character = read_utf8(rest);
    if (character.status == Utf8Status::kTruncated) break;
    text.append(character.status == Utf8Status::kValid ? rest.substr(0, character.length)
                                                       : kReplacementCharacter);
    rest.remove_prefix(character.length);
  }
  pending_.erase(0, pending_.size() - rest.size());
  return text;
}

std::string Detokenizer::flush() {
  if (pending_.empty()) return {};
  pending_.clear();
  return std::string(kReplacementCharacter);
}

}  // namespace vernal
