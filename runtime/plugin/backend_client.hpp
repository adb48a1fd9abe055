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
#include <string>
#include <string_view>
#include <vector>

#include "plugin/backend_pool.hpp"
#include "plugin/backend_table.hpp"
#include "plugin/weight_store.hpp"
#include "vernal/abi/backend.h"
#include "vernal/backend_types.hpp"

namespace vernal::plugin {

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
