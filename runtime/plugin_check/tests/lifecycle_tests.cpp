// Group lifecycle: what a plugin leaves behind, how soon it obeys, what it asks of its operator.
#include <chrono>
#include <set>
#include <thread>

#include "plugin_check/finding.hpp"
#include "plugin_check/models/tiny_model.hpp"
#include "plugin_check/subject/mock_engine.hpp"
#include "plugin_check/subject/process_state.hpp"
#include "plugin_check/subject/whole_use.hpp"
#include "plugin_check/test.hpp"
#include "vernal/host.hpp"

namespace vernal::check {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUps = 3;
constexpr int kUses = 20;

/// Uses the plugin a few times first: allocators and locales take their memory then.
void warm_up(PluginUnderTest& plugin) {
  for (int i = 0; i < kWarmUps; ++i) use_once(plugin);
}

void test_threads(const Options& options) {
  PluginUnderTest plugin(options);
  warm_up(plugin);
  // Threads of the process before its first use are the mock engine's.
  const std::uint64_t before = count_threads();
  for (int i = 0; i < kUses; ++i) use_once(plugin);
  const std::uint64_t after = settled_threads(before);
  expect(after <= before, "{} uses left {} threads running; join them in close or stop", kUses,
         after - before);
  const bool is_frontend = plugin.manifest().has_kind(VERNAL_KIND_FRONTEND);
  const std::uint64_t own = is_frontend ? 2 : 1;
  expect(after <= own, "a use left {} threads running; join them in close or stop", after - own);
}

void test_descriptors(const Options& options) {
  PluginUnderTest plugin(options);
  warm_up(plugin);
  const std::uint64_t before = count_descriptors();
  for (int i = 0; i < kUses; ++i) use_once(plugin);
  const std::uint64_t after = count_descriptors();
  expect(after <= before, "{} uses left {} descriptors open", kUses, after - before);
}

void test_memory(const Options& options) {
  constexpr int kManyUses = 150;
  // A page for each use is what a small leak needs; noise of the allocator stays below.
  constexpr std::uint64_t kMostBytes = std::uint64_t{4096} * kManyUses;
  PluginUnderTest plugin(options);
  for (int i = 0; i < kManyUses / 3; ++i) use_once(plugin);
  const std::uint64_t before = resident_bytes();
  for (int i = 0; i < kManyUses; ++i) use_once(plugin);
  const std::uint64_t after = resident_bytes();
  expect(after <= before + kMostBytes,
         "{} uses from open to close made resident memory grow by {} KiB; expected at most {}",
         kManyUses, (after - before) / 1024, kMostBytes / 1024);
}

void test_step_memory(const Options& options) {
  constexpr int kSteps = 4000;
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 20;
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  const MadeModule made = make_least_module();
  Session session(backend, made);
  RandomNumbers random(1);
  std::uint64_t before = 0;
  for (int i = 0; i < kSteps; ++i) {
    const vernal_sequence_id sequence = session.start(4);
    session.step({{sequence, 2}}, make_data(made, {2}, {0}, random), "hidden");
    session.pool().seq_release(sequence);
    if (i == kSteps / 2) before = resident_bytes();
  }
  const std::uint64_t after = resident_bytes();
  expect(after <= before + kMostBytes,
         "{} steps made resident memory grow by {} KiB; after pool_create a step allocates nothing",
         kSteps / 2, (after - before) / 1024);
}

void test_settings(const Options& options) {
  PluginUnderTest plugin(options);
  const std::string before = process_settings();
  use_once(plugin);
  const std::string after = process_settings();
  expect(before == after, "it changed what belongs to the process\nbefore:\n{}after:\n{}", before,
         after);
}

/// A step that fails. A plugin explains it by set_error, not on the terminal.
void fail_once(PluginUnderTest& plugin) {
  plugin::BackendInstance backend = open_backend(plugin);
  const MadeModule made = make_least_module();
  Session session(backend, made);
  RandomNumbers random(1);
  StepData data = make_data(made, {2}, {0}, random);
  data.integers["ids"] = {1, -1};
  try {
    session.step({{session.start(4), 2}}, data, "hidden");
  } catch (const Error&) {
  }
}

void test_output(const Options& options) {
  std::string text;
  {
    const CapturedOutput captured;
    PluginUnderTest plugin(options);
    use_once(plugin);
    if (plugin.manifest().has_kind(VERNAL_KIND_BACKEND)) fail_once(plugin);
    text = captured.text();
  }
  expect(text.empty(), "it wrote to standard output or standard error, which are not its own: {}",
         text);
}

void test_order(const Options& options) {
  PluginUnderTest plugin(options, PluginUnderTest::Start::kOpenOnly);
  const std::uint64_t threads = count_threads();
  for (const std::uint32_t kind :
       {VERNAL_KIND_BACKEND, VERNAL_KIND_ARCHITECTURE, VERNAL_KIND_FRONTEND}) {
    if (plugin.manifest().has_kind(kind)) plugin.library().config_schema(kind);
  }
  plugin.library().init();
  use_once(plugin);
  plugin.library().shutdown();
  expect(settled_threads(threads) <= threads, "after shutdown {} threads run that did not before",
         count_threads() - threads);
}

// ---- configuration ------------------------------------------------------------------------------

void check_row(const vernal_config_row& row, std::set<std::string>& paths) {
  const std::string path(view(row.path));
  expect(paths.insert(path).second, "row \"{}\" stands twice", path);
  expect(row.type >= VERNAL_CONFIG_BOOL && row.type <= VERNAL_CONFIG_TABLE,
         "row \"{}\": type {} is not known", path, row.type);
  expect(row.help.size != 0, "row \"{}\": expected a sentence of help, found none", path);
  expect((row.type == VERNAL_CONFIG_ENUM) == (row.choices.size != 0),
         "row \"{}\": choices belong to an ENUM, and an ENUM has choices", path);
  const bool is_required = (row.flags & VERNAL_CONFIG_REQUIRED) != 0;
  expect(!is_required || row.default_value.size == 0, "row \"{}\" is required and has a default",
         path);
}

void test_schema(const Options& options) {
  PluginUnderTest plugin(options);
  for (const std::uint32_t kind :
       {VERNAL_KIND_BACKEND, VERNAL_KIND_ARCHITECTURE, VERNAL_KIND_FRONTEND}) {
    if (!plugin.manifest().has_kind(kind)) continue;
    std::set<std::string> paths;
    for (const vernal_config_row& row : plugin.library().config_schema(kind)) {
      check_row(row, paths);
    }
    plugin.config(kind);  // defaults are TOML and keep their own bounds
  }
}

// ---- loading a backend --------------------------------------------------------------------------

/// Many weights that come slowly.
class SlowStore final : public plugin::WeightStore {
 public:
  explicit SlowStore(const MadeModule& made) : store_(made) {}
  void read(std::uint64_t index, std::uint64_t offset, std::span<std::byte> out) override {
    std::this_thread::sleep_for(kDelay);
    store_.read(index, offset, out);
  }
  std::span<const std::byte> map(std::uint64_t index) override {
    std::this_thread::sleep_for(kDelay);
    return store_.map(index);
  }
  void unmap(std::uint64_t index) override { store_.unmap(index); }

 private:
  static constexpr std::chrono::milliseconds kDelay{50};
  MadeStore store_;
};

MadeModule make_module_of_many_weights() {
  constexpr std::int64_t kMaps = 60;
  RandomNumbers random(3);
  MadeWeights weights;
  weights.add("embedding", {kVocabulary, kHidden}, random, 1.0);
  for (std::int64_t i = 0; i < kMaps; ++i) {
    weights.add("map." + std::to_string(i), {kHidden, kHidden}, random);
  }
  return make_module(std::move(weights), [&](const Builder& b) {
    const Tensor ids = b.input("ids", Element::kI32, {kTokens});
    Tensor x = b.embed(ids, b.weight("embedding", {kVocabulary, kHidden}));
    for (std::int64_t i = 0; i < kMaps; ++i) {
      const std::string name = "map." + std::to_string(i);
      x = b.linear(name, x, b.weight(name, {kHidden, kHidden}), {}, Element::kF32);
    }
    b.output("hidden", x, "all");
  });
}

void test_cancel(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  const MadeModule made = make_module_of_many_weights();
  plugin::BackendPlan plan = backend.plan(made.ref(), small_plan());
  SlowStore store(made);
  std::optional<Clock::time_point> cancelled;
  std::int32_t status = VERNAL_OK;
  try {
    plan.build(store, [&](std::uint64_t, std::uint64_t) {
      if (!cancelled) cancelled = Clock::now();
      return false;
    });
  } catch (const Error& error) {
    status = error.code();
  }
  expect(cancelled.has_value(), "a load of 3 s: expected progress every 100 ms, found none");
  const std::chrono::duration<double> took = Clock::now() - *cancelled;
  expect(status == VERNAL_CANCELLED, "a load whose progress answers CANCELLED: found {}",
         status_name(status));
  expect(took.count() <= 1.0, "a cancelled load: expected an end within 1 s, found {:.1f} s",
         took.count());
}

/// Fails from the third weight on.
class FailingStore final : public plugin::WeightStore {
 public:
  explicit FailingStore(const MadeModule& made) : store_(made) {}
  void read(std::uint64_t index, std::uint64_t offset, std::span<std::byte> out) override {
    require(index);
    store_.read(index, offset, out);
  }
  std::span<const std::byte> map(std::uint64_t index) override {
    require(index);
    return store_.map(index);
  }
  void unmap(std::uint64_t index) override { store_.unmap(index); }

 private:
  static void require(std::uint64_t index) {
    if (index >= 2) throw Error(VERNAL_UNAVAILABLE, "the file is gone");
  }
  MadeStore store_;
};

void test_failed_load(const Options& options) {
  PluginUnderTest plugin(options);
  use_once(plugin);
  plugin::BackendInstance backend = open_backend(plugin);
  const MadeModule made = make_module_of_many_weights();
  plugin::BackendPlan plan = backend.plan(made.ref(), small_plan());
  const std::uint64_t threads = count_threads();
  const std::uint64_t descriptors = count_descriptors();
  FailingStore failing(made);
  std::int32_t status = VERNAL_OK;
  try {
    plan.build(failing, {});
  } catch (const Error& error) {
    status = error.code();
  }
  expect(status == VERNAL_UNAVAILABLE,
         "a weight source that answers UNAVAILABLE: expected that of the build, found {}",
         status_name(status));
  expect(settled_threads(threads) <= threads, "a failed load left threads running");
  expect(count_descriptors() <= descriptors, "a failed load left descriptors open");
  use_once(plugin);
}

/// The store's pages cannot be read after unmap: a backend that does it ends here.
void test_weights(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  const MadeModule made = make_tiny_model(Memory::kFull);
  Session session(backend, made);
  feed(session, session.start(8), tokens(1, 8), 0);
}

constexpr Test kTests[] = {
    {"lifecycle.order", "opens, tells its schema, inits, works, shuts down; no thread stays",
     test_order},
    {"lifecycle.threads", "every thread ends with the instance that started it", test_threads},
    {"lifecycle.descriptors", "every descriptor is closed with the instance that opened it",
     test_descriptors},
    {"lifecycle.memory", "uses from open to close do not make the process grow", test_memory,
     kEveryKind, 0, 120},
    {"lifecycle.step_memory", "steps do not make the process grow", test_step_memory, kBackends, 0,
     60},
    {"lifecycle.settings",
     "signal handlers, locale, folder, environment and floating-point modes stay as they are",
     test_settings},
    {"lifecycle.output", "nothing is written to standard output or standard error", test_output,
     kBackends | kArchitectures},
    {"lifecycle.schema", "rows with help, known types, choices for ENUM, defaults that fit",
     test_schema},
    {"lifecycle.cancel", "progress is reported while loading; a cancelled load ends within 1 s",
     test_cancel, kBackends},
    {"lifecycle.weights", "mapped weights are not read after unmap, nor written", test_weights,
     kBackends},
    {"lifecycle.failed_load", "a load that fails leaves nothing, and the next one works",
     test_failed_load, kBackends},
};

/// Reports only that --set does not fit the schema. Tests find everything else.
void try_settings(const Options& options) {
  try {
    PluginUnderTest plugin(options, PluginUnderTest::Start::kOpenOnly);
    for (const std::uint32_t kind : {VERNAL_KIND_BACKEND, VERNAL_KIND_FRONTEND}) {
      if (!plugin.manifest().has_kind(kind)) continue;
      try {
        plugin.config(kind);
      } catch (const Error& error) {
        if (error.code() == VERNAL_INVALID_ARGUMENT) throw Finding(error.what());
      }
    }
  } catch (const Error&) {
  }
}

constexpr Test kSettingsTest{"settings", "--set fits the plugin's schema", try_settings};

}  // namespace

const Test& settings_test() { return kSettingsTest; }

std::span<const Test> lifecycle_tests() { return kTests; }

}  // namespace vernal::check
