// Group errors, part one: every call answers by its status, also to null handles and to receivers
// that refuse.
#include <functional>

#include "module/builder.hpp"
#include "module/metadata_view.hpp"
#include "plugin/weight_store.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/models/sample_model.hpp"
#include "plugin_check/models/tiny_model.hpp"
#include "plugin_check/subject/raw_backend.hpp"
#include "plugin_check/test.hpp"
#include "vernal/sink.hpp"

namespace vernal::check {
namespace {

// ---- handles ------------------------------------------------------------------------------------

void check_null_backend(const vernal_backend_api& api, const MadeModule& made) {
  std::string text;
  const vernal_sink sink = append_to(text);
  const vernal_plan_options options = raw_small_plan();
  vernal_plan* plan = nullptr;
  vernal_op_support support{};
  support.struct_size = sizeof(support);
  const auto check = [](const char* name, const std::function<std::int32_t()>& function) {
    expect_error(fmt::format("{} with a null handle", name), call(name, function));
  };
  check("op_support", [&] { return api.op_support(nullptr, made.ref(), 0, 0, &support, &sink); });
  check("plan", [&] { return api.plan(nullptr, made.ref(), &options, &plan); });
  vernal_plan_info plan_info{};
  plan_info.struct_size = sizeof(plan_info);
  check("plan_info", [&] { return api.plan_info(nullptr, &plan_info); });
  vernal_program* program = nullptr;
  MadeStore store(made);
  const vernal_weight_source source = plugin::weight_source(store);
  check("program_build", [&] { return api.program_build(nullptr, &source, nullptr, &program); });
  vernal_pool* pool = nullptr;
  check("pool_create", [&] { return api.pool_create(nullptr, &pool); });
  vernal_step_stats stats{};
  stats.struct_size = sizeof(stats);
  check("stats", [&] { return api.stats(nullptr, &stats); });
}

void check_null_pool(const vernal_backend_api& api) {
  const auto check = [](const char* name, const std::function<std::int32_t()>& function) {
    expect_error(fmt::format("{} with a null handle", name), call(name, function));
  };
  std::uint64_t id = 0;
  std::uint32_t done = 0;
  vernal_pool_info info{};
  info.struct_size = sizeof(info);
  check("pool_info", [&] { return api.pool_info(nullptr, &info); });
  check("seq_create", [&] { return api.seq_create(nullptr, &id); });
  check("seq_release", [&] { return api.seq_release(nullptr, 1); });
  check("seq_reserve", [&] { return api.seq_reserve(nullptr, 1, 1); });
  check("seq_length", [&] { return api.seq_length(nullptr, 1, 0, &id); });
  check("seq_restorable", [&] { return api.seq_restorable(nullptr, 1, 0, &id); });
  check("seq_truncate", [&] { return api.seq_truncate(nullptr, 1, 0); });
  check("seq_fork", [&] { return api.seq_fork(nullptr, 1, 0, 0, &id); });
  check("seq_restore", [&] { return api.seq_restore(nullptr, 1, 1); });
  check("checkpoint_create", [&] { return api.checkpoint_create(nullptr, 1, &id); });
  check("checkpoint_release", [&] { return api.checkpoint_release(nullptr, 1); });
  check("step_wait", [&] { return api.step_wait(nullptr, 1, 0); });
  check("step_poll", [&] { return api.step_poll(nullptr, 1, &done); });
  check("step_release", [&] { return api.step_release(nullptr, 1); });
}

void test_null_handles(const Options& options) {
  PluginUnderTest plugin(options);
  if (plugin.manifest().has_kind(VERNAL_KIND_BACKEND)) {
    const vernal_backend_api& api = plugin.library().backend();
    check_null_backend(api, make_least_module());
    check_null_pool(api);
    // Destroying a null handle does nothing.
    api.pool_destroy(nullptr);
    api.program_destroy(nullptr);
    api.plan_destroy(nullptr);
    api.close(nullptr);
  }
  if (plugin.manifest().has_kind(VERNAL_KIND_FRONTEND)) {
    const vernal_frontend_api& api = plugin.library().frontend();
    std::uint64_t active = 0;
    const auto check = [](const char* name, const std::function<std::int32_t()>& function) {
      expect_error(fmt::format("{} with a null handle", name), call(name, function));
    };
    check("start", [&] { return api.start(nullptr); });
    check("begin_drain", [&] { return api.begin_drain(nullptr, 0); });
    check("active", [&] { return api.active(nullptr, &active); });
    check("stop", [&] { return api.stop(nullptr); });
    api.destroy(nullptr);
  }
}

// ---- sinks --------------------------------------------------------------------------------------

void test_refusing_sinks(const Options& options) {
  PluginUnderTest plugin(options);
  const vernal_backend_api& api = plugin.library().backend();
  const MadeModule made = make_least_module();
  RawBackend raw(plugin, made);
  const vernal_device_sink devices{
      [](void*, const vernal_device_info*) { return VERNAL_CANCELLED; }, nullptr};
  const vernal_format_sink formats{[](void*, const vernal_format_row*) { return VERNAL_CANCELLED; },
                                   nullptr};
  const vernal_memory_sink rows{[](void*, const vernal_memory_row*) { return VERNAL_CANCELLED; },
                                nullptr};
  expect_status("enumerate_devices whose sink answers CANCELLED", VERNAL_CANCELLED,
                call("enumerate_devices", [&] { return api.enumerate_devices(&devices); }));
  expect_status("formats whose sink answers CANCELLED", VERNAL_CANCELLED,
                call("formats", [&] { return api.formats(raw.backend(), &formats); }));
  expect_status("plan_rows whose sink answers CANCELLED", VERNAL_CANCELLED,
                call("plan_rows", [&] { return api.plan_rows(raw.plan(), &rows); }));
  expect_status("memory_report whose sink answers CANCELLED", VERNAL_CANCELLED,
                call("memory_report", [&] { return api.memory_report(raw.program(), &rows); }));
}

// ---- every call once ----------------------------------------------------------------------------

void call_state_functions(RawBackend& raw, vernal_sequence_id sequence) {
  const vernal_backend_api& api = raw.api();
  std::uint64_t id = 0;
  const auto ok = [](const char* name, const std::function<std::int32_t()>& function) {
    expect_status(name, VERNAL_OK, call(name, function));
  };
  ok("seq_restorable", [&] { return api.seq_restorable(raw.pool(), sequence, 3, &id); });
  ok("checkpoint_create", [&] { return api.checkpoint_create(raw.pool(), sequence, &id); });
  const vernal_checkpoint_id checkpoint = id;
  vernal_checkpoint_info info{};
  info.struct_size = sizeof(info);
  ok("checkpoint_info", [&] { return api.checkpoint_info(raw.pool(), checkpoint, &info); });
  ok("seq_fork", [&] { return api.seq_fork(raw.pool(), sequence, 0, 3, &id); });
  ok("seq_restore", [&] { return api.seq_restore(raw.pool(), id, checkpoint); });
  ok("seq_truncate", [&] { return api.seq_truncate(raw.pool(), id, 0); });
  ok("seq_release", [&] { return api.seq_release(raw.pool(), id); });
  ok("checkpoint_release", [&] { return api.checkpoint_release(raw.pool(), checkpoint); });
}

void test_exceptions_of_backend(PluginUnderTest& plugin) {
  const MadeModule made = make_tiny_model(Memory::kFull);
  RawBackend raw(plugin, made);
  const vernal_backend_api& api = raw.api();
  const auto ok = [](const char* name, const std::function<std::int32_t()>& function) {
    expect_status(name, VERNAL_OK, call(name, function));
  };
  const vernal_device_sink devices{[](void*, const vernal_device_info*) { return VERNAL_OK; },
                                   nullptr};
  const vernal_format_sink formats{[](void*, const vernal_format_row*) { return VERNAL_OK; },
                                   nullptr};
  const vernal_memory_sink rows{[](void*, const vernal_memory_row*) { return VERNAL_OK; }, nullptr};
  ok("enumerate_devices", [&] { return api.enumerate_devices(&devices); });
  ok("formats", [&] { return api.formats(raw.backend(), &formats); });
  ok("plan_rows", [&] { return api.plan_rows(raw.plan(), &rows); });
  ok("memory_report", [&] { return api.memory_report(raw.program(), &rows); });
  vernal_pool_info info{};
  info.struct_size = sizeof(info);
  ok("pool_info", [&] { return api.pool_info(raw.pool(), &info); });
  const vernal_sequence_id sequence = raw.create();
  raw.reserve(sequence, 16);
  const auto batch = raw.batch(sequence, {1, 2, 3}, 0);
  const vernal_ticket ticket = raw.submit(batch->batch);
  std::uint32_t done = 0;
  ok("step_poll", [&] { return api.step_poll(raw.pool(), ticket, &done); });
  expect(done == 1, "step_poll after step_wait: expected 1, found {}", done);
  ok("step_release", [&] { return api.step_release(raw.pool(), ticket); });
  expect(raw.length(sequence) == 3, "after a step of 3 tokens the length is {}",
         raw.length(sequence));
  call_state_functions(raw, sequence);
  ok("seq_release", [&] { return api.seq_release(raw.pool(), sequence); });
}

void test_exceptions_of_architecture(PluginUnderTest& plugin) {
  const vernal_architecture_api& api = plugin.library().architecture();
  const SampleMetadata nothing;
  const MadeWeights none;
  MetadataView metadata(nothing, none);
  ModuleBuilder builder("check", none);
  vernal_build_options options{};
  options.struct_size = sizeof(options);
  options.last_layer = -1;
  std::string text;
  const vernal_sink sink = append_to(text);
  std::uint32_t score = 0;
  // An empty file may be refused or scored 0; it may not throw.
  call("probe", [&] { return api.probe(metadata.ref(), &score, &sink); });
  expect_error("describe of an empty file",
               call("describe", [&] { return api.describe(metadata.ref(), &sink); }));
  expect_error("build of an empty file",
               call("build", [&] { return api.build(metadata.ref(), &options, builder.ref()); }));
}

void test_exceptions_of_frontend(PluginUnderTest& plugin) {
  const vernal_frontend_api& api = plugin.library().frontend();
  vernal_frontend* frontend = nullptr;
  const vernal_config_view config = plugin.config(VERNAL_KIND_FRONTEND);
  const auto ok = [](const char* name, const std::function<std::int32_t()>& function) {
    expect_status(name, VERNAL_OK, call(name, function));
  };
  std::string text;
  const vernal_sink sink = append_to(text);
  std::uint64_t active = 0;
  ok("create", [&] { return api.create(config, &frontend); });
  ok("start", [&] { return api.start(frontend); });
  ok("info", [&] { return api.info(frontend, &sink); });
  ok("active", [&] { return api.active(frontend, &active); });
  ok("begin_drain", [&] { return api.begin_drain(frontend, 0); });
  ok("stop", [&] { return api.stop(frontend); });
  api.destroy(frontend);
}

void test_exceptions(const Options& options) {
  PluginUnderTest plugin(options);
  if (plugin.manifest().has_kind(VERNAL_KIND_BACKEND)) test_exceptions_of_backend(plugin);
  if (plugin.manifest().has_kind(VERNAL_KIND_ARCHITECTURE)) test_exceptions_of_architecture(plugin);
  if (plugin.manifest().has_kind(VERNAL_KIND_FRONTEND)) test_exceptions_of_frontend(plugin);
}

constexpr Test kTests[] = {
    {"errors.exceptions", "every function of the table answers by its status; nothing is thrown",
     test_exceptions},
    {"errors.null_handles", "a null handle is an error with a text", test_null_handles,
     kBackends | kFrontends},
    {"errors.refusing_sinks", "returns the status of a receiver that refuses", test_refusing_sinks,
     kBackends},
};

}  // namespace

std::span<const Test> errors_tests() { return kTests; }

}  // namespace vernal::check
