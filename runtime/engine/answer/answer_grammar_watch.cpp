// The free text between calls: where does a call begin?
#include <algorithm>
#include <string_view>

#include "engine/answer/answer_grammar.hpp"
#include "text/grammar/mask/vocabulary.hpp"

namespace vernal {

void AnswerGrammar::watch(TokenId token) {
  has_begun_ = true;
  if (!rules_.calls || rules_.call_opener.empty()) return;
  const std::string& opener = rules_.call_opener;
  recent_ += rules_.calls->vocabulary().bytes(token);
  const std::size_t found = recent_.find(opener);
  if (found == std::string::npos) {
    const std::size_t kept = std::min(recent_.size(), opener.size() - 1);
    recent_.erase(0, recent_.size() - kept);
    return;
  }
  grammar::Matcher matcher(*rules_.calls);
  // What a token has behind the opener may be no call. mask() leaves such tokens out where the opener
  // began in an earlier one.
  if (matcher.accept_bytes(std::string_view(recent_).substr(found))) {
    ways_.push_back({std::move(matcher), true});
  }
  recent_.clear();
}

// Everything may come, but a token that ends the opener and goes on as no call does.
std::span<const std::uint32_t> AnswerGrammar::watch_mask() {
  if (!rules_.calls) return {};
  std::vector<TokenId> forbidden;
  for (std::size_t count = std::min(recent_.size(), rules_.call_opener.size()); count > 0;
       --count) {
    const bool is_begun =
        std::string_view(recent_).ends_with(std::string_view(rules_.call_opener).substr(0, count));
    if (!is_begun) continue;
    const std::vector<TokenId> more = overshooting(count);
    forbidden.insert(forbidden.end(), more.begin(), more.end());
  }
  if (forbidden.empty()) return {};
  words_.assign(rules_.calls->vocabulary().num_words(), 0xFFFFFFFFU);
  for (const TokenId token : forbidden) {
    const auto index = static_cast<std::size_t>(token);
    words_[index / 32] &= ~(1U << (index % 32));
  }
  return words_;
}

// Tokens that end the opener, of which `num_read` bytes have come, and go on as no call does.
std::vector<TokenId> AnswerGrammar::overshooting(std::size_t num_read) {
  const grammar::GrammarVocabulary& vocabulary = rules_.calls->vocabulary();
  const std::string_view rest = std::string_view(rules_.call_opener).substr(num_read);
  std::vector<TokenId> tokens;
  for (const grammar::TokenTrie::Node& node : vocabulary.all().below(rest)) {
    for (const TokenId token : vocabulary.all().tokens_at(node)) {
      grammar::Matcher matcher(*rules_.calls);
      const bool is_call = matcher.accept_bytes(rules_.call_opener) &&
                           matcher.accept_bytes(vocabulary.bytes(token).substr(rest.size()));
      if (!is_call) tokens.push_back(token);
    }
  }
  return tokens;
}

}  // namespace vernal
