// reshape, slice, split, concat: the same elements in other shapes, on static dimensions.
#include <algorithm>

#include "module/node_inference.hpp"
#include "module/op_registry.hpp"
#include "vernal/metadata.hpp"

namespace vernal {
namespace {

/// The size of a shape.
///   run_time   the first dimension if it is known only at a step, else 0
///   elements   the product of the static dimensions; -1 if it overflows
struct Extent {
  std::int64_t run_time = 0;
  std::int64_t elements = 1;
};

Extent extent(const Shape& shape) {
  Extent out;
  for (std::uint32_t i = 0; i < shape.rank; ++i) {
    if (i == 0 && shape[i] < 0) {
      out.run_time = shape[i];
    } else if (shape[i] < 1 || __builtin_mul_overflow(out.elements, shape[i], &out.elements)) {
      out.elements = -1;
      return out;
    }
  }
  return out;
}

void infer_reshape(NodeInference& n) {
  const auto& dims = n.node().find("shape")->integers;
  if (dims.empty() || dims.size() > VERNAL_MAX_RANK) {
    n.problem("attribute \"shape\": expected 1 to {} dimensions, found {}", VERNAL_MAX_RANK,
              dims.size());
    return;
  }
  Shape shape;
  for (const std::int64_t dim : dims) shape.dims[shape.rank++] = dim;
  const Extent from = extent(n.shape(0));
  const Extent to = extent(shape);
  if (to.elements < 0 || from.elements != to.elements || from.run_time != to.run_time) {
    n.problem("{}: cannot become {}: expected the same elements and the same run-time dimension",
              n.describe(0), shape_text(shape));
    return;
  }
  n.result(shape, n.element(0));
}

/// The attribute `axis`, if it names a static dimension of operand 0. Else it reports a problem and
/// returns -1.
std::int64_t static_axis(NodeInference& n) {
  const std::int64_t axis = n.node().integer("axis", -1);
  const Shape& shape = n.shape(0);
  if (axis < 0 || axis >= std::int64_t{shape.rank}) {
    n.problem("attribute \"axis\": {} is not a dimension of {}", axis, n.describe(0));
    return -1;
  }
  if (shape[static_cast<std::uint32_t>(axis)] < 0) {
    n.problem("attribute \"axis\": dimension {} of {} is known at a step only", axis,
              n.describe(0));
    return -1;
  }
  return axis;
}

void infer_slice(NodeInference& n) {
  const std::int64_t axis = static_axis(n);
  if (axis < 0) return;
  Shape shape = n.shape(0);
  std::int64_t& dim = shape.dims[static_cast<std::size_t>(axis)];
  const std::int64_t start = n.node().integer("start", 0);
  const std::int64_t length = n.node().integer("length", 0);
  if (start < 0 || start >= dim || length < 1 || length > dim - start) {
    n.problem("{}: dimension {} has no {} elements from {}", n.describe(0), axis, length, start);
    return;
  }
  dim = length;
  n.result(shape, n.element(0));
}

void infer_split(NodeInference& n) {
  const std::int64_t axis = static_axis(n);
  if (axis < 0) return;
  const auto at = static_cast<std::uint32_t>(axis);
  const auto& sizes = n.node().find("sizes")->integers;
  std::int64_t left = n.shape(0)[at];
  for (const std::int64_t size : sizes) {
    if (size < 1 || size > left) {
      left = -1;
      break;
    }
    left -= size;
  }
  if (left != 0) {
    n.problem("{}: the sizes {} do not add up to dimension {}", n.describe(0),
              fmt::format("[{}]", fmt::join(sizes, ", ")), axis);
    return;
  }
  for (const std::int64_t size : sizes) {
    Shape shape = n.shape(0);
    shape.dims[at] = size;
    n.result(shape, n.element(0));
  }
}

void infer_concat(NodeInference& n) {
  const std::int64_t axis = static_axis(n);
  if (axis < 0) return;
  const auto at = static_cast<std::uint32_t>(axis);
  Shape shape = n.shape(0);
  const bool integers = n.element(0) == VERNAL_ELEMENT_I32;
  for (std::size_t i = 1; i < n.num_operands(); ++i) {
    Shape other = n.shape(i);
    if (other.rank == shape.rank && other[at] > 0) other.dims[at] = n.shape(0)[at];
    if (!(other == n.shape(0)) || integers != (n.element(i) == VERNAL_ELEMENT_I32)) {
      n.problem("{} and {}: expected equal elements and shapes but for dimension {}", n.describe(0),
                n.describe(i), axis);
      return;
    }
    shape.dims[at] += n.shape(i)[at];
  }
  n.result(shape, integers ? VERNAL_ELEMENT_I32 : n.promoted_element(n.num_operands()));
}

constexpr OperandSpec kOneTensor[] = {
    {.name = "x", .kind = OperandKind::kValue, .element = OperandElement::kAny}};
constexpr AttributeSpec kAxis = {.name = "axis", .type = VERNAL_ATTR_INT, .required = true};
constexpr AttributeSpec kReshapeAttributes[] = {
    {.name = "shape", .type = VERNAL_ATTR_INTS, .required = true}};
constexpr AttributeSpec kSliceAttributes[] = {
    kAxis,
    {.name = "start", .type = VERNAL_ATTR_INT, .required = true},
    {.name = "length", .type = VERNAL_ATTR_INT, .required = true},
};
constexpr AttributeSpec kSplitAttributes[] = {
    kAxis, {.name = "sizes", .type = VERNAL_ATTR_INTS, .required = true}};
constexpr AttributeSpec kConcatAttributes[] = {kAxis};

/// The most operands of a concat: more than any model joins, and few enough to list.
constexpr std::uint32_t kMaxParts = 64;

constexpr OpSpec kLayoutOps[] = {
    {"vernal.reshape/1", 0, kOneTensor, kReshapeAttributes, 1, infer_reshape},
    {"vernal.slice/1", 0, kOneTensor, kSliceAttributes, 1, infer_slice},
    {"vernal.split/1", 0, kOneTensor, kSplitAttributes, 1, infer_split},
    {"vernal.concat/1", 0, kOneTensor, kConcatAttributes, kMaxParts, infer_concat},
};

}  // namespace

std::span<const OpSpec> layout_ops() noexcept { return kLayoutOps; }

}  // namespace vernal
