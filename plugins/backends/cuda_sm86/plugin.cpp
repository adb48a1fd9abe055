// cuda_sm86: runs models on NVIDIA devices of compute capability 8.6 and newer.
#include "vernal/plugin.hpp"

#include <array>

#include "backend.hpp"
#include "vernal/backend_plugin.hpp"

namespace vernal::cuda_sm86 {
namespace {

constexpr vernal_backend_api kBackendTable = backend_table<CudaBackend>();

constexpr std::array<vernal_config_row, 3> kRows{
    to_abi({.path = "device",
            .type = VERNAL_CONFIG_INT,
            .help = "Number of the device, as the CUDA runtime counts them: CUDA_VISIBLE_DEVICES "
                    "and CUDA_DEVICE_ORDER have their usual meaning.",
            .default_value = "0",
            .minimum = 0,
            .maximum = 63}),
    to_abi({.path = "sync_every_node",
            .type = VERNAL_CONFIG_BOOL,
            .help = "Waits for the device after every node of a step, so that an error of the "
                    "device names the node. Slow; to look for a fault.",
            .default_value = "false"}),
    to_abi({.path = "fuse_nodes",
            .type = VERNAL_CONFIG_BOOL,
            .help =
                "Computes nodes that follow each other in one launch where a kernel can. Results "
                "have the same bits either way; false is slow, to look for a fault.",
            .default_value = "true"}),
};

}  // namespace
}  // namespace vernal::cuda_sm86

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.backend = &vernal::cuda_sm86::kBackendTable,
                                              .backend_rows = vernal::cuda_sm86::kRows});
