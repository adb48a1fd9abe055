// Matrix products by format and number of tokens. Decode cases use weights that no cache can hold,
// and report their share of the read bandwidth. Prefill cases report the products in a second.
//
//   matmul_bench --benchmark_filter=q4_k    threads: those of the machine
#include <benchmark/benchmark.h>

#include <sched.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/matmul/matmul.hpp"
#include "read_bandwidth.hpp"
#include "thread_pool.hpp"

namespace vernal::cpu_avx2 {
namespace {

constexpr std::int64_t kColumns = 1536;
constexpr std::int64_t kRows = 8960;
constexpr std::int64_t kColdBytes = std::int64_t{768} << 20;

using Buffer = std::unique_ptr<std::byte, decltype(&std::free)>;

Buffer aligned(std::int64_t bytes) {
  const auto size = static_cast<std::size_t>((bytes + 63) / 64 * 64);
  Buffer buffer(static_cast<std::byte*>(std::aligned_alloc(64, size)), &std::free);
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

/// So many copies of a random matrix that they have `bytes` bytes.
struct Matrices {
  Matrices(const WeightFormat& weight_format, std::int64_t bytes)
      : format(weight_format),
        size(packed_bytes(format, kRows, kColumns)),
        count(std::max<std::int64_t>(1, bytes / size)),
        data(aligned(size * count)) {
    std::mt19937 generator(1);
    // f16 fields stay finite. Exponents of mxfp4 are large, because subnormal scales are slow.
    const std::uint32_t exponent = format.id == "ggml.mxfp4/1" ? 0x40U : 0U;
    for (std::int64_t i = 0; i < size; ++i) {
      data.get()[i] = static_cast<std::byte>((generator() & 0x3BU) | exponent);
    }
    for (std::int64_t i = 1; i < count; ++i) std::copy_n(data.get(), size, data.get() + i * size);
  }

  PackedMatrix matrix(std::int64_t i) const {
    return {&format, kRows, kColumns, data.get() + i % count * size};
  }

  const WeightFormat& format;
  std::int64_t size;
  std::int64_t count;
  Buffer data;
};

void run_matmul(benchmark::State& state, const WeightFormat& format, std::int64_t tokens,
                bool is_cold) {
  const Matrices weights(format, is_cold ? kColdBytes : 0);
  const ActivationKind kind = format.activations;
  std::vector<float> x(static_cast<std::size_t>(tokens * kColumns), 0.5F);
  std::vector<float> y(static_cast<std::size_t>(tokens * kRows));
  const Buffer buffer = aligned(std::max<std::int64_t>(
      64, static_cast<std::int64_t>(activation_bytes(kind, tokens, kColumns))));
  Matmul matmul;
  if (kind != ActivationKind::kFloat) {
    matmul.blocks = activation_blocks(kind, tokens, kColumns, buffer.get());
    quantize_rows(x.data(), kColumns, matmul.blocks, 0, tokens);
  }
  matmul.x = x.data();
  matmul.x_stride = kColumns;
  matmul.num_tokens = tokens;
  matmul.y = y.data();
  matmul.y_stride = kRows;
  const double bandwidth =
      is_cold ? read_bandwidth(weights.data.get(), weights.size * weights.count, pool()) : 0.0;
  for (auto _ : state) {
    pool().run([&](Worker& worker) {
      for (std::int64_t i = 0; i < weights.count; ++i) {
        Matmul mine = matmul;
        mine.weights = weights.matrix(i);
        worker.parallel_for(
            mine.weights.num_groups(), 8,
            [&](std::int64_t first, std::int64_t last) { matmul_groups(mine, first, last); });
        worker.barrier();
      }
    });
  }
  const auto runs = static_cast<double>(state.iterations() * weights.count);
  const double bytes = runs * static_cast<double>(weights.size);
  state.counters["GB/s"] = benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsRate);
  state.counters["GMAC/s"] = benchmark::Counter(
      runs * static_cast<double>(kRows * kColumns * tokens) * 1e-9, benchmark::Counter::kIsRate);
  if (is_cold) {
    state.counters["of_bandwidth"] =
        benchmark::Counter(bytes / bandwidth, benchmark::Counter::kIsRate);
  }
}

/// Decode and prefill with one format.
void register_format(const WeightFormat& format) {
  const std::string name(format.id);
  for (const std::int64_t tokens : {1, 2, 4}) {
    benchmark::RegisterBenchmark(
        ("decode/" + name + "/" + std::to_string(tokens)).c_str(),
        [=, &format](benchmark::State& s) { run_matmul(s, format, tokens, true); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  for (const std::int64_t tokens : {16, 64, 512}) {
    benchmark::RegisterBenchmark(
        ("prefill/" + name + "/" + std::to_string(tokens)).c_str(),
        [=, &format](benchmark::State& s) { run_matmul(s, format, tokens, false); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
}

void register_all() {
  for (const std::span<const WeightFormat> family : weight_format_families()) {
    for (const WeightFormat& format : family) register_format(format);
  }
}

}  // namespace
}  // namespace vernal::cpu_avx2

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  vernal::cpu_avx2::register_all();
  benchmark::RunSpecifiedBenchmarks();
}
