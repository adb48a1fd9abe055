#include "module/printer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include "vernal/metadata.hpp"

namespace vernal {
namespace {

using Out = std::back_insert_iterator<std::string>;

/// Text in quotes. Everything but printable ASCII is escaped, so that a name cannot look like a
/// line of the dump.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte > 0x7e) {
      fmt::format_to(Out(out), "\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// A float as text. It always has a point or an exponent, so that it differs from an integer.
std::string float_text(double number) {
  std::string text = fmt::format("{}", number);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string attribute_text(const Attribute& attribute) {
  switch (attribute.type) {
    case VERNAL_ATTR_INT:
      return fmt::format("{}", attribute.integer);
    case VERNAL_ATTR_FLOAT:
      return float_text(attribute.number);
    case VERNAL_ATTR_STRING:
      return quoted(attribute.text);
    case VERNAL_ATTR_INTS:
      return fmt::format("[{}]", fmt::join(attribute.integers, ", "));
    case VERNAL_ATTR_FLOATS: {
      std::vector<std::string> numbers;
      std::transform(attribute.numbers.begin(), attribute.numbers.end(),
                     std::back_inserter(numbers), float_text);
      return fmt::format("[{}]", fmt::join(numbers, ", "));
    }
    default:
      return fmt::format("?{}", attribute.type);
  }
}

std::string operand_text(vernal_operand operand) {
  switch (operand.kind) {
    case VERNAL_OPERAND_NONE:
      return "-";
    case VERNAL_OPERAND_VALUE:
      return fmt::format("%{}", operand.index);
    case VERNAL_OPERAND_WEIGHT:
      return fmt::format("${}", operand.index);
    case VERNAL_OPERAND_STATE:
      return fmt::format("@{}", operand.index);
    default:
      return fmt::format("?{}:{}", operand.kind, operand.index);
  }
}

std::string_view element_text(std::uint32_t element) {
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

void print_state(const State& state, std::size_t index, Out out) {
  fmt::format_to(out, "@{} {} function={} layer={}", index, quoted(state.name), state.function,
                 state.layer);
  switch (state.kind) {
    case VERNAL_STATE_KV:
      fmt::format_to(out, " kv heads={} key={} value={} window={}\n", state.num_heads,
                     state.key_dim, state.value_dim, state.window);
      return;
    case VERNAL_STATE_RECURRENT:
      fmt::format_to(out, " recurrent heads={} key={} value={}\n", state.num_heads, state.key_dim,
                     state.value_dim);
      return;
    default:
      fmt::format_to(out, " conv channels={} width={}\n", state.channels, state.width);
  }
}

void print_node(const Function& function, const Node& node, Out out) {
  std::vector<std::string> results;
  std::vector<std::string> types;
  for (const std::uint32_t index : node.outputs) {
    results.push_back(fmt::format("%{}", index));
    const Value& value = function.values.at(index);
    types.push_back(fmt::format("{}{}", element_text(value.element), shape_text(value.shape)));
  }
  std::vector<std::string> operands;
  std::transform(node.operands.begin(), node.operands.end(), std::back_inserter(operands),
                 operand_text);
  std::vector<const Attribute*> attributes;
  attributes.reserve(node.attributes.size());
  for (const Attribute& attribute : node.attributes) attributes.push_back(&attribute);
  std::sort(attributes.begin(), attributes.end(),
            [](const Attribute* a, const Attribute* b) { return a->name < b->name; });

  fmt::format_to(out, "  ");
  if (!results.empty()) fmt::format_to(out, "{} = ", fmt::join(results, ", "));
  fmt::format_to(out, "{}({})", node.op, fmt::join(operands, ", "));
  for (const Attribute* attribute : attributes) {
    fmt::format_to(out, " {}={}", attribute->name, attribute_text(*attribute));
  }
  if (!types.empty()) fmt::format_to(out, " : {}", fmt::join(types, ", "));
  fmt::format_to(out, "  # {}\n", node.path);
}

}  // namespace

std::string dump_module(const Module& module) {
  std::string text;
  const Out out(text);
  fmt::format_to(out, "vernal module 1\narchitecture {}\n\nweights\n", quoted(module.architecture));
  for (std::size_t i = 0; i < module.weights.size(); ++i) {
    const Weight& weight = module.weights[i];
    fmt::format_to(out, "  ${} {} {} {} bytes={} uses={}\n", i, quoted(weight.name), weight.format,
                   shape_text(weight.shape), weight.bytes, weight.num_uses);
  }
  fmt::format_to(out, "\nstates\n");
  for (std::size_t i = 0; i < module.states.size(); ++i) {
    fmt::format_to(out, "  ");
    print_state(module.states[i], i, out);
  }
  for (const Function& function : module.functions) {
    fmt::format_to(out, "\nfunction {}\n", quoted(function.name));
    for (const Node& node : function.nodes) print_node(function, node, out);
  }
  return text;
}

}  // namespace vernal
