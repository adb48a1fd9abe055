// The free text between calls: where does a call begin?
#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/answer/answer_grammar.hpp"
#include "text/grammar/mask/vocabulary.hpp"

namespace vernal {
namespace {

using Place = CallSign::Place;

bool is_blank(char byte) { return byte == ' ' || byte == '\t' || byte == '\r'; }

/// The place behind a byte that stands at `place`.
Place place_behind(Place place, char byte) {
  if (byte == '\n') return Place::kLineStart;
  return is_blank(byte) && place != Place::kAnywhere ? Place::kLineStart : Place::kAnywhere;
}

bool may_stand(Place wanted, Place place) {
  return wanted == Place::kAnywhere || wanted == place ||
         (wanted == Place::kLineStart && place == Place::kAnswerStart);
}

std::size_t whole_size(const CallSign& sign) { return sign.before.size() + sign.text.size(); }

/// Whether one of two texts begins with the other, the text being that of a sign.
bool agrees(std::string_view text, const CallSign& sign) {
  const std::size_t num_before = std::min(text.size(), sign.before.size());
  if (text.substr(0, num_before) != std::string_view(sign.before).substr(0, num_before))
    return false;
  text.remove_prefix(num_before);
  const std::size_t count = std::min(text.size(), sign.text.size());
  return text.substr(0, count) == std::string_view(sign.text).substr(0, count);
}

}  // namespace

template <class F>
void AnswerGrammar::for_each_begun(F&& f) const {
  // There may be a sign for each argument of each tool: those are looked for where lines begin alone.
  const bool stand_anywhere = std::ranges::any_of(
      rules_.call_signs, [](const CallSign& sign) { return sign.place == Place::kAnywhere; });
  Place place = recent_place_;
  for (std::size_t at = 0; at < recent_.size(); ++at) {
    const Place here = std::exchange(place, place_behind(place, recent_[at]));
    if (here == Place::kAnywhere && !stand_anywhere) continue;
    const std::string_view rest = std::string_view(recent_).substr(at);
    for (const CallSign& sign : rules_.call_signs) {
      if (may_stand(sign.place, here) && agrees(rest, sign)) f(sign, rest);
    }
  }
}

void AnswerGrammar::watch(TokenId token) {
  has_begun_ = true;
  if (!rules_.calls || rules_.call_signs.empty()) return;
  recent_ += rules_.calls->vocabulary().bytes(token);
  const CallSign* found = nullptr;
  std::string_view call;
  for_each_begun([&](const CallSign& sign, std::string_view text) {
    if (found != nullptr || text.size() < whole_size(sign)) return;
    found = &sign;
    call = text.substr(sign.before.size());
  });
  if (found == nullptr) {
    keep_recent({});
    return;
  }
  grammar::Matcher matcher(*rules_.calls);
  // What a token has behind the sign may be no call. mask() leaves such tokens out where the sign
  // began in an earlier one.
  if (matcher.accept_bytes(call)) ways_.push_back({std::move(matcher), true});
  recent_.clear();
  recent_place_ = Place::kAnywhere;
}

// Appends a text, and keeps as much of the end as may be the beginning of a sign.
void AnswerGrammar::keep_recent(std::string_view more) {
  recent_ += more;
  std::size_t longest = 0;
  for (const CallSign& sign : rules_.call_signs) longest = std::max(longest, whole_size(sign));
  while (!recent_.empty() && recent_.size() >= longest) {
    const std::size_t count = recent_.size() - longest + 1;
    for (const char byte : std::string_view(recent_).substr(0, count)) {
      recent_place_ = place_behind(recent_place_, byte);
    }
    recent_.erase(0, count);
  }
}

// Everything may come, but a token that ends a sign and goes on as no call does.
std::span<const std::uint32_t> AnswerGrammar::watch_mask() {
  if (!rules_.calls) return {};
  std::vector<TokenId> forbidden;
  for_each_begun([&](const CallSign& sign, std::string_view text) {
    const std::vector<TokenId> more = overshooting(sign, text.size());
    forbidden.insert(forbidden.end(), more.begin(), more.end());
  });
  if (forbidden.empty()) return {};
  words_.assign(rules_.calls->vocabulary().num_words(), 0xFFFFFFFFU);
  for (const TokenId token : forbidden) {
    const auto index = static_cast<std::size_t>(token);
    words_[index / 32] &= ~(1U << (index % 32));
  }
  return words_;
}

// Tokens that end a sign, of which `num_read` bytes have come, and go on as no call does.
std::vector<TokenId> AnswerGrammar::overshooting(const CallSign& sign, std::size_t num_read) {
  const grammar::GrammarVocabulary& vocabulary = rules_.calls->vocabulary();
  const std::string whole = sign.before + sign.text;
  const std::string_view rest = std::string_view(whole).substr(num_read);
  std::vector<TokenId> tokens;
  for (const grammar::TokenTrie::Node& node : vocabulary.all().below(rest)) {
    for (const TokenId token : vocabulary.all().tokens_at(node)) {
      grammar::Matcher matcher(*rules_.calls);
      const bool is_call = matcher.accept_bytes(sign.text) &&
                           matcher.accept_bytes(vocabulary.bytes(token).substr(rest.size()));
      if (!is_call) tokens.push_back(token);
    }
  }
  return tokens;
}

}  // namespace vernal
