#include "engine/sampling/dry_penalty.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

DryPenalty::DryPenalty(const SamplingOptions& options, const TokenHistory& history,
                       const Tokenizer* tokenizer)
    : options_(options), history_(history), tokenizer_(tokenizer) {
  for (const std::string& breaker : options.dry_sequence_breakers) {
    longest_breaker_ = std::max(longest_breaker_, breaker.size());
  }
}

void DryPenalty::see_new() {
  if (!is_on()) return;
  while (breaks_.size() < history_.size()) breaks_.push_back(ends_breaker(breaks_.size()));
}

void DryPenalty::remove_newest() noexcept {
  if (is_on()) breaks_.pop_back();
}

bool DryPenalty::ends_breaker(std::size_t index) const {
  if (tokenizer_ == nullptr || longest_breaker_ == 0) return false;
  std::string before;  // the bytes in which a breaker may begin that ends in the token
  for (std::size_t i = index; i > 0 && before.size() + 1 < longest_breaker_; --i) {
    before.insert(0, tokenizer_->token_bytes(history_[i - 1]));
  }
  const std::string text = before + std::string(tokenizer_->token_bytes(history_[index]));
  return std::any_of(options_.dry_sequence_breakers.begin(), options_.dry_sequence_breakers.end(),
                     [&](const std::string& breaker) {
                       const std::size_t overlap = std::min(before.size(), breaker.size() - 1);
                       return text.find(breaker, before.size() - overlap) != std::string::npos;
                     });
}

std::size_t DryPenalty::unbroken(std::size_t window) const noexcept {
  std::size_t length = 0;
  while (length < window && !breaks_[breaks_.size() - 1 - length]) ++length;
  return length;
}

// The Z algorithm over the reversed history: linear in the window.
void DryPenalty::match(std::size_t window) {
  const auto token = [&](std::size_t i) { return history_[history_.size() - 1 - i]; };
  matches_.assign(window, 0);
  std::size_t begin = 0;  // of the match that reaches furthest
  std::size_t end = 0;
  for (std::size_t i = 1; i < window; ++i) {
    std::size_t length =
        i < end ? std::min<std::size_t>(end - i, matches_[i - begin]) : std::size_t{0};
    while (i + length < window && token(length) == token(i + length)) ++length;
    matches_[i] = static_cast<std::uint32_t>(length);
    if (i + length > end) {
      begin = i;
      end = i + length;
    }
  }
}

float DryPenalty::amount(std::size_t length) const noexcept {
  constexpr double kMostLog = 80.0;  // e^80 is still a float, and any logit less it is out
  const auto beyond = static_cast<double>(length) - options_.dry_allowed_length;
  const double growth = std::min(beyond * std::log(options_.dry_base), kMostLog);
  return static_cast<float>(options_.dry_multiplier * std::exp(growth));
}

void DryPenalty::find() {
  penalties_.clear();
  const std::size_t window =
      options_.dry_penalty_last_n < 0
          ? history_.size()
          : std::min(history_.size(), static_cast<std::size_t>(options_.dry_penalty_last_n));
  const auto allowed = static_cast<std::size_t>(options_.dry_allowed_length);
  const std::size_t longest = unbroken(window);
  if (longest < allowed) return;
  match(window);
  for (std::size_t i = 1; i < window; ++i) {
    const std::size_t length = std::min<std::size_t>(matches_[i], longest);
    if (length >= allowed) {
      penalties_.push_back({history_[history_.size() - i], amount(length)});
    }
  }
  std::sort(penalties_.begin(), penalties_.end(), [](const Penalty& a, const Penalty& b) {
    return a.token < b.token || (a.token == b.token && a.amount > b.amount);
  });
  const auto end =
      std::unique(penalties_.begin(), penalties_.end(),
                  [](const Penalty& a, const Penalty& b) { return a.token == b.token; });
  penalties_.erase(end, penalties_.end());
}

void DryPenalty::apply(std::span<float> row) const noexcept {
  for (const Penalty& penalty : penalties_) {
    if (static_cast<std::size_t>(penalty.token) < row.size()) {
      row[static_cast<std::size_t>(penalty.token)] -= penalty.amount;
    }
  }
}

void DryPenalty::apply(std::span<Candidate> candidates) const noexcept {
  for (Candidate& candidate : candidates) {
    const auto found = std::lower_bound(
        penalties_.begin(), penalties_.end(), candidate.id,
        [](const Penalty& penalty, TokenId token) { return penalty.token < token; });
    if (found != penalties_.end() && found->token == candidate.id) {
      candidate.logit -= found->amount;
    }
  }
}

}  // namespace vernal
