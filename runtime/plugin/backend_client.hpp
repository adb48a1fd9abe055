// A backend plugin as the core uses it: C++ objects over the function table, one for each handle of
// abi/backend.h.
//
//   BackendInstance -> BackendPlan -> BackendProgram -> BackendPool -> BackendStep
//
// Each object is movable and owns its handle. It must be destroyed before the object it was made
// from, and before the plugin's library. Members throw vernal::Error with the name of the instance
// and the backend's own text. Outcomes of normal running are values: no room, not restorable, not
// finished.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/backend_pool.hpp"
#include "plugin/backend_table.hpp"
#include "plugin/weight_store.hpp"
#include "plugin/weight_stream_client.hpp"
#include "vernal/abi/backend.h"
#include "vernal/backend_types.hpp"

namespace vernal::plugin {

/// The time of all operations of one kind (vernal/abi/profile.h).
struct OperationTime {
  std::string operation;
  std::uint64_t calls = 0;
  std::uint64_t busy_ns = 0;
};

/// A compiled module with its weights loaded.
class BackendProgram {
 public:
  /// Engine thread. A program has one pool.
  BackendPool create_pool();
  /// The rows that are allocated now. Control or engine thread.
  std::vector<MemoryRow> memory_report() const;
  /// Totals since the program was built. Any thread.
  vernal_step_stats stats() const;
  /// Whether the backend can time operations. Any thread.
  bool times_operations() const;
  /// Begins or ends timing of operations, with all times at zero. Engine thread, between steps.
  /// Errors  UNSUPPORTED: the backend cannot
  void set_timing(bool is_on);
  /// The times since then. Engine thread, between steps.
  /// Errors  UNSUPPORTED: the backend cannot
  std::vector<OperationTime> operation_times() const;
  /// Gives large products to a stream from now on. Control thread, before create_pool(). The stream
  /// outlives the program.
  /// Errors  UNSUPPORTED: the backend takes no stream
  void use_stream(const WeightStream& stream, const WeightStreamUse& use);

 private:
  friend class BackendPlan;
  BackendProgram(const BackendTable* table, vernal_program* program)
      : table_(table), program_(program, table->api.program_destroy) {}

  const BackendTable* table_;
  OwnedHandle<vernal_program> program_;
};

/// What a program will allocate. Control thread.
class BackendPlan {
 public:
  vernal_plan_info info() const;
  std::vector<MemoryRow> rows() const;
  /// Bytes of host memory that lock_memory() would lock. Nothing: the backend cannot lock.
  std::optional<std::uint64_t> lockable_bytes() const;
  /// Has the memory of the program locked as it is built (vernal/abi/memory_lock.h). Before build().
  /// Errors  UNSUPPORTED: the backend cannot lock
  void lock_memory(bool is_required);
  /// Whether the program reads a weight where the model file is mapped.
  /// Errors  UNSUPPORTED: the backend takes no stream of weights, and so does not tell
  bool reads_in_place(std::uint64_t weight) const;
  /// Allocates memory and loads the weights.
  ///   weights    must outlive the program
  ///   progress   called on this thread with the bytes loaded so far; the build stops if it returns
  ///              false; may be empty
  /// Errors       CANCELLED: progress returned false; else the backend's
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

/// Whether a backend compiles a node; if not, `reason` says why.
struct OpSupport {
  bool is_supported = false;
  double cost_hint = 0;
  std::string reason;
};

/// One configured backend. Control thread.
class BackendInstance {
 public:
  /// Opens an instance.
  ///   api     an adopted table (PluginLibrary::backend)
  ///   name    of the instance in the deployment, for messages
  ///   config  read during the call only
  BackendInstance(const vernal_backend_api& api, std::string name, vernal_config_view config);

  /// The devices that an instance of that plugin may use.
  static std::vector<DeviceInfo> devices(const vernal_backend_api& api);
  /// Why no device of this machine can be used by that plugin; nothing if one can. Backends without
  /// vernal/abi/device_check.h are not asked.
  static std::optional<std::string> machine_problem(const vernal_backend_api& api);
  /// Whether a backend has that extension, and so may be without a device.
  static bool has_device_check(const vernal_backend_api& api);

  /// Why the device of this instance cannot be used; nothing if it can, or if nobody knows.
  std::optional<std::string> device_problem() const;

  const std::string& name() const noexcept { return name_; }
  /// What it computes with, in one line for people; empty if the backend does not tell.
  std::string description() const;
  /// Whether the backend compiles a node, by its index in a function of the module.
  OpSupport op_support(vernal_module_ref module, std::uint64_t function, std::uint64_t node) const;
  /// The storage formats of weights that the backend accepts or refuses.
  std::vector<FormatSupport> formats() const;
  /// Decides everything that a program will allocate. `module` must outlive the plan.
  /// Errors  UNSUPPORTED: names every node and option that is not supported
  ///         RESOURCE_EXHAUSTED: says how many bytes are needed and available
  BackendPlan plan(vernal_module_ref module, const PlanOptions& options) const;
  /// Whether programs of this backend can give products to a stream of weights, and whether it has
  /// such streams (vernal/abi/weight_stream.h).
  bool takes_weight_streams() const;
  bool has_weight_streams() const;
  /// Plans a stream of the weights of a module, which outlives the plan.
  ///   most_rows  of x in a product
  /// Errors  UNSUPPORTED: the backend has no streams
  WeightStreamPlan plan_weight_stream(vernal_module_ref module, std::uint64_t most_rows) const;
  /// An extension table of the backend, or null.
  const void* extension(std::string_view id) const;

 private:
  std::string name_;
  std::unique_ptr<BackendTable> table_;  // plans, programs and pools hold its address
  OwnedHandle<vernal_backend> backend_;
};

}  // namespace vernal::plugin
