// One configured instance: its device, and what it can compile.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "program.hpp"
#include "vernal/backend_plugin.hpp"

namespace vernal::cuda_sm86 {

/// A device as memory rows name it: "cuda:0".
std::string device_name(int device);

/// Errors  UNAVAILABLE: why the device of the instance cannot be used
void require_usable(const Instance& instance);

/// A machine without a usable device can open an instance and make plans, so that a deployment can
/// be judged where it does not run. Only build() needs the device.
class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(const Config& config);

  /// Those that can be used now.
  static std::vector<DeviceInfo> devices();
  /// vernal/abi/device_check.h, vernal/abi/weight_stream.h
  static const void* extension(std::string_view id);
  const std::shared_ptr<const Instance>& instance() const { return instance_; }

  std::optional<std::string> unsupported_reason(const Module& module, const Function& function,
                                                const Node& node) const override;
  std::vector<FormatSupport> formats() const override;
  std::unique_ptr<BackendPlan> plan(std::shared_ptr<const Module> module,
                                    const PlanOptions& options) override;

 private:
  std::shared_ptr<const Instance> instance_;
};

}  // namespace vernal::cuda_sm86
