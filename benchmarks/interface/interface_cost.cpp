// The cost of the plugin interface. Measures the time of decode steps as the core sees it, from
// giving the batch to having the logits, and the time that cpu_avx2 spent in its own kernels.
//
//   interface_cost MODEL.gguf [STEPS]
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <exception>

#include "support/model_under_test.hpp"

namespace vernal {
namespace {

struct Cost {
  double step_seconds = 0;
  double kernel_seconds = 0;
};

/// Runs a step of one token for one sequence, and reads the logits, as a sampler does.
float decode(test::ModelUnderTest& model, vernal_sequence_id sequence, std::int32_t position) {
  const std::vector<std::int32_t> ids{position % 512};  // in any vocabulary
  const std::vector<std::int32_t> positions{position};
  const std::vector<std::int32_t> rows{0};
  const std::vector<StepSequence> sequences{{sequence, 0, 1, static_cast<std::uint64_t>(position)}};
  const std::vector<plugin::StepInput> inputs{
      plugin::StepInput::host<std::int32_t>("ids", ids),
      plugin::StepInput::host<std::int32_t>("positions", positions)};
  const std::vector<std::string_view> outputs{"logits"};
  plugin::BackendStep step = model.pool().submit({0, 1, sequences, rows, inputs, outputs});
  if (!step.wait(0)) std::abort();
  return *step.output("logits", 1, model.vocabulary_size()).data;
}

Cost measure(const char* file, std::int32_t num_steps) {
  test::ModelOptions options;
  options.backend = "cpu_avx2";
  options.keys = options.values = "q8_0";
  options.context_length = static_cast<std::uint64_t>(num_steps) + 64;
  test::ModelUnderTest model(file, options);
  const vernal_sequence_id sequence = model.sequence(options.context_length);
  constexpr std::int32_t kWarmUp = 8;
  for (std::int32_t i = 0; i < kWarmUp; ++i) decode(model, sequence, i);
  const std::uint64_t busy = model.program().stats().busy_ns;
  const auto begin = std::chrono::steady_clock::now();
  volatile float seen = 0;
  for (std::int32_t i = 0; i < num_steps; ++i) seen = decode(model, sequence, kWarmUp + i);
  (void)seen;
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  const std::uint64_t kernels = model.program().stats().busy_ns - busy;
  return {spent.count() / num_steps, static_cast<double>(kernels) / 1e9 / num_steps};
}

}  // namespace
}  // namespace vernal

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    fmt::print(stderr, "usage: interface_cost MODEL.gguf [STEPS]\n");
    return 2;
  }
  try {
    const vernal::Cost cost = vernal::measure(argv[1], argc == 3 ? std::atoi(argv[2]) : 200);
    fmt::print("decode step {:.1f} us, in kernels {:.1f} us, interface {:.2f} us = {:.3f} %\n",
               cost.step_seconds * 1e6, cost.kernel_seconds * 1e6,
               (cost.step_seconds - cost.kernel_seconds) * 1e6,
               (cost.step_seconds / cost.kernel_seconds - 1) * 100);
  } catch (const std::exception& error) {
    fmt::print(stderr, "interface_cost: {}\n", error.what());
    return 1;
  }
  return 0;
}
