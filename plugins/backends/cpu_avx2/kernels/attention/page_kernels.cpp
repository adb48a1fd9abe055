// The functions of AVX2 and AVX-VNNI, which differ in the instructions for products of codes alone.
#include "kernels/attention/page_kernels.hpp"

#include <algorithm>

#include "kernels/attention/kv_products_codes.hpp"
#include "kernels/attention/kv_products_f16.hpp"
#include "kernels/attention/page_softmax.hpp"
#include "kernels/attention/widened_page.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Rows from which on a page is widened once for them all: three passes. Two passes gain nothing.
constexpr std::int64_t kRowsOfTile = 2 * kMostRows + 1;

/// Calls f with the codes of a format that has some.
template <class Products, class F>
void with_codes(KvFormat format, F&& f) {
  if (format == KvFormat::kQ8_0) {
    f(EightBitCodes<Products>{});
  } else {
    f(FourBitCodes<Products>{});
  }
}

/// Calls f(first row, number of rows as a constant, run to ask for) for rows that share a pass.
template <class F>
void for_each_pass(const PageRun& page, std::int64_t num_rows, F&& f) {
  for_passes(num_rows,
             [&](std::int64_t r, auto rows) { f(r, rows, r == 0 ? page.ahead : nullptr); });
}

template <class Products>
void score(const QueryRows& q, const PageRun& keys, float* scratch, float* scores) {
  const std::int64_t dim = keys.run.dim;
  if (keys.run.format == KvFormat::kF16) {
    for_each_pass(keys, q.count, [&](std::int64_t r, auto rows, const std::byte* ahead) {
      score_page_f16<rows>(q.numbers + r * dim, keys.run, ahead, keys.slots,
                           scores + r * kPageTokens);
    });
    return;
  }
  with_codes<Products>(keys.run.format, [&]<class Codes>(Codes) {
    if (q.count >= kRowsOfTile) return score_tile<Codes>(q, keys, scratch, scores);
    for_each_pass(keys, q.count, [&](std::int64_t r, auto rows, const std::byte* ahead) {
      score_page_codes<Codes, rows>(q.codes + r * dim, keys.run, ahead, keys.slots,
                                    scores + r * kPageTokens);
    });
  });
}

template <class Products>
void add(const float* weights, const float* factors, std::int64_t count, const PageRun& values,
         float* scratch, ValueSums sums) {
  const KvRun& run = values.run;
  const auto sums_from = [&](std::int64_t r) {
    return ValueSums{sums.data + r * sums.stride, sums.stride};
  };
  if (run.format == KvFormat::kF16) {
    for_each_pass(values, count, [&](std::int64_t r, auto rows, const std::byte* ahead) {
      add_page_f16<rows>(weights + r * kPageTokens, factors + r, run, ahead, values.slots,
                         sums_from(r));
    });
    return;
  }
  with_codes<Products>(run.format, [&]<class Codes>(Codes) {
    if (count >= kRowsOfTile)
      return add_tile<Codes>(weights, factors, count, values, scratch, sums);
    load_value_scales(run, values.slots, scratch);
    for_each_pass(values, count, [&](std::int64_t r, auto rows, const std::byte* ahead) {
      add_page_codes<Codes, rows>(weights + r * kPageTokens, factors + r, scratch, run, ahead,
                                  values.slots, sums_from(r));
    });
  });
}

template <class Products>
constexpr PageKernels kKernels{score<Products>, weigh_scores, weigh_eight_rows, add<Products>};

}  // namespace

std::int64_t page_scratch_floats(const KvLayout& layout, std::int64_t rows) {
  return PageScratch::floats(std::max(layout.key_dim, layout.value_dim), rows);
}

const PageKernels& page_kernels(InstructionSet set) {
  if (set == InstructionSet::kAvx512Vnni) return avx512_vnni_page_kernels();
  return set == InstructionSet::kAvxVnni ? kKernels<AvxVnniProducts> : kKernels<Avx2Products>;
}

}  // namespace vernal::cpu_avx2
