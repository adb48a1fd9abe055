// How the keys and values of each state of a module are stored in pages.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/attention/kv_page.hpp"
#include "vernal/backend_types.hpp"
#include "vernal/module.hpp"

namespace vernal::cpu_avx2 {

/// By state of the module; empty for states that are no keys and values.
/// Errors  UNSUPPORTED: a storage format or a head size that this backend does not store
std::vector<KvLayout> kv_layouts(const Module& module, const PlanOptions& options);

/// Bytes that a page takes in each of them.
std::vector<std::int64_t> page_bytes_of(const std::vector<KvLayout>& layouts);

}  // namespace vernal::cpu_avx2
