#include "plugin_check/cases/operation_case.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "plugin_check/finding.hpp"
#include "plugin_check/test.hpp"

namespace vernal::check {
namespace {

/// The error of one row may exceed the bound of the whole output by this factor.
constexpr double kRowSlack = 20;

/// One step of a script: which sequences take part, each with its number of tokens.
using Step = std::vector<std::pair<std::size_t, std::uint64_t>>;

/// What a case runs through.
struct Script {
  std::vector<Step> steps;
  std::size_t num_sequences = 0;
  std::uint64_t most_tokens = 0;  // of one sequence
  PlanOptions plan;
};

Script short_script() {
  Script script;
  script.steps = {{{0, 1}},
                  {{0, 7}},
                  {{0, 65}},
                  {{0, 1}, {1, 1}},
                  {{1, 2}, {0, 3}, {2, 60}},
                  {{0, 1}, {1, 1}, {2, 1}},
                  {{3, 1}, {1, 5}, {2, 1}, {0, 2}}};
  script.num_sequences = 4;
  script.most_tokens = 80;
  script.plan = small_plan();
  return script;
}

/// Beyond what kernels keep in one tile, one block of threads or one batch: 256 and 512 tokens, 128
/// and 512 keys, four and eight sequences.
Script long_script() {
  Script script;
  script.steps = {{{0, 257}},
                  {{1, 130}},
                  {{1, 1}},
                  {{0, 513}},
                  {{0, 1}},
                  {{1, 1}, {2, 1}, {3, 1}, {0, 1}},
                  {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}, {6, 1}, {7, 1}, {8, 1}},
                  {{8, 7}, {0, 2}, {1, 1}, {2, 3}, {7, 1}, {4, 66}, {5, 1}, {6, 2}, {3, 1}}};
  script.num_sequences = 9;
  script.most_tokens = 800;
  script.plan = small_plan();
  script.plan.context_length = 1024;
  script.plan.max_tokens_per_step = 513;
  script.plan.max_rows = 513;
  script.plan.max_sequences = 9;
  script.plan.kv_tokens = 9 * 1024;
  return script;
}

std::string step_text(const Step& step) {
  std::uint64_t tokens = 0;
  for (const auto& [sequence, count] : step) tokens += count;
  return fmt::format("a step of {} token{} of {} sequence{}", tokens, tokens == 1 ? "" : "s",
                     step.size(), step.size() == 1 ? "" : "s");
}

double power(std::span<const float> values) {
  double sum = 0;
  for (const float v : values) sum += static_cast<double>(v) * static_cast<double>(v);
  return sum;
}

double difference(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += d * d;
  }
  return sum;
}

/// Runs a script on the plugin and on the reference, and compares every step.
void run_script(plugin::BackendInstance& backend, const OperationCase& tested,
                const Script& script) {
  Session session(backend, tested.made, script.plan);
  const auto oracle = make_oracle(tested.made, script.plan);
  const double bound = bound_of(tested.accuracy, session.plan().info().activation_element);
  std::vector<vernal_sequence_id> found_ids;
  std::vector<vernal_sequence_id> oracle_ids;
  std::vector<std::uint64_t> lengths(script.num_sequences);
  for (std::size_t i = 0; i < script.num_sequences; ++i) {
    found_ids.push_back(session.start(script.most_tokens));
    oracle_ids.push_back(oracle->start(script.most_tokens));
  }
  RandomNumbers random(17);
  for (const Step& step : script.steps) {
    std::vector<Part> found_parts;
    std::vector<Part> oracle_parts;
    std::vector<std::uint64_t> counts;
    std::vector<std::uint64_t> positions;
    for (const auto& [sequence, count] : step) {
      found_parts.push_back({found_ids[sequence], count});
      oracle_parts.push_back({oracle_ids[sequence], count});
      counts.push_back(count);
      positions.push_back(lengths[sequence]);
      lengths[sequence] += count;
    }
    const StepData data = make_data(tested.made, counts, positions, random);
    const auto reference = oracle->step(oracle_parts, data, "hidden");
    const auto found = session.step(found_parts, data, "hidden");
    const std::size_t all = data.num_tokens;
    const std::size_t rows = reference.size() % all == 0 ? all : data.rows.size();
    expect_close(fmt::format("{}, {}", tested.label, step_text(step)), found, reference,
                 reference.size() / rows, bound);
  }
}

}  // namespace

double bound_of(Accuracy accuracy, std::uint32_t element) {
  const std::size_t column = std::min<std::size_t>(element, 2);
  constexpr std::array<double, 3> kElementBounds{1e-10, 1e-6, 1e-4};
  constexpr std::array<double, 3> kLinearBounds{2e-4, 2e-4, 3e-4};
  constexpr std::array<double, 3> kExpertsBounds{5e-4, 5e-4, 5e-4};
  constexpr std::array<double, 3> kAttentionBounds{1e-6, 2e-6, 1e-4};
  constexpr std::array<double, 3> kDeltaBounds{1e-8, 1e-5, 1e-3};
  switch (accuracy) {
    case Accuracy::kElement:
      return kElementBounds[column];
    case Accuracy::kLinear:
      return kLinearBounds[column];
    case Accuracy::kExperts:
      return kExpertsBounds[column];
    case Accuracy::kAttention:
      return kAttentionBounds[column];
    case Accuracy::kDelta:
      return kDeltaBounds[column];
  }
  return 0;
}

std::string refusal_of(plugin::BackendInstance& backend, const MadeModule& made) {
  const auto& nodes = made.module->functions[0].nodes;
  for (std::uint64_t i = 0; i < nodes.size(); ++i) {
    const plugin::OpSupport support = backend.op_support(made.ref(), 0, i);
    if (!support.is_supported) return nodes[i].op + ": " + support.reason;
  }
  return {};
}

void expect_close(const std::string& label, std::span<const float> found,
                  std::span<const float> reference, std::size_t columns, double bound) {
  expect(found.size() == reference.size(), "{}: expected {} numbers, found {}", label,
         reference.size(), found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    expect(std::isfinite(found[i]) || !std::isfinite(reference[i]),
           "{}: row {}, column {}: expected {}, found {}", label, i / columns, i % columns,
           reference[i], found[i]);
  }
  const double whole = nmse(found, reference);
  expect(whole <= bound, "{}: NMSE expected at most {:.0e}, found {:.1e}", label, bound, whole);
  const std::size_t rows = reference.size() / columns;
  const double mean_power = power(reference) / static_cast<double>(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto wanted = reference.subspan(r * columns, columns);
    const double error = difference(found.subspan(r * columns, columns), wanted);
    const double limit = kRowSlack * bound * std::max(power(wanted), mean_power);
    expect(error <= limit, "{}: row {} of {} is wrong: squared error {:.1e}, allowed {:.1e}", label,
           r, rows, error, limit);
  }
}

void compare_with_oracle(plugin::BackendInstance& backend, const OperationCase& tested) {
  const std::string refusal = refusal_of(backend, tested.made);
  if (!refusal.empty()) {
    expect(tested.is_optional, "{}: refused: {}", tested.label, refusal);
    note(fmt::format("refused: {}: {}", tested.label, refusal));
    return;
  }
  run_script(backend, tested, short_script());
  if (tested.is_long) run_script(backend, tested, long_script());
}

Tensor as_output(const Builder& b, Tensor x, std::int64_t columns) {
  x = b.reshape(x, {kTokens, columns});
  return b.add(x, b.input("zero", Element::kF32, {kTokens, 1}));
}

OperationCase case_over_x(std::string label, std::int64_t width, std::int64_t columns,
                          MadeWeights weights,
                          const std::function<Tensor(const Builder&, Tensor)>& body) {
  OperationCase made;
  made.label = std::move(label);
  made.made = make_module(std::move(weights), [&](const Builder& b) {
    const Tensor x = b.input("x", Element::kF32, {kTokens, width});
    b.output("hidden", as_output(b, body(b, x), columns), "all");
  });
  return made;
}

}  // namespace vernal::check
