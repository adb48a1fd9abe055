// Group negotiation: hosts that are older, newer or broken; structs that are shorter or longer.
#include <array>
#include <chrono>
#include <cstdlib>

#include "finding.hpp"
#include "guarded_memory.hpp"
#include "module/build_module.hpp"
#include "module/metadata_view.hpp"
#include "process_state.hpp"
#include "raw_backend.hpp"
#include "raw_entry.hpp"
#include "sample_model.hpp"
#include "test.hpp"
#include "tiny_model.hpp"
#include "vernal/host.hpp"
#include "vernal/sink.hpp"
#include "whole_use.hpp"

namespace vernal::check {
namespace {

using Clock = std::chrono::steady_clock;

// ---- hosts
// ---------------------------------------------------------------------------------------

/// The host's functions as interface 1.0 has them, and nothing behind them.
void test_oldest_host(const Options& options) {
  const auto entry = open_entry(options);
  vernal_host_api functions = fresh_host_api();
  functions.struct_size = kFloorSize<vernal_host_api>;
  static const Guarded<vernal_host_api> kHost(functions);
  const std::uint64_t threads = count_threads();
  const std::uint64_t descriptors = count_descriptors();
  const auto begin = Clock::now();
  const vernal_plugin_api* table = nullptr;
  const std::int32_t status = enter(entry, kHost.get(), 0, &table);
  const std::chrono::duration<double, std::milli> took = Clock::now() - begin;
  expect(status == VERNAL_OK, "entry with a host of minor 0: expected OK, found {}",
         status_name(status));
  expect(table != nullptr, "entry: expected a table, found null");
  expect(took.count() < 50, "entry: expected less than 50 ms, found {:.0f}", took.count());
  expect(count_threads() == threads, "entry started threads; they belong to open or start");
  expect(count_descriptors() == descriptors, "entry left descriptors open");
  expect_status("init", VERNAL_OK, call("init", [&] { return table->init(); }));
  expect_status("shutdown", VERNAL_OK, call("shutdown", [&] { return table->shutdown(); }));
}

/// A table of a minor to come: functions that this interface does not know follow.
struct LaterHost {
  vernal_host_api known;
  std::array<std::int32_t (*)(), 8> later;
};

std::int32_t function_of_later_minor() { std::abort(); }

void test_newer_host(const Options& options) {
  const auto entry = open_entry(options);
  static LaterHost host{};
  host.known = fresh_host_api();
  host.known.struct_size = sizeof(host);
  host.later.fill(function_of_later_minor);
  const vernal_plugin_api* table = nullptr;
  const std::int32_t status = enter(entry, &host.known, 99, &table);
  expect(status == VERNAL_OK,
         "entry with a host of minor 99 and a longer table: expected OK, found {}: there is no "
         "upper bound",
         status_name(status));
  expect_status("init", VERNAL_OK, call("init", [&] { return table->init(); }));
  expect_status("shutdown", VERNAL_OK, call("shutdown", [&] { return table->shutdown(); }));
}

void test_broken_host(const Options& options) {
  const auto entry = open_entry(options);
  const vernal_plugin_api* table = nullptr;
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{8}, kFloorSize<vernal_host_api> - 8,
        kFloorSize<vernal_host_api> + 1}) {
    vernal_host_api functions = fresh_host_api();
    functions.struct_size = size;
    const Guarded<vernal_host_api> host(functions);
    const std::int32_t status = enter(entry, host.get(), 0, &table);
    expect(status != VERNAL_OK,
           "entry with a host table of struct_size {}: expected a refusal, "
           "found OK",
           size);
  }
  expect(enter(entry, nullptr, 0, &table) != VERNAL_OK,
         "entry without a host table: expected a refusal, found OK");
}

/// Whether extensions and kinds that nobody knows are answered as the interface says.
void test_unknown_names(const Options& options) {
  PluginUnderTest plugin(options);
  const vernal_plugin_api* api = raw_plugin_table(options);
  const void* table = api;
  const vernal_str name = to_str("vernal.ext.unheard_of/1");
  std::int32_t status = call("get_extension", [&] { return api->get_extension(name, &table); });
  expect(status == VERNAL_NOT_FOUND, "get_extension of an unknown id: expected NOT_FOUND, found {}",
         status_name(status));
  status = call("get_kind", [&] { return api->get_kind(77, &table); });
  expect(status == VERNAL_NOT_FOUND, "get_kind(77): expected NOT_FOUND, found {}",
         status_name(status));
}

// ---- structs of a backend
// ------------------------------------------------------------------------

/// Calls `function` with an out-struct of which only the first `size` bytes are the caller's.
template <class Struct, class F>
void check_respect(const char* name, F&& function) {
  for (const std::uint64_t size : {std::uint64_t{8}, std::uint64_t{16}, sizeof(Struct)}) {
    Shortened<Struct> out(size);
    const std::int32_t status = call(name, [&] { return function(out.get()); });
    expect(status == VERNAL_OK, "{} with struct_size {}: expected OK, found {}", name, size,
           status_name(status));
    expect(out.is_respected(), "{} wrote past struct_size {}, or changed it", name, size);
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

/// The tables a backend reads, with nothing behind them.
void test_oldest_module(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  const Guarded<vernal_module_api> module_api(*made.ref().api);
  const vernal_config_view config = plugin.config(VERNAL_KIND_BACKEND);
  const Guarded<vernal_config_api> config_api(*config.api);
  const vernal_backend_api& api = plugin.library().backend();
  vernal_backend* backend = nullptr;
  expect_status("open", VERNAL_OK, call("open", [&] {
                  return api.open({config_api.get(), config.config}, &backend);
                }));
  const Guarded<vernal_plan_options> plan_options(raw_small_plan());
  vernal_plan* plan = nullptr;
  const vernal_module_ref module{module_api.get(), made.ref().module};
  expect_status("plan", VERNAL_OK,
                call("plan", [&] { return api.plan(backend, module, plan_options.get(), &plan); }));
  api.plan_destroy(plan);
  api.close(backend);
}

// ---- structs of an architecture
// ------------------------------------------------------------------

void test_oldest_builder(const Options& options) {
  PluginUnderTest plugin(options);
  const auto name = sample_architecture(plugin.manifest());
  if (!name) throw Skipped("no sample model is known for what it provides");
  const auto model = sample_model(*name);
  MetadataView metadata(model->metadata, model->weights);
  const Guarded<vernal_metadata_api> metadata_api(*metadata.ref().api);
  ModuleBuilder builder(*name, model->weights);
  const Guarded<vernal_builder_api> builder_api(*builder.ref().api);
  vernal_build_options build{};
  build.struct_size = sizeof(build);
  build.context_length = 64;
  build.last_layer = -1;
  const Guarded<vernal_build_options> build_options(build);
  const vernal_architecture_api& api = plugin.library().architecture();
  expect_status("build", VERNAL_OK, call("build", [&] {
                  return api.build({metadata_api.get(), metadata.ref().metadata},
                                   build_options.get(), {builder_api.get(), builder.ref().builder});
                }));
}

constexpr Test kTests[] = {
    {"negotiation.oldest_host", "enters and inits with a host of interface 1.0; the entry is cheap",
     test_oldest_host},
    {"negotiation.newer_host", "enters with a host of a minor to come", test_newer_host},
    {"negotiation.broken_host", "refuses a host table that is null, too small or no multiple of 8",
     test_broken_host},
    {"negotiation.unknown_names", "NOT_FOUND for extensions and kinds it does not know",
     test_unknown_names},
    {"negotiation.result_sizes", "writes results only as far as the caller's struct_size",
     test_result_sizes, kBackends},
    {"negotiation.longer_arguments", "reads structs and arrays of a later minor by their sizes",
     test_longer_arguments, kBackends},
    {"negotiation.oldest_module", "reads module, options and configuration of interface 1.0 alone",
     test_oldest_module, kBackends},
    {"negotiation.oldest_builder", "builds with metadata and builder of interface 1.0 alone",
     test_oldest_builder, kArchitectures},
};

}  // namespace

std::span<const Test> negotiation_tests() { return kTests; }

}  // namespace vernal::check
