// input, output, and the operations that pick or place rows: embed, override_rows, select_rows.
#include "module/node_inference.hpp"
#include "module/op_registry.hpp"
#include "vernal/metadata.hpp"

namespace vernal {
namespace {

constexpr std::int64_t kAnyDim = 0;

/// The type of an input or output with a reserved name. kAnyDim is any static dimension.
struct ReservedInput {
  std::string_view name;
  std::string_view dtype;
  std::uint32_t rank;
  std::int64_t dims[2];
};
constexpr ReservedInput kReservedInputs[] = {
    {"ids", "i32", 1, {VERNAL_DIM_TOKENS, 0}},
    {"positions", "i32", 2, {VERNAL_DIM_TOKENS, kAnyDim}},
    {"rows", "i32", 1, {VERNAL_DIM_ROWS, 0}},
    {"hidden", "f32", 2, {VERNAL_DIM_TOKENS, kAnyDim}},
    {"ext", "f32", 2, {VERNAL_DIM_EXTERNAL, kAnyDim}},
    {"ext_index", "i32", 1, {VERNAL_DIM_EXTERNAL, 0}},
};

void check_reserved(NodeInference& n, const Shape& shape) {
  const std::string_view name = n.node().text("name", "");
  for (const ReservedInput& reserved : kReservedInputs) {
    if (reserved.name != name) continue;
    bool fits = n.node().text("dtype", "") == reserved.dtype && shape.rank == reserved.rank;
    for (std::uint32_t i = 0; fits && i < shape.rank; ++i) {
      fits = reserved.dims[i] == kAnyDim ? shape[i] > 0 : shape[i] == reserved.dims[i];
    }
    if (name == "positions" && fits) fits = shape[1] == 1 || shape[1] == 3 || shape[1] == 4;
    if (fits) continue;
    n.problem("input \"{}\": {} {} does not fit this reserved name (operations.md, section 2)",
              name, n.node().text("dtype", ""), shape_text(shape));
  }
}

void infer_input(NodeInference& n) {
  const auto& dims = n.node().find("shape")->integers;
  if (n.node().text("name", "").empty())
    n.problem("attribute \"name\": expected a name, found \"\"");
  if (dims.empty() || dims.size() > VERNAL_MAX_RANK) {
    n.problem("attribute \"shape\": expected 1 to {} dimensions, found {}", VERNAL_MAX_RANK,
              dims.size());
    return;
  }
  Shape shape;
  for (const std::int64_t dim : dims) shape.dims[shape.rank++] = dim;
  check_reserved(n, shape);
  const std::string_view dtype = n.node().text("dtype", "");
  n.result(shape, dtype == "i32"   ? VERNAL_ELEMENT_I32
                  : dtype == "f32" ? VERNAL_ELEMENT_F32
                                   : VERNAL_ELEMENT_ACT);
}

void infer_output(NodeInference& n) {
  const bool wanted = n.node().text("rows", "wanted") == "wanted";
  const std::int64_t first = wanted ? VERNAL_DIM_ROWS : VERNAL_DIM_TOKENS;
  if (n.shape(0).rank < 2 || n.shape(0)[0] != first) {
    n.problem("{}: rows = {}, so expected first dimension {} and at least 2 dimensions",
              n.describe(0), wanted ? "wanted" : "all", dim_text(first));
  }
}

void infer_embed(NodeInference& n) {
  const bool fits = n.expect_tokens(0, 1);
  if (!n.expect_rank(1, 2) || !fits) return;
  n.result(make_shape({VERNAL_DIM_TOKENS, n.shape(1)[1]}), n.out_element());
}

void infer_override_rows(NodeInference& n) {
  if (!n.expect_tokens(0, 2)) return;
  n.expect_shape(1, make_shape({VERNAL_DIM_EXTERNAL, n.shape(0)[1]}));
  n.expect_shape(2, make_shape({VERNAL_DIM_EXTERNAL}));
  n.result(n.shape(0), n.element(0));
}

void infer_select_rows(NodeInference& n) {
  Shape shape = n.shape(0);
  if (shape.rank == 0 || shape[0] != VERNAL_DIM_TOKENS) {
    n.problem("{}: expected the tokens T as first dimension", n.describe(0));
  }
  n.expect_shape(1, make_shape({VERNAL_DIM_ROWS}));
  shape.dims[0] = VERNAL_DIM_ROWS;
  n.result(shape, n.element(0));
}

using enum OperandKind;

constexpr AttributeSpec kInputAttributes[] = {
    {.name = "name", .type = VERNAL_ATTR_STRING, .required = true},
    {.name = "dtype", .type = VERNAL_ATTR_STRING, .required = true, .choices = "act|f32|i32"},
    {.name = "shape", .type = VERNAL_ATTR_INTS, .required = true},
};
constexpr OperandSpec kOutputOperands[] = {
    {.name = "x", .kind = kValue, .element = OperandElement::kF32}};
constexpr AttributeSpec kOutputAttributes[] = {
    {.name = "name",
     .type = VERNAL_ATTR_STRING,
     .required = true,
     .choices = "logits|hidden|embedding"},
    {.name = "rows", .type = VERNAL_ATTR_STRING, .choices = "wanted|all"},
};
constexpr OperandSpec kEmbedOperands[] = {
    {.name = "ids", .kind = kValue, .element = OperandElement::kI32},
    {.name = "w", .kind = kWeight},
};
constexpr AttributeSpec kEmbedAttributes[] = {
    {.name = "scale", .type = VERNAL_ATTR_FLOAT},
    {.name = "out", .type = VERNAL_ATTR_STRING, .choices = "act|f32"},
};
constexpr OperandSpec kOverrideOperands[] = {
    {.name = "x", .kind = kValue},
    {.name = "ext", .kind = kValue, .element = OperandElement::kF32},
    {.name = "index", .kind = kValue, .element = OperandElement::kI32},
};
constexpr OperandSpec kSelectOperands[] = {
    {.name = "x", .kind = kValue, .element = OperandElement::kAny},
    {.name = "rows", .kind = kValue, .element = OperandElement::kI32},
};

constexpr OpSpec kInterfaceOps[] = {
    {"vernal.input/1", 0, {}, kInputAttributes, 1, infer_input},
    {"vernal.output/1", 0, kOutputOperands, kOutputAttributes, 1, infer_output},
    {"vernal.embed/1", 0, kEmbedOperands, kEmbedAttributes, 1, infer_embed},
    {"vernal.override_rows/1", 0, kOverrideOperands, {}, 1, infer_override_rows},
    {"vernal.select_rows/1", 0, kSelectOperands, {}, 1, infer_select_rows},
};

}  // namespace

std::span<const OpSpec> interface_ops() noexcept { return kInterfaceOps; }

}  // namespace vernal
