#include "shared/state/kv_layout.hpp"

#include <string>

#include "vernal/error.hpp"

namespace vernal::backend {

std::optional<KvFormat> find_kv_format(std::string_view name) {
  if (name == "f16") return KvFormat::kF16;
  if (name == "q8_0") return KvFormat::kQ8_0;
  if (name == "q4_0") return KvFormat::kQ4_0;
  return std::nullopt;
}

std::int64_t KvLayout::code_bytes(KvFormat format, std::int64_t dim) {
  if (format == KvFormat::kF16) return kPageTokens * dim * 2;
  return format == KvFormat::kQ8_0 ? kPageTokens * dim : kPageTokens * dim / 2;
}

std::int64_t KvLayout::run_bytes(KvFormat format, std::int64_t dim) {
  const std::int64_t scales = has_codes(format) ? kPageTokens * (dim / kKvGroup) * 2 : 0;
  return code_bytes(format, dim) + scales;
}

namespace {

KvFormat require_format(const std::string& name) {
  const auto format = find_kv_format(name);
  if (!format) {
    throw Error(VERNAL_UNSUPPORTED,
                "KV format \"" + name +
                    "\": this backend stores \"f16\", \"q8_0\" and \"q4_0\", each of keys and "
                    "values by itself");
  }
  return *format;
}

void require_dim(const State& state, const std::string& name, std::int64_t dim,
                 std::int64_t float_step) {
  const std::int64_t step = has_codes(require_format(name)) ? kKvGroup : float_step;
  if (dim % step == 0) return;
  throw Error(VERNAL_UNSUPPORTED, state.name + ": a head of " + std::to_string(dim) + " in " +
                                      name + "; this backend needs a multiple of " +
                                      std::to_string(step));
}

/// How many numbers of a row are rotated together; 0: rows are not rotated. Only formats whose
/// codes share a scale gain from a rotation.
std::int64_t rotation_of(const State& state, const PlanOptions& options, KvFormat format,
                         std::int64_t dim) {
  if (!options.kv_rotate || !has_codes(format)) return 0;
  if (dim > kMostRotated) {
    throw Error(VERNAL_UNSUPPORTED, state.name + ": this backend rotates heads of at most " +
                                        std::to_string(kMostRotated) + ", found " +
                                        std::to_string(dim) + "; rotate = false stores them");
  }
  return rotation_block(dim);
}

}  // namespace

std::vector<KvLayout> kv_layouts(const Module& module, const PlanOptions& options,
                                 std::int64_t float_step) {
  const KvFormat keys = require_format(options.kv_keys_format);
  const KvFormat values = require_format(options.kv_values_format);
  std::vector<KvLayout> out(module.states.size());
  for (std::size_t i = 0; i < module.states.size(); ++i) {
    const State& state = module.states[i];
    if (state.kind != VERNAL_STATE_KV) continue;
    require_dim(state, options.kv_keys_format, state.key_dim, float_step);
    require_dim(state, options.kv_values_format, state.value_dim, float_step);
    out[i] = {state.num_heads,
              state.key_dim,
              state.value_dim,
              keys,
              values,
              rotation_of(state, options, keys, state.key_dim),
              rotation_of(state, options, values, state.value_dim)};
  }
  return out;
}

std::vector<std::int64_t> page_bytes_of(const std::vector<KvLayout>& layouts) {
  std::vector<std::int64_t> out;
  for (const KvLayout& layout : layouts) out.push_back(layout.page_bytes());
  return out;
}

}  // namespace vernal::backend
