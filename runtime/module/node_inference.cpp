#include "module/node_inference.hpp"

#include <algorithm>
#include <cmath>

#include "vernal/metadata.hpp"

namespace vernal {
namespace {

/// Bounds with which the product of two dimensions, and the size of a value, fit in an int64.
constexpr std::int64_t kMaxDim = (std::int64_t{1} << 31) - 1;
constexpr double kMaxElements = 1.0e18;

std::string_view attribute_type_name(std::uint32_t type) {
  switch (type) {
    case VERNAL_ATTR_INT:
      return "int";
    case VERNAL_ATTR_FLOAT:
      return "float";
    case VERNAL_ATTR_STRING:
      return "string";
    case VERNAL_ATTR_INTS:
      return "ints";
    case VERNAL_ATTR_FLOATS:
      return "floats";
    default:
      return "unknown type";
  }
}

std::string_view operand_kind_name(std::uint32_t kind) {
  switch (kind) {
    case VERNAL_OPERAND_NONE:
      return "nothing";
    case VERNAL_OPERAND_VALUE:
      return "a value";
    case VERNAL_OPERAND_WEIGHT:
      return "a weight";
    case VERNAL_OPERAND_STATE:
      return "a state";
    default:
      return "an unknown kind";
  }
}

std::string_view expected_name(OperandKind kind) {
  switch (kind) {
    case OperandKind::kValue:
      return "a value";
    case OperandKind::kWeight:
      return "a weight";
    case OperandKind::kValueOrWeight:
      return "a value or a weight";
    case OperandKind::kState:
      return "a state";
  }
  return "?";
}

std::string_view state_kind_name(std::uint32_t kind) {
  switch (kind) {
    case VERNAL_STATE_KV:
      return "kv";
    case VERNAL_STATE_RECURRENT:
      return "recurrent";
    case VERNAL_STATE_CONV:
      return "conv";
    default:
      return "unknown";
  }
}

std::string_view value_element_name(std::uint32_t element) {
  switch (element) {
    case VERNAL_ELEMENT_ACT:
      return "act";
    case VERNAL_ELEMENT_F32:
      return "f32";
    case VERNAL_ELEMENT_I32:
      return "i32";
    default:
      return "unknown";
  }
}

bool kind_fits(OperandKind expected, std::uint32_t found) {
  switch (expected) {
    case OperandKind::kValue:
      return found == VERNAL_OPERAND_VALUE;
    case OperandKind::kWeight:
      return found == VERNAL_OPERAND_WEIGHT;
    case OperandKind::kState:
      return found == VERNAL_OPERAND_STATE;
    case OperandKind::kValueOrWeight:
      return found == VERNAL_OPERAND_VALUE || found == VERNAL_OPERAND_WEIGHT;
  }
  return false;
}

bool is_choice(std::string_view choices, std::string_view text) {
  while (!choices.empty()) {
    const std::size_t end = std::min(choices.find('|'), choices.size());
    if (choices.substr(0, end) == text) return true;
    choices.remove_prefix(std::min(end + 1, choices.size()));
  }
  return false;
}

}  // namespace

Shape make_shape(std::initializer_list<std::int64_t> dims) {
  Shape shape;
  for (const std::int64_t dim : dims) shape.dims.at(shape.rank++) = dim;
  return shape;
}

std::string dim_text(std::int64_t dim) {
  const std::string text = shape_text(make_shape({dim}));
  return text.substr(1, text.size() - 2);
}

void NodeInference::run() {
  op_ = find_op(node_.op);
  if (op_ == nullptr) {
    problem("unknown operation \"{}\"", node_.op);
    return;
  }
  const bool operands_fit = check_operands(*op_);
  check_attributes(*op_);
  if (!operands_fit || !operands_known_ || !problems_.empty()) return;
  op_->infer(*this);
  check_results();
  if (!problems_.empty()) results_.clear();
}

const Shape& NodeInference::shape(std::size_t i) const {
  const vernal_operand operand = node_.operand(i);
  return operand.kind == VERNAL_OPERAND_WEIGHT ? module_.weights[operand.index].shape
                                               : function_.values[operand.index].shape;
}

std::uint32_t NodeInference::element(std::size_t i) const {
  return is_value(i) ? function_.values[node_.operand(i).index].element : VERNAL_ELEMENT_ACT;
}

const State& NodeInference::state(std::size_t i) const {
  return module_.states[node_.operand(i).index];
}

std::string NodeInference::describe(std::size_t i) const {
  const vernal_operand operand = node_.operand(i);
  const auto& specs = op_->operands;
  const std::string_view name = specs[std::min(i, specs.size() - 1)].name;
  if (operand.kind == VERNAL_OPERAND_WEIGHT) {
    return fmt::format("{} \"{}\" {}", name, module_.weights[operand.index].name,
                       shape_text(shape(i)));
  }
  if (operand.kind == VERNAL_OPERAND_STATE) {
    return fmt::format("{} \"{}\"", name, state(i).name);
  }
  return fmt::format("{} {}", name, shape_text(shape(i)));
}

bool NodeInference::expect_rank(std::size_t i, std::uint32_t rank) {
  if (shape(i).rank == rank) return true;
  problem("{}: expected {} dimensions", describe(i), rank);
  return false;
}

bool NodeInference::expect_shape(std::size_t i, const Shape& expected) {
  if (!has(i) || shape(i) == expected) return true;
  problem("{}: expected {}", describe(i), shape_text(expected));
  return false;
}

bool NodeInference::expect_tokens(std::size_t i, std::uint32_t rank) {
  if (!expect_rank(i, rank)) return false;
  if (shape(i)[0] == VERNAL_DIM_TOKENS) return true;
  problem("{}: expected the tokens T as first dimension", describe(i));
  return false;
}

std::uint32_t NodeInference::out_element() const {
  return node_.text("out", "act") == "f32" ? VERNAL_ELEMENT_F32 : VERNAL_ELEMENT_ACT;
}

std::uint32_t NodeInference::promoted_element(std::size_t count) const {
  for (std::size_t i = 0; i < count; ++i) {
    if (is_value(i) && element(i) == VERNAL_ELEMENT_F32) return VERNAL_ELEMENT_F32;
  }
  return VERNAL_ELEMENT_ACT;
}

bool NodeInference::check_operands(const OpSpec& op) {
  const std::size_t most =
      op.operands.empty() ? 0 : op.operands.size() - 1 + std::size_t{op.max_repeats};
  if (node_.operands.size() > most) {
    problem("{}: expected at most {} operands, found {}", op.id, most, node_.operands.size());
    return false;
  }
  bool fits = true;
  const std::size_t count = std::max(op.operands.size(), node_.operands.size());
  for (std::size_t i = 0; i < count; ++i) {
    fits = check_operand(op.operands[std::min(i, op.operands.size() - 1)], i) && fits;
  }
  return fits;
}

bool NodeInference::check_operand(const OperandSpec& spec, std::size_t i) {
  const vernal_operand operand = node_.operand(i);
  if (operand.kind == VERNAL_OPERAND_NONE && spec.optional) return true;
  if (!kind_fits(spec.kind, operand.kind)) {
    problem("operand {} of {}: expected {}, found {}", spec.name, node_.op,
            expected_name(spec.kind), operand_kind_name(operand.kind));
    return false;
  }
  const std::size_t limit = operand.kind == VERNAL_OPERAND_VALUE    ? function_.values.size()
                            : operand.kind == VERNAL_OPERAND_WEIGHT ? module_.weights.size()
                                                                    : module_.states.size();
  if (operand.index >= limit) {
    problem("operand {} of {}: index {} is out of range, there are {}", spec.name, node_.op,
            operand.index, limit);
    return false;
  }
  check_element(spec, i);
  return true;
}

void NodeInference::check_element(const OperandSpec& spec, std::size_t i) {
  if (node_.operand(i).kind == VERNAL_OPERAND_STATE) {
    if (state(i).kind != spec.state_kind) {
      problem("{}: expected a state of kind {}, found {}", describe(i),
              state_kind_name(spec.state_kind), state_kind_name(state(i).kind));
    }
    return;
  }
  if (!is_value(i)) return;
  if (!is_known(function_.values[node_.operand(i).index])) {
    operands_known_ = false;
    return;
  }
  const std::uint32_t found = element(i);
  const auto complain = [&](std::string_view expected) {
    problem("{}: expected elements {}, found {}", describe(i), expected, value_element_name(found));
  };
  switch (spec.element) {
    case OperandElement::kAny:
      return;
    case OperandElement::kF32:
      if (found != VERNAL_ELEMENT_F32) complain("f32");
      return;
    case OperandElement::kI32:
      if (found != VERNAL_ELEMENT_I32) complain("i32");
      return;
    case OperandElement::kFloat:
      if (found == VERNAL_ELEMENT_I32) complain("act or f32");
      return;
  }
}

void NodeInference::check_attributes(const OpSpec& op) {
  for (const AttributeSpec& spec : op.attributes) {
    if (spec.required && node_.find(spec.name) == nullptr) {
      problem("{}: attribute \"{}\" is missing", op.id, spec.name);
    }
  }
  for (std::size_t i = 0; i < node_.attributes.size(); ++i) {
    const Attribute& attribute = node_.attributes[i];
    if (node_.find(attribute.name) != &attribute) {
      problem("{}: attribute \"{}\" stands twice", op.id, attribute.name);
    }
    if (attribute.name.starts_with("hint:")) continue;
    const auto spec =
        std::find_if(op.attributes.begin(), op.attributes.end(),
                     [&](const AttributeSpec& s) { return s.name == attribute.name; });
    if (spec == op.attributes.end()) {
      problem("{}: unknown attribute \"{}\"", op.id, attribute.name);
    } else {
      check_attribute(*spec, attribute);
    }
  }
}

void NodeInference::check_attribute(const AttributeSpec& spec, const Attribute& attribute) {
  const bool int_for_float = spec.type == VERNAL_ATTR_FLOAT && attribute.type == VERNAL_ATTR_INT;
  if (attribute.type != spec.type && !int_for_float) {
    problem("attribute \"{}\": expected {}, found {}", spec.name, attribute_type_name(spec.type),
            attribute_type_name(attribute.type));
    return;
  }
  if (spec.type == VERNAL_ATTR_STRING && !spec.choices.empty() &&
      !is_choice(spec.choices, attribute.text)) {
    problem("attribute \"{}\": expected one of {}, found \"{}\"", spec.name, spec.choices,
            attribute.text);
  }
  if (spec.type != VERNAL_ATTR_INT && spec.type != VERNAL_ATTR_FLOAT) return;
  const double number =
      attribute.type == VERNAL_ATTR_INT ? static_cast<double>(attribute.integer) : attribute.number;
  if (!std::isfinite(number) || number < spec.minimum || number > spec.maximum) {
    problem("attribute \"{}\": expected a number from {:g} to {:g}, found {:g}", spec.name,
            spec.minimum, spec.maximum, number);
  }
}

void NodeInference::check_results() {
  for (const Value& value : results_) {
    double elements = 1;
    for (std::uint32_t i = 0; i < value.shape.rank; ++i) {
      const std::int64_t dim = value.shape[i];
      const bool run_time = i == 0 && dim < 0 && dim >= VERNAL_DIM_EXTERNAL;
      if (!run_time && (dim < 1 || dim > kMaxDim)) {
        problem("result {}: dimension {} is {}, expected 1 to {}", shape_text(value.shape), i, dim,
                kMaxDim);
      }
      elements *= run_time ? 1.0 : static_cast<double>(dim);
    }
    if (elements > kMaxElements) problem("result {}: too many elements", shape_text(value.shape));
  }
}

}  // namespace vernal
