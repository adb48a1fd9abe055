#include "plugin/architecture_client.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "vernal/host.hpp"
#include "vernal/sink.hpp"

namespace vernal::plugin {

ArchitecturePlugin::ArchitecturePlugin(const vernal_architecture_api& api, std::string name)
    : api_(api), name_(std::move(name)) {}

void ArchitecturePlugin::check(std::int32_t status, std::string_view what) const {
  if (status == VERNAL_OK) return;
  throw Error(status, fmt::format("architecture {}: {}: {}", name_, what,
                                  plugin_host().take_error(status)));
}

Probe ArchitecturePlugin::probe(vernal_metadata_ref metadata) const {
  Probe result;
  const vernal_sink reason = append_to(result.reason);
  check(api_.probe(metadata, &result.score, &reason), "probe");
  if (result.score > 100) {
    throw Error(VERNAL_INTERNAL,
                fmt::format("architecture {}: probe expected a score of 0 to 100, found {}", name_,
                            result.score));
  }
  return result;
}

std::string ArchitecturePlugin::describe(vernal_metadata_ref metadata) const {
  std::string text;
  const vernal_sink sink = append_to(text);
  check(api_.describe(metadata, &sink), "describe");
  return text;
}

void ArchitecturePlugin::build(vernal_metadata_ref metadata, const BuildOptions& options,
                               vernal_builder_ref builder) const {
  std::vector<vernal_str> functions;
  for (const std::string& function : options.functions) functions.push_back(to_str(function));
  vernal_build_options raw{};
  raw.struct_size = sizeof(raw);
  raw.context_length = static_cast<std::uint64_t>(options.context_length);
  raw.functions = functions.data();
  raw.num_functions = functions.size();
  raw.first_layer = options.first_layer;
  raw.last_layer = options.last_layer;
  check(api_.build(metadata, &raw, builder), "build");
}

}  // namespace vernal::plugin
