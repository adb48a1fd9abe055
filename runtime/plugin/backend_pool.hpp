// The sequences, states and steps of one program. backend_client.hpp says what they are made from.
// sdk/spec/state.md says what their functions promise.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "plugin/backend_table.hpp"
#include "vernal/abi/backend.h"
#include "vernal/backend_types.hpp"

namespace vernal::plugin {

/// One input of a step. Borrowed until the submit returns.
struct StepInput {
  std::string_view name;
  std::span<const std::byte> data;  // in host memory; unused if `ticket` is not 0
  vernal_ticket ticket = 0;         // if not 0: the input is `output` of this earlier step
  std::string_view output;

  template <class T>
  static StepInput host(std::string_view name, std::span<const T> values) {
    return {name, std::as_bytes(values), 0, {}};
  }
};

/// One step. The tokens of its sequences follow each other, and sequences may have any number of
/// them. Everything is borrowed until the submit returns.
struct Step {
  std::uint64_t function = 0;               // index in the module
  std::uint64_t num_tokens = 0;             // T >= 1
  std::span<const StepSequence> sequences;  // by start, without gaps, covering [0, T)
  std::span<const std::int32_t> rows;       // indices of tokens whose outputs are wanted, ascending
  std::span<const StepInput> inputs;
  std::span<const std::string_view> outputs;  // names of outputs wanted
};

class BackendPool;

/// A step that was submitted. The destructor releases it. Engine thread.
class BackendStep {
 public:
  BackendStep(BackendStep&& other) noexcept { *this = std::move(other); }
  BackendStep& operator=(BackendStep&& other) noexcept;
  ~BackendStep();

  vernal_ticket ticket() const noexcept { return ticket_; }
  /// Waits for the step. False if it is not finished after `timeout_ms`; 0 waits without limit.
  /// Errors   the status of the step if it failed
  [[nodiscard]] bool wait(std::uint64_t timeout_ms);
  /// Whether a wait would return at once.
  bool is_finished();
  /// An output, f32 [rows, columns], after a wait that returned true. It lives as long as this
  /// object.
  ///   rows, columns   the shape that the caller expects; columns 0: any number
  /// Errors            INTERNAL: the backend answered null or another shape
  StepOutput output(std::string_view name, std::uint64_t rows, std::uint64_t columns);

 private:
  friend class BackendPool;
  BackendStep(const BackendTable* table, vernal_pool* pool, vernal_ticket ticket)
      : table_(table), pool_(pool), ticket_(ticket) {}

  const BackendTable* table_ = nullptr;
  vernal_pool* pool_ = nullptr;
  vernal_ticket ticket_ = 0;
};

/// The sequences and states of one program. Engine thread of the model.
class BackendPool {
 public:
  /// The sizes, flags and free room of the pool.
  vernal_pool_info info() const;

  /// Makes an empty sequence. Nothing if there is no room for another one.
  [[nodiscard]] std::optional<vernal_sequence_id> seq_create();
  /// Frees what the sequence alone holds. Its id is never valid again.
  void seq_release(vernal_sequence_id sequence);
  /// Reserves room for `num_tokens` more tokens. False if there is no room; then nothing changed.
  [[nodiscard]] bool seq_reserve(vernal_sequence_id sequence, std::uint64_t num_tokens);
  /// The committed tokens of a sequence in a function of the module.
  std::uint64_t seq_length(vernal_sequence_id sequence, std::uint64_t function);
  /// The greatest position <= new_length that seq_truncate would accept.
  std::uint64_t seq_restorable(vernal_sequence_id sequence, std::uint64_t new_length);
  /// Cuts the sequence. False if its state at new_length is not kept; then nothing changed.
  [[nodiscard]] bool seq_truncate(vernal_sequence_id sequence, std::uint64_t new_length);
  /// Makes a sequence from a sequence or a checkpoint: exactly one id is not 0. Nothing if there is
  /// no room, or if the source cannot be forked at `position`.
  [[nodiscard]] std::optional<vernal_sequence_id> seq_fork(vernal_sequence_id source,
                                                           vernal_checkpoint_id checkpoint,
                                                           std::uint64_t position);
  /// Makes the sequence what it was when the checkpoint was created.
  void seq_restore(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint);

  /// Keeps the state of a sequence. Nothing if there is no room.
  [[nodiscard]] std::optional<vernal_checkpoint_id> checkpoint_create(vernal_sequence_id sequence);
  vernal_checkpoint_info checkpoint_info(vernal_checkpoint_id checkpoint);
  void checkpoint_release(vernal_checkpoint_id checkpoint);

  /// Writes the state of a sequence or a checkpoint: exactly one id is not 0.
  /// Errors   the status that the sink answers; else the backend's
  void snapshot_export(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint,
                       const vernal_sink& sink);
  /// Makes a sequence from a snapshot.
  /// Errors   INCOMPATIBLE: it was made for another program or format; else the backend's
  vernal_sequence_id snapshot_import(const vernal_reader& reader);

  /// Submits a step. It allocates memory only for a step that is larger than all before.
  /// Errors   INVALID_ARGUMENT: the batch is malformed; else the backend's
  BackendStep submit(const Step& step);

 private:
  friend class BackendProgram;
  BackendPool(const BackendTable* table, vernal_pool* pool)
      : table_(table), pool_(pool, table->api.pool_destroy) {}

  const BackendTable* table_;
  OwnedHandle<vernal_pool> pool_;
  // Reused by every step.
  std::vector<vernal_step_input> inputs_;
  std::vector<vernal_step_sequence> sequences_;
  std::vector<vernal_str> outputs_;
};

}  // namespace vernal::plugin
