// Group model, part two: an architecture builds the sample of what it provides, or the file of
// --model.
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <set>

#include "module/build_module.hpp"
#include "module/metadata_view.hpp"
#include "module/printer.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/models/tried_model.hpp"
#include "plugin_check/subject/plugin_under_test.hpp"
#include "plugin_check/subject/process_state.hpp"
#include "plugin_check/test.hpp"
#include "vernal/host.hpp"
#include "vernal/sink.hpp"

namespace vernal::check {
namespace {

ArchitecturePlugin architecture_of(PluginUnderTest& plugin) {
  return {plugin.library().name(), plugin.library().architecture(),
          [] { return plugin_host().last_error(); }};
}

const ModuleOptions kBuild{.context_length = 64, .functions = {}};

void test_probe(const Options& options) {
  PluginUnderTest plugin(options);
  const ArchitecturePlugin architecture = architecture_of(plugin);
  const TriedModel model(options, plugin.manifest());
  const ArchitectureProbe own = probe_architecture(architecture, model.input());
  expect(own.score > 0 && own.score <= 100,
         "probe of its own model: expected 1 to 100, found {}: {}", own.score, own.reason);
  expect(!own.reason.empty(), "probe: a score without a reason");
  SampleMetadata foreign;
  foreign.values["general.architecture"] = std::string("unheard_of");
  const MadeWeights none;
  const ArchitectureProbe other = probe_architecture(architecture, {foreign, none});
  expect(other.score == 0,
         "probe of a model of the architecture \"unheard_of\": expected 0, found {}", other.score);
}

void test_describe(const Options& options) {
  PluginUnderTest plugin(options);
  const TriedModel model(options, plugin.manifest());
  const std::string text = describe_architecture(architecture_of(plugin), model.input());
  expect(!text.empty(), "describe: expected lines \"name = value\", found nothing");
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    expect(line.empty() || line.find(" = ") != line.npos,
           "describe: expected \"name = value\", found \"{}\"", line);
    begin = end + 1;
  }
}

/// Modules of the model at short, usual and very long contexts. A plugin may refuse all but the
/// first.
std::vector<std::shared_ptr<const Module>> modules_by_context(
    const ArchitecturePlugin& architecture, const ArchitectureInput& model) {
  std::vector<std::shared_ptr<const Module>> modules;
  for (const std::uint64_t context_length : {64U, 8192U, 1U << 20U}) {
    ModuleOptions build = kBuild;
    build.context_length = context_length;
    try {
      modules.push_back(build_module(architecture, model, build).module);
    } catch (const Error&) {
      if (modules.empty()) throw;
    }
  }
  return modules;
}

void test_build(const Options& options) {
  PluginUnderTest plugin(options);
  const TriedModel model(options, plugin.manifest());
  const ArchitecturePlugin architecture = architecture_of(plugin);
  const std::uint64_t threads = count_threads();
  const std::uint64_t descriptors = count_descriptors();
  const auto modules = modules_by_context(architecture, model.input());
  // Some models choose between two weights by the context length.
  const auto unused = unused_tensors(modules, model.input().weights);
  expect(unused.empty(), "the module leaves tensors of the file unused at every context length: {}",
         fmt::join(unused, ", "));
  expect(count_threads() == threads && count_descriptors() == descriptors,
         "build started threads or opened descriptors: an architecture is pure");
  const bool has_logits = std::ranges::any_of(modules[0]->functions[0].nodes, [](const Node& node) {
    return node.op == "vernal.output/1" && node.text("name", "") == "logits";
  });
  expect(has_logits, "the function \"main\" has no output \"logits\"");
}

/// Whether the plugin answers a model it may not like by a status; the text must say why.
void check_answer(const ArchitecturePlugin& architecture, const std::string& what,
                  const MetadataSource& metadata, const WeightDirectory& weights) {
  MetadataView view(metadata, weights);
  ModuleBuilder builder(architecture.name, weights);
  vernal_build_options build{};
  build.struct_size = sizeof(build);
  build.context_length = 64;
  build.last_layer = -1;
  std::string text;
  const vernal_sink sink = append_to(text);
  std::uint32_t score = 0;
  const auto check = [&](const char* name, const std::function<std::int32_t()>& function) {
    plugin_host().set_error(VERNAL_OK, {});
    const std::int32_t status = call(fmt::format("{} of {}", name, what), function);
    expect(status == VERNAL_OK || !plugin_host().last_error().empty(),
           "{} of {}: {} without a text that says why", name, what, status_name(status));
    expect(status_name(status) != "UNKNOWN", "{} of {}: status {}", name, what, status);
  };
  check("probe", [&] { return architecture.api.probe(view.ref(), &score, &sink); });
  check("describe", [&] { return architecture.api.describe(view.ref(), &sink); });
  check("build", [&] { return architecture.api.build(view.ref(), &build, builder.ref()); });
}

/// Values that no model has, for each key.
std::vector<MetadataValue> bad_values() {
  return {std::int64_t{0},
          std::int64_t{-1},
          std::int64_t{7},
          std::numeric_limits<std::int64_t>::max(),
          std::numeric_limits<std::int64_t>::min(),
          0.0,
          std::numeric_limits<double>::quiet_NaN(),
          std::numeric_limits<double>::infinity(),
          true,
          std::string("nonsense"),
          std::vector<std::int64_t>{},
          std::vector<std::int64_t>(3, -5)};
}

void test_bad_metadata(const Options& options) {
  PluginUnderTest plugin(options);
  const ArchitecturePlugin architecture = architecture_of(plugin);
  const TriedModel model(options, plugin.manifest());
  const WeightDirectory& weights = model.input().weights;
  ChangedMetadata metadata(model.input().metadata);
  check_answer(architecture, "the model", metadata, weights);
  std::set<std::string, std::less<>> tried;
  // A changed key may make it ask for others.
  while (tried.size() < metadata.asked().size()) {
    std::vector<std::string> keys;
    std::ranges::set_difference(metadata.asked(), tried, std::back_inserter(keys));
    for (const std::string& key : keys) {
      tried.insert(key);
      metadata.change(key, std::nullopt);
      check_answer(architecture, fmt::format("a model without \"{}\"", key), metadata, weights);
      int index = 0;
      for (const MetadataValue& bad : bad_values()) {
        metadata.change(key, bad);
        check_answer(architecture,
                     fmt::format("a model whose \"{}\" is bad value {}", key, index++), metadata,
                     weights);
      }
    }
  }
  const MadeWeights none;
  check_answer(architecture, "a model without tensors", model.input().metadata, none);
}

constexpr Test kTests[] = {
    {"model.probe", "knows its own model, and no other", test_probe, kArchitectures},
    {"model.describe", "lines \"name = value\"", test_describe, kArchitectures},
    {"model.build", "a sound module that uses every tensor, the same for the same model",
     test_build, kArchitectures},
    {"model.bad_metadata", "missing and senseless keys are answered with a status and a text",
     test_bad_metadata, kArchitectures, 0, 60},
};

}  // namespace

std::string module_text(const Options& options) {
  PluginUnderTest plugin(options);
  const TriedModel model(options, plugin.manifest());
  return dump_module(*build_module(architecture_of(plugin), model.input(), kBuild).module);
}

std::span<const Test> architecture_tests() { return kTests; }

}  // namespace vernal::check
