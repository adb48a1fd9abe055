#include "text/grammar/forced_tokens.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "text/grammar/mask/vocabulary.hpp"

namespace vernal::grammar {
namespace {

constexpr std::size_t kMaxRecent = 4;

/// The tokens of `text` after `recent`; empty if they are not what the tokenizer makes of both.
std::vector<TokenId> encode_after(const Tokenizer& tokenizer, std::span<const TokenId> recent,
                                  std::string_view text) {
  std::string both;
  for (const TokenId token : recent) {
    both += tokenizer.token_bytes(token);
  }
  both += text;
  if (tokenizer.has_space_prefix()) {
    // encode() adds a space of its own.
    if (both.empty() || both[0] != ' ') {
      return {};
    }
    both.erase(0, 1);
  }
  std::vector<TokenId> tokens = tokenizer.encode(both);
  const bool comes_back =
      tokens.size() > recent.size() && std::equal(recent.begin(), recent.end(), tokens.begin());
  if (!comes_back) {
    return {};
  }
  tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(recent.size()));
  std::string bytes;
  for (const TokenId token : tokens) {
    bytes += tokenizer.token_bytes(token);
  }
  return bytes == text ? tokens : std::vector<TokenId>{};
}

/// The last tokens that are in one text with what follows: a control token begins a new one.
std::span<const TokenId> same_text(std::span<const TokenId> recent, const Tokenizer& tokenizer) {
  recent = recent.last(std::min(recent.size(), kMaxRecent));
  std::size_t first = recent.size();
  while (first > 0 && !tokenizer.is_special(recent[first - 1])) {
    --first;
  }
  return recent.subspan(first);
}

/// Appends the tokens of `text`, which is forced at `ahead`, and moves on. False: some are left out.
bool append_text(std::string_view text, const Tokenizer& tokenizer, Matcher& ahead,
                 std::span<const TokenId> recent, std::vector<TokenId>& tokens) {
  const std::vector<TokenId> more = encode_after(tokenizer, same_text(recent, tokenizer), text);
  for (const TokenId token : more) {
    if (ahead.allows_longer(text)) {
      return false;
    }
    const std::string_view bytes = tokenizer.token_bytes(token);
    text.remove_prefix(bytes.size());
    ahead.accept_bytes(bytes);
    tokens.push_back(token);
  }
  return text.empty();
}

}  // namespace

std::vector<TokenId> forced_tokens(const Matcher& matcher, const Tokenizer& tokenizer,
                                   std::span<const TokenId> recent) {
  Matcher ahead = matcher;
  const std::string forced = ahead.forced_text();
  std::string_view text = forced;
  std::vector<TokenId> tokens;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(kControlByte), text.size());
    const std::span<const TokenId> before = tokens.empty() ? recent : tokens;
    if (end > 0 && !append_text(text.substr(0, end), tokenizer, ahead, before, tokens)) {
      break;
    }
    text.remove_prefix(end);
    const TokenId control = control_token(text);
    if (control == kNoToken) {
      break;
    }
    ahead.accept_bytes(text.substr(0, kControlBytes));
    text.remove_prefix(kControlBytes);
    tokens.push_back(control);
  }
  return tokens;
}

}  // namespace vernal::grammar
