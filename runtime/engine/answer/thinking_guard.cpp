#include "engine/answer/thinking_guard.hpp"

#include <algorithm>

namespace vernal {
namespace {

// A loop is one passage of at most kLongestPassage tokens, four times in a row and at least
// kLeastRepeated tokens long: shorter ones are in tables and rulers that people write too.
constexpr std::size_t kLongestPassage = 128;
constexpr std::size_t kRepetitions = 4;
constexpr std::size_t kLeastRepeated = 192;
constexpr std::size_t kMostCompared = kLongestPassage * kRepetitions;
constexpr std::size_t kTokensBetweenChecks = 32;

}  // namespace

ThinkingGuard::Verdict ThinkingGuard::push(TokenId token, std::string_view text) {
  ++num_tokens_;
  recent_.push_back(token);
  if (recent_.size() >= 2 * kMostCompared) {
    recent_.erase(recent_.begin(), recent_.end() - kMostCompared);
  }
  if (budget_ && num_tokens_ >= *budget_) {
    const bool is_line_end = text.ends_with('\n');
    if (is_line_end || num_tokens_ >= *budget_ + *budget_ / 10) return Verdict::kBudgetSpent;
  }
  if (num_tokens_ % kTokensBetweenChecks != 0 || !repeats_itself()) return Verdict::kGoOn;
  recent_.clear();
  return Verdict::kLoop;
}

bool ThinkingGuard::repeats_itself() const noexcept {
  const std::size_t size = recent_.size();
  for (std::size_t period = 1; period <= kLongestPassage; ++period) {
    const std::size_t wanted = std::max(period * kRepetitions, kLeastRepeated);
    if (wanted > size) return false;
    const auto begin = recent_.end() - static_cast<std::ptrdiff_t>(wanted);
    const auto shifted = begin + static_cast<std::ptrdiff_t>(period);
    if (std::equal(shifted, recent_.end(), begin)) return true;
  }
  return false;
}

}  // namespace vernal
