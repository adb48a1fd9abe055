// Faults of rope that no attribute can make: bounds, factors and axes.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "module_change.hpp"
#include "step_change.hpp"
#include "zoo.hpp"

namespace zoo {
namespace {

/// Frequency factors are followed by plain rope alone.
void ignores_factors_when_scaled(Tables& t) {
  change_nodes(t, [](ReadNode& node) {
    if (node.op != "vernal.rope/1" || node.operands.size() < 3) return;
    const std::string_view scaling = node.text("scaling");
    static const std::string fault = fault_name();
    if (fault.ends_with(scaling) && !scaling.empty()) node.operands.pop_back();
  });
}

/// The fourth axis of interleaved sections is taken for the first.
void forgets_fourth_axis(Tables& t) {
  static bool is_interleaved;
  change_nodes(t, [](ReadNode& node) {
    if (node.index == 0) is_interleaved = false;
    if (node.op == "vernal.rope/1") is_interleaved = node.text("mrope") == "interleaved";
  });
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) {
    std::vector<vernal_step_input> inputs;
    std::vector<std::int32_t> positions;
    for (std::uint64_t i = 0; i < batch->num_inputs; ++i) {
      inputs.push_back(vernal::element_at(batch->inputs, batch->input_stride, i));
      vernal_step_input& input = inputs.back();
      const std::uint64_t count = input.bytes / sizeof(std::int32_t);
      if (!is_interleaved || std::string_view(input.name.data, input.name.size) != "positions" ||
          count != 4 * batch->num_tokens) {
        continue;
      }
      const auto* given = static_cast<const std::int32_t*>(input.data);
      positions.assign(given, given + count);
      for (std::uint64_t p = 0; p < count; p += 4) positions[p + 3] = positions[p];
      input.data = positions.data();
    }
    vernal_step_batch mine = vernal::copy_in(batch);
    mine.inputs = inputs.data();
    mine.input_stride = sizeof(inputs[0]);
    return sound().backend.step_submit(pool, &mine, out);
  };
}

// ---- yarn without its bounds --------------------------------------------------------------------

/// A rope node with yarn, as it stands in the module.
struct Yarn {
  double n_rot, base, factor, length, fast, slow, extrapolation;
  std::uint64_t head_size = 0;  // 0: the module has none

  double pair_of(double beta) const {
    return n_rot * std::log(length / (beta * 2 * std::numbers::pi)) / (2 * std::log(base));
  }
  double frequency(double pair, double low, double high) const {
    const double f = std::pow(base, -2 * pair / n_rot);
    const double ramp = std::clamp((pair - low) / std::max(0.001, high - low), 0.0, 1.0);
    const double mix = extrapolation * (1 - ramp);
    return f / factor * (1 - mix) + f * mix;
  }
};
Yarn yarn;
bool has_bound_at_zero = true;  // else it has the other one alone

void read_yarn(ReadNode& node) {
  if (node.index == 0) yarn.head_size = 0;
  if (node.op != "vernal.rope/1" || node.text("scaling") != "yarn") return;
  if (node.operands.size() > 2) return;  // factors
  const auto number = [&](const char* name, double otherwise) {
    const vernal_attr* attr = node.find(name);
    return attr == nullptr ? otherwise : attr->number;
  };
  yarn = {static_cast<double>(node.find("n_rot")->integer),
          number("base", 0),
          number("factor", 1),
          static_cast<double>(node.find("original_context_length")->integer),
          number("beta_fast", 32),
          number("beta_slow", 1),
          number("extrapolation", 1),
          static_cast<std::uint64_t>(node.shape(0)[2])};
}

/// Turns every pair by what the angle of the missing bound differs.
void turn_further(const StepFacts& facts, Numbers& numbers) {
  if (yarn.head_size == 0 || facts.positions.size() < numbers.rows()) return;
  const double low = std::floor(yarn.pair_of(yarn.fast));
  const double high = std::ceil(yarn.pair_of(yarn.slow));
  const double true_low = std::max(0.0, low);
  const double true_high = std::min(yarn.n_rot - 1, high);
  const auto pairs = static_cast<std::uint64_t>(yarn.n_rot / 2);
  for (std::uint64_t row = 0; row < numbers.rows(); ++row) {
    for (std::uint64_t at = 0; at < numbers.columns; at += yarn.head_size) {
      float* head = &numbers.values[row * numbers.columns + at];
      for (std::uint64_t j = 0; j < pairs; ++j) {
        const auto pair = static_cast<double>(j);
        const double wrong = has_bound_at_zero ? yarn.frequency(pair, true_low, high)
                                               : yarn.frequency(pair, low, true_high);
        const double angle = static_cast<double>(facts.positions[row]) *
                             (wrong - yarn.frequency(pair, true_low, true_high));
        const double u = static_cast<double>(head[j]);
        const double v = static_cast<double>(head[j + pairs]);
        head[j] = static_cast<float>(u * std::cos(angle) - v * std::sin(angle));
        head[j + pairs] = static_cast<float>(u * std::sin(angle) + v * std::cos(angle));
      }
    }
  }
}

void yarn_without_bound_at_zero(Tables& t) {
  has_bound_at_zero = false;
  change_nodes(t, read_yarn);
  change_outputs(t, turn_further);
}
void yarn_without_bound_at_end(Tables& t) {
  has_bound_at_zero = true;
  change_nodes(t, read_yarn);
  change_outputs(t, turn_further);
}

}  // namespace

const std::map<std::string_view, Fault>& rope_faults() {
  static const std::map<std::string_view, Fault> faults{
      {"rope_ignores_factors_with_linear", ignores_factors_when_scaled},
      {"rope_ignores_factors_with_yarn", ignores_factors_when_scaled},
      {"rope_ignores_factors_with_banded", ignores_factors_when_scaled},
      {"rope_forgets_fourth_axis", forgets_fourth_axis},
      {"yarn_without_bound_at_zero", yarn_without_bound_at_zero},
      {"yarn_without_bound_at_end", yarn_without_bound_at_end},
  };
  return faults;
}

}  // namespace zoo
