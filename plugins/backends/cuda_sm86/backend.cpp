#include "backend.hpp"

#include <algorithm>
#include <utility>

#include "device/device.hpp"
#include "operations/operation_table.hpp"
#include "vernal/abi/device_check.h"
#include "vernal/block_types.hpp"
#include "weight_stream/extension.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// Errors  UNAVAILABLE: the text of the problem, if there is one
void require_none(const std::string& problem) {
  if (!problem.empty()) throw Error(VERNAL_UNAVAILABLE, problem);
}

std::int32_t check_machine() noexcept {
  return guard([] { require_none(machine_problem()); });
}

std::int32_t check_instance(const vernal_backend* backend) noexcept {
  return guard([&] {
    // A handle of this backend is a CudaBackend (detail/backend_thunks.hpp).
    const auto& object =
        static_cast<const CudaBackend&>(detail::object(const_cast<vernal_backend*>(backend)));
    require_usable(*object.instance());
  });
}

constexpr vernal_device_check_api kDeviceCheck = {sizeof(vernal_device_check_api), check_machine,
                                                  check_instance};

class Plan final : public BackendPlan {
 public:
  Plan(std::shared_ptr<CompiledModule> compiled, std::shared_ptr<const Instance> instance)
      : compiled_(std::move(compiled)), instance_(std::move(instance)) {}

  vernal_plan_info info() const override { return compiled_->info(); }
  std::vector<MemoryRow> rows() const override { return compiled_->rows(); }
  std::unique_ptr<BackendProgram> build(const WeightSource& source,
                                        const Progress& progress) override {
    require_usable(*instance_);
    return std::make_unique<Program>(compiled_, instance_, source, progress);
  }

 private:
  std::shared_ptr<CompiledModule> compiled_;
  std::shared_ptr<const Instance> instance_;
};

/// Tables that are only looked up are in host memory as it is; matrices stay on the device.
void refuse_host_weights(const PlanOptions& options) {
  if (options.host_weights.empty()) return;
  throw Error(VERNAL_UNSUPPORTED,
              "host_tensors: \"" + options.host_weights.front() +
                  "\": this backend keeps tables that are only looked up in host memory, and "
                  "everything else on the device");
}

std::shared_ptr<const Instance> read(const Config& config) {
  Instance instance;
  instance.device = static_cast<int>(config.find_int("device").value_or(0));
  instance.sync_every_operation = config.find_bool("sync_every_node").value_or(false);
  instance.fuses_operations = config.find_bool("fuse_nodes").value_or(true);
  return std::make_shared<const Instance>(instance);
}

}  // namespace

std::string device_name(int device) { return "cuda:" + std::to_string(device); }

void require_usable(const Instance& instance) {
  require_none(examine_device(instance.device).problem);
}

CudaBackend::CudaBackend(const Config& config) : instance_(read(config)) {}

std::vector<DeviceInfo> CudaBackend::devices() {
  std::vector<DeviceInfo> out;
  int number = 0;
  for (const DeviceDescription& device : driver_state().devices) {
    const DeviceReport report = examine_device(number);
    if (report.problem.empty()) {
      out.push_back({device_name(number), device.name, report.total_bytes, report.free_bytes,
                     static_cast<std::uint64_t>(device.num_multiprocessors)});
    }
    ++number;
  }
  return out;
}

const void* CudaBackend::extension(std::string_view id) {
  if (id == VERNAL_EXT_WEIGHT_STREAM) return &weight_stream_table();
  return id == VERNAL_EXT_DEVICE_CHECK ? &kDeviceCheck : nullptr;
}

std::optional<std::string> CudaBackend::unsupported_reason(const Module& module,
                                                           const Function& function,
                                                           const Node& node) const {
  return refusal(module, function, node);
}

std::vector<FormatSupport> CudaBackend::formats() const {
  std::vector<FormatSupport> out;
  for (const BlockType& type : kBlockTypes) {
    FormatSupport row{std::string(type.id), VERNAL_FORMAT_REFUSED, "no kernel"};
    const WeightFormat* const format = find_weight_format(type.id);
    if (format != nullptr && format->is_form()) {
      row.support = VERNAL_FORMAT_CONVERTED;
      const std::int64_t hundredths = 800 * format->block_bytes / format->block_columns;
      row.note = "8-bit codes, nothing rounded: " + std::to_string(hundredths / 100) + "." +
                 std::to_string(hundredths % 100) + " bits per weight";
    } else if (format != nullptr) {
      row.support = VERNAL_FORMAT_NATIVE;
      row.note = format->kernels->is_quantised() ? "the same bits, in tiles of 16 rows" : "";
    }
    out.push_back(std::move(row));
  }
  return out;
}

std::unique_ptr<BackendPlan> CudaBackend::plan(std::shared_ptr<const Module> module,
                                               const PlanOptions& options) {
  backend::require_support(*module, refusal);
  refuse_host_weights(options);
  auto compiled = std::make_shared<CompiledModule>(
      std::move(module), options, device_name(instance_->device), instance_->fuses_operations);
  const auto needed = static_cast<std::uint64_t>(compiled->device_bytes());
  if (options.memory_limit_bytes > 0 && needed > options.memory_limit_bytes) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "the program needs " + std::to_string(needed) +
                                               " bytes of device memory, the limit is " +
                                               std::to_string(options.memory_limit_bytes));
  }
  return std::make_unique<Plan>(std::move(compiled), instance_);
}

}  // namespace vernal::cuda_sm86
