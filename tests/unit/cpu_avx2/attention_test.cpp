#include "kernels/attention/attention.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <iostream>
#include <limits>
#include <numeric>

#include "kernels/attention/hadamard.hpp"
#include "random_data.hpp"
#include "tolerance.hpp"
#include "vernal/block_types.hpp"
#include "vernal/block_types/quantize.hpp"

namespace vernal::cpu_avx2 {
namespace {

struct Shapes {
  std::int64_t query_heads;
  std::int64_t kv_heads;
  std::int64_t key_dim;
  std::int64_t value_dim;
  KvFormat keys;
  KvFormat values;
  std::int64_t window;
  float softcap;
  bool has_sinks;
  bool is_rotated = false;
};

/// The rotation by its definition, in double.
void rotate_exactly(std::vector<float>& row, std::int64_t block) {
  const std::vector<float> x = row;
  const auto n = static_cast<std::size_t>(block);
  for (std::size_t i = 0; n > 0 && i < row.size(); ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < n; ++j) {
      const double number = x[i / n * n + j];
      sum += std::popcount(i % n & j) % 2 == 0 ? number : -number;
    }
    row[i] = static_cast<float>(sum / std::sqrt(static_cast<double>(block)));
  }
}

/// A sequence of random q, k, v rows, and the pages they go to.
class Cache {
 public:
  Cache(const Shapes& shapes, std::int64_t length, std::uint32_t seed,
        InstructionSet set = InstructionSet::kAvx2)
      : shapes_(shapes), kernels_(page_kernels(set)) {
    const auto rows = static_cast<std::size_t>(length);
    q_ = random_floats(rows * size(shapes.query_heads * shapes.key_dim), seed);
    k_ = random_floats(rows * size(shapes.kv_heads * shapes.key_dim), seed + 1);
    v_ = random_floats(rows * size(shapes.kv_heads * shapes.value_dim), seed + 2);
    sinks_ = random_floats(size(shapes.query_heads), seed + 3);
    layout_ = {shapes.kv_heads, shapes.key_dim, shapes.value_dim, shapes.keys, shapes.values};
    if (shapes.is_rotated) {
      if (has_codes(shapes.keys)) layout_.key_rotation = rotation_block(shapes.key_dim);
      if (has_codes(shapes.values)) layout_.value_rotation = rotation_block(shapes.value_dim);
    }
    const std::int64_t pages = (length + kPageTokens - 1) / kPageTokens;
    page_ids_.resize(size(pages));
    std::iota(page_ids_.rbegin(), page_ids_.rend(), 3U);  // backwards, not from 0
    memory_.resize(size((pages + 3) * layout_.page_bytes()), std::byte{0x7F});
  }

  /// Runs the tokens [first, last) as one step and returns their results.
  std::vector<float> run(std::int64_t first, std::int64_t last, std::int64_t num_threads,
                         std::int64_t partial_capacity) {
    const AttentionSequence sequence{page_ids_.data(), 0, last - first, first};
    Attention a;
    a.q = q_.data() + first * shapes_.query_heads * shapes_.key_dim;
    std::vector<float> out(size((last - first) * shapes_.query_heads * shapes_.value_dim), -7.0F);
    a.out = out.data();
    a.sinks = shapes_.has_sinks ? sinks_.data() : nullptr;
    a.pages = memory_.data();
    a.page_stride = layout_.page_bytes();
    a.layout = layout_;
    a.num_query_heads = shapes_.query_heads;
    a.window = shapes_.window;
    a.softcap = shapes_.softcap;
    a.scale = 1.0F / std::sqrt(static_cast<float>(shapes_.key_dim));
    a.sequences = {&sequence, 1};
    a.kernels = &kernels_;
    append_kv(a, k_.data() + first * shapes_.kv_heads * shapes_.key_dim,
              v_.data() + first * shapes_.kv_heads * shapes_.value_dim, 0, last - first);
    AttentionSchedule schedule;
    schedule_attention(a, num_threads, partial_capacity, schedule);
    used_splits_ = schedule.max_splits;
    std::vector<float> scratch(size(attention_scratch_floats(a)));
    const std::int64_t rows = (last - first) * shapes_.query_heads;
    std::vector<float> partials(
        size(rows * schedule.max_splits * partial_floats(shapes_.value_dim)));
    for (const AttentionItem& item : schedule.items) {
      run_attention_item(a, item, schedule.max_splits, partials.data(), scratch.data());
    }
    if (schedule.max_splits > 0) {
      merge_attention_rows(a, schedule.max_splits, partials.data(), 0, rows, scratch.data());
    }
    return out;
  }

  /// Row `position` in double, from keys and values as stored. Everything must have been run.
  std::vector<double> expected(std::int64_t position) const {
    std::vector<double> out;
    for (std::int64_t h = 0; h < shapes_.query_heads; ++h) {
      const std::int64_t g = h * shapes_.kv_heads / shapes_.query_heads;
      const std::int64_t first =
          shapes_.window > 0 ? std::max<std::int64_t>(0, position - shapes_.window + 1) : 0;
      std::vector<double> scores;
      for (std::int64_t j = first; j <= position; ++j) scores.push_back(score(position, h, g, j));
      if (shapes_.has_sinks) scores.push_back(sinks_[size(h)]);
      const double top = *std::max_element(scores.begin(), scores.end());
      double sum = 0.0;
      for (double& s : scores) sum += s = std::exp(s - top);
      std::vector<double> row(size(shapes_.value_dim));
      for (std::int64_t j = first; j <= position; ++j) {
        const std::vector<float> v = stored(j, g, false);
        for (std::size_t i = 0; i < row.size(); ++i) row[i] += scores[size(j - first)] / sum * v[i];
      }
      out.insert(out.end(), row.begin(), row.end());
    }
    return out;
  }

  std::int64_t used_splits() const { return used_splits_; }

 private:
  static std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

  std::vector<float> stored(std::int64_t position, std::int64_t head, bool is_key) const {
    const std::int64_t page = page_ids_[size(position / kPageTokens)];
    std::byte* data = const_cast<std::byte*>(memory_.data()) + page * layout_.page_bytes();
    std::vector<float> out(size(is_key ? layout_.key_dim : layout_.value_dim));
    if (is_key) {
      load_key({layout_.keys, data + layout_.keys_at(head), layout_.key_dim},
               position % kPageTokens, out.data());
    } else {
      load_value({layout_.values, data + layout_.values_at(head), layout_.value_dim},
                 position % kPageTokens, out.data());
    }
    // Rotating twice is nothing: this is the row that was stored, with its rounding.
    rotate_exactly(out, is_key ? layout_.key_rotation : layout_.value_rotation);
    return out;
  }

  double score(std::int64_t position, std::int64_t h, std::int64_t g, std::int64_t j) const {
    const std::vector<float> key = stored(j, g, true);
    const float* q = q_.data() + (position * shapes_.query_heads + h) * shapes_.key_dim;
    double dot = 0.0;
    for (std::size_t i = 0; i < key.size(); ++i) dot += static_cast<double>(q[i]) * key[i];
    dot /= std::sqrt(static_cast<double>(shapes_.key_dim));
    return shapes_.softcap > 0.0F ? shapes_.softcap * std::tanh(dot / shapes_.softcap) : dot;
  }

  Shapes shapes_;
  const PageKernels& kernels_;
  std::int64_t used_splits_ = 0;
  KvLayout layout_;
  std::vector<float> q_, k_, v_, sinks_;
  std::vector<std::uint32_t> page_ids_;
  std::vector<std::byte> memory_;
};

const Shapes kShapes[] = {
    {12, 2, 128, 128, KvFormat::kQ8_0, KvFormat::kQ8_0, 0, 0.0F, false},
    {4, 4, 32, 32, KvFormat::kF16, KvFormat::kF16, 0, 0.0F, false},
    {7, 1, 64, 64, KvFormat::kF16, KvFormat::kQ8_0, 0, 30.0F, false},
    {4, 1, 256, 256, KvFormat::kQ8_0, KvFormat::kF16, 96, 0.0F, false},
    {12, 2, 128, 128, KvFormat::kQ4_0, KvFormat::kQ4_0, 0, 0.0F, false},
    {9, 3, 96, 64, KvFormat::kQ4_0, KvFormat::kF16, 0, 0.0F, true},
    {4, 2, 64, 96, KvFormat::kF16, KvFormat::kQ4_0, 100, 0.0F, false},
    {5, 1, 64, 256, KvFormat::kQ8_0, KvFormat::kQ4_0, 0, 0.0F, false},
    {2, 2, 256, 32, KvFormat::kQ4_0, KvFormat::kQ8_0, 0, 20.0F, false},
    {6, 2, 128, 128, KvFormat::kQ4_0, KvFormat::kQ4_0, 0, 0.0F, false, true},
    {4, 2, 96, 64, KvFormat::kQ8_0, KvFormat::kQ8_0, 0, 0.0F, true, true},
    {3, 1, 256, 96, KvFormat::kF16, KvFormat::kQ4_0, 70, 0.0F, false, true},
    {8, 4, 24, 40, KvFormat::kF16, KvFormat::kF16, 16, 0.0F, true},
    {5, 5, 8, 8, KvFormat::kF16, KvFormat::kF16, 0, 0.0F, true},
};

TEST(Attention, AgreesWithDoubleArithmetic) {
  constexpr std::int64_t kLength = 1100;  // three splits, the last page not full
  for (const Shapes& shapes : kShapes) {
    const bool is_f16 = shapes.keys == KvFormat::kF16 && shapes.values == KvFormat::kF16;
    const double tolerance = is_f16 ? kAttentionF16Nmse : kAttentionQ8Nmse;
    Cache cache(shapes, kLength, 21);
    const std::vector<float> out = cache.run(0, kLength, 1, 0);
    const auto row_size = static_cast<std::ptrdiff_t>(shapes.query_heads * shapes.value_dim);
    for (const std::int64_t position : {0, 1, 7, 63, 64, 65, 511, 512, 1023, 1024, 1099}) {
      const std::vector<float> row(out.begin() + position * row_size,
                                   out.begin() + (position + 1) * row_size);
      EXPECT_LE(worst_nmse(row, cache.expected(position), 1), tolerance)
          << shapes.query_heads << " heads, position " << position;
    }
  }
}

TEST(Attention, GivesTheSameBitsInAnyChunksAndSplits) {
  constexpr std::int64_t kLength = 580;  // two splits
  for (const Shapes& shapes : kShapes) {
    Cache whole(shapes, kLength, 31);
    const std::vector<float> expected = whole.run(0, kLength, 1, 0);
    EXPECT_EQ(whole.used_splits(), 0);
    const auto row_size = static_cast<std::ptrdiff_t>(shapes.query_heads * shapes.value_dim);
    for (const std::int64_t chunk : {1, 7, 64, 550}) {
      Cache cache(shapes, kLength, 31);
      bool was_split = false;
      for (std::int64_t first = 0; first < kLength; first += chunk) {
        const std::int64_t last = std::min(first + chunk, kLength);
        const std::vector<float> out = cache.run(first, last, 16, 1 << 20);
        was_split = was_split || cache.used_splits() > 0;
        ASSERT_TRUE(std::equal(out.begin(), out.end(), expected.begin() + first * row_size))
            << "chunk of " << chunk << " at " << first;
      }
      EXPECT_TRUE(was_split);
    }
  }
}

TEST(Attention, GivesTheSameBitsWithEveryInstructionSet) {
  constexpr std::int64_t kLength = 580;
  for (const InstructionSetInfo& set : instruction_sets()) {
    if (&page_kernels(set.id) == &page_kernels(InstructionSet::kAvx2)) continue;
    if (!is_available(set.id)) {
      std::cout << set.name << " is not tested: this processor lacks " << set.needs << "\n";
      continue;
    }
    for (const Shapes& shapes : kShapes) {
      Cache plain(shapes, kLength, 71);
      Cache other(shapes, kLength, 71, set.id);
      ASSERT_EQ(other.run(0, 517, 1, 0), plain.run(0, 517, 1, 0))
          << set.name << ", " << shapes.query_heads << " heads of " << shapes.key_dim;
      for (std::int64_t first = 517; first < kLength; first += 9) {
        const std::int64_t last = std::min(first + 9, kLength);
        ASSERT_EQ(other.run(first, last, 16, 1 << 20), plain.run(first, last, 16, 1 << 20))
            << set.name << ", " << shapes.query_heads << " heads, position " << first;
      }
    }
  }
}

TEST(Attention, WeighsByTheExponentialAndNothingUnseen) {
  std::vector<float> inputs = {-0.0F, -87.33654F, -87.4F, -1e30F, -1e-30F};
  inputs.push_back(-std::numeric_limits<float>::infinity());
  while (inputs.size() < 60'000) inputs.push_back(-0.0015F * static_cast<float>(inputs.size()));
  constexpr Slots kSeen{2, 62};  // the first is the greatest of them; what is not seen is greater
  constexpr float kScale = 0.37F;
  for (std::size_t first = 0; first < inputs.size(); first += 59) {
    std::vector<float> expected;
    for (const InstructionSetInfo& set : instruction_sets()) {
      if (!is_available(set.id)) continue;
      alignas(64) std::array<float, kPageTokens> scores{};
      scores.fill(1e30F);
      scores[2] = 0.0F;
      for (std::size_t i = 0; i < 59; ++i) {
        scores[3 + i] = inputs[std::min(first + i, inputs.size() - 1)] / kScale;
      }
      const std::array<float, kPageTokens> given = scores;
      const PageWeights row = page_kernels(set.id).weigh(scores.data(), kSeen, {kScale, 0.0F});
      ASSERT_EQ(row.greatest, 0.0F);
      double sum = 0.0;
      for (std::size_t i = 0; i < scores.size(); ++i) {
        sum += scores[i];
        if (i < 2 || i >= 62) {
          ASSERT_EQ(scores[i], 0.0F) << set.name << ", slot " << i;
          continue;
        }
        const double x = static_cast<double>(given[i]) * kScale;
        const double exact = std::exp(x);
        // The logarithm of a weight is a float: it is rounded in proportion to its size.
        const double error = exact * (3e-7 + 1.5e-7 * std::fabs(std::max(x, -88.0))) + 2e-38;
        ASSERT_NEAR(scores[i], exact, error) << set.name << ", " << x;
      }
      ASSERT_NEAR(row.sum, sum, 1e-6 * sum) << set.name;
      const std::vector<float> weights(scores.begin(), scores.end());
      if (expected.empty()) expected = weights;
      ASSERT_EQ(weights, expected) << set.name << " gives other bits";
    }
  }
}

TEST(Attention, WeighsScoresWhoseOrderAScaleTurnsRound) {
  for (const InstructionSetInfo& set : instruction_sets()) {
    if (!is_available(set.id)) continue;
    alignas(64) std::array<float, kPageTokens> scores{};
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = static_cast<float>(i);
    const PageWeights row =
        page_kernels(set.id).weigh(scores.data(), {0, kPageTokens}, {-0.5F, 0.0F});
    EXPECT_EQ(row.greatest, 0.0F) << set.name;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const double exact = std::exp(-0.5 * static_cast<double>(i));
      EXPECT_NEAR(scores[i], exact, exact * 5e-6) << set.name << ", slot " << i;
    }
  }
}

TEST(Attention, RoundsKeysAndValuesToTheirFormat) {
  const std::vector<float> x = random_floats(64, 41);
  std::vector<float> y(64);
  std::vector<std::byte> memory(static_cast<std::size_t>(KvLayout::run_bytes(KvFormat::kF16, 64)));
  const KvRun halves{KvFormat::kF16, memory.data(), 64};
  store_key(halves, 5, x.data());
  load_key(halves, 5, y.data());
  for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(y[i], float_from_f16(f16_from_float(x[i])));
  store_value(halves, 63, x.data());
  load_value(halves, 63, y.data());
  for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(y[i], float_from_f16(f16_from_float(x[i])));
  const KvRun codes{KvFormat::kQ8_0, memory.data(), 64};
  store_key(codes, 63, x.data());
  load_key(codes, 63, y.data());
  for (std::size_t i = 0; i < 64; ++i) {
    const auto group = x.begin() + static_cast<std::ptrdiff_t>(i / 32 * 32);
    const float largest = *std::max_element(
        group, group + 32, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
    EXPECT_NEAR(y[i], x[i], std::fabs(largest) / 127.0F * 0.51F);
  }
}

TEST(Hadamard, IsTheRotationOfItsDefinitionAndItsOwnInverse) {
  for (const std::int64_t dim : {32, 64, 96, 128, 160, 256}) {
    const std::vector<float> x = random_floats(static_cast<std::size_t>(dim), 51);
    std::vector<float> expected = x;
    rotate_exactly(expected, rotation_block(dim));
    std::vector<float> y = x;
    rotate_row(y.data(), dim, rotation_block(dim));
    for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 1e-5F);
    rotate_row(y.data(), dim, rotation_block(dim));
    for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], x[i], 1e-5F);
  }
  EXPECT_EQ(rotation_block(96), 32);
  EXPECT_EQ(rotation_block(128), 128);
}

/// sum((y - x)^2) / sum(x^2) of a row that was stored as q4_0, in blocks of `rotation`.
double rounding_error(std::vector<float> x, std::int64_t rotation) {
  const auto dim = static_cast<std::int64_t>(x.size());
  std::vector<std::byte> memory(
      static_cast<std::size_t>(KvLayout::run_bytes(KvFormat::kQ4_0, dim)));
  const KvRun run{KvFormat::kQ4_0, memory.data(), dim};
  const std::vector<double> expected(x.begin(), x.end());
  if (rotation > 0) rotate_row(x.data(), dim, rotation);
  store_key(run, 9, x.data());
  load_key(run, 9, x.data());
  if (rotation > 0) rotate_row(x.data(), dim, rotation);
  return worst_nmse(x, expected, 1);
}

TEST(Hadamard, LowersTheErrorOfRowsWithOutliers) {
  for (const std::int64_t dim : {64, 96, 128, 256}) {
    std::vector<float> x = random_floats(static_cast<std::size_t>(dim), 61);
    for (std::size_t i = 5; i < x.size(); i += 32) x[i] *= 20.0F;
    EXPECT_LT(rounding_error(x, rotation_block(dim)), 0.5 * rounding_error(x, 0)) << dim;
  }
}

TEST(Attention, RoundsToTheCodesOfTheBlockTypeQ40) {
  const std::vector<float> x = random_floats(64, 43);
  std::vector<std::byte> row(36);
  quantize_row_q4_0(x.data(), 64, row.data());
  std::vector<float> expected(64);
  dequantize_row(*find_block_type("ggml.q4_0/1"), row.data(), 64, expected.data());
  std::vector<std::byte> memory(static_cast<std::size_t>(KvLayout::run_bytes(KvFormat::kQ4_0, 64)),
                                std::byte{0x7F});
  const KvRun run{KvFormat::kQ4_0, memory.data(), 64};
  for (const auto& [store, load] :
       {std::pair{&store_key, &load_key}, {&store_value, &load_value}}) {
    const std::vector<float> other(64, 3.0F);
    std::vector<float> y(64);
    store(run, 36, x.data());
    store(run, 35, other.data());
    store(run, 37, other.data());
    load(run, 36, y.data());
    EXPECT_EQ(y, expected);
  }
}

}  // namespace
}  // namespace vernal::cpu_avx2
