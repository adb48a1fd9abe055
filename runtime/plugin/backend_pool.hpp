// The sequences, states and steps of one program; see backend_client.hpp for what they are made
// from.
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
  std::span<const std::byte>
      data;  // host memory; or, if `ticket` is not 0, the output of an earlier step
  vernal_ticket ticket = 0;
  std::string_view output;

  template <class T>
  static StepInput host(std::string_view name, std::span<const T> values) {
    return {name, std::as_bytes(values), 0, {}};
  }
};

/// One step, ragged and token-major. Everything is borrowed until the submit returns.
struct Step {
  std::uint64_t function = 0;               // index in the module
  std::uint64_t num_tokens = 0;             // T >= 1
  std::span<const StepSequence> sequences;  // by start, without gaps, covering [0, T)
  std::span<const std::int32_t> rows;       // token indices, ascending
  std::span<const StepInput> inputs;
  std::span<const std::string_view> outputs;
};

class BackendPool;

/// A step that was submitted; released when the object goes. Engine thread.
class BackendStep {
 public:
  BackendStep(BackendStep&& other) noexcept { *this = std::move(other); }
  BackendStep& operator=(BackendStep&& other) noexcept;
  ~BackendStep();

  vernal_ticket ticket() const noexcept { return ticket_; }
  /// False if the step is not finished after `timeout_ms` (0: waits without limit). Throws Error
  /// with the step's own status if it failed.
  [[nodiscard]] bool wait(std::uint64_t timeout_ms);
  /// Whether a wait would return at once.
  bool is_finished();
  /// The output f32 [rows, columns] after a wait that returned true; lives as long as this object.
  ///   rows, columns   what the caller expects; columns 0: any number
  /// Error  INTERNAL: the backend answered null or another shape.
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
  vernal_pool_info info() const;

  /// Nothing: no room for another sequence.
  [[nodiscard]] std::optional<vernal_sequence_id> seq_create();
  void seq_release(vernal_sequence_id sequence);
  /// Room for `num_tokens` more, all or nothing; false: there is none, nothing changed.
  [[nodiscard]] bool seq_reserve(vernal_sequence_id sequence, std::uint64_t num_tokens);
  std::uint64_t seq_length(vernal_sequence_id sequence, std::uint64_t function);
  /// Greatest position <= new_length that seq_truncate would accept.
  std::uint64_t seq_restorable(vernal_sequence_id sequence, std::uint64_t new_length);
  /// False: not restorable, the sequence is as it was.
  [[nodiscard]] bool seq_truncate(vernal_sequence_id sequence, std::uint64_t new_length);
  /// Exactly one of `source` and `checkpoint` is not 0. Nothing: no room, or not restorable at
  /// `position`.
  [[nodiscard]] std::optional<vernal_sequence_id> seq_fork(vernal_sequence_id source,
                                                           vernal_checkpoint_id checkpoint,
                                                           std::uint64_t position);
  void seq_restore(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint);

  /// Nothing: no room.
  [[nodiscard]] std::optional<vernal_checkpoint_id> checkpoint_create(vernal_sequence_id sequence);
  vernal_checkpoint_info checkpoint_info(vernal_checkpoint_id checkpoint);
  void checkpoint_release(vernal_checkpoint_id checkpoint);

  /// Exactly one id is not 0. Throws what the sink answers.
  void snapshot_export(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint,
                       const vernal_sink& sink);
  /// Error INCOMPATIBLE: made for another program or format.
  vernal_sequence_id snapshot_import(const vernal_reader& reader);

  /// Submits a step; allocates nothing once it has seen the largest.
  /// Errors  INVALID_ARGUMENT: the batch is malformed; else the backend's.
  BackendStep submit(const Step& step);

 private:
  friend class BackendProgram;
  BackendPool(const BackendTable* table, vernal_pool* pool)
      : table_(table), pool_(pool, table->api.pool_destroy) {}

  const BackendTable* table_;
  OwnedHandle<vernal_pool> pool_;
  std::vector<vernal_step_input> inputs_;  // reused from step to step
  std::vector<vernal_step_sequence> sequences_;
  std::vector<vernal_str> outputs_;
};

}  // namespace vernal::plugin
