#include "engine/scheduler.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace vernal {
namespace {

// Behind a prompt more tokens than one are known where a grammar forced them, which are few, or where
// a sequence is computed once more.
constexpr std::size_t kFewTokens = 16;
constexpr std::size_t kNoBound = std::numeric_limits<std::size_t>::max();

std::size_t choose_chunk(std::size_t max_tokens_per_step, std::size_t slots) {
  constexpr std::size_t kAlignment = Scheduler::kChunkAlignment;
  if (max_tokens_per_step >= slots + kAlignment) {
    return (max_tokens_per_step - slots) / kAlignment * kAlignment;
  }
  return std::min(kAlignment, std::bit_floor(max_tokens_per_step));
}

}  // namespace

Scheduler::Scheduler(std::size_t max_tokens_per_step, std::size_t slots, std::size_t max_rows)
    : max_tokens_per_step_(max_tokens_per_step),
      chunk_tokens_(choose_chunk(max_tokens_per_step, slots)),
      max_rows_(std::max(max_rows, slots)),
      scored_rows_(max_rows_ - slots + 1) {
  decodes_.reserve(slots);
  prefills_.reserve(slots);
}

void Scheduler::sort(std::span<Choice* const> choices) {
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
}

void Scheduler::plan(std::span<Choice* const> choices, std::vector<PlannedChunk>& out,
                     std::optional<std::size_t> most_prefill) {
  out.clear();
  sort(choices);
  ++num_steps_;
  room_ = {max_tokens_per_step_, max_rows_};
  has_shortened_ = false;
  const std::size_t most = most_prefill.value_or(kNoBound);
  if (prefill_goes_first_) {
    add(prefills_, most, out);
    add(decodes_, kNoBound, out);
    prefill_goes_first_ = false;
    return;
  }
  add(decodes_, kNoBound, out);
  const std::size_t num_decodes = out.size();
  add(prefills_, most, out);
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
  if (choice.scores_next()) {
    end = std::min(end, begin + scored_rows_);
  } else if (begin < choice.generation().num_scored()) {
    end = std::min(end, choice.generation().num_scored());  // what was scored, computed once more
  }
  return end - begin;
}

void Scheduler::add(std::span<Choice* const> choices, std::size_t most,
                    std::vector<PlannedChunk>& out) {
  for (Choice* choice : choices) {
    const std::size_t whole = next_count(*choice);
    const bool is_answer = choice->has_prompt() && whole <= kFewTokens;
    const std::size_t count = is_answer ? whole : std::min(whole, most);
    has_shortened_ |= count < whole;
    if (count == 0) continue;
    const PlannedChunk chunk{choice, count, choice->num_computed() + count == choice->num_known(),
                             choice->scores_next()};
    if (count > room_.tokens || chunk.num_rows() > room_.rows) {
      continue;
    }
    if (!is_answer) most -= count;
    room_.tokens -= count;
    room_.rows -= chunk.num_rows();
    choice->serve(num_steps_);
    out.push_back(chunk);
  }
}

}  // namespace vernal
