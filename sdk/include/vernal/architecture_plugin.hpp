// An architecture plugin in C++: a class derived from Architecture, its table, and the entry.
//
//   class Toy final : public vernal::Architecture { ... };
//   constexpr vernal_architecture_api kTable = vernal::architecture_table<Toy>();
//   VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.architecture = &kTable});
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vernal/abi/architecture.h"
#include "vernal/builder.hpp"
#include "vernal/detail/extension.hpp"
#include "vernal/host.hpp"
#include "vernal/metadata.hpp"

namespace vernal {

/// Whether a plugin builds a file: score 0 (no) to 100, and why.
struct Probe {
  std::uint32_t score = 0;
  std::string reason;
};

/// What the core asks of a build.
struct BuildOptions {
  std::int64_t context_length = 0;     // the deployment's; may exceed the file's
  std::vector<std::string> functions;  // wanted beside "main"
  std::int64_t first_layer = 0;        // inclusive
  std::int64_t last_layer = -1;        // inclusive; -1: to the end
};

/// A compiler front end from metadata to module. Stateless and pure: no files, threads, devices or
/// clocks; the same metadata gives the same module. An object lives for one call, on the control
/// thread. Methods throw Error; nothing leaves the plugin but its status and text.
class Architecture {
 public:
  Architecture() = default;
  Architecture(const Architecture&) = delete;
  Architecture& operator=(const Architecture&) = delete;
  virtual ~Architecture() = default;

  virtual Probe probe(const Metadata& metadata) const = 0;
  /// Hyperparameters as lines "name = value".
  virtual std::string describe(const Metadata& metadata) const = 0;
  virtual void build(const Metadata& metadata, const BuildOptions& options,
                     const Builder& builder) const = 0;
};

namespace detail {

inline BuildOptions read_build_options(const vernal_build_options* source) {
  const vernal_build_options in = copy_in(source);
  BuildOptions options;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  options.context_length = static_cast<std::int64_t>(std::min(in.context_length, kMost));
  for (std::uint64_t i = 0; i < in.num_functions; ++i) {
    options.functions.emplace_back(view(in.functions[i]));
  }
  options.first_layer = in.first_layer;
  options.last_layer = in.last_layer;
  return options;
}

/// One object for one call.
template <class T, class Call>
std::int32_t call_architecture(Call&& call) noexcept {
  return guard([&] {
    const T object;
    const Architecture& architecture = object;
    call(architecture);
  });
}

template <class T>
std::int32_t architecture_probe(vernal_metadata_ref metadata, std::uint32_t* out_score,
                                const vernal_sink* reason) noexcept {
  return call_architecture<T>([&](const Architecture& architecture) {
    const Probe probe = architecture.probe(Metadata(metadata));
    *out_score = std::min<std::uint32_t>(probe.score, 100);
    write(reason, probe.reason);
  });
}

template <class T>
std::int32_t architecture_describe(vernal_metadata_ref metadata, const vernal_sink* sink) noexcept {
  return call_architecture<T>([&](const Architecture& architecture) {
    write(sink, architecture.describe(Metadata(metadata)));
  });
}

template <class T>
std::int32_t architecture_build(vernal_metadata_ref metadata, const vernal_build_options* options,
                                vernal_builder_ref builder) noexcept {
  return call_architecture<T>([&](const Architecture& architecture) {
    architecture.build(Metadata(metadata), read_build_options(options), Builder(builder));
  });
}

}  // namespace detail

/// The table of architecture T, a default-constructible class derived from Architecture. Give it
/// static storage in the plugin.
template <class T>
constexpr vernal_architecture_api architecture_table() {
  return {sizeof(vernal_architecture_api), detail::architecture_probe<T>,
          detail::architecture_describe<T>, detail::architecture_build<T>, detail::extension_of<T>};
}

}  // namespace vernal
