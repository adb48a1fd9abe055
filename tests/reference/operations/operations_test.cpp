// Operations of levels 0 and 1 that have no file of their own. Results of backends are compared
// with the formulas in another form (sdk/spec/operations.md, sections 3 and 4).
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "reference/operations/operations_fixture.hpp"
#include "support/backends_under_test.hpp"
#include "support/model_under_test.hpp"
#include "vernal/block_types.hpp"
#include "vernal/block_types/quantize.hpp"

namespace vernal::test {
namespace {

TEST_P(Operations, L2NormDividesByTheRootOfTheSumOfSquares) {
  ops_.output(ops_.b().l2norm(ops_.input("x", {kTokens, 3, 8}), 0.25));
  const Floats x = random_floats(1, 5 * 24);
  ops_.feed("x", x);
  const Floats found = ops_.step({{ops_.sequence(), 5}});
  Floats expected(x.size());
  for (std::size_t row = 0; row < x.size(); row += 8) {
    const double sum = std::inner_product(&x[row], &x[row] + 8, &x[row], 0.25);
    for (std::size_t i = row; i < row + 8; ++i)
      expected[i] = static_cast<float>(x[i] / std::sqrt(sum));
  }
  EXPECT_LE(nmse(found, expected), kBound);
}

TEST_P(Operations, ConvolutionSeesTheColumnsOfItsOwnSequence) {
  constexpr std::int64_t kC = 16, kW = 4;
  const Floats w = random_floats(1, kC * kW), bias = random_floats(2, kC);
  ops_.output(ops_.b().conv1d_state(
      ops_.input("x", {kTokens, kC}), ops_.weight("conv.weight", {kC, kW}, w),
      ops_.weight("conv.bias", {kC}, bias), ops_.b().state(ConvState{"conv", 0, kC, kW}), "silu"));
  const auto expected = [&](const Floats& x) {
    Floats y(x.size());
    for (std::size_t at = 0; at < x.size(); ++at) {
      const std::size_t c = at % kC, t = at / kC;
      double sum = static_cast<double>(bias[c]);
      for (std::size_t i = 0; i < kW && i <= t; ++i) {
        sum += static_cast<double>(w[c * kW + kW - 1 - i]) * static_cast<double>(x[at - i * kC]);
      }
      y[at] = static_cast<float>(silu(sum));
    }
    return y;
  };
  const Floats a = random_floats(3, 9 * kC), b = random_floats(4, 7 * kC);
  const auto first = ops_.sequence(), second = ops_.sequence();
  ops_.feed("x", joined(tokens_of(a, kC, 0, 2), tokens_of(b, kC, 0, 6)));
  const Floats one = ops_.step({{first, 2}, {second, 6}});
  ops_.feed("x", joined(tokens_of(b, kC, 6, 7), tokens_of(a, kC, 2, 9)));
  const Floats two = ops_.step({{second, 1}, {first, 7}});
  EXPECT_LE(nmse(joined(tokens_of(one, kC, 0, 2), tokens_of(two, kC, 1, 8)), expected(a)), kBound);
  EXPECT_LE(nmse(joined(tokens_of(one, kC, 2, 8), tokens_of(two, kC, 0, 1)), expected(b)), kBound);
}

TEST_P(Operations, SlicesBeginWhereTheyShould) {
  ops_.output(ops_.b().slice(ops_.input("x", {kTokens, 10}), 1, 3, 4));
  const Floats x = random_floats(3, 5 * 10);
  ops_.feed("x", x);
  const Floats found = ops_.step({{ops_.sequence(), 5}});
  Floats expected;
  for (std::int64_t t = 0; t < 5; ++t) {
    const Floats part = tokens_of(x, 1, t * 10 + 3, t * 10 + 7);
    expected.insert(expected.end(), part.begin(), part.end());
  }
  EXPECT_EQ(found, expected);
}

TEST_P(Operations, OfRowsForTheSameTokenTheLastOneWins) {
  const Tensor x = ops_.input("x", {kTokens, 4});
  const Tensor external = ops_.input("ext", {kExternal, 4});
  const Tensor index = ops_.input("ext_index", {kExternal}, Element::kI32);
  ops_.output(ops_.b().override_rows(x, external, index));
  const Floats rows = random_floats(4, 5 * 4);
  const Floats before = random_floats(5, 3 * 4);
  ops_.feed("x", before);
  ops_.feed("ext", rows);
  ops_.feed_integers("ext_index", {2, 0, 2, 0, 2});
  const Floats found = ops_.step({{ops_.sequence(), 3}});
  EXPECT_EQ(found, joined(joined(tokens_of(rows, 4, 3, 4), tokens_of(before, 4, 1, 2)),
                          tokens_of(rows, 4, 4, 5)));
}

// A backend may load a matrix in pieces, of 16 MiB for example.
TEST_P(Operations, ProductsSeeAllRowsOfALargeMatrix) {
  constexpr std::int64_t kColumns = 4096;
  constexpr std::size_t kRows = 3900;
  constexpr std::size_t kDifferent = 13;  // other rows at the same place of each piece
  const BlockType& type = *find_block_type("ggml.q8_0/1");
  const std::size_t row_bytes = type.row_bytes(kColumns);
  std::vector<std::byte> different(kDifferent * row_bytes);
  const Floats x = random_floats(6, kColumns);
  std::vector<double> products;
  for (std::size_t i = 0; i < kDifferent; ++i) {
    Floats row = random_floats(static_cast<std::uint32_t>(7 + i), kColumns);
    std::byte* const stored = different.data() + i * row_bytes;
    quantize_row_q8_0(row.data(), kColumns, stored);
    dequantize_row(type, stored, kColumns, row.data());
    products.push_back(std::inner_product(x.begin(), x.end(), row.begin(), 0.0));
  }
  std::vector<std::byte> bytes;
  Floats expected;
  for (std::size_t i = 0; i < kRows; ++i) {
    const auto* const row = different.data() + i % kDifferent * row_bytes;
    bytes.insert(bytes.end(), row, row + row_bytes);
    expected.push_back(static_cast<float>(products[i % kDifferent]));
  }
  const WeightRef matrix =
      ops_.stored_weight("large", type.id, {kRows, kColumns}, std::move(bytes));
  ops_.output(ops_.b().linear("large", ops_.input("x", {kTokens, kColumns}), matrix));
  ops_.feed("x", x);
  // Other backends than the reference round x to 8 bits.
  EXPECT_LE(nmse(ops_.step({{ops_.sequence(), 1}}), expected), 4e-4);
}

INSTANTIATE_TEST_SUITE_P(Backends, Operations, testing::ValuesIn(backends_under_test()));

}  // namespace
}  // namespace vernal::test
