// A backend plugin as the core uses it: C++ objects over the function table, one for each handle of
// backend.h.
//
//   BackendInstance -> BackendPlan -> BackendProgram -> BackendPool -> BackendStep
//
// Each object is movable, owns its handle and must be destroyed before the one it was made from,
// and all of them before the plugin's library. Members throw vernal::Error with the backend's own
// text and the instance's name; outcomes that belong to normal running (no room, not restorable,
// not finished) are values.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/weight_store.hpp"
#include "vernal/abi/backend.h"
#include "vernal/backend_types.hpp"

namespace vernal::plugin {

/// A table and the name of the instance it is used for, "backend cpu"; shared by all objects of an
/// instance.
struct BackendTable {
  vernal_backend_api api;
  std::string name;

  /// Throws Error with the backend's text if `status` is not OK. `what` is the failed call.
  void check(std::int32_t status, std::string_view what) const;
};

/// A unique handle that its own table destroys.
template <class Handle>
class OwnedHandle {
 public:
  using Destroy = void (*)(Handle*);
  OwnedHandle() = default;
  OwnedHandle(Handle* handle, Destroy destroy) : handle_(handle, destroy) {}
  Handle* get() const noexcept { return handle_.get(); }
  void reset() noexcept { handle_.reset(); }

 private:
  std::unique_ptr<Handle, Destroy> handle_{nullptr, nullptr};
};

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

/// A module compiled, with its weights loaded.
class BackendProgram {
 public:
  /// Engine thread. One pool per program.
  BackendPool create_pool();
  /// What is allocated now.
  std::vector<MemoryRow> memory_report() const;
  /// Any thread.
  vernal_step_stats stats() const;

 private:
  friend class BackendPlan;
  BackendProgram(const BackendTable* table, vernal_program* program)
      : table_(table), program_(program, table->api.program_destroy) {}

  const BackendTable* table_;
  OwnedHandle<vernal_program> program_;
};

/// What a program will be and cost. Control thread.
class BackendPlan {
 public:
  vernal_plan_info info() const;
  std::vector<MemoryRow> rows() const;
  /// Allocates and loads weights from `weights`, which must outlive the program. `progress` is
  /// called on the calling thread; when it returns false the build ends with Error(CANCELLED). It
  /// may be empty.
  BackendProgram build(
      WeightStore& weights,
      const std::function<bool(std::uint64_t done_bytes, std::uint64_t total_bytes)>& progress);

 private:
  friend class BackendInstance;
  BackendPlan(const BackendTable* table, vernal_plan* plan)
      : table_(table), plan_(plan, table->api.plan_destroy) {}

  const BackendTable* table_;
  OwnedHandle<vernal_plan> plan_;
};

struct OpSupport {
  bool is_supported = false;
  double cost_hint = 0;
  std::string reason;
};

/// One configured backend. Control thread.
class BackendInstance {
 public:
  /// Opens an instance; `config` is read during the call only.
  ///   api    an adopted table (PluginLibrary::backend)
  ///   name   of the instance in the deployment, for messages
  BackendInstance(const vernal_backend_api& api, std::string name, vernal_config_view config);

  /// Devices an instance of that plugin may use.
  static std::vector<DeviceInfo> devices(const vernal_backend_api& api);

  const std::string& name() const noexcept { return name_; }
  OpSupport op_support(vernal_module_ref module, std::uint64_t function, std::uint64_t node) const;
  std::vector<FormatSupport> formats() const;
  /// Prices and fixes a program. `module` lives until the plan is destroyed.
  /// Errors  UNSUPPORTED: every node and option that cannot be done; RESOURCE_EXHAUSTED: needed and
  /// available
  BackendPlan plan(vernal_module_ref module, const PlanOptions& options) const;
  /// An extension table of the backend, or null.
  const void* extension(std::string_view id) const;

 private:
  std::string name_;
  std::unique_ptr<BackendTable> table_;  // its address is known to plans, programs and pools
  OwnedHandle<vernal_backend> backend_;
};

}  // namespace vernal::plugin
