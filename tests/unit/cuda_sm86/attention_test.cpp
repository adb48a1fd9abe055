// Attention over a paged cache: its three kernels alone, on the emulated device.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "device/memory.hpp"
#include "emulator/testing.hpp"
#include "kernels/attention/attention.hpp"

namespace vernal::cuda_sm86 {
namespace {

using Floats = std::vector<float>;

struct Setting {
  RunFormat keys = RunFormat::kQ4_0;
  RunFormat values = RunFormat::kQ4_0;
  int key_dim = 64;
  int value_dim = 64;
  int query_heads = 6;
  int heads = 1;
  int window = 0;
  int rotation = 0;    // numbers of keys and of values that a Hadamard rotation mixes
  int rope_pairs = 0;  // of queries and keys that their position turns
  bool has_norm = false;
  float later_keys = 1.0F;  // factor of the keys behind the first split
};

constexpr int kMostPositions = 1024;
constexpr int kMostTokens = 640;
constexpr float kScale = 0.125F;

std::int64_t run_bytes(RunFormat format, int dim) {
  const std::int64_t numbers = std::int64_t{kPagePositions} * dim;
  if (format == RunFormat::kF16) return numbers * 2;
  return (format == RunFormat::kQ8_0 ? numbers : numbers / 2) + numbers / kGroupNumbers * 2;
}

using Doubles = std::vector<double>;

constexpr float kNormEpsilon = 1e-5F;

/// The angle by which pair j of a row turns at a position.
double angle(int position, int j) { return position * std::pow(0.7, j); }

void norm(Doubles& row) {
  double sum = 0;
  for (const double x : row) sum += x * x;
  const double mean = sum / static_cast<double>(row.size());
  for (double& x : row) x /= std::sqrt(mean + static_cast<double>(kNormEpsilon));
}

void turn(Doubles& row, int pairs, int position) {
  for (int j = 0; j < pairs; ++j) {
    double& u = row[static_cast<std::size_t>(j)];
    double& v = row[static_cast<std::size_t>(j + pairs)];
    const double cosine = std::cos(angle(position, j));
    const double sine = std::sin(angle(position, j));
    const double before = u;
    u = before * cosine - v * sine;
    v = before * sine + v * cosine;
  }
}

/// y_i = sum over j of (-1)^popcount(i & j) x_j / sqrt(block), in blocks of so many numbers.
void rotate(Doubles& row, int block) {
  if (block == 0) return;
  const Doubles x = row;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto size = static_cast<std::size_t>(block);
    row[i] = 0;
    for (std::size_t j = 0; j < size; ++j) {
      const bool is_odd = std::popcount(i % size & j) % 2 == 1;
      row[i] += (is_odd ? -1 : 1) * x[i / size * size + j] / std::sqrt(block);
    }
  }
}

KvRun run_of(RunFormat format, int dim, std::int64_t at) {
  KvRun run{format, dim, 0, at, 0};
  if (format != RunFormat::kF16) {
    run.scales_at = run_bytes(format, dim) - std::int64_t{kPagePositions} * (dim / 32) * 2;
  }
  return run;
}

/// One sequence with queries, keys and values that a seed gives.
class Sequence {
 public:
  explicit Sequence(const Setting& setting) : s_(setting) {
    a_.keys = run_of(s_.keys, s_.key_dim, 0);
    a_.values = run_of(s_.values, s_.value_dim, run_bytes(s_.keys, s_.key_dim));
    a_.head_bytes = a_.values.at + run_bytes(s_.values, s_.value_dim);
    a_.page_stride = a_.head_bytes * s_.heads;
    a_.num_heads = s_.heads;
    a_.num_query_heads = s_.query_heads;
    a_.most_pages = kMostPositions / kPagePositions;
    a_.max_splits = kMostPositions / kSplitPositions;
    a_.window = s_.window;
    a_.keys.rotation = a_.values.rotation = s_.rotation;
    a_.query_factor = kScale * kLog2E;
    a_.is_causal = true;
    std::mt19937 random(5);
    std::normal_distribution<float> normal(0.0F, 1.0F);
    for (auto [rows, width] :
         {std::pair{&q_, s_.query_heads * s_.key_dim}, std::pair{&k_, s_.heads * s_.key_dim},
          std::pair{&v_, s_.heads * s_.value_dim}}) {
      rows->resize(static_cast<std::size_t>(kMostTokens) * static_cast<std::size_t>(width));
      for (float& x : *rows) x = normal(random);
    }
    const auto later = static_cast<std::size_t>(kSplitPositions * s_.heads * s_.key_dim);
    for (std::size_t i = later; i < k_.size(); ++i) k_[i] *= s_.later_keys;
    allocate();
  }

  /// Stores the keys and values of tokens [first, end) and gives the results of their queries.
  Floats step(int first, int end) {
    const int count = end - first;
    const auto fill = [&](const Buffer& to, const Floats& from, int width) {
      const auto at = from.begin() + std::int64_t{first} * width;
      std::copy_n(at, std::int64_t{count} * width, to.as<float>());
    };
    fill(buffers_[0], q_, s_.query_heads * s_.key_dim);
    fill(buffers_[1], k_, s_.heads * s_.key_dim);
    fill(buffers_[2], v_, s_.heads * s_.value_dim);
    for (int token = 0; token < count; ++token) {
      for (int j = 0; j < s_.rope_pairs; ++j) {
        const int at = token * s_.rope_pairs + j;
        turns_[at] = static_cast<float>(std::cos(angle(first + token, j)));
        turns_[kMostTokens * s_.rope_pairs + at] =
            static_cast<float>(std::sin(angle(first + token, j)));
      }
    }
    *counts_.as<StepCounts>() = {count, count, 1, 0};
    SequencePart part{};
    part.count = count;
    part.first_position = first;
    *parts_.as<SequencePart>() = part;
    const LaunchSize size{nullptr, count, count, 1};
    for (auto* const launch : {launch_prepare, launch_attend, launch_finish}) {
      EXPECT_EQ(launch(a_, size), cudaSuccess);
    }
    EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess) << emulator::last_fault();
    return {a_.y, a_.y + std::int64_t{count} * s_.query_heads * s_.value_dim};
  }

  /// What a query of head h at a position should give, from the numbers that the cache holds.
  Doubles expected(int position, int h) const {
    const int head = h / (s_.query_heads / s_.heads);
    const Doubles q = prepared(q_, position * s_.query_heads + h, position);
    Doubles out(static_cast<std::size_t>(s_.value_dim));
    double sum = 0;
    for (int j = s_.window > 0 ? std::max(0, position - s_.window + 1) : 0; j <= position; ++j) {
      double score = 0;
      for (int i = 0; i < s_.key_dim; ++i) {
        score += q[static_cast<std::size_t>(i)] * number(true, head, j, i);
      }
      const double weight = std::exp(score * static_cast<double>(kScale));
      sum += weight;
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] += weight * number(false, head, j, static_cast<int>(i));
      }
    }
    for (double& x : out) x /= sum;
    rotate(out, s_.rotation);
    return out;
  }

  /// A number that the cache holds.
  double number(bool is_key, int head, int position, int i) const {
    const KvRun& run = is_key ? a_.keys : a_.values;
    const unsigned char* const data = a_.pages +
                                      a_.page_ids[position / kPagePositions] * a_.page_stride +
                                      head * a_.head_bytes + run.at;
    const int in_page = position % kPagePositions;
    const unsigned char* const at = data + (is_key ? key_at(run.format, run.dim, in_page, i)
                                                   : value_at(run.format, in_page, i));
    std::uint16_t half = 0;
    if (run.format == RunFormat::kF16) {
      std::memcpy(&half, at, 2);
      return static_cast<double>(emulator::float_of_half(half));
    }
    std::memcpy(&half, data + run.scales_at + 2 * scale_at(i / kGroupNumbers, in_page), 2);
    const int nibble = i % kGroupNumbers < 16 ? *at & 15 : *at >> 4;
    const int code = run.format == RunFormat::kQ8_0 ? static_cast<std::int8_t>(*at) : nibble - 8;
    return static_cast<double>(emulator::float_of_half(half)) * code;
  }
  /// What it should hold, before it is rounded.
  Doubles given(bool is_key, int head, int position) const {
    const int row = position * s_.heads + head;
    if (is_key) return prepared(k_, row, position);
    Doubles out = row_of(v_, row, s_.value_dim);
    rotate(out, s_.rotation);
    return out;
  }

  const Setting& setting() const { return s_; }
  std::int64_t page_bytes() const { return a_.page_stride; }

 private:
  template <class Type>
  Type* make(std::int64_t count) {
    buffers_.emplace_back(MemoryPlace::kPinned, count * static_cast<std::int64_t>(sizeof(Type)),
                          "attention");
    std::memset(buffers_.back().data(), 0xFF, static_cast<std::size_t>(count) * sizeof(Type));
    return buffers_.back().template as<Type>();
  }

  static Doubles row_of(const Floats& rows, int row, int dim) {
    const auto at = rows.begin() + std::int64_t{row} * dim;
    return {at, at + dim};
  }
  /// A query or key as scores take it.
  Doubles prepared(const Floats& rows, int row, int position) const {
    Doubles out = row_of(rows, row, s_.key_dim);
    if (s_.has_norm) norm(out);
    turn(out, s_.rope_pairs, position);
    rotate(out, s_.rotation);
    return out;
  }

  HeadRows make_rows(int heads, int dim) {
    HeadRows rows{};
    rows.x = make<float>(std::int64_t{kMostTokens} * heads * dim);
    rows.token_stride = std::int64_t{heads} * dim;
    rows.head_stride = dim;
    return rows;
  }

  void allocate() {
    const std::int64_t rows = std::int64_t{kMostTokens} * s_.query_heads;
    const std::int64_t parts = std::int64_t{kMostSplitTokens} * s_.query_heads * a_.max_splits;
    a_.q = make_rows(s_.query_heads, s_.key_dim);
    a_.k = make_rows(s_.heads, s_.key_dim);
    a_.v = make_rows(s_.heads, s_.value_dim);
    for (HeadRows* const turned : {&a_.q, &a_.k}) {
      turned->has_norm = s_.has_norm;
      turned->norm_epsilon = kNormEpsilon;
    }
    if (s_.rope_pairs > 0) {
      turns_ = make<float>(std::int64_t{2} * kMostTokens * s_.rope_pairs);
      a_.q.rope = a_.k.rope = {turns_, kMostTokens, s_.rope_pairs, false};
    }
    a_.y = make<float>(rows * s_.value_dim);
    a_.queries = make<std::uint16_t>(rows * padded_dim(s_.key_dim));
    a_.sums = make<SoftmaxSum>(rows);
    a_.partials = make<float>(parts * s_.value_dim);
    a_.partial_sums = make<SoftmaxSum>(parts);
    a_.pages = make<unsigned char>(a_.page_stride * a_.most_pages);
    auto* const ids = make<std::uint32_t>(a_.most_pages);
    for (int i = 0; i < a_.most_pages; ++i) {
      ids[i] = static_cast<std::uint32_t>(a_.most_pages - 1 - i);
    }
    a_.page_ids = ids;
    auto* const tokens = make<std::int32_t>(kMostTokens);
    std::fill_n(tokens, kMostTokens, 0);
    a_.token_sequence = tokens;
    a_.counts = counts_.as<StepCounts>();
    a_.sequences = parts_.as<SequencePart>();
  }

  Setting s_;
  Attention a_{};
  Floats q_, k_, v_;
  float* turns_ = nullptr;  // cosines [kMostTokens][rope_pairs], then sines
  std::vector<Buffer> buffers_;
  Buffer counts_{MemoryPlace::kPinned, sizeof(StepCounts), "counts"};
  Buffer parts_{MemoryPlace::kPinned, sizeof(SequencePart), "parts"};
};

/// The mean square error of the results of tokens [first, ...), as part of their mean square.
double error_of(const Sequence& sequence, int first, const Floats& found) {
  const Setting& s = sequence.setting();
  double error = 0;
  double square = 0;
  for (std::size_t at = 0; at < found.size();) {
    const int row = static_cast<int>(at) / s.value_dim;
    for (const double x : sequence.expected(first + row / s.query_heads, row % s.query_heads)) {
      error += std::pow(static_cast<double>(found[at++]) - x, 2);
      square += x * x;
    }
  }
  return error / square;
}

constexpr double kBound = 1e-6;  // queries, weights and values are f16, sums f32

class AttentionOfFormats : public testing::TestWithParam<std::pair<RunFormat, RunFormat>> {};

void expect_stored(const Sequence& sequence, RunFormat format, bool is_key) {
  const double step = format == RunFormat::kF16 ? 2e-3 : format == RunFormat::kQ8_0 ? 0.02 : 0.3;
  for (const int position : {0, 1, 2, 3, 17, 63, 64, 69}) {
    const Doubles given = sequence.given(is_key, 1, position);
    for (std::size_t i = 0; i < given.size(); ++i) {
      EXPECT_NEAR(sequence.number(is_key, 1, position, static_cast<int>(i)), given[i], step)
          << (is_key ? "key" : "value") << " of " << position << ", number " << i;
    }
  }
}

TEST_P(AttentionOfFormats, StoresWhatRoundsToTheRows) {
  Sequence sequence({.keys = GetParam().first, .values = GetParam().second, .heads = 2});
  sequence.step(0, 70);
  expect_stored(sequence, GetParam().first, true);
  expect_stored(sequence, GetParam().second, false);
}

/// Rows are normed, turned by their positions and rotated on their way: queries and keys alike, or
/// scores mean nothing; values are rotated, and their sums back.
TEST_P(AttentionOfFormats, PreparesQueriesAndKeysAlike) {
  for (const int rotation : {0, 32, 64}) {
    Sequence sequence({.keys = GetParam().first,
                       .values = GetParam().second,
                       .heads = 2,
                       .rotation = rotation,
                       .rope_pairs = 24,
                       .has_norm = true});
    EXPECT_LE(error_of(sequence, 0, sequence.step(0, 70)), kBound) << rotation;
    EXPECT_LE(error_of(sequence, 70, sequence.step(70, 71)), kBound) << rotation;
    expect_stored(sequence, GetParam().first, true);
    expect_stored(sequence, GetParam().second, false);
  }
}

TEST_P(AttentionOfFormats, WeighsTheNumbersThatTheCacheHolds) {
  Sequence sequence({.keys = GetParam().first, .values = GetParam().second});
  EXPECT_LE(error_of(sequence, 0, sequence.step(0, 70)), kBound);
  EXPECT_LE(error_of(sequence, 70, sequence.step(70, 75)), kBound);
  EXPECT_LE(error_of(sequence, 75, sequence.step(75, 76)), kBound);
}

/// A row has the same bits alone, among eight, and in a long step: each of them takes another way
/// through the kernels. The last rows see a second split.
TEST_P(AttentionOfFormats, GiveTheSameBitsForAnyNumberOfRows) {
  const Setting setting{.keys = GetParam().first, .values = GetParam().second};
  Sequence whole(setting);
  const Floats expected = whole.step(0, 530);
  Sequence cut(setting);
  Floats found;
  for (const auto& [first, end] : {std::pair{0, 300},
                                   {300, 308},
                                   {308, 500},
                                   {500, 505},
                                   {505, 506},
                                   {506, 514},
                                   {514, 515},
                                   {515, 522},
                                   {522, 530}}) {
    const Floats rows = cut.step(first, end);
    found.insert(found.end(), rows.begin(), rows.end());
  }
  ASSERT_EQ(found.size(), expected.size());
  EXPECT_EQ(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)), 0);
}

/// A split may have larger scores than those before it: their sums then shrink when it is merged, by
/// the block that has all splits and by the launch that comes after blocks with one each.
TEST(Attention, MergesSplitsWhicheverHasTheLargestScore) {
  for (const float later : {0.1F, 4.0F}) {
    Sequence sequence({.keys = RunFormat::kF16, .values = RunFormat::kF16, .later_keys = later});
    sequence.step(0, 500);
    EXPECT_LE(error_of(sequence, 500, sequence.step(500, 530)), 1e-5) << later;
    EXPECT_LE(error_of(sequence, 530, sequence.step(530, 531)), 1e-5) << later;
  }
}

std::vector<std::pair<RunFormat, RunFormat>> all_pairs() {
  std::vector<std::pair<RunFormat, RunFormat>> out;
  for (const auto keys : {RunFormat::kF16, RunFormat::kQ8_0, RunFormat::kQ4_0}) {
    for (const auto values : {RunFormat::kF16, RunFormat::kQ8_0, RunFormat::kQ4_0}) {
      out.emplace_back(keys, values);
    }
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(All, AttentionOfFormats, testing::ValuesIn(all_pairs()));

TEST(Attention, TakesHeadsOfAnySize) {
  constexpr auto kF16 = RunFormat::kF16;
  constexpr auto kQ8 = RunFormat::kQ8_0;
  for (const Setting& setting : {
           Setting{.key_dim = 32, .value_dim = 32},
           Setting{.key_dim = 96, .value_dim = 96},
           Setting{.keys = kQ8, .values = kQ8, .key_dim = 96, .value_dim = 32},
           Setting{.key_dim = 192, .value_dim = 128},
           Setting{.key_dim = 256, .value_dim = 256},
           Setting{.key_dim = 288, .value_dim = 512, .query_heads = 2},
           Setting{.keys = kF16, .values = kF16, .key_dim = 80, .value_dim = 80},
           Setting{.keys = kF16, .values = kF16, .key_dim = 20, .value_dim = 20},
           Setting{.keys = kF16, .values = kF16, .key_dim = 320, .value_dim = 288},
       }) {
    Sequence sequence(setting);
    const std::string label =
        std::to_string(setting.key_dim) + " and " + std::to_string(setting.value_dim);
    EXPECT_LE(error_of(sequence, 0, sequence.step(0, 66)), kBound) << label;
    EXPECT_LE(error_of(sequence, 66, sequence.step(66, 67)), kBound) << label;
  }
}

TEST(Attention, TakesGroupsOfAnySize) {
  for (const auto& [query_heads, heads] :
       {std::pair{1, 1}, {3, 3}, {8, 1}, {10, 2}, {24, 2}, {50, 1}, {71, 1}}) {
    Sequence sequence({.key_dim = 32, .value_dim = 32, .query_heads = query_heads, .heads = heads});
    const std::string label = std::to_string(query_heads) + " over " + std::to_string(heads);
    EXPECT_LE(error_of(sequence, 0, sequence.step(0, 11)), kBound) << label;
    EXPECT_LE(error_of(sequence, 11, sequence.step(11, 15)), kBound) << label;
    EXPECT_LE(error_of(sequence, 15, sequence.step(15, 16)), kBound) << label;
  }
}

TEST(Attention, SeesNoMoreThanItsWindow) {
  for (const int window : {1, 63, 64, 65, 130}) {
    Sequence sequence({.key_dim = 32, .value_dim = 32, .window = window});
    EXPECT_LE(error_of(sequence, 0, sequence.step(0, 200)), kBound) << window;
    EXPECT_LE(error_of(sequence, 200, sequence.step(200, 203)), kBound) << window;
  }
}

/// What a step of a few tokens reads of the cache: each page once for a head of keys, however many
/// query heads and tokens there are.
TEST(Attention, ReadsEachPageOnceForAllColumns) {
  Sequence sequence({.key_dim = 256, .value_dim = 256, .query_heads = 12, .heads = 2});
  sequence.step(0, 600);
  for (const int tokens : {1, 8}) {
    const emulator::Counters before = emulator::counters();
    sequence.step(600, 600 + tokens);
    const emulator::Counters after = emulator::counters();
    const double bytes = static_cast<double>(after.load_once_bytes + after.copy_async_bytes -
                                             before.load_once_bytes - before.copy_async_bytes);
    // Two splits load the queries.
    const double queries = 2.0 * tokens * 12 * 256 * 2;
    const double pages =
        std::ceil((600.0 + tokens) / kPagePositions) * static_cast<double>(sequence.page_bytes());
    EXPECT_NEAR((bytes - queries) / pages, 1.0, 0.03) << tokens << " tokens";
  }
}

}  // namespace
}  // namespace vernal::cuda_sm86
