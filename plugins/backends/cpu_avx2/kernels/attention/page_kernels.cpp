// The functions of AVX2, which serve AVX-VNNI as well: its one instruction for a product and a sum
// would save a tenth of theirs.
#include "kernels/attention/page_kernels.hpp"

#include "kernels/attention/kv_products_codes.hpp"
#include "kernels/attention/kv_products_f16.hpp"
#include "kernels/attention/page_softmax.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Calls f(first row, number of rows as a constant, run to ask for) for rows that share a pass.
template <class F>
void for_each_pass(const PageRun& page, std::int64_t num_rows, F&& f) {
  for (std::int64_t r = 0; r < num_rows;) {
    const int count = rows_of_pass(num_rows - r);
    const std::byte* ahead = r == 0 ? page.ahead : nullptr;
    with_rows(count, [&](auto rows) { f(r, rows, ahead); });
    r += count;
  }
}

void score(const QueryRows& q, const PageRun& keys, float* scores) {
  const std::int64_t dim = keys.run.dim;
  for_each_pass(keys, q.count, [&](std::int64_t r, auto rows, const std::byte* ahead) {
    float* out = scores + r * kPageTokens;
    if (keys.run.format == KvFormat::kF16) {
      score_page_f16<rows>(q.numbers + r * dim, keys.run, ahead, keys.slots, out);
    } else if (keys.run.format == KvFormat::kQ8_0) {
      score_page_codes<EightBitCodes, rows>(q.codes + r * dim, keys.run, ahead, keys.slots, out);
    } else {
      score_page_codes<FourBitCodes, rows>(q.codes + r * dim, keys.run, ahead, keys.slots, out);
    }
  });
}

void add(const float* weights, const float* factors, std::int64_t count, const PageRun& values,
         float* scratch, ValueSums sums) {
  const KvRun& run = values.run;
  if (has_codes(run.format)) load_value_scales(run, values.slots, scratch);
  for_each_pass(values, count, [&](std::int64_t r, auto rows, const std::byte* ahead) {
    const float* w = weights + r * kPageTokens;
    const ValueSums out{sums.data + r * sums.stride, sums.stride};
    if (run.format == KvFormat::kF16) {
      add_page_f16<rows>(w, factors + r, run, ahead, values.slots, out);
    } else if (run.format == KvFormat::kQ8_0) {
      add_page_codes<EightBitCodes, rows>(w, factors + r, scratch, run, ahead, values.slots, out);
    } else {
      add_page_codes<FourBitCodes, rows>(w, factors + r, scratch, run, ahead, values.slots, out);
    }
  });
}

constexpr PageKernels kAvx2Kernels{score, weigh_scores, add};

}  // namespace

const PageKernels& page_kernels(InstructionSet set) {
  return set == InstructionSet::kAvx512Vnni ? avx512_vnni_page_kernels() : kAvx2Kernels;
}

}  // namespace vernal::cpu_avx2
