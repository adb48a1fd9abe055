// Group errors: what is wrong is answered with a status and a text, and harms nothing.
#include <functional>
#include <limits>
#include <set>

#include "finding.hpp"
#include "module/metadata_view.hpp"
#include "raw_backend.hpp"
#include "sample_model.hpp"
#include "test.hpp"
#include "tiny_model.hpp"
#include "vernal/host.hpp"
#include "vernal/sink.hpp"

namespace vernal::check {
namespace {

// ---- handles
// -------------------------------------------------------------------------------------

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
  const vernal_weight_source source = raw_weight_source(store);
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
    // Destroying nothing is nothing.
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

// ---- ids
// -----------------------------------------------------------------------------------------

/// Every call that takes a sequence, with one that does not exist.
void check_no_sequence(RawBackend& raw, vernal_sequence_id id, const char* which) {
  const vernal_backend_api& api = raw.api();
  std::uint64_t out = 0;
  const auto check = [&](const char* name, const std::function<std::int32_t()>& function) {
    expect_status(fmt::format("{} of {}", name, which), VERNAL_NOT_FOUND, call(name, function));
  };
  check("seq_length", [&] { return api.seq_length(raw.pool(), id, 0, &out); });
  check("seq_reserve", [&] { return api.seq_reserve(raw.pool(), id, 1); });
  check("seq_restorable", [&] { return api.seq_restorable(raw.pool(), id, 0, &out); });
  check("seq_truncate", [&] { return api.seq_truncate(raw.pool(), id, 0); });
  check("checkpoint_create", [&] { return api.checkpoint_create(raw.pool(), id, &out); });
  if (id != 0) {  // 0 says in a fork that the other id counts
    check("seq_fork", [&] { return api.seq_fork(raw.pool(), id, 0, 0, &out); });
  }
  const auto batch = raw.batch(id, {1}, 0);
  check("step_submit", [&] { return api.step_submit(raw.pool(), &batch->batch, &out); });
  check("seq_release", [&] { return api.seq_release(raw.pool(), id); });
}

void test_stale_sequences(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  RawBackend raw(plugin, made);
  check_no_sequence(raw, 0, "sequence 0");
  check_no_sequence(raw, 0x7FFF'FFFF'FFFF'FFFF, "a sequence that never was");
  const vernal_sequence_id old = raw.create();
  raw.reserve(old, 4);
  expect_status("seq_release", VERNAL_OK, raw.api().seq_release(raw.pool(), old));
  check_no_sequence(raw, old, "a released sequence");
  // Its place is taken again, and must not be reached by the old name.
  std::set<vernal_sequence_id> seen{old};
  for (int i = 0; i < 8; ++i) {
    const vernal_sequence_id next = raw.create();
    expect(seen.insert(next).second, "seq_create gave an id again that was released before");
    check_no_sequence(raw, old, "a released sequence whose place is taken");
    expect(raw.length(next) == 0, "a new sequence has {} tokens", raw.length(next));
    expect_status("seq_release", VERNAL_OK, raw.api().seq_release(raw.pool(), next));
  }
}

void test_stale_checkpoints(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  RawBackend raw(plugin, made);
  const vernal_backend_api& api = raw.api();
  const vernal_sequence_id sequence = raw.create();
  vernal_checkpoint_id old = 0;
  expect_status("checkpoint_create", VERNAL_OK, call("checkpoint_create", [&] {
                  return api.checkpoint_create(raw.pool(), sequence, &old);
                }));
  expect_status("checkpoint_release", VERNAL_OK, call("checkpoint_release", [&] {
                  return api.checkpoint_release(raw.pool(), old);
                }));
  for (const vernal_checkpoint_id id : {old, vernal_checkpoint_id{0x7FFF'FFFF'FFFF'FFFF}}) {
    std::uint64_t out = 0;
    vernal_checkpoint_info info{};
    info.struct_size = sizeof(info);
    const auto check = [&](const char* name, const std::function<std::int32_t()>& function) {
      expect_status(fmt::format("{} of a checkpoint that is not", name), VERNAL_NOT_FOUND,
                    call(name, function));
    };
    check("checkpoint_info", [&] { return api.checkpoint_info(raw.pool(), id, &info); });
    check("seq_restore", [&] { return api.seq_restore(raw.pool(), sequence, id); });
    check("seq_fork", [&] { return api.seq_fork(raw.pool(), 0, id, 0, &out); });
    check("checkpoint_release", [&] { return api.checkpoint_release(raw.pool(), id); });
  }
}

void test_stale_tickets(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  RawBackend raw(plugin, made);
  const vernal_backend_api& api = raw.api();
  const vernal_sequence_id sequence = raw.create();
  raw.reserve(sequence, 8);
  const auto batch = raw.batch(sequence, {1, 2}, 0);
  const vernal_ticket old = raw.submit(batch->batch);
  expect_status("step_release", VERNAL_OK, api.step_release(raw.pool(), old));
  const auto next = raw.batch(sequence, {3}, 2);
  const vernal_ticket current = raw.submit(next->batch);
  for (const vernal_ticket id : {old, vernal_ticket{0}, vernal_ticket{0x7FFF'FFFF'FFFF'FFFF}}) {
    std::uint32_t done = 0;
    vernal_step_output out{};
    out.struct_size = sizeof(out);
    const auto check = [&](const char* name, const std::function<std::int32_t()>& function) {
      expect_status(fmt::format("{} of a ticket that is not", name), VERNAL_NOT_FOUND,
                    call(name, function));
    };
    check("step_wait", [&] { return api.step_wait(raw.pool(), id, 1); });
    check("step_poll", [&] { return api.step_poll(raw.pool(), id, &done); });
    check("step_output", [&] { return api.step_output(raw.pool(), id, batch->output, &out); });
    check("step_release", [&] { return api.step_release(raw.pool(), id); });
  }
  expect_status("step_release", VERNAL_OK, api.step_release(raw.pool(), current));
}

// ---- arguments
// -----------------------------------------------------------------------------------

void test_arguments(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  RawBackend raw(plugin, made);
  const vernal_backend_api& api = raw.api();
  const vernal_sequence_id sequence = raw.create();
  raw.reserve(sequence, 16);
  expect_status("step", VERNAL_OK, raw.run(raw.batch(sequence, {1, 2, 3}, 0)->batch));
  const auto unchanged = [&] {
    expect(raw.length(sequence) == 3, "a refused call changed the length from 3 to {}",
           raw.length(sequence));
  };
  expect_status("seq_truncate beyond the length", VERNAL_INVALID_ARGUMENT,
                call("seq_truncate", [&] { return api.seq_truncate(raw.pool(), sequence, 4); }));
  unchanged();
  std::uint64_t out = 0;
  expect_error("seq_fork of nothing",
               call("seq_fork", [&] { return api.seq_fork(raw.pool(), 0, 0, 0, &out); }));
  expect_error("seq_fork beyond the length",
               call("seq_fork", [&] { return api.seq_fork(raw.pool(), sequence, 0, 9, &out); }));
  expect_error("seq_length of function 99",
               call("seq_length", [&] { return api.seq_length(raw.pool(), sequence, 99, &out); }));
  expect_status("seq_reserve of 2^62 tokens", VERNAL_RESOURCE_EXHAUSTED, call("seq_reserve", [&] {
                  return api.seq_reserve(raw.pool(), sequence, std::uint64_t{1} << 62);
                }));
  unchanged();
  expect_error("a step that leaves out positions", raw.run(raw.batch(sequence, {1}, 7)->batch));
  unchanged();
  const auto batch = raw.batch(sequence, {1}, 3);
  vernal_step_output output{};
  output.struct_size = sizeof(output);
  const vernal_ticket ticket = raw.submit(batch->batch);
  expect_status("step_output of a name that is not", VERNAL_NOT_FOUND, call("step_output", [&] {
                  return api.step_output(raw.pool(), ticket, to_str("unheard_of"), &output);
                }));
  expect_status("step_release", VERNAL_OK, api.step_release(raw.pool(), ticket));
}

void test_token_ids(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  for (const std::int32_t id :
       {-1, static_cast<std::int32_t>(kVocabulary), std::numeric_limits<std::int32_t>::max(),
        std::numeric_limits<std::int32_t>::min()}) {
    RawBackend raw(plugin, made);
    const vernal_sequence_id sequence = raw.create();
    raw.reserve(sequence, 4);
    expect_error(fmt::format("a step with the token id {} of a vocabulary of {}", id, kVocabulary),
                 raw.run(raw.batch(sequence, {1, id}, 0)->batch));
  }
}

// ---- what a module may not have
// ------------------------------------------------------------------

/// Whether a node can be compiled, by op_support and by plan, which must agree.
bool is_accepted(plugin::BackendInstance& backend, const MadeModule& made, std::string_view op,
                 std::string& reason) {
  const auto& nodes = made.module->functions[0].nodes;
  std::uint64_t index = 0;
  while (index < nodes.size() && nodes[index].op != op) ++index;
  const plugin::OpSupport support = backend.op_support(made.ref(), 0, index);
  reason = support.reason;
  std::int32_t status = VERNAL_OK;
  std::string text;
  try {
    backend.plan(made.ref(), small_plan());
  } catch (const Error& error) {
    status = error.code();
    text = error.what();
  }
  expect(support.is_supported || !reason.empty(), "op_support refuses {} without a reason", op);
  expect(support.is_supported == (status == VERNAL_OK),
         "op_support says {} of {}, plan answers {}: {}", support.is_supported ? "yes" : "no", op,
         status_name(status), text);
  expect(status == VERNAL_OK || status == VERNAL_UNSUPPORTED,
         "plan of a module with {}: expected UNSUPPORTED, found {}", op, status_name(status));
  return status == VERNAL_OK;
}

void test_unknown_operation(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  const MadeModule sound = make_least_module();
  for (const char* op : {"vernal.unheard_of/1", "vernal.linear/2", "linear", ""}) {
    const MadeModule made =
        change_node(sound, "vernal.linear/1", [&](Node& node) { node.op = op; });
    std::string reason;
    expect(!is_accepted(backend, made, op, reason), "operation \"{}\" is accepted", op);
  }
}

void test_unknown_format(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  const MadeModule sound = make_least_module();
  for (const char* format : {"ggml.unheard_of/1", "ggml.q4_k/99", "f99", ""}) {
    auto module = std::make_shared<Module>(*sound.module);
    for (Weight& weight : module->weights) {
      if (weight.name == "map") weight.format = format;
    }
    MadeModule made;
    made.weights = sound.weights;
    made.module = module;
    made.view = std::make_unique<ModuleView>(made.module);
    std::string reason;
    expect(!is_accepted(backend, made, "vernal.linear/1", reason),
           "a weight of the format \"{}\" is accepted", format);
  }
}

// ---- sinks
// ---------------------------------------------------------------------------------------

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

// ---- every call once
// -----------------------------------------------------------------------------

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
    {"errors.stale_sequences", "NOT_FOUND for sequences that were released or never were",
     test_stale_sequences, kBackends},
    {"errors.stale_checkpoints", "NOT_FOUND for checkpoints that were released or never were",
     test_stale_checkpoints, kBackends},
    {"errors.stale_tickets", "NOT_FOUND for steps that were released or never were",
     test_stale_tickets, kBackends},
    {"errors.arguments", "arguments out of range are refused and change nothing", test_arguments,
     kBackends},
    {"errors.token_ids", "a token id outside the vocabulary fails the step", test_token_ids,
     kBackends},
    {"errors.unknown_operation", "refuses operations it does not know, with a reason",
     test_unknown_operation, kBackends},
    {"errors.unknown_format", "refuses storage formats it does not know, with a reason",
     test_unknown_format, kBackends},
    {"errors.refusing_sinks", "returns the status of a receiver that refuses", test_refusing_sinks,
     kBackends},
};

}  // namespace

std::span<const Test> errors_tests() { return kTests; }

}  // namespace vernal::check
