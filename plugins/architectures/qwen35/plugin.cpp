// Entry of the qwen35 plugin.
#include "vernal/plugin.hpp"

#include "qwen35.hpp"

namespace {
constexpr vernal_architecture_api kTable =
    vernal::architecture_table<vernal::architectures::Qwen35>();
}

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.architecture = &kTable});
