#include "engine/prefix/checkpoint_cache.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "vernal/error.hpp"

namespace vernal {

std::size_t count_common(const Choice& choice, std::span<const TokenId> tokens) {
  const auto count = [&](std::size_t from, std::span<const TokenId> known) {
    const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(from);
    return static_cast<std::size_t>(
        std::mismatch(begin, tokens.end(), known.begin(), known.end()).first - begin);
  };
  std::size_t common = count(0, choice.generation().prompt());
  if (common == choice.num_prompt()) {
    common += count(common, choice.generated());
  }
  return common;
}

CheckpointCache::CheckpointCache(StepModel& model, std::uint32_t max_checkpoints)
    : model_(model), max_checkpoints_(model.info().truncates_anywhere ? 0 : max_checkpoints) {
  entries_.reserve(max_checkpoints_);  // so that keep() never has a checkpoint without an entry
}

CheckpointCache::~CheckpointCache() {
  for (const Entry& entry : entries_) {
    model_.release_checkpoint(entry.id);
  }
}

CheckpointCache::Entry* CheckpointCache::find(const Choice& choice) {
  Entry* best = nullptr;
  for (Entry& entry : entries_) {
    const std::size_t length = entry.tokens.size();
    const bool is_longer = best == nullptr || length > best->tokens.size();
    if (is_longer && length <= choice.num_skippable() &&
        count_common(choice, entry.tokens) == length) {
      best = &entry;
    }
  }
  return best;
}

std::size_t CheckpointCache::most_common(const Choice& choice) const {
  std::size_t most = 0;
  for (const Entry& entry : entries_) most = std::max(most, count_common(choice, entry.tokens));
  return most;
}

void CheckpointCache::keep(SequenceId sequence, std::vector<TokenId> tokens, std::uint64_t now) {
  const auto known = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.tokens == tokens; });
  if (known != entries_.end()) {
    known->used_at = now;
    return;
  }
  if (entries_.size() >= max_checkpoints_) {
    release_oldest();
  }
  try {
    if (const auto id = model_.create_checkpoint(sequence)) {
      entries_.push_back({*id, std::move(tokens), now});
    }
  } catch (const Error& error) {
    if (error.code() == VERNAL_DEVICE_LOST) {
      throw;
    }
    // The sequence goes on without the checkpoint. A later prompt computes more tokens.
  }
}

std::vector<CheckpointCache::Entry>::iterator CheckpointCache::find_oldest() {
  return std::min_element(entries_.begin(), entries_.end(),
                          [](const Entry& a, const Entry& b) { return a.used_at < b.used_at; });
}

std::uint64_t CheckpointCache::oldest() const noexcept {
  std::uint64_t oldest = std::numeric_limits<std::uint64_t>::max();
  for (const Entry& entry : entries_) {
    oldest = std::min(oldest, entry.used_at);
  }
  return oldest;
}

void CheckpointCache::release_oldest() {
  const auto oldest = find_oldest();
  model_.release_checkpoint(oldest->id);
  entries_.erase(oldest);
}

}  // namespace vernal
