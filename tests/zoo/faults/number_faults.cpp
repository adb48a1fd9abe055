// Faults that give wrong numbers.
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <vector>

#include "module_change.hpp"
#include "step_change.hpp"
#include "zoo.hpp"

namespace zoo {
namespace {

void always_wrong(Tables& t) {
  change_outputs(t, [](const StepFacts&, Numbers& numbers) {
    for (std::uint64_t r = 0; r < numbers.rows(); ++r) numbers.scale(r, 1.05F);
  });
}

void wrong_at_1(Tables& t) {
  change_outputs(t, [](const StepFacts& facts, Numbers& numbers) {
    if (facts.num_tokens == 1) numbers.scale(0, 1.05F);
  });
}

void wrong_at_65(Tables& t) {
  change_outputs(t, [](const StepFacts& facts, Numbers& numbers) {
    if (facts.num_tokens == 65) numbers.scale(numbers.rows() - 1, 0.0F);
  });
}

void wrong_at_3(Tables& t) {
  change_outputs(t, [](const StepFacts& facts, Numbers& numbers) {
    if (facts.num_tokens == 3) numbers.scale(0, 1.05F);
  });
}

/// The last bits depend on where chunks end, although the pool says that they do not.
void depends_on_chunks(Tables& t) {
  change_outputs(t, [](const StepFacts& facts, Numbers& numbers) {
    if (facts.num_tokens == 3) numbers.scale(0, 1.000001F);
  });
}

void nan_on_zero_row(Tables& t) {
  change_outputs(t, [](const StepFacts& facts, Numbers& numbers) {
    for (std::uint64_t r = 0; r < facts.is_zero_row.size() && r < numbers.rows(); ++r) {
      if (facts.is_zero_row[r]) numbers.scale(r, std::numeric_limits<float>::quiet_NaN());
    }
  });
}

void depends_on_mates(Tables& t) {
  change_outputs(t, [](const StepFacts& facts, Numbers& numbers) {
    if (facts.parts.size() < 2) return;
    for (std::uint64_t r = 0; r < numbers.rows(); ++r) numbers.scale(r, 1.0001F);
  });
}

/// What sums of products of 8-bit codes become in 32 bits: both factors are 127 here.
void overflows(Tables& t) {
  change_outputs(t, [](const StepFacts&, Numbers& numbers) {
    constexpr double kProduct = 127.0 * 127.0;
    for (float& v : numbers.values) {
      const double sum = static_cast<double>(v) * kProduct;
      if (std::fabs(sum) < 0x1p31 || !std::isfinite(sum)) continue;
      const auto wrapped =
          static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::int64_t>(sum)));
      v = static_cast<float>(wrapped / kProduct);
    }
  });
}

// ---- what a module says, read wrongly -----------------------------------------------------------

void ignores_attribute(Tables& t) {
  change_nodes(t, [](ReadNode& node) { node.drop("unheard_of"); });
}

void window_off_by_one(Tables& t) {
  change_windows(t, [](vernal_state_desc& state, std::vector<std::int64_t>) {
    if (state.window > 0) state.window += 1;
  });
}

void any_operation(Tables& t) {
  read_wrongly(t, [](vernal_module_api& api) {
    api.node = [](const vernal_module* m, std::uint64_t f, std::uint64_t i, vernal_node_view* out) {
      constexpr std::string_view kKnown = "vernal.linear/1";
      const std::int32_t status = true_module().node(m, f, i, out);
      // It compares the name without the revision.
      if (status == VERNAL_OK &&
          std::string_view(out->op.data, out->op.size) == "vernal.linear/2") {
        out->op = {kKnown.data(), kKnown.size()};
      }
      return status;
    };
  });
}

/// What it does not know it takes for plain floats.
void any_format(Tables& t) {
  read_wrongly(t, [](vernal_module_api& api) {
    api.weight = [](const vernal_module* m, std::uint64_t i, vernal_weight_view* out) {
      constexpr std::string_view kPlain = "f32";
      const std::int32_t status = true_module().weight(m, i, out);
      if (status == VERNAL_OK && std::string_view(out->format.data, out->format.size) == "f99") {
        out->format = {kPlain.data(), kPlain.size()};
      }
      return status;
    };
  });
}

// ---- weights ------------------------------------------------------------------------------------

std::set<std::uint64_t>& misread_weights() {
  static std::set<std::uint64_t> indices;
  return indices;
}

/// Reads the codes of q5_0 as if their fifth bits were not there.
void misreads_format(Tables& t) {
  t.backend.plan = [](vernal_backend* backend, vernal_module_ref module,
                      const vernal_plan_options* options, vernal_plan** out) {
    misread_weights().clear();
    vernal_weight_view weight{};
    weight.struct_size = sizeof(weight);
    for (std::uint64_t i = 0; module.api->weight(module.module, i, &weight) == VERNAL_OK; ++i) {
      const std::string_view format(weight.format.data, weight.format.size);
      if (format == "ggml.q5_0/1") misread_weights().insert(i);
      weight.struct_size = sizeof(weight);
    }
    return sound().backend.plan(backend, module, options, out);
  };
  t.backend.program_build = [](vernal_plan* plan, const vernal_weight_source* source,
                               const vernal_progress* progress, vernal_program** out) {
    static vernal_weight_source true_source;
    true_source = *source;
    vernal_weight_source read = *source;
    read.map = [](void* user, std::uint64_t index, const void** data, std::uint64_t* bytes) {
      const std::int32_t status = true_source.map(user, index, data, bytes);
      if (status != VERNAL_OK || !misread_weights().contains(index)) return status;
      constexpr std::uint64_t kBlock = 22;
      static std::vector<unsigned char> copy;
      const auto* begin = static_cast<const unsigned char*>(*data);
      copy.assign(begin, begin + *bytes);
      for (std::uint64_t at = 0; at + kBlock <= copy.size(); at += kBlock) {
        std::memset(copy.data() + at + 2, 0, 4);
      }
      *data = copy.data();
      return status;
    };
    return sound().backend.program_build(plan, &read, progress, out);
  };
}

// ---- rotation -----------------------------------------------------------------------------------

bool is_rotated = false;

/// Takes keys and values turned by a Hadamard matrix and gives its results without turning back.
void rotation_not_undone(Tables& t) {
  change_outputs(t, [](const StepFacts&, Numbers& numbers) {
    constexpr std::uint64_t kBlock = 16;
    if (!is_rotated || numbers.columns % kBlock != 0) return;
    for (std::uint64_t at = 0; at < numbers.values.size(); at += kBlock) {
      for (std::uint64_t half = 1; half < kBlock; half *= 2) {
        for (std::uint64_t i = 0; i < kBlock; ++i) {
          if ((i & half) != 0) continue;
          float& a = numbers.values[at + i];
          float& b = numbers.values[at + i + half];
          const float sum = (a + b) * 0.70710678F;
          b = (a - b) * 0.70710678F;
          a = sum;
        }
      }
    }
  });
  t.backend.plan = [](vernal_backend* backend, vernal_module_ref module,
                      const vernal_plan_options* options, vernal_plan** out) {
    vernal_plan_options plain = vernal::copy_in(options);
    is_rotated = plain.kv_rotate != 0;
    plain.kv_rotate = 0;
    return sound().backend.plan(backend, module, &plain, out);
  };
}

}  // namespace

const std::map<std::string_view, Fault>& number_faults() {
  static const std::map<std::string_view, Fault> faults{
      {"always_wrong", always_wrong},
      {"wrong_at_1", wrong_at_1},
      {"wrong_at_65", wrong_at_65},
      {"wrong_at_3", wrong_at_3},
      {"depends_on_chunks", depends_on_chunks},
      {"nan_on_zero_row", nan_on_zero_row},
      {"depends_on_mates", depends_on_mates},
      {"overflows", overflows},
      {"ignores_attribute", ignores_attribute},
      {"window_off_by_one", window_off_by_one},
      {"any_operation", any_operation},
      {"any_format", any_format},
      {"misreads_format", misreads_format},
      {"rotation_not_undone", rotation_not_undone},
  };
  return faults;
}

}  // namespace zoo
