// Matrix products by format, instruction set and number of tokens. Decode cases use weights that no
// cache can hold, and report their share of the read bandwidth; they come without requests for
// weights ahead of their use, with those of each kind, and with those that a model gets. Prefill
// cases report the products in a second. Both use the threads of the machine. Cached cases have one
// thread and weights that stay in its second cache; they report the best of all runs, so other work
// beside them does little harm. MAC/cycle are the products of a thread in a cycle of the clock that
// its core has right beside them (clock_rate.hpp).
//
//   matmul_bench --benchmark_filter=cached/.*q4_k
//   matmul_bench --benchmark_filter=decode/ggml.q4_k/1/avx2/TOKENS/COLUMNS/as_measured
#include <benchmark/benchmark.h>

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "clock_rate.hpp"
#include "kernels/matmul/matmul.hpp"
#include "read_bandwidth.hpp"
#include "thread_pool.hpp"

namespace vernal::cpu_avx2 {
namespace {

/// Rows and columns of a matrix.
struct Shape {
  std::int64_t rows;
  std::int64_t columns;
};
constexpr Shape kWide{1536, 8960};  // activations of one token do not fit the first cache
constexpr Shape kTall{8960, 1536};
constexpr std::int64_t kClaimedGroups = 8;
constexpr Shape kCached{128, 1536};  // of q8_0 200 KiB
constexpr std::int64_t kColdBytes = std::int64_t{768} << 20;

using Buffer = std::unique_ptr<std::byte, decltype(&std::free)>;

/// In pages of 2 MiB where the system gives them, as the backend's weights.
Buffer aligned(std::int64_t bytes) {
  constexpr std::size_t kPage = std::size_t{2} << 20;
  const std::size_t size = (static_cast<std::size_t>(bytes) + kPage - 1) / kPage * kPage;
  Buffer buffer(static_cast<std::byte*>(std::aligned_alloc(kPage, size)), &std::free);
  madvise(buffer.get(), size, MADV_HUGEPAGE);
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
  Matrices(const WeightFormat& weight_format, std::int64_t bytes, Shape matrix_shape)
      : format(weight_format),
        shape(matrix_shape),
        size(packed_bytes(format, shape.rows, shape.columns)),
        count(std::max<std::int64_t>(1, bytes / size)),
        data(aligned(size * count)) {
    std::mt19937 generator(1);
    // f16 and f32 fields stay finite. Subnormal numbers would be slow, on some processors a hundred
    // times: exponents of mxfp4 are large, and so is that of an f32, which begins in a dword's last byte.
    const std::uint32_t exponent = format.id == "ggml.mxfp4/1" ? 0x40U : 0U;
    for (std::int64_t i = 0; i < size; ++i) {
      const std::uint32_t f32_exponent = i % 4 == 3 ? 0x20U : 0U;
      data.get()[i] = static_cast<std::byte>((generator() & 0x3BU) | exponent | f32_exponent);
    }
    for (std::int64_t i = 1; i < count; ++i) std::copy_n(data.get(), size, data.get() + i * size);
  }

  PackedMatrix matrix(std::int64_t i) const {
    return {&format, shape.rows, shape.columns, data.get() + i % count * size};
  }

  const WeightFormat& format;
  Shape shape;
  std::int64_t size;
  std::int64_t count;
  Buffer data;
};

/// A product without its weights, and what it reads and writes.
struct Inputs {
  Inputs(const WeightFormat& format, std::int64_t tokens, Shape shape)
      : x(static_cast<std::size_t>(tokens * shape.columns), 0.5F),
        y(static_cast<std::size_t>(tokens * shape.rows)),
        buffer(
            aligned(std::max<std::int64_t>(64, static_cast<std::int64_t>(activation_bytes(
                                                   format.activations, tokens, shape.columns))))) {
    if (format.activations != ActivationKind::kFloat) {
      matmul.blocks = activation_blocks(format.activations, tokens, shape.columns, buffer.get());
      quantize_rows(x.data(), shape.columns, matmul.blocks, 0, tokens);
    }
    matmul.x = x.data();
    matmul.x_stride = shape.columns;
    matmul.num_tokens = tokens;
    matmul.y = y.data();
    matmul.y_stride = shape.rows;
  }

  std::vector<float> x;
  std::vector<float> y;
  Buffer buffer;
  Matmul matmul;
};

/// One thread, weights in its cache: the best of all runs.
void run_cached(benchmark::State& state, const WeightFormat& format, std::int64_t tokens) {
  const Matrices weights(format, 0, kCached);
  Inputs inputs(format, tokens, kCached);
  inputs.matmul.weights = weights.matrix(0);
  double best = 1e9;
  const double clock_before = clock_rate(20);
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    matmul_groups(inputs.matmul, 0, inputs.matmul.weights.num_groups());
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    best = std::min(best, spent.count());
  }
  state.counters["best_GB/s"] = static_cast<double>(weights.size) * 1e-9 / best;
  const double products = static_cast<double>(kCached.rows * kCached.columns * tokens) / best;
  state.counters["best_GMAC/s"] = products * 1e-9;
  state.counters["best_MAC/cycle"] = products / std::max(clock_before, clock_rate(20));
}

void run_matmul(benchmark::State& state, const WeightFormat& format, Shape shape,
                std::int64_t tokens, bool is_cold, Requests requests) {
  const Matrices weights(format, is_cold ? kColdBytes : 0, shape);
  const Inputs inputs(format, tokens, shape);
  const double bandwidth =
      is_cold ? read_bandwidth(weights.data.get(), weights.size * weights.count, pool()) : 0.0;
  const double clock = clock_rate();
  for (auto _ : state) {
    pool().run([&](Worker& worker) {
      for (std::int64_t i = 0; i < weights.count; ++i) {
        Matmul mine = inputs.matmul;
        mine.weights = weights.matrix(i);
        mine.requests = requests;
        worker.parallel_shares(
            mine.weights.num_groups(), kClaimedGroups,
            [&](std::int64_t first, std::int64_t last) { matmul_groups(mine, first, last); });
        worker.barrier();
      }
    });
  }
  const auto runs = static_cast<double>(state.iterations() * weights.count);
  const double bytes = runs * static_cast<double>(weights.size);
  state.counters["GB/s"] = benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsRate);
  const double products = runs * static_cast<double>(shape.rows * shape.columns * tokens);
  state.counters["GMAC/s"] = benchmark::Counter(products * 1e-9, benchmark::Counter::kIsRate);
  state.counters["MAC/cycle"] = benchmark::Counter(
      products / (clock * static_cast<double>(pool().num_threads())), benchmark::Counter::kIsRate);
  if (is_cold) {
    state.counters["of_bandwidth"] =
        benchmark::Counter(bytes / bandwidth, benchmark::Counter::kIsRate);
  }
}

constexpr std::pair<Requests, const char*> kRequests[] = {{Requests::kAsMeasured, "as_measured"},
                                                          {Requests::kNone, "none"},
                                                          {Requests::kReadOnce, "read_once"},
                                                          {Requests::kSecondCache, "second_cache"}};

/// Decode and prefill with one format.
void register_format(const WeightFormat& format, InstructionSet set) {
  const std::string name = std::string(format.id) + "/" + std::string(info_of(set).name);
  for (const std::int64_t tokens : {1, 4, 48}) {
    benchmark::RegisterBenchmark(
        ("cached/" + name + "/" + std::to_string(tokens)).c_str(),
        [=, &format](benchmark::State& s) { run_cached(s, format, tokens); })
        ->Unit(benchmark::kMicrosecond);
  }
  for (const std::int64_t tokens : {1, 2, 3, 4, 6}) {
    for (const Shape shape : {kTall, kWide}) {
      for (const auto& [requests, title] : kRequests) {
        const std::string sizes =
            "/" + std::to_string(tokens) + "/" + std::to_string(shape.columns) + "/";
        benchmark::RegisterBenchmark(("decode/" + name + sizes + title).c_str(),
                                     [=, &format](benchmark::State& s) {
                                       run_matmul(s, format, shape, tokens, true, requests);
                                     })
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
      }
    }
  }
  for (const std::int64_t tokens : {16, 64, 512}) {
    benchmark::RegisterBenchmark(("prefill/" + name + "/" + std::to_string(tokens)).c_str(),
                                 [=, &format](benchmark::State& s) {
                                   run_matmul(s, format, kTall, tokens, false,
                                              Requests::kAsMeasured);
                                 })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
}

void register_all() {
  for (const std::span<const WeightFormat> family : weight_format_families()) {
    for (const WeightFormat& format : family) {
      for (const InstructionSetInfo& set : instruction_sets()) {
        const WeightFormat* const with_set = find_weight_format(format.id, set.id);
        const bool has_kernel =
            set.id == InstructionSet::kAvx2 || with_set->multiply != format.multiply;
        if (is_available(set.id) && has_kernel) register_format(*with_set, set.id);
      }
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
