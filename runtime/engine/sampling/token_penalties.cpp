#include "engine/sampling/token_penalties.hpp"

#include <algorithm>
#include <limits>

namespace vernal {

TokenPenalties::TokenPenalties(const SamplingOptions& options, const TokenHistory& history)
    : options_(options), history_(history) {}

std::size_t TokenPenalties::window() const noexcept {
  return options_.penalty_last_n < 0 ? std::numeric_limits<std::size_t>::max()
                                     : static_cast<std::size_t>(options_.penalty_last_n);
}

bool TokenPenalties::has_presence() const noexcept {
  return options_.presence_penalty != 0.0 || options_.frequency_penalty != 0.0;
}

bool TokenPenalties::counts_context() const noexcept {
  return options_.repetition_penalty != 1.0 || (has_window() && has_presence());
}

bool TokenPenalties::counts_answer() const noexcept { return !has_window() && has_presence(); }

void TokenPenalties::see_prompt() {
  if (!counts_context()) return;
  const std::size_t size = history_.size();
  for (std::size_t i = size - std::min(size, window()); i < size; ++i) ++context_[history_[i]];
}

void TokenPenalties::add_newest() {
  const TokenId token = history_.newest();
  if (counts_answer()) ++answer_[token];
  if (!counts_context()) return;
  ++context_[token];
  if (history_.size() > window()) drop(context_, history_[history_.size() - 1 - window()]);
}

void TokenPenalties::remove_newest() {
  const TokenId token = history_.newest();
  if (counts_answer()) drop(answer_, token);
  if (!counts_context()) return;
  if (history_.size() > window()) ++context_[history_[history_.size() - 1 - window()]];
  drop(context_, token);
}

bool TokenPenalties::is_active() const noexcept { return !context_.empty() || !answer_.empty(); }

float TokenPenalties::repeated(float logit) const noexcept {
  const auto penalty = static_cast<float>(options_.repetition_penalty);
  return logit > 0.0F ? logit / penalty : logit * penalty;
}

float TokenPenalties::occurred(float logit, std::uint32_t times) const noexcept {
  return logit - static_cast<float>(options_.presence_penalty +
                                    options_.frequency_penalty * static_cast<double>(times));
}

void TokenPenalties::apply(std::span<float> row) const {
  const auto change = [&](const Counts& counts, auto&& penalise) {
    for (const auto& [id, times] : counts) {
      if (static_cast<std::size_t>(id) >= row.size()) continue;
      float& logit = row[static_cast<std::size_t>(id)];
      logit = penalise(logit, times);
    }
  };
  if (options_.repetition_penalty != 1.0) {
    change(context_, [&](float logit, std::uint32_t) { return repeated(logit); });
  }
  if (has_presence()) {
    change(occurrences(), [&](float logit, std::uint32_t times) { return occurred(logit, times); });
  }
}

void TokenPenalties::apply(std::span<Candidate> candidates) const {
  for (Candidate& candidate : candidates) {
    if (options_.repetition_penalty != 1.0 && context_.contains(candidate.id)) {
      candidate.logit = repeated(candidate.logit);
    }
    const auto found = occurrences().find(candidate.id);
    if (has_presence() && found != occurrences().end()) {
      candidate.logit = occurred(candidate.logit, found->second);
    }
  }
}

void TokenPenalties::drop(Counts& counts, TokenId token) {
  const auto found = counts.find(token);
  if (found != counts.end() && --found->second == 0) counts.erase(found);
}

}  // namespace vernal
