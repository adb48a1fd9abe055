// Entry of the qwen35moe plugin.
#include "vernal/plugin.hpp"

#include "qwen35moe.hpp"

namespace {
constexpr vernal_architecture_api kTable =
    vernal::architecture_table<vernal::architectures::Qwen35Moe>();
}

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.architecture = &kTable});
