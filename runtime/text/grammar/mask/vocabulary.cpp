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

std::string control_bytes(TokenId token) {
  std::string bytes(1, kControlByte);
  for (const unsigned shift : {16U, 8U, 0U}) {
    bytes += static_cast<char>(static_cast<std::uint32_t>(token) >> shift & 0xFFU);
  }
  return bytes;
}

TokenId control_token(std::string_view bytes) noexcept {
  if (bytes.size() < kControlBytes || bytes.front() != kControlByte) return kNoToken;
  std::uint32_t id = 0;
  for (const char byte : bytes.substr(1, kControlBytes - 1)) {
    id = (id << 8U) | static_cast<unsigned char>(byte);
  }
  return static_cast<TokenId>(id);
}

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

// Each token is read once as a part of a string of any text. Some begin in the middle of a character:
// no string that is whole goes on with them.
void GrammarVocabulary::sort_for_strings() {
  plain_.assign(num_words(), 0);
  in_string_.assign(kMaxCounted + 1, plain_);
  RegexPool pool;
  Lexer lexer(pool, nullptr);
  const LexId content = lexer.next(lexer.quoted(kAnyText, Spelling::kFree), '"');
  std::vector<TokenTrie::Entry> not_plain;
  std::vector<std::vector<TokenTrie::Entry>> rests(kMaxCounted + 1);
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    const std::string_view bytes = bytes_[i];
    const auto token = static_cast<TokenId>(i);
    const int count = bytes.empty() ? -1 : count_plain(bytes);
    if (count >= 0) {
      set_bit(plain_, token);
      add_counted(static_cast<std::uint32_t>(count), token);
      continue;
    }
    // A character ends where the lexer is back in the content.
    LexId state = bytes.empty() ? kDeadLex : content;
    std::uint32_t characters = 0;
    for (std::size_t at = 0; at < bytes.size() && state != kDeadLex; ++at) {
      state = lexer.next(state, static_cast<std::uint8_t>(bytes[at]));
      characters += state == content ? 1 : 0;
      if (lexer[state].kind == LexKind::kClosed && at + 1 < bytes.size()) {
        has_late_quotes_ = has_late_quotes_ || characters > kMaxCounted;
        rests[std::min(characters, kMaxCounted)].emplace_back(bytes.substr(at + 1), token);
        not_plain.emplace_back(bytes, token);
        state = kDeadLex;
      }
    }
    if (state != kDeadLex) {
      not_plain.emplace_back(bytes, token);
      if (lexer[state].kind == LexKind::kClosed) {
        closing_.emplace_back(characters, token);
      } else {
        add_counted(characters + (state == content ? 0 : 1), token);
      }
    }
  }
  not_plain_ = TokenTrie(std::move(not_plain));
  std::vector<TokenTrie::Entry> all;
  for (std::vector<TokenTrie::Entry>& entries : rests) {
    all.insert(all.end(), entries.begin(), entries.end());
    after_quote_.emplace_back(std::move(entries));
  }
  after_any_quote_ = TokenTrie(std::move(all));
  // A mask holds the tokens of fewer characters, too.
  for (std::size_t count = 1; count < in_string_.size(); ++count) {
    for (std::size_t word = 0; word < num_words(); ++word) {
      in_string_[count][word] |= in_string_[count - 1][word];
    }
  }
}

void GrammarVocabulary::add_counted(std::uint32_t count, TokenId token) {
  if (count > kMaxCounted) {
    long_ones_.emplace_back(count, token);
  } else {
    set_bit(in_string_[count], token);
  }
}

void GrammarVocabulary::add_in_string(std::uint32_t count,
                                      std::span<std::uint32_t> words) const noexcept {
  const std::vector<std::uint32_t>& mask = in_string_[std::min(count, kMaxCounted)];
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i] |= mask[i];
  }
  for (const auto& [needed, token] : long_ones_) {
    if (needed <= count) {
      set_bit(words, token);
    }
  }
}

void GrammarVocabulary::add_closing(std::uint32_t min, std::uint32_t max,
                                    std::span<std::uint32_t> words) const noexcept {
  for (const auto& [count, token] : closing_) {
    if (count >= min && count <= max) {
      set_bit(words, token);
    }
  }
}

std::shared_ptr<const GrammarVocabulary> GrammarVocabulary::of(const Tokenizer& tokenizer,
                                                               std::size_t num_logits) {
  std::vector<std::string> bytes(tokenizer.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto token = static_cast<TokenId>(i);
    if (!tokenizer.is_special(token)) {
      const std::string_view text = tokenizer.token_bytes(token);
      if (text.find(kControlByte) == std::string_view::npos) bytes[i] = text;
    } else if (tokenizer.is_control(token)) {
      bytes[i] = control_bytes(token);
    }
  }
  const std::span<const TokenId> ends = tokenizer.end_of_generation();
  return std::make_shared<const GrammarVocabulary>(
      std::move(bytes), std::vector<TokenId>(ends.begin(), ends.end()), num_logits);
}

}  // namespace vernal::grammar
