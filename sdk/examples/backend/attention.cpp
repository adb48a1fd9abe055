// Attention over a key/value state.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "operations.hpp"

namespace reference {
namespace {

/// Rounds a vector to values of its storage format, which is f32, f16, q8_0 or q4_0.
void round_to_format(std::string_view format, std::span<float> row) {
  if (format == "f16") {
    for (float& value : row) value = vernal::float_from_f16(vernal::f16_from_float(value));
  } else if (format != "f32") {
    const auto columns = static_cast<std::uint64_t>(row.size());
    const bool is_q8 = format == "q8_0";
    const vernal::BlockType& type = *vernal::find_block_type(is_q8 ? "ggml.q8_0/1" : "ggml.q4_0/1");
    const auto quantize = is_q8 ? vernal::quantize_row_q8_0 : vernal::quantize_row_q4_0;
    std::vector<std::byte> stored(type.row_bytes(columns));
    quantize(row.data(), columns, stored.data());
    type.dequantize(stored.data(), columns, row.data());
  }
}

/// y_i = sum over j of (-1)^popcount(i & j) x_j / sqrt(n), in blocks of n. n is the greatest power
/// of two that divides the size of the row. The function is its own inverse.
void rotate(std::span<float> row) {
  const std::size_t n = row.size() & (~row.size() + 1);
  std::vector<double> x(n);
  for (std::size_t first = 0; first < row.size(); first += n) {
    std::copy_n(row.begin() + static_cast<std::ptrdiff_t>(first), n, x.begin());
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < n; ++j) sum += std::popcount(i & j) % 2 == 0 ? x[j] : -x[j];
      row[first + i] = static_cast<float>(sum / std::sqrt(static_cast<double>(n)));
    }
  }
}

/// How rows of keys or values are stored.
struct Storage {
  std::string_view format;
  bool is_rotated;
};

Storage storage(const std::string& format, const vernal::PlanOptions& plan) {
  return {format, plan.kv_rotate && (format == "q8_0" || format == "q4_0")};
}

/// Appends the rows [start, start + count) of `source` [T, heads, dim]. Each head is rotated and
/// rounded.
void append(const Tensor& source, const vernal::StepSequence& part, const Storage& storage,
            std::vector<float>& stored) {
  const std::int64_t dim = source.last();
  const std::int64_t heads = source.dims[1];
  for (std::uint64_t t = part.start; t < part.start + part.count; ++t) {
    for (std::int64_t h = 0; h < heads; ++h) {
      const auto row = source.row(static_cast<std::int64_t>(t) * heads + h);
      const std::size_t begin = stored.size();
      stored.insert(stored.end(), row.begin(), row.end());
      const auto added = std::span(stored).subspan(begin, static_cast<std::size_t>(dim));
      if (storage.is_rotated) rotate(added);
      round_to_format(storage.format, added);
    }
  }
}

struct Head {
  const float* query;
  std::optional<double> sink;  // a logit without a value
  std::int64_t kv_head;
  std::int64_t first;  // the visible keys are [first, last] of those that are held
  std::int64_t last;
};

/// softmax(q·Kᵀ·scale) V over the visible keys of one head of one token.
void attend(const Head& head, const KvState& kv, const vernal::State& slot,
            const vernal::AttentionOptions& options, float* out) {
  std::vector<double> scores;
  double greatest = -std::numeric_limits<double>::infinity();
  for (std::int64_t j = head.first; j <= head.last; ++j) {
    const float* key = kv.keys.data() + (j * slot.num_heads + head.kv_head) * slot.key_dim;
    double dot = 0;
    for (std::int64_t i = 0; i < slot.key_dim; ++i) {
      dot += static_cast<double>(head.query[i]) * static_cast<double>(key[i]);
    }
    dot *= options.scale;
    if (options.softcap > 0) dot = options.softcap * std::tanh(dot / options.softcap);
    scores.push_back(dot);
    greatest = std::max(greatest, dot);
  }
  if (head.sink) greatest = std::max(greatest, *head.sink);
  std::vector<double> sum(static_cast<std::size_t>(slot.value_dim));
  double total = head.sink ? std::exp(*head.sink - greatest) : 0.0;
  for (std::int64_t j = head.first; j <= head.last; ++j) {
    const double weight = std::exp(scores[static_cast<std::size_t>(j - head.first)] - greatest);
    const float* value = kv.values.data() + (j * slot.num_heads + head.kv_head) * slot.value_dim;
    total += weight;
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * static_cast<double>(value[i]);
  }
  for (std::size_t i = 0; i < sum.size(); ++i) out[i] = static_cast<float>(sum[i] / total);
}

}  // namespace

void run_attention(const vernal::Node& node, StepContext& context) {
  const Tensor& q = context.in(node, 0);
  const vernal::State& slot = context.state(node, 3);
  const std::uint32_t state_index = node.operands[3].index;
  const vernal::PlanOptions& plan = context.program.options();
  const Storage keys = storage(plan.kv_keys_format, plan);
  const Storage values = storage(plan.kv_values_format, plan);
  const std::vector<float> sinks = context.weight_row(node, 4);
  const vernal::AttentionOptions options = vernal::attention_options(node);
  const std::int64_t num_heads = q.dims[1];
  const std::int64_t group = num_heads / slot.num_heads;
  Tensor& out = context.out(node);
  for (std::size_t s = 0; s < context.states.size(); ++s) {
    const vernal::StepSequence& part = context.batch.sequences[s];
    KvState& kv = context.states[s].kv[state_index];
    append(context.in(node, 1), part, keys, kv.keys);
    append(context.in(node, 2), part, values, kv.values);
    const auto held = static_cast<std::int64_t>(kv.first);
    for (std::uint64_t i = 0; i < part.count; ++i) {
      const auto position = static_cast<std::int64_t>(part.first_position + i);
      const auto row = static_cast<std::int64_t>(part.start + i);
      const std::int64_t last =
          options.causal ? position
                         : static_cast<std::int64_t>(part.first_position + part.count) - 1;
      const std::int64_t first =
          slot.window > 0 ? std::max<std::int64_t>(0, position - slot.window + 1) : 0;
      for (std::int64_t h = 0; h < num_heads; ++h) {
        std::optional<double> sink;
        if (!sinks.empty()) sink = sinks[static_cast<std::size_t>(h)];
        const auto source = q.row(row * num_heads + h);
        std::vector<float> query(source.begin(), source.end());
        if (keys.is_rotated) rotate(query);
        float* result = out.floats.data() + (row * num_heads + h) * slot.value_dim;
        attend({query.data(), sink, h / group, first - held, last - held}, kv, slot, options,
               result);
        if (values.is_rotated) rotate({result, static_cast<std::size_t>(slot.value_dim)});
      }
    }
  }
}

}  // namespace reference
