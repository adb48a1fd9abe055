#include "engine/scheduler.hpp"

#include <algorithm>
#include <bit>

namespace vernal {
namespace {

std::size_t choose_chunk(std::size_t max_tokens_per_step, std::size_t slots) {
  constexpr std::size_t kAlignment = Scheduler::kChunkAlignment;
  if (max_tokens_per_step >= slots + kAlignment) {
    return (max_tokens_per_step - slots) / kAlignment * kAlignment;
  }
  return std::min(kAlignment, std::bit_floor(max_tokens_per_step));
}

}  // namespace

Scheduler::Scheduler(std::size_t max_tokens_per_step, std::size_t slots)
    : max_tokens_per_step_(max_tokens_per_step),
      chunk_tokens_(choose_chunk(max_tokens_per_step, slots)) {
  decodes_.reserve(slots);
  prefills_.reserve(slots);
}

void Scheduler::plan(std::span<Choice* const> choices, std::vector<PlannedChunk>& out) {
  out.clear();
  decodes_.clear();
  prefills_.clear();
  for (Choice* choice : choices) {
    (choice->is_decoding() ? decodes_ : prefills_).push_back(choice);
  }
  const auto waited_longer = [](const Choice* a, const Choice* b) {
    return a->last_served() < b->last_served();
  };
  std::stable_sort(decodes_.begin(), decodes_.end(), waited_longer);
  std::stable_sort(prefills_.begin(), prefills_.end(), waited_longer);
  ++num_steps_;
  std::size_t budget = max_tokens_per_step_;
  if (prefill_goes_first_) {
    add(prefills_, budget, out);
    add(decodes_, budget, out);
    prefill_goes_first_ = false;
    return;
  }
  add(decodes_, budget, out);
  const std::size_t num_decodes = out.size();
  add(prefills_, budget, out);
  prefill_goes_first_ = !prefills_.empty() && out.size() == num_decodes;
}

std::size_t Scheduler::next_count(const Choice& choice) const noexcept {
  const std::size_t begin = choice.num_computed();
  const std::size_t end_of_part =
      begin < choice.num_prompt() ? choice.num_prompt() : choice.num_known();
  const std::size_t next_border = (begin / chunk_tokens_ + 1) * chunk_tokens_;
  std::size_t end = std::min(end_of_part, next_border);
  for (const std::size_t border : choice.seat().borders) {
    if (begin < border) end = std::min(end, border);
  }
  return end - begin;
}

void Scheduler::add(std::span<Choice* const> choices, std::size_t& budget,
                    std::vector<PlannedChunk>& out) {
  for (Choice* choice : choices) {
    const std::size_t count = next_count(*choice);
    if (count > budget) {
      continue;
    }
    budget -= count;
    choice->serve(num_steps_);
    out.push_back({choice, count, choice->num_computed() + count == choice->num_known()});
  }
}

}  // namespace vernal
