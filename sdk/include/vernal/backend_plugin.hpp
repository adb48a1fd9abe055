// C++ side of a backend plugin: abstract classes to derive from, and the function table made from
// them.
//
//   class MyBackend : public vernal::Backend { ... };
//   constexpr vernal_backend_api kTable = vernal::backend_table<MyBackend>();
//   VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.backend = &kTable, .backend_rows = kRows});
//
// Objects are created and destroyed through the table; whatever a member throws becomes a status.
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

/// Pulls weights during a build. Build thread only.
class WeightSource {
 public:
  explicit WeightSource(const vernal_weight_source* source) : source_(copy_in(source)) {}

  /// Copies `size` stored bytes of weight `index`, from `offset`.
  void read(std::uint64_t index, std::uint64_t offset, std::uint64_t size,
            void* destination) const {
    plugin_host().check(source_.read(source_.user, index, offset, size, destination),
                        "weight source");
  }
  /// The whole stored weight; valid until unmap or the program's end.
  std::span<const std::byte> map(std::uint64_t index) const {
    const void* data = nullptr;
    std::uint64_t bytes = 0;
    plugin_host().check(source_.map(source_.user, index, &data, &bytes), "weight source");
    return {static_cast<const std::byte*>(data), bytes};
  }
  void unmap(std::uint64_t index) const {
    plugin_host().check(source_.unmap(source_.user, index), "weight source");
  }

 private:
  vernal_weight_source source_;
};

/// Reports load progress; throws Error(CANCELLED) when the host wants the build to stop.
class Progress {
 public:
  explicit Progress(const vernal_progress* progress)
      : progress_(progress ? *progress : vernal_progress{}) {}
  void report(std::uint64_t done_bytes, std::uint64_t total_bytes) const {
    if (progress_.report == nullptr) return;
    const std::int32_t status = progress_.report(progress_.user, done_bytes, total_bytes);
    if (status != VERNAL_OK) throw Error(status, "loading was cancelled");
  }

 private:
  vernal_progress progress_;
};

/// A step as the backend sees it. Spans are borrowed for the call.
struct StepBatch {
  std::uint64_t function = 0;
  std::uint64_t num_tokens = 0;
  std::vector<StepSequence> sequences;
  std::span<const std::int32_t> rows;
  std::vector<vernal_step_input> inputs;
  std::vector<std::string_view> outputs;

  /// Host data of an input; INVALID_ARGUMENT if it is missing or shorter than `count` elements.
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

  /// What a declared dimension is in this step: the counts for VERNAL_DIM_*, others themselves.
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

/// Sequences, states and steps of one program. Engine thread. Meaning: backend.h.
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
  /// False if the step is not finished after `timeout_ms` (0: waits without limit).
  virtual bool step_wait(vernal_ticket ticket, std::uint64_t timeout_ms) = 0;
  virtual bool step_poll(vernal_ticket ticket) = 0;
  virtual StepOutput step_output(vernal_ticket ticket, std::string_view name) = 0;
  virtual void step_release(vernal_ticket ticket) = 0;
};

/// A module compiled, with its weights loaded.
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

/// What a program will be and cost.
class BackendPlan {
 public:
  BackendPlan() = default;
  BackendPlan(const BackendPlan&) = delete;
  BackendPlan& operator=(const BackendPlan&) = delete;
  virtual ~BackendPlan() = default;

  virtual vernal_plan_info info() const = 0;
  virtual std::vector<MemoryRow> rows() const = 0;
  virtual std::unique_ptr<BackendProgram> build(const WeightSource& source,
                                                const Progress& progress) = 0;
};

/// One configured instance. Derived classes have a constructor from `const Config&` and a static
/// `std::vector<DeviceInfo> devices()`. They may have a static
/// `const void* extension(std::string_view id)`: the table of an extension of backends by its id,
/// null if there is none; any thread.
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  /// Why a node cannot be compiled; nullopt if it can.
  virtual std::optional<std::string> unsupported_reason(const Module& module,
                                                        const Function& function,
                                                        const Node& node) const = 0;
  virtual std::vector<FormatSupport> formats() const = 0;
  /// `module` lives until the plan is destroyed.
  virtual std::unique_ptr<BackendPlan> plan(std::shared_ptr<const Module> module,
                                            const PlanOptions& options) = 0;
};

}  // namespace vernal

#include "vernal/detail/backend_thunks.hpp"
