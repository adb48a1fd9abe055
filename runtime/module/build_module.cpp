#include "module/build_module.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "module/metadata_view.hpp"
#include "module/problem.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

/// Collects what a plugin writes, up to a bound, so that a plugin that never stops writing does not
/// fill the memory.
class TextSink {
 public:
  vernal_sink sink() noexcept { return {&TextSink::write, this}; }
  std::string text;

 private:
  static constexpr std::uint64_t kMostBytes = 1U << 20U;

  static std::int32_t write(void* user, const void* data, std::uint64_t size) noexcept {
    auto& self = *static_cast<TextSink*>(user);
    if (size > kMostBytes - self.text.size()) return VERNAL_RESOURCE_EXHAUSTED;
    try {
      self.text.append(static_cast<const char*>(data), size);
    } catch (...) {
      return VERNAL_RESOURCE_EXHAUSTED;
    }
    return VERNAL_OK;
  }
};

std::string error_text(const ArchitecturePlugin& plugin, std::int32_t status) {
  std::string text = plugin.last_error ? plugin.last_error() : std::string();
  if (text.empty()) text = status_name(status);
  return text;
}

void check(const ArchitecturePlugin& plugin, std::int32_t status, std::string_view doing) {
  if (status == VERNAL_OK) return;
  throw Error(status, fmt::format("architecture \"{}\", {}: {}", plugin.name, doing,
                                  error_text(plugin, status)));
}

/// The options as the interface wants them. Borrows `options`.
struct AbiOptions {
  explicit AbiOptions(const ModuleOptions& options) {
    for (const std::string& function : options.functions) functions.push_back(to_str(function));
    abi.struct_size = sizeof(abi);
    abi.context_length = options.context_length;
    abi.functions = functions.data();
    abi.num_functions = functions.size();
    for (const std::string& output : options.outputs) outputs.push_back(to_str(output));
    abi.outputs = outputs.data();
    abi.num_outputs = outputs.size();
    abi.first_layer = options.first_layer;
    abi.last_layer = options.last_layer;
  }
  std::vector<vernal_str> functions;
  std::vector<vernal_str> outputs;
  vernal_build_options abi{};
};

/// Throws all problems as one error. The plugin's own text comes last, because it is often a
/// consequence of the problems.
[[noreturn]] void refuse(const ArchitecturePlugin& plugin, const std::vector<Problem>& problems,
                         std::string_view plugin_text) {
  std::string text =
      fmt::format("architecture \"{}\" cannot build this model, {} problem{}:\n{}", plugin.name,
                  problems.size(), problems.size() == 1 ? "" : "s", list_problems(problems));
  if (!plugin_text.empty()) text += fmt::format("\n  the plugin ended with: {}", plugin_text);
  throw Error(VERNAL_INVALID_ARGUMENT, text);
}

BuiltModule build_once(const ArchitecturePlugin& plugin, const ArchitectureInput& model,
                       const ModuleOptions& options) {
  const MetadataView metadata(model.metadata, model.weights);
  const AbiOptions abi_options(options);
  ModuleBuilder builder(plugin.name, model.weights);
  const std::int32_t status = plugin.api.build(metadata.ref(), &abi_options.abi, builder.ref());
  if (status != VERNAL_OK) {
    const std::string text = error_text(plugin, status);
    if (!builder.problems().empty()) refuse(plugin, builder.problems(), text);
    throw Error(status,
                fmt::format("architecture \"{}\" cannot build this model: {}", plugin.name, text));
  }
  auto module = std::make_shared<Module>(builder.finish());
  if (!builder.problems().empty()) refuse(plugin, builder.problems(), {});
  return {std::move(module), builder.hints()};
}

}  // namespace

ArchitectureProbe probe_architecture(const ArchitecturePlugin& plugin,
                                     const ArchitectureInput& model) {
  const MetadataView metadata(model.metadata, model.weights);
  TextSink reason;
  const vernal_sink sink = reason.sink();
  ArchitectureProbe probe;
  check(plugin, plugin.api.probe(metadata.ref(), &probe.score, &sink), "probe");
  probe.reason = std::move(reason.text);
  return probe;
}

std::string describe_architecture(const ArchitecturePlugin& plugin,
                                  const ArchitectureInput& model) {
  const MetadataView metadata(model.metadata, model.weights);
  TextSink description;
  const vernal_sink sink = description.sink();
  check(plugin, plugin.api.describe(metadata.ref(), &sink), "describe");
  return std::move(description.text);
}

BuiltModule build_module(const ArchitecturePlugin& plugin, const ArchitectureInput& model,
                         const ModuleOptions& options) {
  BuiltModule first = build_once(plugin, model, options);
  const BuiltModule second = build_once(plugin, model, options);
  if (first.module->fingerprint != second.module->fingerprint || first.hints != second.hints) {
    throw Error(VERNAL_INTERNAL,
                fmt::format("architecture \"{}\" is not pure: two builds of the same model differ",
                            plugin.name));
  }
  return first;
}

std::vector<std::string> unused_tensors(const std::vector<std::shared_ptr<const Module>>& modules,
                                        const WeightDirectory& weights) {
  std::set<std::string_view> used;
  for (const auto& module : modules) {
    for (const Weight& weight : module->weights) used.insert(weight.name);
  }
  std::vector<std::string> unused;
  for (std::string& name : weights.names()) {
    if (!used.contains(name)) unused.push_back(std::move(name));
  }
  return unused;
}

}  // namespace vernal
