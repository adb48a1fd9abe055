// A pool whose sequences are plain values: a fork or a checkpoint copies one, and a step works on
// copies. It keeps every promise of sdk/spec/state.md by the simplest means. It fits backends whose
// states are small, and it is a good first pool for any backend. A pool that shares pages between
// sequences derives from BackendPool itself.
//
//   class Pool final : public vernal::CopiedPool<MyState> { ... make_state, run, cut ... };
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vernal/backend_plugin.hpp"
#include "vernal/state/id_table.hpp"

namespace vernal {

/// One output of a step: f32 [data.size() / columns, columns], row-major.
struct OutputRows {
  std::vector<float> data;
  std::uint64_t columns = 0;
};
using StepOutputs = std::map<std::string, OutputRows, std::less<>>;

/// State is what a backend keeps of one sequence. It is copyable, and a copy shares nothing with
/// its source. The pool counts room in tokens, up to the plan's kv_tokens. A step is finished when
/// step_submit returns. Engine thread only.
template <class State>
class CopiedPool : public BackendPool {
 public:
  /// What a sequence or a checkpoint holds.
  struct Held {
    State state;
    std::vector<std::uint64_t> lengths;  // tokens, by function of the module
    std::uint64_t reserved = 0;          // no function may grow beyond this length
    bool is_fork = false;
    vernal_checkpoint_id origin = 0;  // the checkpoint it was restored from; 0: none
    std::uint64_t shared = 0;         // tokens it shares with `origin`; they count once
  };

  /// Borrows `module` and `options`. The pool sets two flags itself: STEP_ATOMIC always, and
  /// TRUNCATE_ANY if all states of the module are KV and no window is shorter than the context
  /// length. `flags` adds others.
  CopiedPool(const Module& module, const PlanOptions& options, const vernal_plan_info& price,
             std::uint32_t flags = 0)
      : module_(module), options_(options), price_(price), flags_(flags | VERNAL_POOL_STEP_ATOMIC) {
    const auto context_length = static_cast<std::int64_t>(options.context_length);
    const auto keeps_all = [&](const vernal::State& state) {
      return state.kind == VERNAL_STATE_KV && (state.window == 0 || state.window >= context_length);
    };
    if (std::ranges::all_of(module.states, keeps_all)) flags_ |= VERNAL_POOL_TRUNCATE_ANY;
  }

  vernal_pool_info info() const override {
    vernal_pool_info info{};
    info.struct_size = sizeof(info);
    info.page_tokens = price_.page_tokens;
    info.bytes_per_token = price_.bytes_per_kv_token;
    info.bytes_per_sequence = price_.bytes_per_sequence;
    info.bytes_per_checkpoint = price_.bytes_per_checkpoint;
    info.capacity_tokens = options_.kv_tokens;
    info.free_tokens = info.capacity_tokens - std::min(info.capacity_tokens, used_tokens());
    checkpoints_.for_each([&](const Held& held) { info.checkpoint_tokens += held.lengths[0]; });
    info.flags = flags_;
    return info;
  }

  vernal_sequence_id seq_create() override {
    require_sequence(false);
    return sequences_.add(new_sequence());
  }
  void seq_release(vernal_sequence_id sequence) override { sequences_.remove(sequence); }

  void seq_reserve(vernal_sequence_id sequence, std::uint64_t num_tokens) override {
    Held& held = sequences_.get(sequence);
    const std::uint64_t most = options_.context_length;
    if (num_tokens > most || held.lengths[0] > most - num_tokens) {
      throw Error(VERNAL_RESOURCE_EXHAUSTED,
                  "a sequence of " + std::to_string(held.lengths[0]) + " tokens and room for " +
                      std::to_string(num_tokens) + " more do not fit the context length of " +
                      std::to_string(most));
    }
    const std::uint64_t before = std::max(held.lengths[0], held.reserved);
    const std::uint64_t wanted = std::max(held.lengths[0] + num_tokens, before);
    if (wanted == before) return;
    require_room(wanted - before, "a sequence");
    held.reserved = wanted;
  }

  std::uint64_t seq_length(vernal_sequence_id sequence, std::uint64_t function) override {
    return length_of(sequences_.get(sequence), function);
  }
  std::uint64_t seq_restorable(vernal_sequence_id sequence, std::uint64_t new_length) override {
    const Held& held = sequences_.get(sequence);
    if (new_length >= held.lengths[0]) return held.lengths[0];
    return can_cut(held, new_length) ? new_length : 0;
  }
  void seq_truncate(vernal_sequence_id sequence, std::uint64_t new_length) override {
    Held& held = sequences_.get(sequence);
    const std::uint64_t length = held.lengths[0];
    if (new_length > length) {
      throw Error(VERNAL_INVALID_ARGUMENT, "a sequence of " + std::to_string(length) +
                                               " tokens cannot be cut to " +
                                               std::to_string(new_length));
    }
    if (new_length == length) {
      shorten(held, new_length);
      return;
    }
    if (new_length == 0) {
      const bool is_fork = held.is_fork;
      held = new_sequence();
      held.is_fork = is_fork;
      return;
    }
    if (!can_cut(held, new_length)) {
      throw Error(VERNAL_NOT_RESTORABLE, "a sequence of " + std::to_string(length) +
                                             " tokens cannot be cut to " +
                                             std::to_string(new_length) + "; nearest possible: " +
                                             std::to_string(seq_restorable(sequence, new_length)));
    }
    shorten(held, new_length);
  }

  vernal_sequence_id seq_fork(vernal_sequence_id source, vernal_checkpoint_id checkpoint,
                              std::uint64_t position) override {
    const Held& parent = held_by(source, checkpoint);
    const std::uint64_t length = parent.lengths[0];
    if (position > length || (position != length && !cuts_anywhere())) {
      throw Error(VERNAL_NOT_RESTORABLE, "a source of " + std::to_string(length) +
                                             " tokens cannot be forked at " +
                                             std::to_string(position));
    }
    Held child = parent;
    forget_history(child);
    shorten(child, position);
    child.is_fork = true;
    child.origin = 0;
    return add_sequence(std::move(child));
  }
  void seq_restore(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint) override {
    Held& held = sequences_.get(sequence);
    const bool is_fork = held.is_fork;
    held = checkpoints_.get(checkpoint);
    held.is_fork = is_fork;
    held.origin = checkpoint;
    held.shared = held.lengths[0];
  }

  vernal_checkpoint_id checkpoint_create(vernal_sequence_id sequence) override {
    Held copy = sequences_.get(sequence);
    forget_history(copy);
    copy.reserved = copy.lengths[0];
    copy.origin = 0;
    if (checkpoints_.size() >= options_.max_checkpoints) {
      throw Error(VERNAL_RESOURCE_EXHAUSTED, "the plan has room for " +
                                                 std::to_string(options_.max_checkpoints) +
                                                 " checkpoints, all of which are held");
    }
    require_room(copy.lengths[0], "a checkpoint");
    return checkpoints_.add(std::move(copy));
  }
  vernal_checkpoint_info checkpoint_info(vernal_checkpoint_id checkpoint) override {
    vernal_checkpoint_info info{};
    info.struct_size = sizeof(info);
    info.position = checkpoints_.get(checkpoint).lengths[0];
    info.host_bytes = price_.bytes_per_checkpoint;
    info.device_bytes = info.position * price_.bytes_per_kv_token;
    return info;
  }
  void checkpoint_release(vernal_checkpoint_id checkpoint) override {
    checkpoints_.remove(checkpoint);
  }

  vernal_ticket step_submit(const StepBatch& batch) override {
    std::vector<State> states;  // copies, so that a failed step leaves every sequence as it was
    for (const StepSequence& part : batch.sequences) {
      states.push_back(require_continued(batch, part).state);
    }
    StepOutputs outputs = run(in_host_memory(batch), states);
    for (std::size_t i = 0; i < states.size(); ++i) {
      Held& held = sequences_.get(batch.sequences[i].sequence);
      held.state = std::move(states[i]);
      held.lengths[batch.function] += batch.sequences[i].count;
      leave_behind(held);
    }
    return steps_.add(std::move(outputs));
  }
  bool step_wait(vernal_ticket ticket, std::uint64_t) override { return step_poll(ticket); }
  bool step_poll(vernal_ticket ticket) override {
    steps_.get(ticket);
    return true;
  }
  StepOutput step_output(vernal_ticket ticket, std::string_view name) override {
    const StepOutputs& outputs = steps_.get(ticket);
    const auto found = outputs.find(name);
    if (found == outputs.end()) {
      throw Error(VERNAL_NOT_FOUND, "the step has no output \"" + std::string(name) + "\"");
    }
    const OutputRows& rows = found->second;
    return {rows.data.data(), rows.columns == 0 ? 0 : rows.data.size() / rows.columns,
            rows.columns};
  }
  void step_release(vernal_ticket ticket) override { steps_.remove(ticket); }

 protected:
  /// The state of a sequence without tokens.
  virtual State make_state() const = 0;
  /// Runs a batch and returns the outputs that it names. states[i] belongs to batch.sequences[i];
  /// run advances it by the tokens of that sequence. Inputs are in host memory. If run throws, the
  /// pool drops these copies and every sequence stays as it was.
  virtual StepOutputs run(const StepBatch& batch, std::vector<State>& states) = 0;
  /// Cuts held.state: the states of function f from held.lengths[f] tokens to new_length, if that
  /// is less. The pool changes held.lengths itself.
  virtual void cut(Held& held, std::uint64_t new_length) const = 0;
  /// Whether cut can cut to new_length. If it can, it can cut to every greater length too. By
  /// default it can if all states of the module are KV. A pool that drops keys and values in
  /// leave_behind overrides this function as well.
  virtual bool can_cut(const Held& held, std::uint64_t new_length) const {
    const auto is_kv = [](const vernal::State& state) { return state.kind == VERNAL_STATE_KV; };
    return new_length >= held.lengths[0] || std::ranges::all_of(module_.states, is_kv);
  }
  /// Drops what no later step needs, nor a cut within the rollback depth. Called after a step.
  virtual void leave_behind(Held&) const {}
  /// Drops what only cut needs: a fork or a checkpoint begins without a history.
  virtual void forget_history(Held&) const {}

  /// Errors  NOT_FOUND: the id was released, or never given.
  const Held& checkpoint(vernal_checkpoint_id id) const { return checkpoints_.get(id); }

  /// Whether every sequence can be cut to any shorter length: the flag TRUNCATE_ANY.
  bool cuts_anywhere() const noexcept { return (flags_ & VERNAL_POOL_TRUNCATE_ANY) != 0; }

  /// The sequence or the checkpoint, whichever id is not 0.
  /// Errors  INVALID_ARGUMENT: both are 0, or neither is
  ///         NOT_FOUND: the id was released, or never given
  const Held& held_by(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint) const {
    if ((sequence == 0) == (checkpoint == 0)) {
      throw Error(VERNAL_INVALID_ARGUMENT, "expected either a sequence or a checkpoint");
    }
    return sequence != 0 ? sequences_.get(sequence) : checkpoints_.get(checkpoint);
  }
  /// Adds a sequence and returns its id.
  /// Errors  RESOURCE_EXHAUSTED: no room for the sequence or for its tokens
  vernal_sequence_id add_sequence(Held held) {
    require_sequence(held.is_fork);
    require_room(std::max(held.lengths[0], held.reserved), "a sequence");
    return sequences_.add(std::move(held));
  }
  /// Checks that num_tokens positions are free; `what` names in the error who wants them.
  /// Errors  RESOURCE_EXHAUSTED: fewer are free
  void require_room(std::uint64_t num_tokens, const char* what) const {
    const std::uint64_t used = used_tokens();
    if (num_tokens <= options_.kv_tokens && used <= options_.kv_tokens - num_tokens) return;
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "the KV pool has room for " +
                                               std::to_string(options_.kv_tokens) + " tokens; " +
                                               std::to_string(used) + " are taken, " + what +
                                               " wants " + std::to_string(num_tokens) + " more");
  }

  /// Checks that the plan has room for another sequence. In a TRUNCATE_ANY pool forks do not count:
  /// they take positions only.
  /// Errors  RESOURCE_EXHAUSTED: max_sequences are held
  void require_sequence(bool is_fork) const {
    if (is_fork && cuts_anywhere()) return;
    std::uint64_t count = 0;
    sequences_.for_each(
        [&](const Held& held) { count += held.is_fork && cuts_anywhere() ? 0U : 1U; });
    if (count < options_.max_sequences) return;
    throw Error(VERNAL_RESOURCE_EXHAUSTED,
                "the plan has room for " + std::to_string(options_.max_sequences) + " sequences" +
                    (cuts_anywhere() ? "" : ", forks included") + ", all of which are held");
  }

 private:
  Held new_sequence() const {
    Held held;
    held.state = make_state();
    held.lengths.resize(module_.functions.size());
    return held;
  }

  static std::uint64_t length_of(const Held& held, std::uint64_t function) {
    if (function < held.lengths.size()) return held.lengths[function];
    throw Error(VERNAL_INVALID_ARGUMENT, "expected a function below " +
                                             std::to_string(held.lengths.size()) + ", found " +
                                             std::to_string(function));
  }

  /// Positions that live sequences and checkpoints hold or have reserved.
  std::uint64_t used_tokens() const {
    std::uint64_t used = 0;
    const auto add = [&](const Held& held) {
      used += std::max(held.lengths[0], held.reserved);
      if (held.origin != 0 && checkpoints_.contains(held.origin)) used -= held.shared;
    };
    sequences_.for_each(add);
    checkpoints_.for_each(add);
    return used;
  }

  void shorten(Held& held, std::uint64_t new_length) const {
    cut(held, new_length);
    for (std::uint64_t& length : held.lengths) length = std::min(length, new_length);
    held.reserved = held.lengths[0];
    held.shared = std::min(held.shared, new_length);
  }

  const Held& require_continued(const StepBatch& batch, const StepSequence& part) const {
    const Held& held = sequences_.get(part.sequence);
    const std::uint64_t length = length_of(held, batch.function);
    const std::string name = "step: sequence " + std::to_string(part.sequence);
    if (part.count > batch.num_tokens || part.start > batch.num_tokens - part.count) {
      throw Error(VERNAL_INVALID_ARGUMENT, name + " has " + std::to_string(part.count) +
                                               " tokens from " + std::to_string(part.start) +
                                               " on, the batch " +
                                               std::to_string(batch.num_tokens));
    }
    if (part.first_position != length) {
      throw Error(VERNAL_INVALID_ARGUMENT, name + " has " + std::to_string(length) +
                                               " tokens, the batch continues it at " +
                                               std::to_string(part.first_position));
    }
    if (length + part.count > held.reserved) {
      throw Error(VERNAL_INVALID_ARGUMENT, name + ": no room was reserved for its tokens");
    }
    return held;
  }

  /// The batch, with outputs of earlier steps turned into inputs in host memory.
  StepBatch in_host_memory(const StepBatch& batch) {
    StepBatch copy = batch;
    for (vernal_step_input& input : copy.inputs) {
      if (input.source != VERNAL_INPUT_STEP) continue;
      const StepOutput output = step_output(input.ticket, view(input.output));
      input.source = VERNAL_INPUT_HOST;
      input.data = output.data;
      input.bytes = output.rows * output.columns * sizeof(float);
    }
    return copy;
  }

  const Module& module_;
  const PlanOptions& options_;
  vernal_plan_info price_;
  std::uint32_t flags_;
  IdTable<Held> sequences_{"sequence"};
  IdTable<Held> checkpoints_{"checkpoint"};
  IdTable<StepOutputs> steps_{"step"};
};

}  // namespace vernal
