// Checkpoints of a model whose sequences cannot be cut at will, by the tokens they stand behind.
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
  /// `model` outlives the cache. Of a model that truncates anywhere nothing is kept.
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

  /// The longest whose tokens the known ones of the choice begin with, and that leaves at least one
  /// of these to compute. Null: none. Lives until the next call that is not const.
  Entry* find(const Choice& choice);
  /// The most tokens that those of any kept state have in common with the known ones of the choice.
  std::size_t most_common(const Choice& choice) const;
  /// Keeps the state of a sequence that holds `tokens`, if the model has room for it.
  /// Errors   DEVICE_LOST
  void keep(SequenceId sequence, std::vector<TokenId> tokens, std::uint64_t now);
  /// Age of the least recently used; the greatest number if there is none.
  std::uint64_t oldest() const noexcept;
  /// Releases the least recently used. There must be one.
  void release_oldest();

 private:
  std::vector<Entry>::iterator find_oldest();

  StepModel& model_;
  const std::uint32_t max_checkpoints_;
  std::vector<Entry> entries_;
};

/// How many of `tokens` the known tokens of a choice begin with.
std::size_t count_common(const Choice& choice, std::span<const TokenId> tokens);

}  // namespace vernal
