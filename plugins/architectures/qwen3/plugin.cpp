// Entry of the qwen3 plugin.
#include "vernal/plugin.hpp"

#include "qwen3.hpp"

namespace {
constexpr vernal_architecture_api kTable =
    vernal::architecture_table<vernal::architectures::Qwen3>();
}

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.architecture = &kTable});
