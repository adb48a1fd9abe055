// Entry of the gemma3 plugin.
#include "vernal/plugin.hpp"

#include "gemma3.hpp"

namespace {
constexpr vernal_architecture_api kTable =
    vernal::architecture_table<vernal::architectures::Gemma3>();
}

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.architecture = &kTable});
