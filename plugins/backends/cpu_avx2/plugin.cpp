// cpu_avx2: runs models on processors with AVX2, FMA and F16C, faster on those with more.
#include "vernal/plugin.hpp"

#include <array>

#include "backend.hpp"
#include "vernal/backend_plugin.hpp"

namespace vernal::cpu_avx2 {
namespace {

constexpr vernal_backend_api kBackendTable = backend_table<CpuBackend>();

constexpr std::array<vernal_config_row, 4> kRows{
    to_abi({.path = "threads",
            .type = VERNAL_CONFIG_INT,
            .help = "Threads that compute, the engine's own included. Default: one for each core "
                    "this process may use, and no more than a container's quota pays for.",
            .minimum = 1,
            .maximum = 1024}),
    to_abi({.path = "affinity",
            .type = VERNAL_CONFIG_INT_LIST,
            .help = "Cores to bind threads to: thread i, from 1 on, to the number at i modulo the "
                    "length of the list. Thread 0 is the engine's and stays free.",
            .minimum = 0,
            .maximum = 1023}),
    to_abi({.path = "isa",
            .type = VERNAL_CONFIG_ENUM,
            .help =
                "Instruction set of the kernels. All give the same bits; \"auto\" takes the best "
                "that this processor has.",
            .default_value = "\"auto\"",
            .choices = "auto|avx2|avx_vnni|avx512_vnni"}),
    to_abi({.path = "repack",
            .type = VERNAL_CONFIG_ENUM,
            .help =
                "Which weights are copied into the order of the kernels. \"auto\": those that are "
                "multiplied. \"never\": none; steps pack what they need, which is slower, and the "
                "weights are pages of the file. \"always\": all, so that nothing is read of the "
                "file later. All give the same bits.",
            .default_value = "\"auto\"",
            .choices = "auto|never|always"}),
};

}  // namespace
}  // namespace vernal::cpu_avx2

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.backend = &vernal::cpu_avx2::kBackendTable,
                                              .backend_rows = vernal::cpu_avx2::kRows});
