#include "plugin_check/subject/raw_backend.hpp"

#include <numeric>

#include "plugin/weight_store.hpp"
#include "plugin_check/subject/guarded_memory.hpp"
#include "plugin_check/subject/machine.hpp"
#include "vernal/host.hpp"

namespace vernal::check {
namespace {

/// The last output that the module's main function has.
std::string output_of(const Module& module) {
  std::string name;
  for (const Node& node : module.functions[0].nodes) {
    if (node.op == "vernal.output/1") name = node.text("name", "");
  }
  return name;
}

}  // namespace

vernal_plan_options raw_small_plan() {
  const PlanOptions options = small_plan();
  vernal_plan_options raw{};
  raw.struct_size = sizeof(raw);
  raw.context_length = options.context_length;
  raw.max_tokens_per_step = options.max_tokens_per_step;
  raw.max_sequences = options.max_sequences;
  raw.max_rows = options.max_rows;
  raw.typical_decode_sequences = options.typical_decode_sequences;
  raw.kv_tokens = options.kv_tokens;
  raw.rollback_depth = options.rollback_depth;
  raw.max_checkpoints = options.max_checkpoints;
  return raw;
}

RawBackend::RawBackend(PluginUnderTest& plugin, const MadeModule& made)
    : store_(made), api_(plugin.library().backend()), output_name_(output_of(*made.module)) {
  require_device(plugin);
  const vernal_config_view config = plugin.config(VERNAL_KIND_BACKEND);
  expect_status("open", VERNAL_OK, call("open", [&] { return api_.open(config, &backend_); }));
  const Guarded<vernal_plan_options> options(raw_small_plan());
  expect_status("plan", VERNAL_OK, call("plan", [&] {
                  return api_.plan(backend_, made.ref(), options.get(), &plan_);
                }));
  const Guarded<vernal_weight_source> source(plugin::weight_source(store_));
  const vernal_progress progress{[](void*, std::uint64_t, std::uint64_t) { return VERNAL_OK; },
                                 nullptr};
  expect_status("program_build", VERNAL_OK, call("program_build", [&] {
                  return api_.program_build(plan_, source.get(), &progress, &program_);
                }));
  expect_status("pool_create", VERNAL_OK,
                call("pool_create", [&] { return api_.pool_create(program_, &pool_); }));
}

RawBackend::~RawBackend() {
  if (pool_ != nullptr) api_.pool_destroy(pool_);
  if (program_ != nullptr) api_.program_destroy(program_);
  if (plan_ != nullptr) api_.plan_destroy(plan_);
  if (backend_ != nullptr) api_.close(backend_);
}

vernal_sequence_id RawBackend::create() {
  vernal_sequence_id id = 0;
  expect_status("seq_create", VERNAL_OK,
                call("seq_create", [&] { return api_.seq_create(pool_, &id); }));
  expect(id != 0, "seq_create: expected an id, found 0, which is none");
  return id;
}

void RawBackend::reserve(vernal_sequence_id sequence, std::uint64_t num_tokens) {
  expect_status("seq_reserve", VERNAL_OK,
                call("seq_reserve", [&] { return api_.seq_reserve(pool_, sequence, num_tokens); }));
}

std::uint64_t RawBackend::length(vernal_sequence_id sequence) {
  std::uint64_t length = 0;
  expect_status("seq_length", VERNAL_OK,
                call("seq_length", [&] { return api_.seq_length(pool_, sequence, 0, &length); }));
  return length;
}

std::unique_ptr<RawBackend::Batch> RawBackend::batch(vernal_sequence_id sequence,
                                                     std::vector<std::int32_t> ids,
                                                     std::uint64_t position) {
  auto made = std::make_unique<Batch>();
  Batch& b = *made;
  b.ids = std::move(ids);
  b.positions.resize(b.ids.size());
  std::iota(b.positions.begin(), b.positions.end(), static_cast<std::int32_t>(position));
  b.rows.resize(b.ids.size());
  std::iota(b.rows.begin(), b.rows.end(), 0);
  for (const auto& [name, values] : {std::pair{"ids", &b.ids}, {"positions", &b.positions}}) {
    vernal_step_input input{};
    input.struct_size = sizeof(input);
    input.name = to_str(name);
    input.data = values->data();
    input.bytes = values->size() * sizeof(std::int32_t);
    input.source = VERNAL_INPUT_HOST;
    b.inputs.push_back(input);
  }
  b.part = {sizeof(vernal_step_sequence), sequence, 0, b.ids.size(), position};
  b.output = to_str(output_name_);
  b.batch.struct_size = sizeof(b.batch);
  b.batch.num_tokens = b.ids.size();
  b.batch.num_sequences = 1;
  b.batch.num_rows = b.rows.size();
  b.batch.inputs = b.inputs.data();
  b.batch.num_inputs = b.inputs.size();
  b.batch.input_stride = sizeof(vernal_step_input);
  b.batch.sequences = &b.part;
  b.batch.sequence_stride = sizeof(vernal_step_sequence);
  b.batch.rows = b.rows.data();
  b.batch.outputs = &b.output;
  b.batch.num_outputs = 1;
  return made;
}

std::int32_t RawBackend::run(const vernal_step_batch& batch) {
  vernal_ticket ticket = 0;
  std::int32_t status =
      call("step_submit", [&] { return api_.step_submit(pool_, &batch, &ticket); });
  if (status != VERNAL_OK) return status;
  status = call("step_wait", [&] { return api_.step_wait(pool_, ticket, 0); });
  if (status != VERNAL_OK) {  // its text is the caller's to read
    const std::string text = plugin_host().last_error();
    call("step_release", [&] { return api_.step_release(pool_, ticket); });
    plugin_host().set_error(status, text);
    return status;
  }
  expect_status("step_release", VERNAL_OK,
                call("step_release", [&] { return api_.step_release(pool_, ticket); }));
  return VERNAL_OK;
}

vernal_ticket RawBackend::submit(const vernal_step_batch& batch) {
  vernal_ticket ticket = 0;
  expect_status("step_submit", VERNAL_OK,
                call("step_submit", [&] { return api_.step_submit(pool_, &batch, &ticket); }));
  expect_status("step_wait", VERNAL_OK,
                call("step_wait", [&] { return api_.step_wait(pool_, ticket, 0); }));
  return ticket;
}

}  // namespace vernal::check
