// Group negotiation, part two: structs that are shorter, longer, or have nothing behind them.
#include <array>

#include "module/builder.hpp"
#include "module/metadata_view.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/models/sample_model.hpp"
#include "plugin_check/models/tiny_model.hpp"
#include "plugin_check/subject/guarded_memory.hpp"
#include "plugin_check/subject/raw_backend.hpp"
#include "plugin_check/test.hpp"
#include "vernal/sink.hpp"

namespace vernal::check {
namespace {

// ---- structs of a backend -----------------------------------------------------------------------

/// Calls `function` with an out-struct of which only the first `size` bytes are the caller's.
template <class Struct, class F>
void check_respect(const char* name, F&& function) {
  for (const std::uint64_t size : {std::uint64_t{8}, std::uint64_t{16}, sizeof(Struct)}) {
    Shortened<Struct> out(size);
    const std::int32_t status = call(name, [&] { return function(out.get()); });
    expect(status == VERNAL_OK, "{} with struct_size {}: expected OK, found {}", name, size,
           status_name(status));
    expect(out.is_respected(), "{} wrote past struct_size {}, or changed it", name, size);
    const Guarded<Struct> alone({}, size);  // a read beyond it crashes
    expect_status(name, VERNAL_OK, call(name, [&] { return function(alone.get()); }));
  }
}

void test_result_sizes(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  RawBackend raw(plugin, made);
  const vernal_backend_api& api = raw.api();
  const vernal_sequence_id sequence = raw.create();
  raw.reserve(sequence, 8);
  const auto batch = raw.batch(sequence, {1, 2, 3}, 0);
  const vernal_ticket ticket = raw.submit(batch->batch);
  std::string reason;
  const vernal_sink sink = append_to(reason);
  check_respect<vernal_op_support>("op_support", [&](vernal_op_support* out) {
    return api.op_support(raw.backend(), made.ref(), 0, 0, out, &sink);
  });
  check_respect<vernal_plan_info>(
      "plan_info", [&](vernal_plan_info* out) { return api.plan_info(raw.plan(), out); });
  check_respect<vernal_pool_info>(
      "pool_info", [&](vernal_pool_info* out) { return api.pool_info(raw.pool(), out); });
  check_respect<vernal_step_stats>(
      "stats", [&](vernal_step_stats* out) { return api.stats(raw.program(), out); });
  check_respect<vernal_step_output>("step_output", [&](vernal_step_output* out) {
    return api.step_output(raw.pool(), ticket, batch->output, out);
  });
  vernal_checkpoint_id checkpoint = 0;
  if (api.checkpoint_create(raw.pool(), sequence, &checkpoint) == VERNAL_OK) {
    check_respect<vernal_checkpoint_info>("checkpoint_info", [&](vernal_checkpoint_info* out) {
      return api.checkpoint_info(raw.pool(), checkpoint, out);
    });
  }
  api.step_release(raw.pool(), ticket);
}

/// A struct with what a later minor appended, which is not zero.
template <class Struct>
struct Longer {
  Struct known;
  std::array<std::uint64_t, 4> later;
};

template <class Struct>
Longer<Struct> lengthened(const Struct& known) {
  Longer<Struct> longer{known, {~0ULL, ~0ULL, ~0ULL, ~0ULL}};
  longer.known.struct_size = sizeof(longer);
  return longer;
}

std::vector<float> output_of_step(RawBackend& raw, const vernal_step_batch& batch,
                                  vernal_str name) {
  const vernal_ticket ticket = raw.submit(batch);
  vernal_step_output out{};
  out.struct_size = sizeof(out);
  expect_status("step_output", VERNAL_OK, call("step_output", [&] {
                  return raw.api().step_output(raw.pool(), ticket, name, &out);
                }));
  std::vector<float> values(out.data, out.data + out.rows * out.columns);
  raw.api().step_release(raw.pool(), ticket);
  return values;
}

void test_longer_arguments(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  RawBackend raw(plugin, made);
  const auto longer_plan = lengthened(raw_small_plan());
  vernal_plan* plan = nullptr;
  expect_status("plan with longer options", VERNAL_OK, call("plan", [&] {
                  return raw.api().plan(raw.backend(), made.ref(), &longer_plan.known, &plan);
                }));
  raw.api().plan_destroy(plan);

  std::array<std::vector<float>, 2> results;
  for (const bool is_longer : {false, true}) {
    const vernal_sequence_id sequence = raw.create();
    raw.reserve(sequence, 8);
    const auto batch = raw.batch(sequence, {4, 5, 6}, 0);
    std::vector<Longer<vernal_step_input>> inputs;
    for (const vernal_step_input& input : batch->inputs) inputs.push_back(lengthened(input));
    const auto part = lengthened(batch->part);
    auto step = lengthened(batch->batch);
    step.known.inputs = &inputs[0].known;
    step.known.input_stride = sizeof(inputs[0]);
    step.known.sequences = &part.known;
    step.known.sequence_stride = sizeof(part);
    results[is_longer ? 1 : 0] =
        output_of_step(raw, is_longer ? step.known : batch->batch, batch->output);
  }
  expect(nmse(results[1], results[0]) < 1e-6,
         "a step whose structs are longer and whose arrays have a greater stride gives other "
         "numbers: the stride was not used");
}

/// The tables and structs a backend reads, with nothing behind them.
void test_oldest_module(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  const RawBackend raw(plugin, made);
  std::string reason;
  const vernal_sink sink = append_to(reason);
  for (std::uint64_t node = 0; node < made.module->functions[0].nodes.size(); ++node) {
    vernal_op_support support{};
    support.struct_size = sizeof(support);
    const Guarded<vernal_op_support> out(support);
    expect_status("op_support", VERNAL_OK, call("op_support", [&] {
                    return raw.api().op_support(raw.backend(), made.ref(), 0, node, out.get(),
                                                &sink);
                  }));
    expect(out.get()->supported == 1, "op_support refuses node {}: {}", node, reason);
  }
}

void test_oldest_step(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  RawBackend raw(plugin, made);
  std::array<std::vector<float>, 2> results;
  for (const bool is_guarded : {false, true}) {
    const vernal_sequence_id sequence = raw.create();
    raw.reserve(sequence, 8);
    const auto batch = raw.batch(sequence, {4, 5, 6}, 0);
    const GuardedBytes ids(batch->ids);
    const GuardedBytes positions(batch->positions);
    const GuardedBytes rows(batch->rows);
    std::vector<vernal_step_input> structs = batch->inputs;
    structs[0].data = ids.data();
    structs[1].data = positions.data();
    const GuardedBytes inputs(structs);
    const Guarded<vernal_step_sequence> part(batch->part);
    const Guarded<vernal_str> output(batch->output);
    const Guarded<vernal_step_batch> step(batch->batch);
    step.get()->inputs = reinterpret_cast<const vernal_step_input*>(inputs.data());
    step.get()->sequences = part.get();
    step.get()->rows = reinterpret_cast<const std::int32_t*>(rows.data());
    step.get()->outputs = output.get();
    results[is_guarded ? 1 : 0] =
        output_of_step(raw, is_guarded ? *step.get() : batch->batch, batch->output);
  }
  expect(results[1] == results[0],
         "a step gives other numbers when nothing lies behind its structs");
}

// ---- structs of an architecture -----------------------------------------------------------------

/// The text of the module that the plugin builds, every table cut off where interface 1.0 ended.
void test_oldest_builder(const Options& options) {
  PluginUnderTest plugin(options);
  const auto name = sample_architecture(plugin.manifest());
  if (!name) throw Skipped("no sample model is known for what it provides");
  const auto model = sample_model(*name);
  const MetadataView view(model->metadata, model->weights);
  const Guarded<vernal_metadata_api> metadata_api(*view.ref().api);
  const vernal_metadata_ref metadata{metadata_api.get(), view.ref().metadata};
  ModuleBuilder builder(*name, model->weights);
  const Guarded<vernal_builder_api> builder_api(*builder.ref().api);
  vernal_build_options build{};
  build.struct_size = sizeof(build);
  build.context_length = 64;
  build.last_layer = -1;
  const Guarded<vernal_build_options> build_options(build);
  const vernal_architecture_api& api = plugin.library().architecture();
  std::string text;
  const vernal_sink sink = append_to(text);
  std::uint32_t score = 0;
  expect_status("probe", VERNAL_OK,
                call("probe", [&] { return api.probe(metadata, &score, &sink); }));
  expect(score > 0, "probe of what it provides: expected a score, found 0: {}", text);
  expect_status("describe", VERNAL_OK,
                call("describe", [&] { return api.describe(metadata, &sink); }));
  expect_status(
      "build", VERNAL_OK, call("build", [&] {
        return api.build(metadata, build_options.get(), {builder_api.get(), builder.ref().builder});
      }));
  const Module module = builder.finish();
  expect(builder.problems().empty(), "the module is not sound:\n{}",
         list_problems(builder.problems()));
  expect(!module.functions.empty() && !module.functions[0].nodes.empty(),
         "expected a module with nodes, found none");
}

constexpr Test kTests[] = {
    {"negotiation.result_sizes", "touches results only as far as the caller's struct_size",
     test_result_sizes, kBackends},
    {"negotiation.longer_arguments", "reads structs and arrays of a later minor by their sizes",
     test_longer_arguments, kBackends},
    {"negotiation.oldest_module", "reads module, options and configuration of interface 1.0 alone",
     test_oldest_module, kBackends},
    {"negotiation.oldest_step", "reads batches, inputs and rows only as far as they go",
     test_oldest_step, kBackends},
    {"negotiation.oldest_builder", "builds with metadata and builder of interface 1.0 alone",
     test_oldest_builder, kArchitectures},
};

}  // namespace

std::span<const Test> negotiation_struct_tests() { return kTests; }

}  // namespace vernal::check
