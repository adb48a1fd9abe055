#include "text/grammar/forced_tokens.hpp"

#include <algorithm>
#include <string>
#include <string_view>

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

}  // namespace

std::vector<TokenId> forced_tokens(const Matcher& matcher, const Tokenizer& tokenizer,
                                   std::span<const TokenId> recent) {
  Matcher ahead = matcher;
  const std::string text = ahead.forced_text();
  if (text.empty()) {
    return {};
  }
  recent = recent.last(std::min(recent.size(), kMaxRecent));
  // A control token begins a text of its own.
  std::size_t first = recent.size();
  while (first > 0 && !tokenizer.is_special(recent[first - 1])) {
    --first;
  }
  std::vector<TokenId> tokens = encode_after(tokenizer, recent.subspan(first), text);
  std::size_t at = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view rest = std::string_view(text).substr(at);
    if (ahead.allows_longer(rest)) {
      tokens.resize(i);
      break;
    }
    at += tokenizer.token_bytes(tokens[i]).size();
    ahead.accept_bytes(tokenizer.token_bytes(tokens[i]));
  }
  return tokens;
}

}  // namespace vernal::grammar
