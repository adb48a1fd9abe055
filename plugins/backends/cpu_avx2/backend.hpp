// One configured instance: its threads, and what it can compile.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "program.hpp"
#include "vernal/backend_plugin.hpp"

namespace vernal::cpu_avx2 {

class CpuBackend final : public Backend {
 public:
  /// Chooses the instruction set and starts the threads.
  /// Errors  RESOURCE_EXHAUSTED: the system gives no more threads;
  ///         UNSUPPORTED: this processor lacks the instruction set that `isa` asks for
  explicit CpuBackend(const Config& config);

  static std::vector<DeviceInfo> devices();
  static const void* extension(std::string_view id);

  /// What the instance computes with, for people.
  std::string description() const;

  std::optional<std::string> unsupported_reason(const Module& module, const Function& function,
                                                const Node& node) const override;
  std::vector<FormatSupport> formats() const override;
  std::unique_ptr<BackendPlan> plan(std::shared_ptr<const Module> module,
                                    const PlanOptions& options) override;

 private:
  Repack repack_;
  std::shared_ptr<Instance> instance_;
};

}  // namespace vernal::cpu_avx2
