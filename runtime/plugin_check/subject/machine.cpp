#include "plugin_check/subject/machine.hpp"

#include <cmath>
#include <limits>

#include "vernal/host.hpp"

namespace vernal::check {
namespace {

constexpr std::uint64_t kNumExternal = 2;  // rows of external embeddings in a step

std::vector<plugin::StepInput> inputs_of(const StepData& data) {
  std::vector<plugin::StepInput> inputs;
  for (const auto& [name, values] : data.integers) {
    inputs.push_back(plugin::StepInput::host<std::int32_t>(name, values));
  }
  for (const auto& [name, values] : data.floats) {
    inputs.push_back(plugin::StepInput::host<float>(name, values));
  }
  return inputs;
}

/// Elements of an input in this step.
std::int64_t count_of(const std::vector<std::int64_t>& shape, const StepData& data,
                      std::size_t num_sequences) {
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) {
    if (dim == VERNAL_DIM_TOKENS) {
      count *= static_cast<std::int64_t>(data.num_tokens);
    } else if (dim == VERNAL_DIM_ROWS) {
      count *= static_cast<std::int64_t>(data.rows.size());
    } else if (dim == VERNAL_DIM_SEQUENCES) {
      count *= static_cast<std::int64_t>(num_sequences);
    } else {
      count *= dim == VERNAL_DIM_EXTERNAL ? static_cast<std::int64_t>(kNumExternal) : dim;
    }
  }
  return count;
}

/// The vocabulary the module's ids choose from.
std::int64_t vocabulary(const Module& module) {
  for (const Node& node : module.functions[0].nodes) {
    if (node.op == "vernal.embed/1") return module.weights[node.operands[1].index].shape[0];
  }
  return 1;
}

}  // namespace

PlanOptions small_plan() {
  PlanOptions options;
  options.context_length = 256;
  options.max_tokens_per_step = 128;
  options.max_sequences = 4;
  options.max_rows = 128;
  options.typical_decode_sequences = 2;
  options.kv_tokens = 256 * 6;
  options.max_checkpoints = 4;
  options.rollback_depth = 4;
  return options;
}

Session::Session(plugin::BackendInstance& backend, const MadeModule& made,
                 const PlanOptions& options)
    : store_(made),
      plan_(backend.plan(made.ref(), options)),
      program_(plan_.build(store_, {})),
      pool_(program_.create_pool()) {}

vernal_sequence_id Session::start(std::uint64_t num_tokens) {
  const auto sequence = pool_.seq_create();
  expect(sequence.has_value(), "seq_create: expected a sequence, found RESOURCE_EXHAUSTED");
  expect(pool_.seq_reserve(*sequence, num_tokens),
         "seq_reserve: expected room for {} tokens, found RESOURCE_EXHAUSTED", num_tokens);
  return *sequence;
}

std::vector<float> Session::step(const std::vector<Part>& parts, const StepData& data,
                                 const std::string& name) {
  std::vector<StepSequence> sequences;
  std::uint64_t start = 0;
  for (const Part& part : parts) {
    sequences.push_back({part.sequence, start, part.count, pool_.seq_length(part.sequence, 0)});
    start += part.count;
  }
  const std::vector<plugin::StepInput> inputs = inputs_of(data);
  const std::vector<std::string_view> outputs{name};
  plugin::BackendStep step =
      pool_.submit({0, data.num_tokens, sequences, data.rows, inputs, outputs});
  expect(step.wait(0), "step_wait without a limit: expected the end of the step, found DEADLINE");
  vernal::StepOutput output;
  // How many rows there are is the module's to say; both counts are tried.
  try {
    output = step.output(name, data.num_tokens, 0);
  } catch (const Error&) {
    output = step.output(name, data.rows.size(), 0);
  }
  return {output.data, output.data + output.rows * output.columns};
}

void require_device(PluginUnderTest& plugin) {
  const auto problem = plugin::BackendInstance::machine_problem(plugin.library().backend());
  if (problem) throw Skipped(std::string(kNoDevice) + *problem);
}

plugin::BackendInstance open_backend(PluginUnderTest& plugin) {
  require_device(plugin);
  return plugin::BackendInstance(plugin.library().backend(), "check",
                                 plugin.config(VERNAL_KIND_BACKEND));
}

StepData make_data(const MadeModule& made, const std::vector<std::uint64_t>& counts,
                   const std::vector<std::uint64_t>& first_positions, RandomNumbers& random) {
  StepData data;
  for (const std::uint64_t count : counts) data.num_tokens += count;
  for (std::uint64_t t = 0; t < data.num_tokens; ++t) {
    if (t % 3 == 0 || t + 1 == data.num_tokens) data.rows.push_back(static_cast<std::int32_t>(t));
  }
  for (const Node& node : made.module->functions[0].nodes) {
    if (node.op != "vernal.input/1") continue;
    const std::string name(node.text("name", ""));
    const auto& shape = node.find("shape")->integers;
    const std::int64_t count = count_of(shape, data, counts.size());
    if (name == "rows") continue;
    if (name == "positions") {
      auto& positions = data.integers[name];
      for (std::size_t i = 0; i < counts.size(); ++i) {
        for (std::uint64_t t = 0; t < counts[i]; ++t) {
          for (std::int64_t axis = 0; axis < shape[1]; ++axis) {
            // Further axes are places in a picture: other numbers than the first.
            const std::uint64_t p = first_positions[i] + t;
            positions.push_back(static_cast<std::int32_t>(axis == 0 ? p : p % 7 + p / 3));
          }
        }
      }
    } else if (node.text("dtype", "") == "i32") {
      const std::int64_t limit =
          name == "ids" ? vocabulary(*made.module) : static_cast<std::int64_t>(data.num_tokens);
      for (std::int64_t i = 0; i < count; ++i) data.integers[name].push_back(random.below(limit));
    } else {
      data.floats[name] = random.floats(count, name == "zero" ? 0.0 : 1.0);
    }
  }
  return data;
}

double nmse(std::span<const float> found, std::span<const float> reference) {
  if (found.size() != reference.size()) return std::numeric_limits<double>::infinity();
  double error = 0;
  double power = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double difference = static_cast<double>(found[i]) - static_cast<double>(reference[i]);
    error += difference * difference;
    power += static_cast<double>(reference[i]) * static_cast<double>(reference[i]);
  }
  if (!std::isfinite(error)) return std::numeric_limits<double>::infinity();
  if (error == 0) return 0;
  return power > 0 ? error / power : std::numeric_limits<double>::infinity();
}

}  // namespace vernal::check
