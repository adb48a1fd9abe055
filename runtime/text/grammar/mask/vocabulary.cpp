#include "text/grammar/mask/vocabulary.hpp"

#include <algorithm>
#include <utility>

#include "text/grammar/automaton/lexer.hpp"
#include "text/tokenizer/tokenizer.hpp"
#include "text/tokenizer/utf8.hpp"

namespace vernal::grammar {
namespace {

/// The characters of a text that a JSON string holds as they are; -1 if there is anything else.
int count_plain(std::string_view text) {
  int count = 0;
  while (!text.empty()) {
    const Utf8Character character = read_utf8(text);
    const bool is_plain = character.status == Utf8Status::kValid && character.code_point >= 0x20 &&
                          character.code_point != U'"' && character.code_point != U'\\';
    if (!is_plain) {
      return -1;
    }
    text.remove_prefix(character.length);
    ++count;
  }
  return count;
}

}  // namespace

GrammarVocabulary::GrammarVocabulary(std::vector<std::string> bytes,
                                     std::vector<TokenId> end_tokens, std::size_t num_logits)
    : bytes_(std::move(bytes)),
      end_tokens_(std::move(end_tokens)),
      num_logits_(std::max(num_logits, bytes_.size())) {
  std::sort(end_tokens_.begin(), end_tokens_.end());
  std::vector<TokenTrie::Entry> entries;
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    if (is_end(static_cast<TokenId>(i))) {
      bytes_[i].clear();
    }
    entries.emplace_back(bytes_[i], static_cast<TokenId>(i));
  }
  all_ = TokenTrie(std::move(entries));
  sort_for_strings();
}

bool GrammarVocabulary::is_end(TokenId token) const noexcept {
  return std::binary_search(end_tokens_.begin(), end_tokens_.end(), token);
}

void GrammarVocabulary::sort_for_strings() {
  plain_.assign(kMaxCounted + 1, std::vector<std::uint32_t>(num_words(), 0));
  in_string_.assign(num_words(), 0);
  std::vector<TokenTrie::Entry> others;
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    const int count = bytes_[i].empty() ? -1 : count_plain(bytes_[i]);
    const auto token = static_cast<TokenId>(i);
    if (count < 0) {
      others.emplace_back(bytes_[i], token);
      continue;
    }
    set_bit(in_string_, token);
    for (auto most = std::min(static_cast<std::uint32_t>(count), kMaxCounted); most <= kMaxCounted;
         ++most) {
      set_bit(plain_[most], token);
    }
  }
  // The others are walked once with a string of any text, to see which may come at all. Some begin
  // in the middle of a character: no string that is whole goes on with them.
  RegexPool pool;
  Lexer lexer(pool, nullptr);
  const LexId content = lexer.next(lexer.quoted(kAnyText, Spelling::kFree), '"');
  std::vector<TokenTrie::Entry> kept;
  std::vector<TokenTrie::Entry> rests;
  for (const auto& [bytes, token] : others) {
    LexId state = bytes.empty() ? kDeadLex : content;
    for (std::size_t i = 0; i < bytes.size() && state != kDeadLex; ++i) {
      state = lexer.next(state, static_cast<std::uint8_t>(bytes[i]));
      if (lexer[state].kind == LexKind::kClosed && i + 1 < bytes.size()) {
        rests.emplace_back(bytes.substr(i + 1), token);
        kept.emplace_back(bytes, token);
        state = kDeadLex;
      }
    }
    if (state != kDeadLex) {
      set_bit(in_string_, token);
      kept.emplace_back(bytes, token);
    }
  }
  not_plain_ = TokenTrie(std::move(kept));
  after_quote_ = TokenTrie(std::move(rests));
}

std::shared_ptr<const GrammarVocabulary> GrammarVocabulary::of(const Tokenizer& tokenizer,
                                                               std::size_t num_logits) {
  std::vector<std::string> bytes(tokenizer.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto token = static_cast<TokenId>(i);
    if (!tokenizer.is_special(token)) {
      bytes[i] = tokenizer.token_bytes(token);
    }
  }
  const std::span<const TokenId> ends = tokenizer.end_of_generation();
  return std::make_shared<const GrammarVocabulary>(
      std::move(bytes), std::vector<TokenId>(ends.begin(), ends.end()), num_logits);
}

}  // namespace vernal::grammar
