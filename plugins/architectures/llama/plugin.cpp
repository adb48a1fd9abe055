// Entry of the llama plugin.
#include "vernal/plugin.hpp"

#include "llama.hpp"

namespace {
constexpr vernal_architecture_api kTable =
    vernal::architecture_table<vernal::architectures::Llama>();
}

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.architecture = &kTable});
