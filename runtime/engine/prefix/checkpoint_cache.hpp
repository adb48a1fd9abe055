// Checkpoints of a model whose sequences cannot be cut anywhere, found by the tokens before them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/generation.hpp"
#include "engine/loaded_model.hpp"

namespace vernal {

/// Keeps at most `max_checkpoints`; the least recently used goes first. Ages are the caller's
/// counts, so that they compare with those of other things. Engine thread.
class CheckpointCache {
 public:
  /// `model` outlives the cache. Nothing is kept of a model that truncates anywhere.
  CheckpointCache(StepModel& model, std::uint32_t max_checkpoints);
  /// Releases all.
  ~CheckpointCache();
  CheckpointCache(const CheckpointCache&) = delete;
  CheckpointCache& operator=(const CheckpointCache&) = delete;

  struct Entry {
    CheckpointId id = 0;
    std::vector<TokenId> tokens;
    std::uint64_t used_at = 0;
  };

  bool is_on() const noexcept { return max_checkpoints_ > 0; }
  std::size_t size() const noexcept { return entries_.size(); }

  /// The longest entry whose tokens are the beginning of the choice's known tokens, with at least one
  /// known token after it. Null: there is none. Lives until the next call that is not const.
  Entry* find(const Choice& choice);
  /// The most tokens that any entry and the choice's known tokens have in common at their beginning.
  std::size_t most_common(const Choice& choice) const;
  /// Keeps the state of a sequence that holds `tokens`, if the model has room for it.
  /// Errors   DEVICE_LOST
  void keep(SequenceId sequence, std::vector<TokenId> tokens, std::uint64_t now);
  /// Age of the least recently used entry, or the greatest number if there is none.
  std::uint64_t oldest() const noexcept;
  /// Releases the least recently used entry. There must be one.
  void release_oldest();

 private:
  std::vector<Entry>::iterator find_oldest();

  StepModel& model_;
  const std::uint32_t max_checkpoints_;
  std::vector<Entry> entries_;
};

/// How many tokens `tokens` and the known tokens of a choice have in common at their beginning.
std::size_t count_common(const Choice& choice, std::span<const TokenId> tokens);

}  // namespace vernal
