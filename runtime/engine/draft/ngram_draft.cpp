#include "engine/draft/ngram_draft.hpp"

#include <algorithm>

namespace vernal {

// A place is an index into the text: the tokens before it have been read, the one at it follows.

void NgramDraft::append(std::span<const TokenId> tokens) {
  for (const TokenId token : tokens) {
    // The end of the text is no place yet: nothing follows there before this token does.
    const std::size_t place = text_.size();
    std::uint32_t earlier = kNone;
    if (place >= kMinMatch) {
      const auto [found, is_new] =
          latest_.try_emplace(key_before(place), static_cast<std::uint32_t>(place));
      if (!is_new) {
        earlier = found->second;
        found->second = static_cast<std::uint32_t>(place);
      }
    }
    earlier_.push_back(earlier);
    text_.push_back(token);
  }
}

NgramDraft::Guess NgramDraft::guess(std::size_t most) {
  guess_.clear();
  if (most == 0 || text_.size() < kMinMatch) return {};
  const auto found = latest_.find(key_before(text_.size()));
  std::size_t best = 0;
  std::size_t best_match = 0;
  std::uint32_t place = found == latest_.end() ? kNone : found->second;
  for (std::size_t i = 0; place != kNone && i < kMaxPlaces; ++i) {
    const std::size_t match = match_before(place);
    if (match > best_match) {
      best = place;
      best_match = match;
    }
    place = earlier_[place];
  }
  if (best_match < kMinMatch) return {};  // other tokens with the same key
  // Behind the end of the text stands the guess itself, so a period goes on.
  guess_.reserve(most);
  for (std::size_t i = best; guess_.size() < most; ++i) {
    guess_.push_back(i < text_.size() ? text_[i] : guess_[i - text_.size()]);
  }
  return {guess_, best_match};
}

std::uint64_t NgramDraft::key_before(std::size_t end) const noexcept {
  std::uint64_t key = 0;
  for (std::size_t i = end - kMinMatch; i < end; ++i) {
    key = (key ^ static_cast<std::uint32_t>(text_[i])) * 0x9E37'79B9'7F4A'7C15U;
    key ^= key >> 29U;
  }
  return key;
}

// How many tokens before `end` are those before the end of the text.
std::size_t NgramDraft::match_before(std::size_t end) const noexcept {
  const std::size_t most = std::min(end, kMaxMatch);
  std::size_t match = 0;
  while (match < most && text_[end - 1 - match] == text_[text_.size() - 1 - match]) ++match;
  return match;
}

}  // namespace vernal
