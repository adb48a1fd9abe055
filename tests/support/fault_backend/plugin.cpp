// A backend that computes nothing and fails when a test wants it, to test how the core handles
// errors. Its answers are fixed: token 300 + p % 200 follows a token at position p.
#include "vernal/plugin.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <limits>
#include <map>
#include <system_error>
#include <thread>

#include "fault_script.hpp"
#include "vernal/abi/device_check.h"
#include "vernal/backend_plugin.hpp"

namespace fault {
namespace {

using Clock = std::chrono::steady_clock;

/// A step that is finished, or that pretends to run.
struct Pending {
  std::vector<float> logits;
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  Clock::time_point ready;
  std::int32_t status = VERNAL_OK;
};

/// A pool whose sequences are only lengths.
class Pool final : public vernal::BackendPool {
 public:
  Pool(const Script& script, std::atomic<std::uint64_t>& step, vernal::PlanOptions options,
       std::uint64_t vocabulary_size)
      : script_(script),
        step_(step),
        options_(std::move(options)),
        vocabulary_size_(vocabulary_size) {}

  vernal_pool_info info() const override {
    vernal_pool_info info{};
    info.struct_size = sizeof(info);
    info.page_tokens = 1;
    info.capacity_tokens = options_.kv_tokens;
    info.free_tokens = options_.kv_tokens - std::min(options_.kv_tokens, used());
    info.flags = VERNAL_POOL_TRUNCATE_ANY | VERNAL_POOL_BATCH_INVARIANT;
    return info;
  }

  vernal_sequence_id seq_create() override {
    sequences_[++last_id_] = {};
    return last_id_;
  }
  void seq_release(vernal_sequence_id id) override {
    sequence(id);
    sequences_.erase(id);
  }
  void seq_reserve(vernal_sequence_id id, std::uint64_t num_tokens) override {
    Sequence& s = sequence(id);
    const std::uint64_t wanted = s.length + num_tokens;
    if (script_.kind == "no_room" && script_.strikes(step_ + 1)) {
      throw vernal::Error(VERNAL_RESOURCE_EXHAUSTED, "scripted: no room");
    }
    if (used() - std::max(s.length, s.reserved) + wanted > options_.kv_tokens) {
      throw vernal::Error(VERNAL_RESOURCE_EXHAUSTED, "the pool is full");
    }
    s.reserved = std::max(s.reserved, wanted);
  }
  std::uint64_t seq_length(vernal_sequence_id id, std::uint64_t) override {
    return sequence(id).length;
  }
  std::uint64_t seq_restorable(vernal_sequence_id id, std::uint64_t length) override {
    return std::min(length, sequence(id).length);
  }
  void seq_truncate(vernal_sequence_id id, std::uint64_t length) override {
    Sequence& s = sequence(id);
    if (length > s.length) throw vernal::Error(VERNAL_NOT_RESTORABLE, "longer than the sequence");
    s.length = s.reserved = length;
  }
  vernal_sequence_id seq_fork(vernal_sequence_id source, vernal_checkpoint_id,
                              std::uint64_t position) override {
    if (position > sequence(source).length)
      throw vernal::Error(VERNAL_NOT_RESTORABLE, "longer than the source");
    sequences_[++last_id_] = {position, position};
    return last_id_;
  }
  void seq_restore(vernal_sequence_id, vernal_checkpoint_id) override { no_checkpoints(); }
  vernal_checkpoint_id checkpoint_create(vernal_sequence_id) override { no_checkpoints(); }
  vernal_checkpoint_info checkpoint_info(vernal_checkpoint_id) override { no_checkpoints(); }
  void checkpoint_release(vernal_checkpoint_id) override { no_checkpoints(); }

  vernal_ticket step_submit(const vernal::StepBatch& batch) override {
    const bool strikes = script_.strikes(++step_);
    if (strikes) throw_if_scripted("submit_");
    Pending pending;
    pending.rows = batch.rows.size();
    pending.columns = vocabulary_size_;
    pending.ready = Clock::now();
    const float background =
        strikes && script_.kind == "nan" ? std::numeric_limits<float>::quiet_NaN() : 0.0F;
    pending.logits.assign(pending.rows * vocabulary_size_, background);
    const auto positions = batch.input<std::int32_t>("positions", batch.num_tokens);
    for (std::size_t i = 0; i < batch.rows.size() && background == 0.0F; ++i) {
      const auto position =
          static_cast<std::uint64_t>(positions[static_cast<std::size_t>(batch.rows[i])]);
      pending.logits[i * vocabulary_size_ + (300 + position % 200) % vocabulary_size_] = 20.0F;
    }
    for (const vernal::StepSequence& part : batch.sequences)
      sequence(part.sequence).length += part.count;
    if (strikes && script_.kind == "hang")
      pending.ready += std::chrono::milliseconds(script_.hang_ms);
    if (strikes && script_.kind == "wrong_shape") pending.columns += 1;
    if (strikes && script_.kind == "all_minus_infinity") {
      std::ranges::fill(pending.logits, -std::numeric_limits<float>::infinity());
    }
    if (strikes && script_.kind == "wait_error") pending.status = VERNAL_INTERNAL;
    if (strikes && script_.kind == "wait_device_lost") pending.status = VERNAL_DEVICE_LOST;
    if (strikes && script_.kind == "wait_out_of_memory") pending.status = VERNAL_RESOURCE_EXHAUSTED;
    tickets_[++last_id_] = std::move(pending);
    return last_id_;
  }

  bool step_wait(vernal_ticket id, std::uint64_t timeout_ms) override {
    const Pending& pending = ticket(id);
    const auto limit = Clock::now() + std::chrono::milliseconds(timeout_ms);
    std::this_thread::sleep_until(timeout_ms == 0 ? pending.ready : std::min(limit, pending.ready));
    if (Clock::now() < pending.ready) return false;
    if (pending.status != VERNAL_OK)
      throw vernal::Error(pending.status, "scripted failure of a step");
    if (script_.kind == "wait_exception" && script_.strikes(step_)) throw 42;
    return true;
  }
  bool step_poll(vernal_ticket id) override { return Clock::now() >= ticket(id).ready; }
  vernal::StepOutput step_output(vernal_ticket id, std::string_view) override {
    const Pending& pending = ticket(id);
    if (script_.kind == "null_output" && script_.strikes(step_))
      return {nullptr, pending.rows, pending.columns};
    return {pending.logits.data(), pending.rows, pending.columns};
  }
  void step_release(vernal_ticket id) override { tickets_.erase(id); }

 private:
  struct Sequence {
    std::uint64_t length = 0;
    std::uint64_t reserved = 0;
  };

  void throw_if_scripted(std::string_view prefix) const {
    const std::string kind =
        script_.kind.starts_with(prefix) ? script_.kind.substr(prefix.size()) : "";
    if (kind == "error") throw vernal::Error(VERNAL_INTERNAL, "scripted failure of a submit");
    if (kind == "out_of_memory")
      throw vernal::Error(VERNAL_RESOURCE_EXHAUSTED, "scripted: out of memory");
    if (kind == "device_lost") throw vernal::Error(VERNAL_DEVICE_LOST, "scripted: device lost");
    if (kind == "exception") throw 42;
  }

  [[noreturn]] static void no_checkpoints() {
    throw vernal::Error(VERNAL_UNSUPPORTED, "the fault backend has no checkpoints");
  }
  std::uint64_t used() const {
    std::uint64_t sum = 0;
    for (const auto& [id, s] : sequences_) sum += std::max(s.length, s.reserved);
    return sum;
  }
  Sequence& sequence(vernal_sequence_id id) {
    const auto found = sequences_.find(id);
    if (found == sequences_.end()) throw vernal::Error(VERNAL_NOT_FOUND, "no such sequence");
    return found->second;
  }
  const Pending& ticket(vernal_ticket id) const {
    const auto found = tickets_.find(id);
    if (found == tickets_.end()) throw vernal::Error(VERNAL_NOT_FOUND, "no such ticket");
    return found->second;
  }

  const Script& script_;
  std::atomic<std::uint64_t>& step_;
  vernal::PlanOptions options_;
  std::uint64_t vocabulary_size_;
  std::uint64_t last_id_ = 0;
  std::map<vernal_sequence_id, Sequence> sequences_;
  std::map<vernal_ticket, Pending> tickets_;
};

class Program final : public vernal::BackendProgram {
 public:
  Program(const Script& script, vernal::PlanOptions options, std::uint64_t vocabulary_size)
      : script_(script), options_(std::move(options)), vocabulary_size_(vocabulary_size) {}

  std::unique_ptr<vernal::BackendPool> create_pool() override {
    return std::make_unique<Pool>(script_, step_, options_, vocabulary_size_);
  }
  std::vector<vernal::MemoryRow> memory_report() const override { return {}; }
  vernal_step_stats stats() const override { return {sizeof(vernal_step_stats), step_, 0, 0}; }

 private:
  const Script& script_;
  std::atomic<std::uint64_t> step_ = 0;
  vernal::PlanOptions options_;
  std::uint64_t vocabulary_size_;
};

class Plan final : public vernal::BackendPlan {
 public:
  Plan(const Script& script, vernal::PlanOptions options, std::uint64_t vocabulary_size)
      : script_(script), options_(std::move(options)), vocabulary_size_(vocabulary_size) {}

  vernal_plan_info info() const override { return {sizeof(vernal_plan_info), 1, 1, 0, 0, 0, 0, 0}; }
  std::vector<vernal::MemoryRow> rows() const override { return {}; }
  std::unique_ptr<vernal::BackendProgram> build(const vernal::WeightSource&,
                                                const vernal::Progress& progress) override {
    if (script_.kind == "slow_build") {
      for (std::uint64_t ms = 0; ms < script_.hang_ms && !may_end_build(); ms += 10) {
        progress.report(ms, script_.hang_ms);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    }
    progress.report(1, 1);
    if (script_.kind == "build_error")
      throw vernal::Error(VERNAL_INTERNAL, "scripted failure of a build");
    return std::make_unique<Program>(script_, options_, vocabulary_size_);
  }

 private:
  bool may_end_build() const {
    std::error_code none;
    return !script_.until_file.empty() && std::filesystem::exists(script_.until_file, none);
  }

  const Script& script_;
  vernal::PlanOptions options_;
  std::uint64_t vocabulary_size_;
};

class FaultBackend final : public vernal::Backend {
 public:
  explicit FaultBackend(const vernal::Config& config) : script_(read_script(config)) {
    if (script_.kind == "open_error")
      throw vernal::Error(VERNAL_INTERNAL, "scripted failure of open");
  }
  static std::vector<vernal::DeviceInfo> devices() {
    return {{"fault", "fails on command", 0, 0, 1}};
  }
  static const void* extension(std::string_view id) {
    return id == VERNAL_EXT_DEVICE_CHECK ? &kDeviceCheck : nullptr;
  }
  std::optional<std::string> unsupported_reason(const vernal::Module&, const vernal::Function&,
                                                const vernal::Node&) const override {
    return std::nullopt;
  }
  std::vector<vernal::FormatSupport> formats() const override { return {}; }
  std::unique_ptr<vernal::BackendPlan> plan(std::shared_ptr<const vernal::Module> module,
                                            const vernal::PlanOptions& options) override {
    if (script_.kind == "plan_error")
      throw vernal::Error(VERNAL_UNSUPPORTED, "scripted failure of a plan");
    if (script_.kind == "no_rotation" && options.kv_rotate)
      throw vernal::Error(VERNAL_UNSUPPORTED, "scripted: this backend does not rotate");
    std::uint64_t columns = 1;
    for (const vernal::Node& node : module->functions.at(0).nodes) {
      if (node.op != "vernal.output/1") continue;
      columns = static_cast<std::uint64_t>(
          module->functions[0].values[node.operands[0].index].shape.last());
    }
    return std::make_unique<Plan>(script_, options, columns);
  }

 private:
  static std::int32_t check_machine() noexcept { return VERNAL_OK; }
  static std::int32_t check_instance(const vernal_backend* handle) noexcept {
    return vernal::guard([&] {
      const auto& backend = static_cast<const FaultBackend&>(
          vernal::detail::object(const_cast<vernal_backend*>(handle)));
      if (backend.script_.kind == "no_device")
        throw vernal::Error(VERNAL_UNAVAILABLE, "scripted: the device is gone");
      if (backend.script_.kind == "device_check_error")
        throw vernal::Error(VERNAL_INTERNAL, "scripted failure of a device check");
    });
  }
  static constexpr vernal_device_check_api kDeviceCheck = {sizeof(vernal_device_check_api),
                                                           check_machine, check_instance};

  Script script_;
};

constexpr vernal_backend_api kTable = vernal::backend_table<FaultBackend>();

constexpr vernal_config_row kRows[] = {
    vernal::to_abi(
        {.path = "fault",
         .type = VERNAL_CONFIG_ENUM,
         .help = "what goes wrong",
         .default_value = "\"none\"",
         .choices = "none|submit_error|submit_out_of_memory|submit_device_lost|submit_exception|"
                    "wait_error|wait_device_lost|wait_out_of_memory|wait_exception|hang|nan|"
                    "all_minus_infinity|wrong_shape|null_output|no_room|open_error|plan_error|"
                    "build_error|slow_build|no_rotation|no_device|device_check_error"}),
    vernal::to_abi({.path = "first_step",
                    .type = VERNAL_CONFIG_INT,
                    .help = "the first step that fails, from 1",
                    .default_value = "1",
                    .minimum = 1,
                    .maximum = 1e9}),
    vernal::to_abi({.path = "num_steps",
                    .type = VERNAL_CONFIG_INT,
                    .help = "how many fail; 0: all from there on",
                    .default_value = "1",
                    .minimum = 0,
                    .maximum = 1e9}),
    vernal::to_abi({.path = "hang",
                    .type = VERNAL_CONFIG_DURATION,
                    .help = "how long a hanging step or a slow build takes",
                    .default_value = "\"10s\""}),
    vernal::to_abi({.path = "until_file",
                    .type = VERNAL_CONFIG_PATH,
                    .help = "a slow build ends as soon as this file is there"}),
};

}  // namespace
}  // namespace fault

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.backend = &fault::kTable,
                                              .backend_rows = fault::kRows});
