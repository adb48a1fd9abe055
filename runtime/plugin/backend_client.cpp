#include "plugin/backend_client.hpp"

#include <fmt/format.h>

#include "plugin/backend_rows.hpp"
#include "vernal/abi/device_check.h"
#include "vernal/abi/memory_lock.h"
#include "vernal/abi/profile.h"
#include "vernal/abi/weight_stream.h"
#include "vernal/host.hpp"
#include "vernal/sink.hpp"
#include "vernal/tables.hpp"

namespace vernal::plugin {
namespace {

FormatSupport format_row(const vernal_format_row& row) {
  return {std::string(view(row.format)), row.support, std::string(view(row.note))};
}

DeviceInfo device_row(const vernal_device_info& row) {
  return {std::string(view(row.name)), std::string(view(row.description)), row.total_bytes,
          row.free_bytes, row.num_workers};
}

OperationTime operation_time(const vernal_operation_time& row) {
  return {std::string(view(row.operation)), row.calls, row.busy_ns};
}

using ProgressFunction = std::function<bool(std::uint64_t, std::uint64_t)>;

std::int32_t report_progress(void* user, std::uint64_t done, std::uint64_t total) noexcept {
  return guard([&] {
    const auto& progress = *static_cast<const ProgressFunction*>(user);
    if (progress && !progress(done, total)) throw Error(VERNAL_CANCELLED, "loading was cancelled");
  });
}

std::optional<vernal_memory_lock_api> lock_table(const BackendTable& table) {
  auto lock = extension_table<vernal_memory_lock_api>(table.api, VERNAL_EXT_MEMORY_LOCK);
  const bool is_whole = lock && lock->lockable_bytes != nullptr && lock->lock != nullptr;
  return is_whole ? lock : std::nullopt;
}

/// Null: the backend has no such table.
const vernal_weight_stream_user_api* stream_user_table(const vernal_backend_api& api) {
  const auto* user =
      find_extension<vernal_weight_stream_user_api>(api, VERNAL_EXT_WEIGHT_STREAM_USER);
  const bool is_whole =
      user != nullptr && user->reads_in_place != nullptr && user->use_stream != nullptr;
  return is_whole ? user : nullptr;
}

const vernal_weight_stream_user_api& require_stream_user(const BackendTable& table) {
  const auto* user = stream_user_table(table.api);
  if (user == nullptr) {
    throw Error(VERNAL_UNSUPPORTED, table.name + " takes no stream of weights");
  }
  return *user;
}

std::optional<vernal_device_check_api> device_check_table(const vernal_backend_api& api) {
  auto check = extension_table<vernal_device_check_api>(api, VERNAL_EXT_DEVICE_CHECK);
  const bool is_whole =
      check && check->check_machine != nullptr && check->check_instance != nullptr;
  return is_whole ? check : std::nullopt;
}

std::optional<vernal_profile_api> profile_table(const vernal_backend_api& api) {
  auto profile = extension_table<vernal_profile_api>(api, VERNAL_EXT_PROFILE);
  const bool is_whole = profile && profile->describe != nullptr && profile->set_timing != nullptr &&
                        profile->operation_times != nullptr;
  return is_whole ? profile : std::nullopt;
}

vernal_profile_api require_profile(const BackendTable& table) {
  const auto profile = profile_table(table.api);
  if (!profile) throw Error(VERNAL_UNSUPPORTED, table.name + " does not time operations");
  return *profile;
}

/// The text of an answer UNAVAILABLE, as the backend gave it; nothing for OK.
std::optional<std::string> reason_of(std::int32_t status, std::string_view what) {
  if (status != VERNAL_UNAVAILABLE) {
    plugin_host().check(status, what);
    return std::nullopt;
  }
  std::string text = plugin_host().last_error();
  plugin_host().set_error(VERNAL_OK, {});
  return text.empty() ? "the device cannot be used, and the backend does not say why" : text;
}

}  // namespace

BackendPool BackendProgram::create_pool() {
  vernal_pool* pool = nullptr;
  table_->check(table_->api.pool_create(program_.get(), &pool), "pool_create");
  return BackendPool(table_, require_made(pool, *table_, "pool_create"));
}

std::vector<MemoryRow> BackendProgram::memory_report() const {
  std::vector<MemoryRow> rows;
  const vernal_memory_sink sink{append_row<MemoryRow, vernal_memory_row, memory_row>, &rows};
  table_->check(table_->api.memory_report(program_.get(), &sink), "memory_report");
  return rows;
}

vernal_step_stats BackendProgram::stats() const {
  auto out = sized<vernal_step_stats>();
  table_->check(table_->api.stats(program_.get(), &out), "stats");
  return out;
}

bool BackendProgram::times_operations() const { return profile_table(table_->api).has_value(); }

void BackendProgram::set_timing(bool is_on) {
  const vernal_profile_api profile = require_profile(*table_);
  table_->check(profile.set_timing(program_.get(), is_on ? 1 : 0), "set_timing");
}

std::vector<OperationTime> BackendProgram::operation_times() const {
  const vernal_profile_api profile = require_profile(*table_);
  std::vector<OperationTime> rows;
  const vernal_operation_time_sink sink{
      append_row<OperationTime, vernal_operation_time, operation_time>, &rows};
  table_->check(profile.operation_times(program_.get(), &sink), "operation_times");
  return rows;
}

void BackendProgram::use_stream(const WeightStream& stream, const WeightStreamUse& use) {
  auto raw = sized<vernal_weight_stream_use>();
  raw.api = stream.api_;
  raw.stream = stream.stream_.get();
  raw.weights = use.weights.data();
  raw.num_weights = use.weights.size();
  raw.least_rows = use.least_rows;
  raw.most_rows = use.most_rows;
  table_->check(require_stream_user(*table_).use_stream(program_.get(), &raw), "use_stream");
}

vernal_plan_info BackendPlan::info() const {
  auto out = sized<vernal_plan_info>();
  table_->check(table_->api.plan_info(plan_.get(), &out), "plan_info");
  return out;
}

std::vector<MemoryRow> BackendPlan::rows() const {
  std::vector<MemoryRow> rows;
  const vernal_memory_sink sink{append_row<MemoryRow, vernal_memory_row, memory_row>, &rows};
  table_->check(table_->api.plan_rows(plan_.get(), &sink), "plan_rows");
  return rows;
}

std::optional<std::uint64_t> BackendPlan::lockable_bytes() const {
  const auto lock = lock_table(*table_);
  if (!lock) return std::nullopt;
  std::uint64_t bytes = 0;
  table_->check(lock->lockable_bytes(plan_.get(), &bytes), "lockable_bytes");
  return bytes;
}

void BackendPlan::lock_memory(bool is_required) {
  const auto lock = lock_table(*table_);
  if (!lock) throw Error(VERNAL_UNSUPPORTED, table_->name + " cannot lock its memory");
  table_->check(lock->lock(plan_.get(), is_required ? 1 : 0), "lock");
}

bool BackendPlan::reads_in_place(std::uint64_t weight) const {
  std::uint32_t is_in_place = 0;
  table_->check(require_stream_user(*table_).reads_in_place(plan_.get(), weight, &is_in_place),
                "reads_in_place");
  return is_in_place != 0;
}

BackendProgram BackendPlan::build(WeightStore& weights, const ProgressFunction& progress) {
  const vernal_weight_source source = weight_source(weights);
  const vernal_progress reporter{report_progress, const_cast<ProgressFunction*>(&progress)};
  vernal_program* program = nullptr;
  table_->check(table_->api.program_build(plan_.get(), &source, &reporter, &program),
                "program_build");
  return BackendProgram(table_, require_made(program, *table_, "program_build"));
}

BackendInstance::BackendInstance(const vernal_backend_api& api, std::string name,
                                 vernal_config_view config)
    : name_(std::move(name)),
      table_(std::make_unique<BackendTable>(BackendTable{api, fmt::format("backend {}", name_)})) {
  vernal_backend* backend = nullptr;
  table_->check(api.open(config, &backend), "open");
  backend_ = {require_made(backend, *table_, "open"), api.close};
}

std::vector<DeviceInfo> BackendInstance::devices(const vernal_backend_api& api) {
  std::vector<DeviceInfo> devices;
  const vernal_device_sink sink{append_row<DeviceInfo, vernal_device_info, device_row>, &devices};
  plugin_host().check(api.enumerate_devices(&sink), "enumerate_devices");
  return devices;
}

std::optional<std::string> BackendInstance::machine_problem(const vernal_backend_api& api) {
  const auto check = device_check_table(api);
  return check ? reason_of(check->check_machine(), "check_machine") : std::nullopt;
}

bool BackendInstance::has_device_check(const vernal_backend_api& api) {
  return device_check_table(api).has_value();
}

std::optional<std::string> BackendInstance::device_problem() const {
  const auto check = device_check_table(table_->api);
  if (!check) return std::nullopt;
  return reason_of(check->check_instance(backend_.get()), table_->name + ": check_instance");
}

bool BackendInstance::takes_weight_streams() const {
  return stream_user_table(table_->api) != nullptr;
}

bool BackendInstance::has_weight_streams() const {
  return WeightStreamPlan::find_table(table_->api) != nullptr;
}

WeightStreamPlan BackendInstance::plan_weight_stream(vernal_module_ref module,
                                                     std::uint64_t most_rows) const {
  return WeightStreamPlan(*table_, backend_.get(), module, most_rows);
}

std::string BackendInstance::description() const {
  std::string text;
  const auto profile = profile_table(table_->api);
  if (!profile) return text;
  const vernal_sink sink = append_to(text);
  table_->check(profile->describe(backend_.get(), &sink), "describe");
  return text;
}

OpSupport BackendInstance::op_support(vernal_module_ref module, std::uint64_t function,
                                      std::uint64_t node) const {
  OpSupport support;
  auto out = sized<vernal_op_support>();
  const vernal_sink reason = append_to(support.reason);
  table_->check(table_->api.op_support(backend_.get(), module, function, node, &out, &reason),
                "op_support");
  support.is_supported = out.supported != 0;
  support.cost_hint = out.cost_hint;
  return support;
}

std::vector<FormatSupport> BackendInstance::formats() const {
  std::vector<FormatSupport> formats;
  const vernal_format_sink sink{append_row<FormatSupport, vernal_format_row, format_row>, &formats};
  table_->check(table_->api.formats(backend_.get(), &sink), "formats");
  return formats;
}

BackendPlan BackendInstance::plan(vernal_module_ref module, const PlanOptions& options) const {
  std::vector<vernal_str> host_weights;
  host_weights.reserve(options.host_weights.size());
  for (const std::string& weight : options.host_weights) host_weights.push_back(to_str(weight));
  auto raw = sized<vernal_plan_options>();
  raw.context_length = options.context_length;
  raw.max_tokens_per_step = options.max_tokens_per_step;
  raw.max_sequences = options.max_sequences;
  raw.max_rows = options.max_rows;
  raw.typical_decode_sequences = options.typical_decode_sequences;
  raw.kv_tokens = options.kv_tokens;
  raw.rollback_depth = options.rollback_depth;
  raw.max_checkpoints = options.max_checkpoints;
  raw.memory_limit_bytes = options.memory_limit_bytes;
  raw.kv_keys_format = to_str(options.kv_keys_format);
  raw.kv_values_format = to_str(options.kv_values_format);
  raw.recurrent_format = to_str(options.recurrent_format);
  raw.host_weights = host_weights.data();
  raw.num_host_weights = host_weights.size();
  raw.kv_rotate = options.kv_rotate ? 1 : 0;
  vernal_plan* plan = nullptr;
  table_->check(table_->api.plan(backend_.get(), module, &raw, &plan), "plan");
  return BackendPlan(table_.get(), require_made(plan, *table_, "plan"));
}

const void* BackendInstance::extension(std::string_view id) const {
  const void* table = nullptr;
  const std::int32_t status = table_->api.get_extension(to_str(id), &table);
  return status == VERNAL_OK ? table : nullptr;
}

}  // namespace vernal::plugin
