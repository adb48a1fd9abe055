// What the slots of a model do, for whoever asks from another thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace vernal {

/// One slot; a free one has no request.
struct SlotState {
  std::uint64_t request = 0;
  std::uint64_t prompt_tokens = 0;
  std::uint64_t computed_tokens = 0;
  std::uint64_t generated_tokens = 0;
  std::uint64_t max_new_tokens = 0;
};

/// Written by the engine thread between steps, read by any thread at any time.
class SlotBoard {
 public:
  explicit SlotBoard(std::uint32_t num_slots) : slots_(num_slots) {}

  /// Takes over what every slot does. Allocates nothing.
  ///   slots   as many as the board has
  void publish(const std::vector<SlotState>& slots) noexcept {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < slots_.size() && i < slots.size(); ++i) slots_[i] = slots[i];
  }

  std::vector<SlotState> slots() const {
    const std::lock_guard lock(mutex_);
    return slots_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<SlotState> slots_;  // guarded by mutex_
};

}  // namespace vernal
