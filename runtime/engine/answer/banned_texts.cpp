#include "engine/answer/banned_texts.hpp"

#include <algorithm>
#include <utility>

namespace vernal {
namespace {

char in_lower_case(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

BannedTexts::BannedTexts(const Tokenizer& tokenizer, const TokenRules& rules)
    : tokenizer_(tokenizer) {
  for (const std::string& text : rules.bad_words) texts_.push_back({text, false, false});
  for (std::string text : rules.banned_strings) {
    std::transform(text.begin(), text.end(), text.begin(), in_lower_case);
    texts_.push_back({std::move(text), true, true});
  }
}

std::size_t BannedTexts::push(const SampledToken& token) {
  held_.push_back({token, text_.size()});
  ++num_tokens_;
  if (!tokenizer_.is_special(token.chosen.id)) text_ += tokenizer_.token_bytes(token.chosen.id);
  std::size_t begin = 0;
  const BannedText* found = find(begin);
  if (found == nullptr) {
    collect_forbidden();
    return 0;
  }
  if (!found->rewinds) return 1;
  const auto first = std::find_if(held_.rbegin(), held_.rend(),
                                  [&](const HeldToken& held) { return held.begin <= begin; });
  return static_cast<std::size_t>(first - held_.rbegin()) + 1;
}

void BannedTexts::take_back(std::size_t count) {
  num_tokens_ -= count;
  num_taken_back_ += count;
  std::erase_if(forbidden_, [&](const Forbidden& f) { return f.position > num_tokens_; });
  const auto first = held_.end() - static_cast<std::ptrdiff_t>(count);
  forbidden_.push_back({num_tokens_, first->token.chosen.id});
  text_.resize(first->begin);
  held_.erase(first, held_.end());
  collect_forbidden();
}

std::vector<SampledToken> BannedTexts::release() {
  const std::size_t safe = begin_of_partial();
  std::vector<SampledToken> released;
  while (!held_.empty()) {
    const std::size_t end = held_.size() > 1 ? held_[1].begin : text_.size();
    if (end > safe) break;
    released.push_back(std::move(held_.front().token));
    held_.pop_front();
  }
  const std::size_t num_bytes = held_.empty() ? text_.size() : held_.front().begin;
  text_.erase(0, num_bytes);
  for (HeldToken& held : held_) held.begin -= num_bytes;
  const std::size_t first = num_tokens_ - held_.size();  // what lies before stays as it is
  std::erase_if(forbidden_, [&](const Forbidden& f) { return f.position < first; });
  return released;
}

std::vector<SampledToken> BannedTexts::flush() {
  std::vector<SampledToken> rest;
  for (HeldToken& held : held_) rest.push_back(std::move(held.token));
  held_.clear();
  text_.clear();
  return rest;
}

const BannedTexts::BannedText* BannedTexts::find(std::size_t& begin) const noexcept {
  for (begin = 0; begin < text_.size(); ++begin) {
    for (const BannedText& banned : texts_) {
      if (begin + banned.text.size() <= text_.size() && is_at(banned, begin, banned.text.size())) {
        return &banned;
      }
    }
  }
  return nullptr;
}

std::size_t BannedTexts::begin_of_partial() const noexcept {
  for (std::size_t begin = 0; begin < text_.size(); ++begin) {
    for (const BannedText& banned : texts_) {
      const std::size_t length = text_.size() - begin;
      if (length < banned.text.size() && is_at(banned, begin, length)) return begin;
    }
  }
  return text_.size();
}

bool BannedTexts::is_at(const BannedText& banned, std::size_t begin,
                        std::size_t length) const noexcept {
  for (std::size_t i = 0; i < length; ++i) {
    const char c = text_[begin + i];
    if ((banned.ignores_case ? in_lower_case(c) : c) != banned.text[i]) return false;
  }
  return true;
}

void BannedTexts::collect_forbidden() {
  forbidden_here_.clear();
  for (const Forbidden& forbidden : forbidden_) {
    if (forbidden.position == num_tokens_) forbidden_here_.push_back(forbidden.token);
  }
}

}  // namespace vernal
