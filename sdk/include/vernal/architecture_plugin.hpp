// An architecture plugin in C++ is a class derived from Architecture, its function table, and the
// entry of the plugin.
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

/// How well a plugin fits a file.
struct Probe {
  std::uint32_t score = 0;  // 0 (does not build it) to 100
  std::string reason;       // for listings and messages
};

/// What the core asks of a build.
struct BuildOptions {
  std::int64_t context_length = 0;     // positions; the deployment's, may exceed the file's
  std::vector<std::string> functions;  // wanted in addition to "main"
  std::vector<std::string> outputs;    // of "main", wanted beside its own: "hidden"
  std::int64_t first_layer = 0;        // inclusive
  std::int64_t last_layer = -1;        // inclusive; -1: the model's last layer
};

/// A compiler front end from metadata to module. It is stateless and pure: it uses no files,
/// threads, devices or clocks, and the same metadata gives the same module. An object is made for
/// each call, on the control thread. Methods throw Error; the core receives its status and text.
class Architecture {
 public:
  Architecture() = default;
  Architecture(const Architecture&) = delete;
  Architecture& operator=(const Architecture&) = delete;
  virtual ~Architecture() = default;

  /// Says how well this architecture fits a file.
  virtual Probe probe(const Metadata& metadata) const = 0;
  /// The hyperparameters as lines "name = value", for `vernal inspect`.
  virtual std::string describe(const Metadata& metadata) const = 0;
  /// Builds the module through `builder`, which checks each operation and notes the problems.
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
  for (std::uint64_t i = 0; i < in.num_outputs; ++i) {
    options.outputs.emplace_back(view(in.outputs[i]));
  }
  options.first_layer = in.first_layer;
  options.last_layer = in.last_layer;
  return options;
}

/// Runs `call` on an object that lives for this call.
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

/// The function table of T, a class derived from Architecture that is default-constructible. Store
/// it in a static variable of the plugin.
template <class T>
constexpr vernal_architecture_api architecture_table() {
  return {sizeof(vernal_architecture_api), detail::architecture_probe<T>,
          detail::architecture_describe<T>, detail::architecture_build<T>, detail::extension_of<T>};
}

}  // namespace vernal
