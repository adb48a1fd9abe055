#include "plugin/backend_client.hpp"

#include <fmt/format.h>

#include <limits>

#include "vernal/host.hpp"
#include "vernal/sink.hpp"
#include "vernal/tables.hpp"

namespace vernal::plugin {
namespace {

// A sink function that converts each row and appends it to the std::vector<Value> behind `user`.
template <class Value, class Row, Value (*Convert)(const Row&)>
std::int32_t append_row(void* user, const Row* row) noexcept {
  return guard([&] { static_cast<std::vector<Value>*>(user)->push_back(Convert(copy_in(row))); });
}

MemoryRow memory_row(const vernal_memory_row& row) {
  return {std::string(view(row.object)), std::string(view(row.device)), row.category, row.bytes,
          row.peak_bytes};
}

FormatSupport format_row(const vernal_format_row& row) {
  return {std::string(view(row.format)), row.support, std::string(view(row.note))};
}

DeviceInfo device_row(const vernal_device_info& row) {
  return {std::string(view(row.name)), std::string(view(row.description)), row.total_bytes,
          row.free_bytes, row.num_workers};
}

template <class Struct>
Struct sized() {
  Struct out{};
  out.struct_size = sizeof(Struct);
  return out;
}

WeightStore& store(void* user) { return *static_cast<WeightStore*>(user); }

vernal_weight_source weight_source(WeightStore& weights) {
  auto source = sized<vernal_weight_source>();
  source.user = &weights;
  source.read = [](void* user, std::uint64_t index, std::uint64_t offset, std::uint64_t size,
                   void* destination) noexcept -> std::int32_t {
    return guard([&] {
      store(user).read(index, offset, {static_cast<std::byte*>(destination), size});
    });
  };
  source.map = [](void* user, std::uint64_t index, const void** out_data,
                  std::uint64_t* out_bytes) noexcept -> std::int32_t {
    return guard([&] {
      const std::span<const std::byte> bytes = store(user).map(index);
      *out_data = bytes.data();
      *out_bytes = bytes.size();
    });
  };
  source.unmap = [](void* user, std::uint64_t index) noexcept -> std::int32_t {
    return guard([&] { store(user).unmap(index); });
  };
  return source;
}

using ProgressFunction = std::function<bool(std::uint64_t, std::uint64_t)>;

std::int32_t report_progress(void* user, std::uint64_t done, std::uint64_t total) noexcept {
  return guard([&] {
    const auto& progress = *static_cast<const ProgressFunction*>(user);
    if (progress && !progress(done, total)) throw Error(VERNAL_CANCELLED, "loading was cancelled");
  });
}

vernal_step_input to_abi(const StepInput& input) {
  auto out = sized<vernal_step_input>();
  out.name = to_str(input.name);
  out.data = input.data.data();
  out.bytes = input.data.size();
  out.ticket = input.ticket;
  out.output = to_str(input.output);
  out.source = input.ticket == 0 ? VERNAL_INPUT_HOST : VERNAL_INPUT_STEP;
  return out;
}

// Backends may assume a well-formed batch (backend.h), so this is where it is made sure of.
void require_well_formed(const Step& step, const std::string& name) {
  const auto refuse = [&](const std::string& why) {
    throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("{}: step: {}", name, why));
  };
  std::uint64_t covered = 0;
  for (const StepSequence& part : step.sequences) {
    if (part.start != covered || part.count == 0) {
      refuse(fmt::format(
          "sequence {} expected to start at token {} with at least one, found {} with {}",
          part.sequence, covered, part.start, part.count));
    }
    covered += part.count;
  }
  if (covered != step.num_tokens || covered == 0) {
    refuse(fmt::format("sequences cover {} of {} tokens", covered, step.num_tokens));
  }
  std::int64_t previous = -1;
  for (const std::int32_t row : step.rows) {
    if (row <= previous || static_cast<std::uint64_t>(row) >= step.num_tokens) {
      refuse(fmt::format("row {} after {} among {} tokens", row, previous, step.num_tokens));
    }
    previous = row;
  }
}

// The made object, or an error if a backend says OK and hands over nothing.
template <class Handle>
Handle* require_made(Handle* handle, const BackendTable& table, std::string_view what) {
  if (handle != nullptr) return handle;
  throw Error(VERNAL_INTERNAL,
              fmt::format("{}: {}: expected a handle, found null", table.name, what));
}

}  // namespace

void BackendTable::check(std::int32_t status, std::string_view what) const {
  if (status == VERNAL_OK) return;
  throw Error(status, fmt::format("{}: {}: {}", name, what, plugin_host().take_error(status)));
}

// ---- step -----------------------------------------------------------------------------------

BackendStep& BackendStep::operator=(BackendStep&& other) noexcept {
  std::swap(table_, other.table_);
  std::swap(pool_, other.pool_);
  std::swap(ticket_, other.ticket_);
  return *this;
}

BackendStep::~BackendStep() {
  if (ticket_ != 0) table_->api.step_release(pool_, ticket_);
}

bool BackendStep::wait(std::uint64_t timeout_ms) {
  const std::int32_t status = table_->api.step_wait(pool_, ticket_, timeout_ms);
  if (status == VERNAL_DEADLINE) return false;
  table_->check(status, "step");
  return true;
}

bool BackendStep::is_finished() {
  std::uint32_t done = 0;
  table_->check(table_->api.step_poll(pool_, ticket_, &done), "step_poll");
  return done != 0;
}

StepOutput BackendStep::output(std::string_view name, std::uint64_t rows, std::uint64_t columns) {
  auto out = sized<vernal_step_output>();
  table_->check(table_->api.step_output(pool_, ticket_, to_str(name), &out), "step_output");
  constexpr std::uint64_t kMaxElements = std::numeric_limits<std::int64_t>::max() / sizeof(float);
  const bool has_shape = out.rows == rows && out.columns != 0 &&
                         (columns == 0 || out.columns == columns) &&
                         (rows == 0 || out.columns <= kMaxElements / rows);
  if (!has_shape || (out.data == nullptr && rows != 0)) {
    throw Error(
        VERNAL_INTERNAL,
        fmt::format("{}: output \"{}\" expected [{}, {}], found [{}, {}]{}", table_->name, name,
                    rows, columns, out.rows, out.columns, out.data == nullptr ? " at null" : ""));
  }
  return {out.data, out.rows, out.columns};
}

// ---- pool -----------------------------------------------------------------------------------

vernal_pool_info BackendPool::info() const {
  auto out = sized<vernal_pool_info>();
  table_->check(table_->api.pool_info(pool_.get(), &out), "pool_info");
  return out;
}

std::optional<vernal_sequence_id> BackendPool::seq_create() {
  vernal_sequence_id id = 0;
  const std::int32_t status = table_->api.seq_create(pool_.get(), &id);
  if (status == VERNAL_RESOURCE_EXHAUSTED) return std::nullopt;
  table_->check(status, "seq_create");
  return id;
}

void BackendPool::seq_release(vernal_sequence_id sequence) {
  table_->check(table_->api.seq_release(pool_.get(), sequence), "seq_release");
}

bool BackendPool::seq_reserve(vernal_sequence_id sequence, std::uint64_t num_tokens) {
  const std::int32_t status = table_->api.seq_reserve(pool_.get(), sequence, num_tokens);
  if (status == VERNAL_RESOURCE_EXHAUSTED) return false;
  table_->check(status, "seq_reserve");
  return true;
}

std::uint64_t BackendPool::seq_length(vernal_sequence_id sequence, std::uint64_t function) {
  std::uint64_t length = 0;
  table_->check(table_->api.seq_length(pool_.get(), sequence, function, &length), "seq_length");
  return length;
}

std::uint64_t BackendPool::seq_restorable(vernal_sequence_id sequence, std::uint64_t new_length) {
  std::uint64_t position = 0;
  table_->check(table_->api.seq_restorable(pool_.get(), sequence, new_length, &position),
                "seq_restorable");
  if (position > new_length) {
    throw Error(VERNAL_INTERNAL, fmt::format("{}: seq_restorable expected at most {}, found {}",
                                             table_->name, new_length, position));
  }
  return position;
}

bool BackendPool::seq_truncate(vernal_sequence_id sequence, std::uint64_t new_length) {
  const std::int32_t status = table_->api.seq_truncate(pool_.get(), sequence, new_length);
  if (status == VERNAL_NOT_RESTORABLE) return false;
  table_->check(status, "seq_truncate");
  return true;
}

std::optional<vernal_sequence_id> BackendPool::seq_fork(vernal_sequence_id source,
                                                        vernal_checkpoint_id checkpoint,
                                                        std::uint64_t position) {
  vernal_sequence_id id = 0;
  const std::int32_t status = table_->api.seq_fork(pool_.get(), source, checkpoint, position, &id);
  if (status == VERNAL_RESOURCE_EXHAUSTED || status == VERNAL_NOT_RESTORABLE) return std::nullopt;
  table_->check(status, "seq_fork");
  return id;
}

void BackendPool::seq_restore(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint) {
  table_->check(table_->api.seq_restore(pool_.get(), sequence, checkpoint), "seq_restore");
}

std::optional<vernal_checkpoint_id> BackendPool::checkpoint_create(vernal_sequence_id sequence) {
  vernal_checkpoint_id id = 0;
  const std::int32_t status = table_->api.checkpoint_create(pool_.get(), sequence, &id);
  if (status == VERNAL_RESOURCE_EXHAUSTED) return std::nullopt;
  table_->check(status, "checkpoint_create");
  return id;
}

vernal_checkpoint_info BackendPool::checkpoint_info(vernal_checkpoint_id checkpoint) {
  auto out = sized<vernal_checkpoint_info>();
  table_->check(table_->api.checkpoint_info(pool_.get(), checkpoint, &out), "checkpoint_info");
  return out;
}

void BackendPool::checkpoint_release(vernal_checkpoint_id checkpoint) {
  table_->check(table_->api.checkpoint_release(pool_.get(), checkpoint), "checkpoint_release");
}

void BackendPool::snapshot_export(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint,
                                  const vernal_sink& sink) {
  table_->check(table_->api.snapshot_export(pool_.get(), sequence, checkpoint, &sink),
                "snapshot_export");
}

vernal_sequence_id BackendPool::snapshot_import(const vernal_reader& reader) {
  vernal_sequence_id id = 0;
  table_->check(table_->api.snapshot_import(pool_.get(), &reader, &id), "snapshot_import");
  return id;
}

BackendStep BackendPool::submit(const Step& step) {
  require_well_formed(step, table_->name);
  inputs_.clear();
  sequences_.clear();
  outputs_.clear();
  for (const StepInput& input : step.inputs) inputs_.push_back(to_abi(input));
  for (const StepSequence& part : step.sequences) {
    sequences_.push_back(
        {sizeof(vernal_step_sequence), part.sequence, part.start, part.count, part.first_position});
  }
  for (const std::string_view output : step.outputs) outputs_.push_back(to_str(output));

  auto batch = sized<vernal_step_batch>();
  batch.num_tokens = step.num_tokens;
  batch.num_sequences = sequences_.size();
  batch.num_rows = step.rows.size();
  batch.inputs = inputs_.data();
  batch.num_inputs = inputs_.size();
  batch.input_stride = sizeof(vernal_step_input);
  batch.sequences = sequences_.data();
  batch.sequence_stride = sizeof(vernal_step_sequence);
  batch.rows = step.rows.data();
  batch.outputs = outputs_.data();
  batch.num_outputs = outputs_.size();
  batch.function = step.function;
  vernal_ticket ticket = 0;
  table_->check(table_->api.step_submit(pool_.get(), &batch, &ticket), "step_submit");
  if (ticket == 0)
    throw Error(VERNAL_INTERNAL, table_->name + ": step_submit answered the ticket 0");
  return BackendStep(table_, pool_.get(), ticket);
}

// ---- program, plan, instance ----------------------------------------------------------------

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
