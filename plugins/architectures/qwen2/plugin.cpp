// Entry of the qwen2 plugin.
#include "vernal/plugin.hpp"

#include "qwen2.hpp"

namespace {
constexpr vernal_architecture_api kTable =
    vernal::architecture_table<vernal::architectures::Qwen2>();
}

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.architecture = &kTable});
