#include "kernels/attention/attention.hpp"

#include <algorithm>

#include "kernels/attention/hadamard.hpp"
#include "kernels/attention/kv_products_codes.hpp"
#include "kernels/attention/online_softmax.hpp"
#include "kernels/simd.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Rows (queries times heads of a group) that share a page of keys, which is widened for each tile; bounds
/// the scratch.
constexpr std::int64_t kTileRows = 96;

/// Items for each thread below which tiles are of half as many rows.
constexpr std::int64_t kItemsPerThread = 4;

/// A copy of a row in the rotation that its state is stored in.
class RotatedRow {
 public:
  RotatedRow(const float* x, std::int64_t dim, std::int64_t block) : data_(x) {
    if (block == 0) return;
    std::copy_n(x, dim, memory_);
    rotate_row(memory_, dim, block);
    data_ = memory_;
  }
  RotatedRow(const RotatedRow&) = delete;
  RotatedRow& operator=(const RotatedRow&) = delete;
  const float* data() const { return data_; }

 private:
  alignas(32) float memory_[kMostRotated];
  const float* data_;
};

/// Turns a finished row of sums back.
void unrotate_values(const KvLayout& kv, float* out) {
  if (kv.value_rotation != 0) rotate_row(out, kv.value_dim, kv.value_rotation);
}

std::int64_t queries_per_tile(const Attention& a, std::int64_t rows) {
  return std::max<std::int64_t>(1, rows / a.heads_per_group());
}

/// Items when every sequence is cut into tiles of so many queries.
std::int64_t num_tiles(const Attention& a, std::int64_t queries) {
  std::int64_t tiles = 0;
  for (const AttentionSequence& s : a.sequences) {
    tiles += (s.count + queries - 1) / queries * a.layout.num_heads;
  }
  return tiles;
}

/// Keys that a query sees, as positions.
struct KeyRange {
  std::int64_t first;
  std::int64_t last;  // one past
};

KeyRange visible_keys(const Attention& a, const AttentionSequence& s, std::int64_t query) {
  const std::int64_t position = s.first_position + query;
  const std::int64_t first = a.window > 0 ? std::max<std::int64_t>(0, position - a.window + 1) : 0;
  return {first, a.is_causal ? position + 1 : s.first_position + s.count};
}

std::int64_t num_splits(const Attention& a, const AttentionSequence& s, std::int64_t query) {
  return (visible_keys(a, s, query).last + kSplitTokens - 1) / kSplitTokens;
}

/// Scratch memory of one item.
struct TileMemory {
  TileMemory(const Attention& a, float* scratch)
      : scores(scratch),
        greatest(scores + most_rows(a) * kPageTokens),
        sums(greatest + most_rows(a)),
        factors(sums + most_rows(a)),
        score_scales(factors + most_rows(a)),
        queries(score_scales + most_rows(a)),
        query_codes(reinterpret_cast<std::int16_t*>(queries)),
        page(queries + most_rows(a) * a.layout.key_dim),
        split(page + page_scratch_floats(a.layout, most_rows(a)), a.layout.value_dim),
        total(split.end(most_rows(a)), a.layout.value_dim) {}

  /// Rows that any item may have, a multiple of 8.
  static std::int64_t most_rows(const Attention& a) {
    return (std::max(kTileRows, a.heads_per_group()) + 7) / 8 * 8;
  }

  static std::int64_t floats(const Attention& a) {
    const std::int64_t row =
        kPageTokens + 4 + a.layout.key_dim + 2 * SoftmaxRows::row_floats(a.layout.value_dim);
    return most_rows(a) * row + page_scratch_floats(a.layout, most_rows(a));
  }

  float* scores;              // [rows][64], then weights
  float* greatest;            // [rows]: score in a page
  float* sums;                // [rows]: of the weights
  float* factors;             // [rows]: what a weight is worth in the row's sums
  float* score_scales;        // [rows]: what a score is to be multiplied with
  float* queries;             // [rows][key_dim], or in the same place
  std::int16_t* query_codes;  // [rows][key_dim]
  float* page;                // page_scratch_floats()
  SoftmaxRows split;
  SoftmaxRows total;
};

/// The rows of one item.
class Tile {
 public:
  Tile(const Attention& attention, const AttentionItem& item, float* scratch)
      : a_(attention),
        s_(attention.sequences[static_cast<std::size_t>(item.sequence)]),
        item_(item),
        heads_(attention.heads_per_group()),
        num_rows_((item.last_query - item.first_query) * heads_),
        memory_(attention, scratch) {
    const std::int64_t dim = a_.layout.key_dim;
    for (std::int64_t r = 0; r < num_rows_; ++r) {
      const float* row = a_.q + output_row(r) * dim;
      memory_.score_scales[r] = a_.scale;
      if (!has_codes(a_.layout.keys)) {
        std::copy_n(row, dim, memory_.queries + r * dim);
        continue;
      }
      const RotatedRow query(row, dim, a_.layout.key_rotation);
      memory_.score_scales[r] *= quantize_query(query.data(), dim, memory_.query_codes + r * dim);
    }
  }

  void run_split(std::int64_t split) {
    memory_.split.reset(num_rows_);
    const KeyRange first = visible_keys(a_, s_, item_.first_query);
    const KeyRange last = visible_keys(a_, s_, item_.last_query - 1);
    const std::int64_t begin = std::max(first.first, split * kSplitTokens);
    const std::int64_t end = std::min(last.last, (split + 1) * kSplitTokens);
    for (std::int64_t page = begin / kPageTokens; page * kPageTokens < end; ++page) {
      const std::int64_t start = page * kPageTokens;
      run_page(page, {std::max<std::int64_t>(0, begin - start), std::min(kPageTokens, end - start)},
               start + kPageTokens < last.last);
    }
  }

  void run_all_splits() {
    const std::int64_t splits = num_splits(a_, s_, item_.last_query - 1);
    memory_.total.reset(num_rows_);
    const std::int64_t first = visible_keys(a_, s_, item_.first_query).first / kSplitTokens;
    for (std::int64_t split = first; split < splits; ++split) {
      run_split(split);
      for (std::int64_t r = 0; r < num_rows_; ++r) memory_.total.merge(r, memory_.split.row(r));
    }
    for (std::int64_t r = 0; r < num_rows_; ++r) {
      const std::int64_t head = item_.head * heads_ + r % heads_;
      const float* sink = a_.sinks ? a_.sinks + head : nullptr;
      float* out = a_.out + output_row(r) * a_.layout.value_dim;
      memory_.total.finish(r, sink, out);
      unrotate_values(a_.layout, out);
    }
  }

  void store_partials(std::int64_t max_splits, float* partials) const {
    const std::int64_t size = partial_floats(a_.layout.value_dim);
    for (std::int64_t r = 0; r < num_rows_; ++r) {
      memory_.split.copy_row(r, partials + (output_row(r) * max_splits + item_.split) * size);
    }
  }

 private:
  /// Index of row r among the [T][num_query_heads] rows of q and out.
  std::int64_t output_row(std::int64_t r) const {
    const std::int64_t token = s_.start + item_.first_query + r / heads_;
    return token * a_.num_query_heads + item_.head * heads_ + r % heads_;
  }

  std::byte* page_data(std::int64_t page) const {
    return a_.pages + s_.pages[page] * a_.page_stride;
  }

  /// Slots of a page: scores, weights and values of all rows.
  void run_page(std::int64_t page, Slots slots, bool has_next) {
    const KvLayout& kv = a_.layout;
    std::byte* data = page_data(page);
    const KvRun keys{kv.keys, data + kv.keys_at(item_.head), kv.key_dim};
    const KvRun values{kv.values, data + kv.values_at(item_.head), kv.value_dim};
    a_.kernels->score({num_rows_, memory_.queries, memory_.query_codes}, {keys, values.data, slots},
                      memory_.page, memory_.scores);
    weigh_page(page * kPageTokens, slots);
    const std::byte* next = has_next ? page_data(page + 1) + kv.keys_at(item_.head) : nullptr;
    a_.kernels->add(memory_.scores, memory_.factors, num_rows_, {values, next, slots}, memory_.page,
                    memory_.split.sums());
  }

  /// Turns the scores in the page that begins at position `start` into weights, and sets what one of
  /// each row is worth in the row's sums.
  void weigh_page(std::int64_t start, Slots slots) {
    const bool is_plain_page = all_see_whole(start, slots) && is_plain({a_.scale, a_.softcap});
    const std::int64_t eights = is_plain_page ? num_rows_ / 8 * 8 : 0;
    for (std::int64_t r = 0; r < eights; r += 8) {
      a_.kernels->weigh_eight(memory_.scores + r * kPageTokens, memory_.score_scales + r,
                              memory_.greatest + r, memory_.sums + r);
    }
    std::int64_t query = item_.first_query + eights / heads_;
    for (std::int64_t r = eights, head = eights % heads_; r < num_rows_; ++r) {
      const KeyRange keys = visible_keys(a_, s_, query);
      const PageWeights row = weigh_row(
          r, {std::max(slots.first, keys.first - start), std::min(slots.last, keys.last - start)});
      memory_.greatest[r] = row.greatest;
      memory_.sums[r] = row.sum;
      if (++head < heads_) continue;
      head = 0;
      ++query;
    }
    memory_.split.add_page(num_rows_, memory_.greatest, memory_.sums, memory_.factors);
  }

  /// Whether every row sees all slots of the page that begins at position `start`.
  bool all_see_whole(std::int64_t start, Slots slots) const {
    return slots.first == 0 && slots.last == kPageTokens &&
           visible_keys(a_, s_, item_.first_query).last >= start + kPageTokens &&
           visible_keys(a_, s_, item_.last_query - 1).first <= start;
  }

  PageWeights weigh_row(std::int64_t r, Slots seen) {
    float* scores = memory_.scores + r * kPageTokens;
    if (seen.first >= seen.last) {
      std::fill_n(scores, kPageTokens, 0.0F);
      return {SoftmaxRows::kLowest, 0.0F};
    }
    return a_.kernels->weigh(scores, seen, {memory_.score_scales[r], a_.softcap});
  }

  const Attention& a_;
  const AttentionSequence& s_;
  const AttentionItem& item_;
  std::int64_t heads_;
  std::int64_t num_rows_;
  TileMemory memory_;
};

const AttentionSequence& sequence_of(const Attention& a, std::int64_t token) {
  const auto after =
      std::upper_bound(a.sequences.begin(), a.sequences.end(), token,
                       [](std::int64_t t, const AttentionSequence& s) { return t < s.start; });
  return *(after - 1);
}

}  // namespace

void append_kv(const Attention& attention, const float* k, const float* v, std::int64_t first,
               std::int64_t last) {
  const KvLayout& kv = attention.layout;
  for (std::int64_t token = first; token < last; ++token) {
    const AttentionSequence& s = sequence_of(attention, token);
    const std::int64_t position = s.first_position + token - s.start;
    std::byte* page = attention.pages + s.pages[position / kPageTokens] * attention.page_stride;
    const std::int64_t slot = position % kPageTokens;
    for (std::int64_t head = 0; head < kv.num_heads; ++head) {
      const std::int64_t row = token * kv.num_heads + head;
      const RotatedRow key(k + row * kv.key_dim, kv.key_dim, kv.key_rotation);
      store_key({kv.keys, page + kv.keys_at(head), kv.key_dim}, slot, key.data());
      const RotatedRow value(v + row * kv.value_dim, kv.value_dim, kv.value_rotation);
      store_value({kv.values, page + kv.values_at(head), kv.value_dim}, slot, value.data());
    }
  }
}

void schedule_attention(const Attention& attention, std::int64_t num_threads,
                        std::int64_t partial_capacity, AttentionSchedule& schedule) {
  schedule.items.clear();
  schedule.max_splits = 0;
  const std::int64_t wanted = kItemsPerThread * num_threads;
  std::int64_t tile = queries_per_tile(attention, kTileRows);
  if (num_tiles(attention, tile) < wanted) tile = queries_per_tile(attention, kTileRows / 2);
  std::int64_t queries = 0;
  std::int64_t splits = 0;
  for (const AttentionSequence& s : attention.sequences) {
    queries += s.count;
    splits = std::max(splits, num_splits(attention, s, s.count - 1));
  }
  const std::int64_t partials = queries * attention.num_query_heads * splits;
  const bool by_split =
      splits > 1 && num_tiles(attention, tile) < wanted && partials <= partial_capacity;
  if (by_split) schedule.max_splits = splits;
  const auto add = [&](std::size_t sequence, std::int64_t first, std::int64_t last,
                       std::int64_t split) {
    for (std::int64_t head = 0; head < attention.layout.num_heads; ++head) {
      schedule.items.push_back({static_cast<std::int32_t>(sequence),
                                static_cast<std::int32_t>(head), first, last,
                                static_cast<std::int32_t>(split)});
    }
  };
  for (std::size_t i = 0; i < attention.sequences.size(); ++i) {
    const AttentionSequence& s = attention.sequences[i];
    for (std::int64_t first = 0; first < s.count; first += tile) {
      const std::int64_t last = std::min(first + tile, s.count);
      if (!by_split) {
        add(i, first, last, -1);
        continue;
      }
      const std::int64_t begin = visible_keys(attention, s, first).first / kSplitTokens;
      const std::int64_t end = num_splits(attention, s, last - 1);
      for (std::int64_t split = begin; split < end; ++split) add(i, first, last, split);
    }
  }
}

std::int64_t partial_floats(std::int64_t value_dim) { return SoftmaxRows::row_floats(value_dim); }

std::int64_t attention_scratch_floats(const Attention& attention) {
  return TileMemory::floats(attention);
}

void run_attention_item(const Attention& attention, const AttentionItem& item,
                        std::int64_t max_splits, float* partials, float* scratch) {
  Tile tile(attention, item, scratch);
  if (max_splits == 0) {
    tile.run_all_splits();
    return;
  }
  tile.run_split(item.split);
  tile.store_partials(max_splits, partials);
}

void merge_attention_rows(const Attention& attention, std::int64_t max_splits,
                          const float* partials, std::int64_t first, std::int64_t last,
                          float* scratch) {
  const std::int64_t size = partial_floats(attention.layout.value_dim);
  SoftmaxRows total(scratch, attention.layout.value_dim);
  for (std::int64_t row = first; row < last; ++row) {
    const std::int64_t token = row / attention.num_query_heads;
    const AttentionSequence& s = sequence_of(attention, token);
    const std::int64_t begin = visible_keys(attention, s, token - s.start).first / kSplitTokens;
    const std::int64_t end = num_splits(attention, s, token - s.start);
    total.reset(1);
    for (std::int64_t split = begin; split < end; ++split) {
      total.merge(0, partials + (row * max_splits + split) * size);
    }
    const std::int64_t head = row % attention.num_query_heads;
    float* out = attention.out + row * attention.layout.value_dim;
    total.finish(0, attention.sinks ? attention.sinks + head : nullptr, out);
    unrotate_values(attention.layout, out);
  }
}

}  // namespace vernal::cpu_avx2
