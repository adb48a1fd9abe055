// Attention by KV format, depth and number of queries, with the shape of a model of 1.5 billion
// parameters:
// 12 query heads, 2 KV heads of 128. Reports how many bytes of keys and values are read in a
// second. For one token, such a model reads them in 28 layers.
#include <benchmark/benchmark.h>

#include <numeric>
#include <string>
#include <vector>

#include "kernels/attention/attention.hpp"

namespace vernal::cpu_avx2 {
namespace {

constexpr std::int64_t kHeads = 12;
constexpr std::int64_t kKvHeads = 2;
constexpr std::int64_t kDim = 128;
// There are so many KV caches, used one after another, so that none stays in a cache of the
// processor.
constexpr std::int64_t kLayers = 28;

void run_attention(benchmark::State& state, KvFormat format, InstructionSet set, std::int64_t depth,
                   std::int64_t queries) {
  const KvLayout layout{kKvHeads, kDim, kDim, format, format};
  const std::int64_t pages = (depth + queries + kPageTokens - 1) / kPageTokens;
  std::vector<std::uint32_t> page_ids(static_cast<std::size_t>(pages));
  std::iota(page_ids.begin(), page_ids.end(), 0U);
  const std::int64_t layer_bytes = pages * layout.page_bytes();
  std::vector<std::byte> memory(static_cast<std::size_t>(kLayers * layer_bytes), std::byte{0x21});
  std::vector<float> q(static_cast<std::size_t>(queries * kHeads * kDim), 0.1F);
  std::vector<float> out(q.size());
  const AttentionSequence sequence{page_ids.data(), 0, queries, depth};
  Attention a;
  a.q = q.data();
  a.out = out.data();
  a.page_stride = layout.page_bytes();
  a.layout = layout;
  a.num_query_heads = kHeads;
  a.scale = 0.09F;
  a.sequences = {&sequence, 1};
  a.kernels = &page_kernels(set);
  AttentionSchedule schedule;
  schedule_attention(a, 1, 0, schedule);
  std::vector<float> scratch(static_cast<std::size_t>(attention_scratch_floats(a)));
  for (auto _ : state) {
    for (std::int64_t layer = 0; layer < kLayers; ++layer) {
      a.pages = memory.data() + layer * layer_bytes;
      for (const AttentionItem& item : schedule.items) {
        run_attention_item(a, item, 0, nullptr, scratch.data());
      }
    }
  }
  const auto runs = static_cast<double>(state.iterations());
  const auto pairs = static_cast<double>(queries * (depth + (queries + 1) / 2));
  state.counters["GB/s"] = benchmark::Counter(
      runs * static_cast<double>(kLayers * layer_bytes) * 1e-9, benchmark::Counter::kIsRate);
  state.counters["GMAC/s"] =
      benchmark::Counter(runs * pairs * static_cast<double>(kLayers * kHeads * kDim * 2) * 1e-9,
                         benchmark::Counter::kIsRate);
}

void register_format(const std::string& name, KvFormat format, const InstructionSetInfo& set) {
  for (const std::int64_t depth : {512, 4096}) {
    for (const std::int64_t queries : {1, 64}) {
      const std::string title = "attention/" + name + "/" + std::string(set.name) +
                                "/depth:" + std::to_string(depth) +
                                "/queries:" + std::to_string(queries);
      benchmark::RegisterBenchmark(title.c_str(), [=, id = set.id](benchmark::State& s) {
        run_attention(s, format, id, depth, queries);
      })->Unit(benchmark::kMillisecond);
    }
  }
}

void register_all() {
  for (const auto& [name, format] :
       {std::pair{"f16", KvFormat::kF16}, {"q8_0", KvFormat::kQ8_0}, {"q4_0", KvFormat::kQ4_0}}) {
    for (const InstructionSetInfo& set : instruction_sets()) {
      const bool has_kernels = set.id == InstructionSet::kAvx2 ||
                               &page_kernels(set.id) != &page_kernels(InstructionSet::kAvx2);
      if (is_available(set.id) && has_kernels) register_format(name, format, set);
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
