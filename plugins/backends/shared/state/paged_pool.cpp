#include "shared/state/paged_pool.hpp"

#include <algorithm>
#include <utility>

namespace vernal::backend {

namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(VERNAL_INVALID_ARGUMENT, "step: " + what);
}

std::vector<KvPages> allocate_pages(Memory& memory, const KvPlan& plan) {
  std::vector<KvPages> out;
  for (const KvGroup& group : plan.groups()) {
    out.emplace_back(memory, group.num_pages, group.page_bytes);
  }
  return out;
}

void check_sizes(const StepBatch& batch, const PoolPlan& plan) {
  if (batch.function >= plan.module.functions.size()) {
    refuse("function " + std::to_string(batch.function) + " does not exist");
  }
  if (batch.num_tokens == 0 || batch.num_tokens > plan.options.max_tokens_per_step) {
    refuse("expected 1 to " + std::to_string(plan.options.max_tokens_per_step) + " tokens, found " +
           std::to_string(batch.num_tokens));
  }
  if (batch.sequences.size() > plan.options.max_sequences) {
    refuse("expected at most " + std::to_string(plan.options.max_sequences) + " sequences, found " +
           std::to_string(batch.sequences.size()));
  }
  if (batch.rows.size() > plan.options.max_rows) {
    refuse("expected at most " + std::to_string(plan.options.max_rows) + " rows, found " +
           std::to_string(batch.rows.size()));
  }
}

/// Whether a sequence can take the tokens that a step has for it.
void check_part(const StepSequence& part, const SequenceState& state, std::uint64_t function) {
  const std::string name = "sequence " + std::to_string(part.sequence);
  const std::uint64_t length = state.lengths[function];
  if (part.first_position != length) {
    refuse(name + " has " + std::to_string(length) + " tokens, the batch continues it at " +
           std::to_string(part.first_position));
  }
  const std::uint64_t reserved = state.reserved[function];
  if (length + part.count > reserved) {
    refuse(name + ": room is reserved for " + std::to_string(reserved) +
           " tokens, the batch would make it " + std::to_string(length + part.count));
  }
}

}  // namespace

PagedPool::PagedPool(std::unique_ptr<Memory> memory, const PoolPlan& plan, SnapshotOwner owner,
                     std::uint32_t flags)
    : memory_(std::move(memory)),
      plan_(plan),
      owner_(std::move(owner)),
      flags_(flags),
      pages_(allocate_pages(*memory_, plan.kv)),
      states_(*memory_, plan.states),
      sequences_(
          pages_, plan.kv.groups(), states_,
          {plan.options.context_length, plan.options.max_sequences, plan.options.max_checkpoints}) {
}

vernal_pool_info PagedPool::info() const {
  const auto tokens = [](std::int64_t pages) {
    return static_cast<std::uint64_t>(pages * kPageTokens);
  };
  vernal_pool_info out{};
  out.struct_size = sizeof(out);
  out.page_tokens = static_cast<std::uint64_t>(kPageTokens);
  out.bytes_per_token = static_cast<std::uint64_t>(plan_.kv.bytes_per_token());
  out.bytes_per_sequence = static_cast<std::uint64_t>(plan_.states.slot_bytes());
  out.bytes_per_checkpoint = static_cast<std::uint64_t>(plan_.states.checkpoint_bytes());
  out.capacity_tokens = tokens(pages_[0].num_pages());
  std::int64_t num_free = pages_[0].num_free();
  for (std::size_t g = 0; g < pages_.size(); ++g) {
    // A group with a window always has enough pages.
    const bool is_counted = pages_[g].num_pages() > 0 && plan_.kv.groups()[g].window == 0;
    if (is_counted) num_free = std::min(num_free, pages_[g].num_free());
  }
  out.free_tokens = tokens(num_free);
  out.checkpoint_tokens = tokens(sequences_.pages_held_by_checkpoints());
  out.flags = flags_ | VERNAL_POOL_SNAPSHOT;
  const bool cuts_anywhere = !plan_.states.is_hybrid() && plan_.kv.num_windows() == 0;
  if (cuts_anywhere) out.flags |= VERNAL_POOL_TRUNCATE_ANY;
  return out;
}

std::uint64_t PagedPool::seq_length(vernal_sequence_id sequence, std::uint64_t function) {
  const SequenceState& state = sequences_.sequence(sequence);
  if (function >= state.lengths.size()) {
    throw Error(VERNAL_NOT_FOUND, "function " + std::to_string(function) + ": the module has " +
                                      std::to_string(state.lengths.size()));
  }
  return state.lengths[function];
}

vernal_checkpoint_info PagedPool::checkpoint_info(vernal_checkpoint_id checkpoint) {
  const SequenceState& state = sequences_.checkpoint(checkpoint);
  vernal_checkpoint_info out{};
  out.struct_size = sizeof(out);
  out.position = state.lengths[0];
  out.host_bytes = static_cast<std::uint64_t>(plan_.states.checkpoint_bytes());
  out.device_bytes = static_cast<std::uint64_t>(sequences_.page_bytes_held_alone(state));
  return out;
}

void PagedPool::check_step(const StepBatch& batch) const {
  check_sizes(batch, plan_);
  std::uint64_t next = 0;
  for (std::size_t i = 0; i < batch.sequences.size(); ++i) {
    const StepSequence& part = batch.sequences[i];
    const SequenceState& state = sequences_.sequence(part.sequence);
    const std::string name = "sequence " + std::to_string(part.sequence);
    if (part.start != next || part.count == 0) refuse(name + ": tokens must follow each other");
    next = part.start + part.count;
    check_part(part, state, batch.function);
    for (std::size_t j = 0; j < i; ++j) {
      if (batch.sequences[j].sequence == part.sequence) refuse(name + " stands twice in the batch");
    }
  }
  if (next != batch.num_tokens) {
    refuse("the sequences have " + std::to_string(next) + " tokens, the batch " +
           std::to_string(batch.num_tokens));
  }
}

void PagedPool::begin_step(const StepBatch& batch) {
  for (const StepSequence& part : batch.sequences) {
    sequences_.begin_step(part.sequence, batch.function, part.count);
  }
}

void PagedPool::commit_step(const StepBatch& batch) {
  for (const StepSequence& part : batch.sequences) {
    sequences_.commit(part.sequence, batch.function, part.count);
  }
}

}  // namespace vernal::backend
