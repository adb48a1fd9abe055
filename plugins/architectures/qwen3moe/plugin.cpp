// Entry of the qwen3moe plugin.
#include "vernal/plugin.hpp"

#include "qwen3moe.hpp"

namespace {
constexpr vernal_architecture_api kTable =
    vernal::architecture_table<vernal::architectures::Qwen3Moe>();
}

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.architecture = &kTable});
