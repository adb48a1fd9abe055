// Group negotiation, part one: hosts that are older, newer or broken.
#include <array>
#include <chrono>
#include <cstdlib>

#include "module/builder.hpp"
#include "module/metadata_view.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/models/sample_model.hpp"
#include "plugin_check/models/tiny_model.hpp"
#include "plugin_check/subject/guarded_memory.hpp"
#include "plugin_check/subject/mock_engine.hpp"
#include "plugin_check/subject/process_state.hpp"
#include "plugin_check/subject/raw_backend.hpp"
#include "plugin_check/subject/raw_entry.hpp"
#include "plugin_check/subject/whole_use.hpp"
#include "plugin_check/test.hpp"
#include "vernal/sink.hpp"

namespace vernal::check {
namespace {

using Clock = std::chrono::steady_clock;

// ---- hosts --------------------------------------------------------------------------------------

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
  const std::int32_t status = enter(entry, {kHost.get()}, &table);
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
  const std::int32_t status = enter(entry, {&host.known, 99}, &table);
  expect(status == VERNAL_OK,
         "entry with a host of minor 99 and a longer table: expected OK, found {}: there is no "
         "upper bound",
         status_name(status));
  expect_status("init", VERNAL_OK, call("init", [&] { return table->init(); }));
  expect_status("shutdown", VERNAL_OK, call("shutdown", [&] { return table->shutdown(); }));
}

/// Calls `function` with each table that is cut below the size of interface 1.0, behind a member or
/// in the middle of one, with nothing behind the cut; and with the size it was cut to.
template <class Table, class F>
void for_each_cut(const Table& whole, F&& function) {
  for (std::uint64_t size = 8; size < kFloorSize<Table>; size += 4) {
    const Guarded<Table> cut(whole, size);
    function(cut.get(), size);
  }
}

void test_broken_host(const Options& options) {
  const auto entry = open_entry(options);
  const vernal_plugin_api* table = nullptr;
  for (const std::uint64_t size : {std::uint64_t{0}, kFloorSize<vernal_host_api> + 1}) {
    vernal_host_api functions = fresh_host_api();
    functions.struct_size = size;
    const Guarded<vernal_host_api> host(functions);
    const std::int32_t status = enter(entry, {host.get()}, &table);
    expect(status != VERNAL_OK,
           "entry with a host table of struct_size {}: expected a refusal, found OK", size);
  }
  for_each_cut(fresh_host_api(), [&](const vernal_host_api* host, std::uint64_t size) {
    expect(enter(entry, {host}, &table) != VERNAL_OK,
           "entry with a host table cut to {} bytes: expected a refusal, found OK", size);
  });
  expect(enter(entry, {}, &table) != VERNAL_OK,
         "entry without a host table: expected a refusal, found OK");
}

/// A whole use with a host of interface 1.0: behind each table it offers lies nothing.
void test_oldest_use(const Options& options) {
  PluginUnderTest plugin(options, PluginUnderTest::Start::kOpenOnly);
  static const Guarded<vernal_host_api> kHost(*plugin.host().api());
  const vernal_plugin_api* table = nullptr;
  expect_status("entry", VERNAL_OK,
                enter(open_entry(options), {kHost.get(), 0, plugin.host().handle()}, &table));
  plugin.library().init();
  use_once(plugin);
}

// ---- tables that are too small ------------------------------------------------------------------

void cut_tables_of_backend(PluginUnderTest& plugin) {
  const vernal_backend_api& api = plugin.library().backend();
  const vernal_config_view config = plugin.config(VERNAL_KIND_BACKEND);
  vernal_backend* backend = nullptr;
  for_each_cut(*config.api, [&](const vernal_config_api* cut, std::uint64_t size) {
    const std::int32_t status = call("open", [&] {
      return api.open({cut, config.config}, &backend);
    });
    if (status != VERNAL_OK) return expect_error(fmt::format("open, cut to {}", size), status);
    api.close(backend);  // one without settings need not look at them
  });
  const MadeModule made = make_least_module();
  const RawBackend raw(plugin, made);
  const vernal_plan_options plan_options = raw_small_plan();
  vernal_plan* plan = nullptr;
  for_each_cut(*made.ref().api, [&](const vernal_module_api* cut, std::uint64_t size) {
    expect_error(fmt::format("plan of a module whose table is cut to {} bytes", size),
                 call("plan", [&] {
                   return api.plan(raw.backend(), {cut, made.ref().module}, &plan_options, &plan);
                 }));
  });
}

void cut_tables_of_architecture(PluginUnderTest& plugin) {
  const vernal_architecture_api& api = plugin.library().architecture();
  const auto name = sample_architecture(plugin.manifest());
  if (!name) throw Skipped("no sample model is known for what it provides");
  const auto model = sample_model(*name);
  const MetadataView view(model->metadata, model->weights);
  const vernal_metadata_ref metadata = view.ref();
  ModuleBuilder builder(*name, model->weights);
  vernal_build_options options{};
  options.struct_size = sizeof(options);
  options.last_layer = -1;
  std::string text;
  const vernal_sink sink = append_to(text);
  for_each_cut(*metadata.api, [&](const vernal_metadata_api* cut, std::uint64_t size) {
    const vernal_metadata_ref short_one{cut, metadata.metadata};
    const std::string which = fmt::format("with a metadata table cut to {} bytes", size);
    expect_error("describe " + which,
                 call("describe", [&] { return api.describe(short_one, &sink); }));
    expect_error("build " + which,
                 call("build", [&] { return api.build(short_one, &options, builder.ref()); }));
  });
  for_each_cut(*builder.ref().api, [&](const vernal_builder_api* cut, std::uint64_t size) {
    const vernal_builder_ref short_one{cut, builder.ref().builder};
    expect_error(fmt::format("build with a builder table cut to {} bytes", size),
                 call("build", [&] { return api.build(metadata, &options, short_one); }));
  });
}

/// Creates, and starts what was created: a service may be asked for here or there, and need not be
/// asked for at all.
void expect_use_or_refusal(const vernal_frontend_api& api, vernal_config_view config,
                           const std::string& which) {
  vernal_frontend* frontend = nullptr;
  std::int32_t status = call("create", [&] { return api.create(config, &frontend); });
  if (status != VERNAL_OK) return expect_error("create " + which, status);
  status = call("start", [&] { return api.start(frontend); });
  if (status != VERNAL_OK) {
    expect_error("start " + which, status);
  } else {
    expect_status("stop " + which, VERNAL_OK, call("stop", [&] { return api.stop(frontend); }));
  }
  api.destroy(frontend);
}

void cut_tables_of_frontend(PluginUnderTest& plugin) {
  const vernal_frontend_api& api = plugin.library().frontend();
  const vernal_config_view config = plugin.config(VERNAL_KIND_FRONTEND);
  for_each_cut(*config.api, [&](const vernal_config_api* cut, std::uint64_t size) {
    expect_use_or_refusal(api, {cut, config.config},
                          fmt::format("with a configuration table cut to {} bytes", size));
  });
  for (std::uint64_t size = 8; size < kFloorSize<vernal_engine_api>; size += 4) {
    mock_engine().offer(plugin.host(), size);
    expect_use_or_refusal(api, config, fmt::format("with service tables cut to {} bytes", size));
    expect(mock_engine().num_asked() == 0,
           "it asked an engine whose table is cut to {} bytes; that must be refused", size);
  }
}

void test_cut_tables(const Options& options) {
  PluginUnderTest plugin(options);
  if (plugin.manifest().has_kind(VERNAL_KIND_BACKEND)) cut_tables_of_backend(plugin);
  if (plugin.manifest().has_kind(VERNAL_KIND_FRONTEND)) cut_tables_of_frontend(plugin);
  if (plugin.manifest().has_kind(VERNAL_KIND_ARCHITECTURE)) cut_tables_of_architecture(plugin);
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

constexpr Test kTests[] = {
    {"negotiation.oldest_host", "enters and inits with a host of interface 1.0; the entry is cheap",
     test_oldest_host},
    {"negotiation.oldest_use",
     "works with a host of interface 1.0, behind whose tables lies nothing", test_oldest_use},
    {"negotiation.newer_host", "enters with a host of a minor to come", test_newer_host},
    {"negotiation.broken_host", "refuses a host table that is null, too small or no multiple of 8",
     test_broken_host},
    {"negotiation.cut_tables",
     "refuses every table below the size of interface 1.0, and reads nothing behind it",
     test_cut_tables},
    {"negotiation.unknown_names", "NOT_FOUND for extensions and kinds it does not know",
     test_unknown_names},
};

}  // namespace

std::span<const Test> negotiation_tests() { return kTests; }

}  // namespace vernal::check
