#include <array>
#include <optional>

#include "compile/fusion/fusion.hpp"
#include "operations/attention.hpp"
#include "operations/elementwise.hpp"
#include "operations/layout.hpp"
#include "operations/norm.hpp"
#include "operations/rope.hpp"

namespace vernal::cuda_sm86 {

namespace {

using Source = AttentionOperation::Source;
using SourceMember = Source AttentionOperation::Parameters::*;

/// Heads of a source, and numbers of each.
struct Heads {
  std::int64_t count;
  std::int64_t dim;
};

Heads heads_of(const Attention& shape, SourceMember member) {
  using Parameters = AttentionOperation::Parameters;
  const bool is_query = member == &Parameters::q || member == &Parameters::gate;
  const bool is_key = member == &Parameters::q || member == &Parameters::k;
  return {is_query ? shape.num_query_heads : shape.num_heads,
          is_key ? shape.keys.dim : shape.values.dim};
}

/// Whether its rows fill the buffer.
bool is_whole(const Source& source, const Heads& heads) {
  return source.first == 0 && source.head_stride == heads.dim &&
         source.token_stride == heads.count * heads.dim;
}

/// The source with the rotation by positions as something that attention does.
std::optional<Source> before_rope(Source source, const Heads& heads,
                                  const RopeOperation::Parameters& rope) {
  const bool is_first = !source.has_norm && source.rope_table == kNoBuffer;
  if (!is_first || rope.num_heads != heads.count || rope.head_dim != heads.dim) return {};
  source.buffer = rope.x;
  source.rope_table = rope.table;
  source.rope.most_tokens = static_cast<std::int32_t>(rope.most_tokens);
  source.rope.num_pairs = static_cast<std::int32_t>(rope.num_pairs);
  source.rope.is_interleaved = rope.is_interleaved;
  return source;
}

/// The same with the norm.
std::optional<Source> before_norm(Source source, const Heads& heads,
                                  const NormOperation::Parameters& norm) {
  const bool is_plain = !norm.is_l2 && norm.residual == kNoBuffer && norm.index == kNoBuffer &&
                        norm.gate == kNoBuffer && norm.blocks.blocks == kNoBuffer;
  const bool is_of_heads = norm.num_columns == heads.dim && norm.rows.factor == heads.count &&
                           norm.rows.leading == VERNAL_DIM_TOKENS;
  if (source.has_norm || !is_plain || !is_of_heads) return {};
  source.buffer = norm.x;
  source.has_norm = true;
  source.norm_weight = norm.weight;
  source.norm_epsilon = norm.epsilon;
  return source;
}

/// The source read where a copy found it: some heads of each token, or a part of each head.
std::optional<Source> before_copy(Source source, const Heads& heads,
                                  const backend::AxisCopy& copy) {
  if (copy.length != copy.y_axis || copy.rows.leading != VERNAL_DIM_TOKENS) return {};
  const std::int64_t stride = copy.x_axis * copy.inner;
  const std::int64_t length = copy.length * copy.inner;
  if (copy.rows.factor == 1 && length == heads.count * heads.dim) {
    source.token_stride = stride;
  } else if (copy.rows.factor == heads.count && length == heads.dim) {
    source.token_stride = heads.count * stride;
    source.head_stride = stride;
  } else {
    return {};
  }
  source.buffer = copy.x;
  source.first = copy.x_start * copy.inner;
  return source;
}

/// The source before the operation that writes its buffer, if attention can do what that does.
std::optional<Source> source_before(const OperationList& list, std::size_t writer,
                                    const Source& source, const Heads& heads, bool is_gate) {
  if (!is_whole(source, heads)) return {};
  if (const auto* copy = list.find<CopyAxisOperation>(writer)) {
    return before_copy(source, heads, copy->copy());
  }
  if (is_gate) return {};
  if (const auto* rope = list.find<RopeOperation>(writer)) {
    return before_rope(source, heads, rope->parameters());
  }
  if (const auto* norm = list.find<NormOperation>(writer)) {
    return before_norm(source, heads, norm->parameters());
  }
  return {};
}

/// Whether attention reads a buffer as one thing alone.
bool is_read_once(const AttentionOperation::Parameters& p, BufferId buffer) {
  int reads = 0;
  for (const Source* source : {&p.q, &p.k, &p.v, &p.gate}) {
    reads += source->buffer == buffer ? 1 : 0;
  }
  return reads == 1;
}

/// Takes in what makes the rows of a source. Returns the number of attention afterwards.
std::size_t fuse_source(OperationList& list, std::size_t number, SourceMember member) {
  for (;;) {
    AttentionOperation::Parameters p = list.find<AttentionOperation>(number)->parameters();
    const Source& source = p.*member;
    const std::size_t writer = list.writer(source.buffer);
    if (writer == OperationList::kNone || list.only_reader(source.buffer) != number ||
        !is_read_once(p, source.buffer)) {
      return number;
    }
    const auto before = source_before(list, writer, source, heads_of(p.shape, member),
                                      member == &AttentionOperation::Parameters::gate);
    if (!before) return number;
    p.*member = *before;
    if (!list.fuse(std::array{writer, number}, std::make_unique<AttentionOperation>(p))) {
      return number;
    }
    number = list.writer(p.y);
  }
}

/// attention * sigmoid(x). Returns the number of attention afterwards.
std::size_t fuse_output_gate(OperationList& list, std::size_t number) {
  AttentionOperation::Parameters p = list.find<AttentionOperation>(number)->parameters();
  const std::size_t reader = list.only_reader(p.y);
  const auto* product = list.find<BinaryOperation>(reader);
  if (product == nullptr || !product->parameters().is_product) return number;
  const BinaryOperation::Parameters& both = product->parameters();
  const BinaryOperation::Source& other = both.a.value == p.y ? both.b : both.a;
  const bool is_alike =
      other.value != kNoBuffer && other.value != p.y && both.a.strides == both.b.strides;
  if (!is_alike || list.only_reader(other.value) != reader) return number;
  const std::size_t writer = list.writer(other.value);
  const auto* map = list.find<MapOperation>(writer);
  if (map == nullptr || map->parameters().kind != Map::Kind::kActivate ||
      map->parameters().activation != Activation::kSigmoid) {
    return number;
  }
  const Heads heads = heads_of(p.shape, &AttentionOperation::Parameters::gate);
  p.gate.buffer = map->parameters().x;
  p.gate.head_stride = heads.dim;
  p.gate.token_stride = heads.count * heads.dim;
  p.y = both.y;
  const std::array parts{writer, number, reader};
  if (!list.fuse(parts, std::make_unique<AttentionOperation>(p))) return number;
  return fuse_source(list, list.writer(p.y), &AttentionOperation::Parameters::gate);
}

}  // namespace

void fuse_attention(OperationList& list) {
  using Parameters = AttentionOperation::Parameters;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list.find<AttentionOperation>(i) == nullptr) continue;
    std::size_t number = i;
    for (const SourceMember member : {&Parameters::q, &Parameters::k, &Parameters::v}) {
      number = fuse_source(list, number, member);
    }
    fuse_output_gate(list, number);
  }
}

}  // namespace vernal::cuda_sm86
