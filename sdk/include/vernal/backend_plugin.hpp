// A backend plugin in C++: abstract classes to derive from, and the function table made from them.
//
//   class MyBackend : public vernal::Backend { ... };
//   constexpr vernal_backend_api kTable = vernal::backend_table<MyBackend>();
//   VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.backend = &kTable, .backend_rows = kRows});
//
// The core creates and destroys the objects through the table. Whatever a member throws becomes a
// status and a text. Each member keeps the promises of the function of the same name in
// abi/backend.h and sdk/spec/state.md: these name its errors and its thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vernal/abi/backend.h"
#include "vernal/backend_types.hpp"
#include "vernal/config.hpp"
#include "vernal/host.hpp"
#include "vernal/module.hpp"

namespace vernal {

/// Gives the weights of a module during BackendPlan::build, on the thread of that call only.
/// Errors   members throw Error with the status that the source answers
class WeightSource {
 public:
  explicit WeightSource(const vernal_weight_source* source) : source_(copy_in(source)) {}

  /// Copies `size` stored bytes of the module's weight `index`, from byte `offset` on.
  void read(std::uint64_t index, std::uint64_t offset, std::uint64_t size,
            void* destination) const {
    plugin_host().check(source_.read(source_.user, index, offset, size, destination),
                        "weight source");
  }
  /// All bytes of a weight as stored, read-only. Valid until unmap(index); without an unmap, until
  /// the program is destroyed.
  std::span<const std::byte> map(std::uint64_t index) const {
    const void* data = nullptr;
    std::uint64_t bytes = 0;
    plugin_host().check(source_.map(source_.user, index, &data, &bytes), "weight source");
    return {static_cast<const std::byte*>(data), bytes};
  }
  void unmap(std::uint64_t index) const {
    plugin_host().check(source_.unmap(source_.user, index), "weight source");
  }
  /// Says that a part of a mapped weight has been copied: its pages may leave memory. They stay
  /// valid. Without effect on hosts that are older.
  void release(std::uint64_t index, std::uint64_t offset, std::uint64_t size) const {
    if (source_.release == nullptr) return;
    plugin_host().check(source_.release(source_.user, index, offset, size), "weight source");
  }

 private:
  vernal_weight_source source_;
};

/// Tells the host how much is loaded; call report() at least every 100 ms.
class Progress {
 public:
  explicit Progress(const vernal_progress* progress)
      : progress_(progress ? *progress : vernal_progress{}) {}
  /// Errors   the status of the host if the build shall stop: let it pass through
  void report(std::uint64_t done_bytes, std::uint64_t total_bytes) const {
    if (progress_.report == nullptr) return;
    const std::int32_t status = progress_.report(progress_.user, done_bytes, total_bytes);
    if (status != VERNAL_OK) throw Error(status, "loading was cancelled");
  }

 private:
  vernal_progress progress_;
};

/// A step as the backend sees it, see vernal_step_batch. Spans and text are borrowed for the call.
struct StepBatch {
  std::uint64_t function = 0;             // index in the module
  std::uint64_t num_tokens = 0;           // T
  std::vector<StepSequence> sequences;    // by start, without gaps
  std::span<const std::int32_t> rows;     // indices of tokens, ascending
  std::vector<vernal_step_input> inputs;  // in host memory, or outputs of earlier steps
  std::vector<std::string_view> outputs;  // names of the outputs wanted

  /// The first `count` elements of an input in host memory.
  /// Errors   INVALID_ARGUMENT: it is missing, shorter, or the output of an earlier step
  template <class T>
  std::span<const T> input(std::string_view name, std::uint64_t count) const {
    for (const vernal_step_input& in : inputs) {
      if (view(in.name) != name) continue;
      if (in.source != VERNAL_INPUT_HOST || in.data == nullptr || in.bytes < count * sizeof(T)) {
        throw Error(VERNAL_INVALID_ARGUMENT, "step input \"" + std::string(name) + "\": expected " +
                                                 std::to_string(count * sizeof(T)) +
                                                 " bytes of host memory, found " +
                                                 std::to_string(in.bytes));
      }
      return {static_cast<const T*>(in.data), count};
    }
    throw Error(VERNAL_INVALID_ARGUMENT, "step input \"" + std::string(name) + "\" is missing");
  }

  /// The size of a declared dimension in this step: the count that a VERNAL_DIM_* stands for; any
  /// other dimension is its own size.
  std::int64_t dimension(std::int64_t declared) const {
    switch (declared) {
      case VERNAL_DIM_TOKENS:
        return static_cast<std::int64_t>(num_tokens);
      case VERNAL_DIM_SEQUENCES:
        return static_cast<std::int64_t>(sequences.size());
      case VERNAL_DIM_ROWS:
        return static_cast<std::int64_t>(rows.size());
      case VERNAL_DIM_EXTERNAL:
        for (const vernal_step_input& in : inputs) {
          if (view(in.name) != "ext_index") continue;
          return static_cast<std::int64_t>(in.bytes / sizeof(std::int32_t));
        }
        return 0;
      default:
        return declared;
    }
  }
};

/// The sequences, states and steps of one program. Engine thread only.
class BackendPool {
 public:
  BackendPool() = default;
  BackendPool(const BackendPool&) = delete;
  BackendPool& operator=(const BackendPool&) = delete;
  virtual ~BackendPool() = default;

  virtual vernal_pool_info info() const = 0;
  virtual vernal_sequence_id seq_create() = 0;
  virtual void seq_release(vernal_sequence_id sequence) = 0;
  virtual void seq_reserve(vernal_sequence_id sequence, std::uint64_t num_tokens) = 0;
  virtual std::uint64_t seq_length(vernal_sequence_id sequence, std::uint64_t function) = 0;
  virtual std::uint64_t seq_restorable(vernal_sequence_id sequence, std::uint64_t new_length) = 0;
  virtual void seq_truncate(vernal_sequence_id sequence, std::uint64_t new_length) = 0;
  virtual vernal_sequence_id seq_fork(vernal_sequence_id source, vernal_checkpoint_id checkpoint,
                                      std::uint64_t position) = 0;
  virtual void seq_restore(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint) = 0;
  virtual vernal_checkpoint_id checkpoint_create(vernal_sequence_id sequence) = 0;
  virtual vernal_checkpoint_info checkpoint_info(vernal_checkpoint_id checkpoint) = 0;
  virtual void checkpoint_release(vernal_checkpoint_id checkpoint) = 0;
  virtual void snapshot_export(vernal_sequence_id, vernal_checkpoint_id, const vernal_sink*) {
    throw Error(VERNAL_UNSUPPORTED, "this backend does not export snapshots");
  }
  virtual vernal_sequence_id snapshot_import(const vernal_reader*) {
    throw Error(VERNAL_UNSUPPORTED, "this backend does not import snapshots");
  }

  virtual vernal_ticket step_submit(const StepBatch& batch) = 0;
  /// Waits for a step. False if it is not finished after `timeout_ms`; 0 waits without limit.
  /// Throws Error if the step failed.
  virtual bool step_wait(vernal_ticket ticket, std::uint64_t timeout_ms) = 0;
  /// Whether the step is finished.
  virtual bool step_poll(vernal_ticket ticket) = 0;
  virtual StepOutput step_output(vernal_ticket ticket, std::string_view name) = 0;
  virtual void step_release(vernal_ticket ticket) = 0;
};

/// A compiled module with its weights loaded. stats() may be called on any thread; the rest on the
/// control or the engine thread.
class BackendProgram {
 public:
  BackendProgram() = default;
  BackendProgram(const BackendProgram&) = delete;
  BackendProgram& operator=(const BackendProgram&) = delete;
  virtual ~BackendProgram() = default;

  virtual std::unique_ptr<BackendPool> create_pool() = 0;
  virtual std::vector<MemoryRow> memory_report() const = 0;
  virtual vernal_step_stats stats() const = 0;
};

/// What a program will allocate, decided before anything is. Control thread.
class BackendPlan {
 public:
  BackendPlan() = default;
  BackendPlan(const BackendPlan&) = delete;
  BackendPlan& operator=(const BackendPlan&) = delete;
  virtual ~BackendPlan() = default;

  virtual vernal_plan_info info() const = 0;
  virtual std::vector<MemoryRow> rows() const = 0;
  /// Allocates and loads. Both arguments are valid during the call only. The plan outlives the
  /// program.
  virtual std::unique_ptr<BackendProgram> build(const WeightSource& source,
                                                const Progress& progress) = 0;
};

/// One configured instance of a backend. A derived class has a constructor from `const Config&` and
/// a static function `std::vector<DeviceInfo> devices()`. It may have a static function
/// `const void* extension(std::string_view id)`, which gives the table of an extension by its id,
/// or null if there is none. Control thread; extension() on any thread.
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  /// The reason why a node cannot be compiled; nullopt if it can.
  virtual std::optional<std::string> unsupported_reason(const Module& module,
                                                        const Function& function,
                                                        const Node& node) const = 0;
  /// The storage formats of weights that this backend accepts or refuses.
  virtual std::vector<FormatSupport> formats() const = 0;
  /// Plans a program.
  /// Errors   UNSUPPORTED: names every node and option that is not supported
  ///          RESOURCE_EXHAUSTED: says how many bytes are needed and available
  virtual std::unique_ptr<BackendPlan> plan(std::shared_ptr<const Module> module,
                                            const PlanOptions& options) = 0;
};

}  // namespace vernal

#include "vernal/detail/backend_thunks.hpp"
