#include "backend.hpp"

#include <sched.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "operations/operation_table.hpp"
#include "vernal/abi/device_check.h"
#include "vernal/abi/memory_lock.h"
#include "vernal/abi/profile.h"
#include "vernal/abi/weight_stream.h"
#include "vernal/block_types.hpp"
#include "vernal/container_limits.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Cores this process may use all the time: those it may run on, less what a container's quota takes.
std::int64_t available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const bool is_known = sched_getaffinity(0, sizeof(set), &set) == 0;
  const std::int64_t cores =
      is_known ? CPU_COUNT(&set) : std::int64_t{std::thread::hardware_concurrency()};
  return read_container_limits().limit_threads(std::max<std::int64_t>(1, cores));
}

/// "kernels for AVX-512 with VNNI, 2 threads"
std::string describe(const Instance& instance) {
  return "kernels for " + std::string(info_of(instance.instruction_set).title) + ", " +
         std::to_string(instance.threads.num_threads()) + " threads";
}

std::shared_ptr<Instance> start(const Config& config) {
  const std::int64_t threads = config.find_int("threads").value_or(0);
  const std::vector<std::int64_t> cpus = config.integers("affinity");
  const InstructionSet set = choose_instruction_set(config.find_string("isa").value_or("auto"));
  auto instance = std::make_shared<Instance>(
      static_cast<std::int32_t>(threads > 0 ? threads : available_cores()), cpus, set);
  plugin_host().log(VERNAL_LOG_INFO, "cpu_avx2", describe(*instance));
  return instance;
}

class Plan final : public BackendPlan {
 public:
  Plan(std::shared_ptr<CompiledModule> compiled, std::shared_ptr<Instance> instance)
      : compiled_(std::move(compiled)), instance_(std::move(instance)) {}

  vernal_plan_info info() const override { return compiled_->info(); }
  std::vector<MemoryRow> rows() const override { return compiled_->rows(); }
  std::uint64_t lockable_bytes() const {
    return static_cast<std::uint64_t>(compiled_->lockable_bytes());
  }
  bool reads_in_place(std::uint64_t index) const {
    return compiled_->weights.entries().at(index).is_in_place;
  }
  void lock(bool is_required) {
    compiled_->lock = is_required ? MemoryLock::kRequired : MemoryLock::kPreferred;
  }
  std::unique_ptr<BackendProgram> build(const WeightSource& source,
                                        const Progress& progress) override {
    return std::make_unique<Program>(compiled_, instance_, source, progress);
  }

 private:
  std::shared_ptr<CompiledModule> compiled_;
  std::shared_ptr<Instance> instance_;
};

/// A handle of this backend is a Plan (detail/backend_thunks.hpp).
Plan& plan_of(const vernal_plan* handle) { return static_cast<Plan&>(detail::object(handle)); }

std::int32_t lockable_bytes(const vernal_plan* plan, std::uint64_t* out) noexcept {
  return guard([&] { *out = plan_of(plan).lockable_bytes(); });
}

std::int32_t lock(vernal_plan* plan, std::uint32_t is_required) noexcept {
  return guard([&] { plan_of(plan).lock(is_required != 0); });
}

constexpr vernal_memory_lock_api kMemoryLock = {sizeof(vernal_memory_lock_api), lockable_bytes,
                                                lock};

/// Where the library loads, the device is there. Hosts list the devices of backends that they can
/// ask, and the device's description says which instruction set "auto" means.
constexpr vernal_device_check_api kDeviceCheck = {
    sizeof(vernal_device_check_api), +[]() -> std::int32_t { return VERNAL_OK; },
    +[](const vernal_backend*) -> std::int32_t { return VERNAL_OK; }};

/// Likewise for the other handles.
const Program& program_of(vernal_program* handle) {
  return static_cast<const Program&>(detail::object(handle));
}

std::int32_t describe_instance(const vernal_backend* handle, const vernal_sink* out) noexcept {
  return guard([&] {
    const auto& backend =
        static_cast<const CpuBackend&>(detail::object(const_cast<vernal_backend*>(handle)));
    const std::string text = backend.description();
    plugin_host().check(out->write(out->user, text.data(), text.size()), "sink");
  });
}

std::int32_t set_timing(vernal_program* handle, std::uint32_t is_on) noexcept {
  return guard([&] { program_of(handle).times().set_on(is_on != 0); });
}

std::int32_t operation_times(vernal_program* handle,
                             const vernal_operation_time_sink* sink) noexcept {
  return guard([&] {
    for (const OperationTimes::Row& row : program_of(handle).times().rows()) {
      const vernal_operation_time out{sizeof(vernal_operation_time),
                                      {row.operation.data(), row.operation.size()},
                                      row.calls,
                                      static_cast<std::uint64_t>(row.spent.count())};
      plugin_host().check(sink->add(sink->user, &out), "sink");
    }
  });
}

constexpr vernal_profile_api kProfile = {sizeof(vernal_profile_api), describe_instance, set_timing,
                                         operation_times};

std::int32_t reads_in_place(const vernal_plan* plan, std::uint64_t index,
                            std::uint32_t* out) noexcept {
  return guard([&] { *out = plan_of(plan).reads_in_place(index) ? 1 : 0; });
}

std::int32_t use_stream(vernal_program* handle, const vernal_weight_stream_use* use) noexcept {
  return guard([&] { static_cast<Program&>(detail::object(handle)).use_stream(copy_in(use)); });
}

constexpr vernal_weight_stream_user_api kWeightStreamUser = {sizeof(vernal_weight_stream_user_api),
                                                             reads_in_place, use_stream};

}  // namespace

CpuBackend::CpuBackend(const Config& config)
    : repack_(parse_repack(config.find_string("repack").value_or("auto"))),
      instance_(start(config)) {}

std::vector<DeviceInfo> CpuBackend::devices() {
  struct sysinfo memory {};
  ::sysinfo(&memory);
  const std::string_view best = info_of(best_instruction_set()).title;
  return {{"cpu", "host processor, " + std::string(best),
           memory.totalram * std::uint64_t{memory.mem_unit},
           memory.freeram * std::uint64_t{memory.mem_unit},
           static_cast<std::uint64_t>(available_cores())}};
}

const void* CpuBackend::extension(std::string_view id) {
  if (id == VERNAL_EXT_MEMORY_LOCK) return &kMemoryLock;
  if (id == VERNAL_EXT_PROFILE) return &kProfile;
  if (id == VERNAL_EXT_WEIGHT_STREAM_USER) return &kWeightStreamUser;
  return id == VERNAL_EXT_DEVICE_CHECK ? &kDeviceCheck : nullptr;
}

std::string CpuBackend::description() const { return describe(*instance_); }

std::optional<std::string> CpuBackend::unsupported_reason(const Module& module,
                                                          const Function& function,
                                                          const Node& node) const {
  return refusal(module, function, node);
}

std::vector<FormatSupport> CpuBackend::formats() const {
  std::vector<FormatSupport> out;
  for (const BlockType& type : kBlockTypes) {
    FormatSupport row{std::string(type.id), VERNAL_FORMAT_REFUSED, "no kernel"};
    const WeightFormat* const format = find_weight_format(type.id);
    if (format != nullptr && format->id == kEightBitId) {
      row.support = VERNAL_FORMAT_CONVERTED;
      row.note = "8-bit codes with a scale for each 16, nothing rounded: 8.625 bits per weight";
    } else if (format != nullptr) {
      row.support = VERNAL_FORMAT_NATIVE;
      row.note = "the same bytes, interleaved over eight rows";
    }
    out.push_back(std::move(row));
  }
  return out;
}

std::unique_ptr<BackendPlan> CpuBackend::plan(std::shared_ptr<const Module> module,
                                              const PlanOptions& options) {
  backend::require_support(*module, refusal);
  auto compiled =
      std::make_shared<CompiledModule>(std::move(module), options, instance_->threads.num_threads(),
                                       instance_->instruction_set, repack_);
  const auto needed = static_cast<std::uint64_t>(compiled->bytes());
  if (options.memory_limit_bytes > 0 && needed > options.memory_limit_bytes) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "the program needs " + std::to_string(needed) +
                                               " bytes, the limit is " +
                                               std::to_string(options.memory_limit_bytes));
  }
  return std::make_unique<Plan>(std::move(compiled), instance_);
}

}  // namespace vernal::cpu_avx2
