// The gated delta rule with the shape of a hybrid's layer: 32 value heads and 16 key heads of 128.
// Decode uses the states of many layers, which no cache can hold. It reports how many bytes of
// states are read and written in a second, and the read bandwidth of the machine. Prefill reports
// the tokens of one layer in a second.
//
//   delta_rule_bench --benchmark_filter=decode    threads: those of the machine
#include <benchmark/benchmark.h>

#include <sched.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/recurrent/delta_rule.hpp"
#include "read_bandwidth.hpp"
#include "thread_pool.hpp"

namespace vernal::cpu_avx2 {
namespace {

constexpr std::int64_t kKeyHeads = 16;
constexpr std::int64_t kValueHeads = 32;
constexpr std::int64_t kDim = 128;
constexpr std::int64_t kStateFloats = kValueHeads * kDim * kDim;
constexpr std::int64_t kColdBytes = std::int64_t{768} << 20;

using Buffer = std::unique_ptr<float, decltype(&std::free)>;

Buffer aligned(std::int64_t floats) {
  const auto bytes = static_cast<std::size_t>((floats * 4 + 63) / 64 * 64);
  Buffer buffer(static_cast<float*>(std::aligned_alloc(64, bytes)), &std::free);
  std::fill_n(buffer.get(), floats, 0.01F);
  return buffer;
}

ThreadPool& pool() {
  static ThreadPool instance([] {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    return CPU_COUNT(&set);
  }());
  return instance;
}

std::vector<float> random_floats(std::int64_t count) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> out(static_cast<std::size_t>(count));
  for (float& value : out) value = normal(generator);
  return out;
}

struct Layer {
  Layer(std::int64_t tokens, std::int64_t versions, bool has_key_gates)
      : q(random_floats(tokens * kKeyHeads * kDim)),
        v(random_floats(tokens * kValueHeads * kDim)),
        g(static_cast<std::size_t>(tokens * kValueHeads * (has_key_gates ? kDim : 1)), -0.05F),
        beta(static_cast<std::size_t>(tokens * kValueHeads), 0.5F),
        y(v.size()) {
    rule.q = rule.k = q.data();
    rule.v = v.data();
    rule.g = g.data();
    rule.beta = beta.data();
    rule.y = y.data();
    rule.num_key_heads = kKeyHeads;
    rule.num_value_heads = kValueHeads;
    rule.key_dim = rule.value_dim = kDim;
    rule.num_versions = versions;
    rule.scale = 0.09F;
    rule.epsilon = 1e-6F;
    rule.is_normalized = true;
    rule.has_key_gates = has_key_gates;
  }

  std::vector<float> q, v, g, beta, y;
  DeltaRule rule;
};

void run_layers(benchmark::State& state, const DeltaRule& rule, float* states, std::int64_t layers,
                std::int64_t tokens) {
  const std::int64_t scratch_floats = (delta_rule_scratch_floats(rule) + 15) / 16 * 16;
  const Buffer scratch = aligned(scratch_floats * pool().num_threads());
  std::int64_t position = rule.num_versions;  // not 0: that would be a state of zeros
  for (auto _ : state) {
    pool().run([&](Worker& worker) {
      for (std::int64_t layer = 0; layer < layers; ++layer) {
        const DeltaSequence sequence{states + layer * rule.num_versions * kStateFloats, 0, tokens,
                                     position};
        worker.parallel_for(kValueHeads, 1, [&](std::int64_t head, std::int64_t) {
          run_delta_rule(rule, sequence, head, scratch.get() + worker.index() * scratch_floats);
        });
        worker.barrier();
      }
    });
    position += tokens;
  }
}

void decode(benchmark::State& state, std::int64_t versions) {
  const Layer layer(1, versions, false);
  const std::int64_t layers = kColdBytes / 4 / kStateFloats / versions;
  const Buffer states = aligned(layers * versions * kStateFloats);
  const double bandwidth = read_bandwidth(reinterpret_cast<const std::byte*>(states.get()),
                                          layers * versions * kStateFloats * 4, pool());
  run_layers(state, layer.rule, states.get(), layers, 1);
  const double bytes =
      static_cast<double>(state.iterations()) * static_cast<double>(layers * kStateFloats * 4);
  const auto rate = [](double value) {
    return benchmark::Counter(value, benchmark::Counter::kIsRate);
  };
  state.counters["state_GB/s"] = rate(bytes * 1e-9);
  state.counters["read_and_written_GB/s"] = rate(2 * bytes * 1e-9);
  state.counters["read_bandwidth_GB/s"] = bandwidth * 1e-9;
  state.counters["layers/s"] =
      rate(static_cast<double>(state.iterations()) * static_cast<double>(layers));
}

void prefill(benchmark::State& state, std::int64_t tokens, bool has_key_gates) {
  const Layer layer(tokens, 1, has_key_gates);
  const Buffer states = aligned(kStateFloats);
  run_layers(state, layer.rule, states.get(), 1, tokens);
  state.counters["tokens/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(tokens),
                         benchmark::Counter::kIsRate);
}

void register_all() {
  for (const std::int64_t versions : {1, 5}) {
    benchmark::RegisterBenchmark(("decode/versions:" + std::to_string(versions)).c_str(),
                                 [=](benchmark::State& s) { decode(s, versions); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  for (const bool has_key_gates : {false, true}) {
    for (const std::int64_t tokens : {8, 16, 64, 512}) {
      const std::string gates = has_key_gates ? "gates_by_key" : "gates_by_head";
      benchmark::RegisterBenchmark(("prefill/" + gates + "/" + std::to_string(tokens)).c_str(),
                                   [=](benchmark::State& s) { prefill(s, tokens, has_key_gates); })
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
}

}  // namespace
}  // namespace vernal::cpu_avx2

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  vernal::cpu_avx2::register_all();
  benchmark::RunSpecifiedBenchmarks();
}
