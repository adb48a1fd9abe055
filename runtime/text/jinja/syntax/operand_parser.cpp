// The operands of expressions: literals, names, attributes, subscripts, calls, filters, tests,
// targets.
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "text/jinja/error.hpp"
#include "text/jinja/syntax/expression_depth.hpp"
#include "text/jinja/syntax/expression_parser.hpp"

namespace vernal::jinja {

ExpressionPtr ExpressionParser::parse_postfix(ExpressionPtr operand) {
  while (true) {
    if (tokens_.at_operator(".")) {
      operand = parse_attribute(std::move(operand));
    } else if (tokens_.at_operator("[")) {
      operand = parse_subscript(std::move(operand));
    } else if (tokens_.at_operator("(")) {
      operand = parse_call(std::move(operand));
    } else {
      return operand;
    }
  }
}

ExpressionPtr ExpressionParser::parse_filters_and_tests(ExpressionPtr operand) {
  while (true) {
    if (tokens_.at_operator("|")) {
      operand = parse_filter(std::move(operand));
    } else if (tokens_.at_name("is")) {
      operand = parse_test(std::move(operand));
    } else if (tokens_.at_operator("(")) {
      operand = parse_call(std::move(operand));
    } else {
      return operand;
    }
  }
}

ExpressionPtr ExpressionParser::parse_primary() {
  switch (tokens_.current().kind) {
    case TokenKind::kName:
      return parse_name();
    case TokenKind::kString:
      return parse_string();
    case TokenKind::kInteger:
    case TokenKind::kFloat:
      return parse_number();
    default:
      break;
  }
  if (tokens_.at_operator("(")) {
    return parse_parentheses();
  }
  if (tokens_.at_operator("[")) {
    return parse_list();
  }
  if (tokens_.at_operator("{")) {
    return parse_dict();
  }
  fail("expected an expression, found {}", describe(tokens_.current()));
}

ExpressionPtr ExpressionParser::parse_name() {
  const std::uint32_t line = tokens_.line();
  const std::string name = tokens_.next().text;
  std::optional<Value> constant;
  if (name == "true" || name == "True" || name == "false" || name == "False") {
    constant = Value::boolean(name == "true" || name == "True");
  } else if (name == "none" || name == "None") {
    constant = Value::none();
  }
  if (constant.has_value()) {
    auto node = make<ScalarLiteral>(line);
    node->value = *std::move(constant);
    return finish(std::move(node), 0);
  }
  auto node = make<NameExpression>(line);
  node->symbol = names_.intern(name);
  return finish(std::move(node), 0);
}

ExpressionPtr ExpressionParser::parse_string() {
  auto node = make<StringLiteral>(tokens_.line());
  while (tokens_.at(TokenKind::kString)) {  // strings without an operator in between are one
    node->text += tokens_.next().text;
  }
  node->index = num_string_literals_++;
  return finish(std::move(node), 0);
}

ExpressionPtr ExpressionParser::parse_number() {
  auto node = make<ScalarLiteral>(tokens_.line());
  const Token& token = tokens_.next();
  const char* const end = token.text.data() + token.text.size();
  if (token.kind == TokenKind::kFloat) {
    double number = 0;
    const auto parsed = std::from_chars(token.text.data(), end, number);
    if (parsed.ec == std::errc::result_out_of_range) {
      const bool is_tiny =
          token.text.find("e-") != std::string::npos || token.text.find("E-") != std::string::npos;
      number = is_tiny ? 0.0 : std::numeric_limits<double>::infinity();
    }
    node->value = Value::number(number);
    return finish(std::move(node), 0);
  }
  const char radix = token.text.size() > 2 ? static_cast<char>(token.text[1] | 0x20) : '\0';
  const int base = radix == 'x' ? 16 : (radix == 'o' ? 8 : (radix == 'b' ? 2 : 10));
  std::int64_t number = 0;
  const auto parsed = std::from_chars(token.text.data() + (base == 10 ? 0 : 2), end, number, base);
  if (parsed.ec != std::errc{} || parsed.ptr != end) {
    fail("{} does not fit into 64 bits", token.text);
  }
  node->value = Value::integer(number);
  return finish(std::move(node), 0);
}

ExpressionPtr ExpressionParser::parse_parentheses() {
  const std::uint32_t line = tokens_.line();
  tokens_.next();
  if (tokens_.skip_operator(")")) {
    auto node = make<ListExpression>(line);
    node->is_tuple = true;
    return finish(std::move(node), 0);
  }
  ExpressionPtr inner = parse_tuple();
  tokens_.expect_operator(")");
  return inner;
}

ExpressionPtr ExpressionParser::parse_list() {
  auto node = make<ListExpression>(tokens_.line());
  tokens_.next();
  while (!tokens_.at_operator("]")) {
    if (!node->items.empty()) {
      tokens_.expect_operator(",");
      if (tokens_.at_operator("]")) {
        break;
      }
    }
    node->items.push_back(parse());
  }
  tokens_.expect_operator("]");
  const std::uint32_t depth = deepest(node->items);
  return finish(std::move(node), depth);
}

ExpressionPtr ExpressionParser::parse_dict() {
  auto node = make<DictExpression>(tokens_.line());
  tokens_.next();
  std::uint32_t depth = 0;
  while (!tokens_.at_operator("}")) {
    if (!node->items.empty()) {
      tokens_.expect_operator(",");
      if (tokens_.at_operator("}")) {
        break;
      }
    }
    ExpressionPtr key = parse();
    tokens_.expect_operator(":");
    ExpressionPtr value = parse();
    depth = std::max({depth, key->depth, value->depth});
    node->items.emplace_back(std::move(key), std::move(value));
  }
  tokens_.expect_operator("}");
  return finish(std::move(node), depth);
}

ExpressionPtr ExpressionParser::parse_attribute(ExpressionPtr object) {
  const std::uint32_t line = tokens_.line();
  tokens_.next();
  const std::uint32_t depth = object->depth;
  if (tokens_.at(TokenKind::kInteger)) {  // `pair.0`
    auto node = make<SubscriptExpression>(line);
    node->object = std::move(object);
    node->key = parse_number();
    return finish(std::move(node), depth);
  }
  auto node = make<AttributeExpression>(line);
  node->object = std::move(object);
  node->name = tokens_.expect_identifier("the name of an attribute");
  return finish(std::move(node), depth);
}

ExpressionPtr ExpressionParser::parse_subscript(ExpressionPtr object) {
  const std::uint32_t line = tokens_.line();
  tokens_.next();
  std::array<ExpressionPtr, 3> parts;
  std::size_t num_colons = 0;
  for (; !tokens_.at_operator("]");) {
    if (tokens_.at_operator(":") && num_colons < 2) {
      tokens_.next();
      ++num_colons;
    } else if (parts[num_colons] == nullptr) {
      parts[num_colons] = num_colons == 0 ? parse_tuple() : parse();
    } else {
      break;
    }
  }
  if (num_colons == 0 && parts[0] == nullptr) {
    fail("expected a subscript between '[' and ']'");
  }
  tokens_.expect_operator("]");
  const std::uint32_t depth =
      std::max({object->depth, depth_of(parts[0]), depth_of(parts[1]), depth_of(parts[2])});
  if (num_colons == 0) {
    auto node = make<SubscriptExpression>(line);
    node->object = std::move(object);
    node->key = std::move(parts[0]);
    return finish(std::move(node), depth);
  }
  auto node = make<SliceExpression>(line);
  node->object = std::move(object);
  node->start = std::move(parts[0]);
  node->stop = std::move(parts[1]);
  node->step = std::move(parts[2]);
  return finish(std::move(node), depth);
}

ExpressionPtr ExpressionParser::parse_call(ExpressionPtr callee) {
  auto node = make<CallExpression>(tokens_.line());
  node->callee = std::move(callee);
  node->arguments = parse_arguments();
  const std::uint32_t depth = std::max(node->callee->depth, deepest(node->arguments));
  return finish(std::move(node), depth);
}

ArgumentList ExpressionParser::parse_arguments() {
  ArgumentList arguments;
  tokens_.expect_operator("(");
  while (!tokens_.at_operator(")")) {
    if (tokens_.skip_operator("**")) {
      if (arguments.named_spread != nullptr) {
        fail("a call takes '**' once");
      }
      arguments.named_spread = parse();
    } else if (tokens_.skip_operator("*")) {
      if (arguments.spread != nullptr || arguments.named_spread != nullptr) {
        fail("a call takes '*' once, and before '**'");
      }
      arguments.spread = parse();
    } else if (tokens_.at(TokenKind::kName) && tokens_.following().kind == TokenKind::kOperator &&
               tokens_.following().text == "=") {
      std::string name = tokens_.next().text;
      tokens_.next();
      arguments.named.emplace_back(std::move(name), parse());
    } else {
      if (!arguments.named.empty() || arguments.spread != nullptr ||
          arguments.named_spread != nullptr) {
        fail("arguments by position stand before all others");
      }
      arguments.positional.push_back(parse());
    }
    if (!tokens_.at_operator(")")) {
      tokens_.expect_operator(",");
    }
  }
  tokens_.expect_operator(")");
  return arguments;
}

std::string ExpressionParser::parse_dotted_name(std::string_view what) {
  std::string name = tokens_.expect_identifier(what);
  while (tokens_.skip_operator(".")) {
    name += '.';
    name += tokens_.expect_identifier(what);
  }
  return name;
}

FilterUse ExpressionParser::parse_filter_use() {
  FilterUse use;
  use.name = parse_dotted_name("the name of a filter");
  use.filter = find_filter(use.name);
  if (tokens_.at_operator("(")) {
    use.arguments = parse_arguments();
  }
  return use;
}

std::vector<FilterUse> ExpressionParser::parse_filters(bool starts_inline) {
  std::vector<FilterUse> filters;
  if (starts_inline) {
    filters.push_back(parse_filter_use());
  }
  while (tokens_.skip_operator("|")) {
    filters.push_back(parse_filter_use());
  }
  return filters;
}

ExpressionPtr ExpressionParser::parse_filter(ExpressionPtr operand) {
  auto node = make<FilterExpression>(tokens_.line());
  tokens_.next();
  node->operand = std::move(operand);
  node->use = parse_filter_use();
  const std::uint32_t depth = std::max(node->operand->depth, deepest(node->use.arguments));
  return finish(std::move(node), depth);
}

ExpressionPtr ExpressionParser::parse_test(ExpressionPtr operand) {
  auto node = make<TestExpression>(tokens_.line());
  tokens_.next();
  node->operand = std::move(operand);
  node->is_negated = tokens_.skip_name("not");
  node->name = parse_dotted_name("the name of a test");
  node->test = find_test(node->name);
  const TokenKind kind = tokens_.current().kind;
  const bool starts_operand = kind == TokenKind::kName || kind == TokenKind::kString ||
                              kind == TokenKind::kInteger || kind == TokenKind::kFloat ||
                              tokens_.at_operator("[") || tokens_.at_operator("{");
  const bool continues = tokens_.at_name("else") || tokens_.at_name("or") ||
                         tokens_.at_name("and") || tokens_.at_name("if");
  if (tokens_.at_operator("(")) {
    node->arguments = parse_arguments();
  } else if (starts_operand && !continues) {
    if (tokens_.at_name("is")) {
      fail("tests cannot be chained with 'is'; use 'and'");
    }
    const NestingGuard guard(nesting_);
    node->arguments.positional.push_back(parse_postfix(parse_primary()));
  }
  const std::uint32_t depth = std::max(node->operand->depth, deepest(node->arguments));
  return finish(std::move(node), depth);
}

std::string ExpressionParser::parse_target_name() {
  static constexpr std::array<std::string_view, 6> kReserved = {"true", "false", "none",
                                                                "True", "False", "None"};
  std::string name = tokens_.expect_identifier("a name to assign to");
  if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end()) {
    fail("cannot assign to '{}'", name);
  }
  return name;
}

Target ExpressionParser::parse_single_target(bool allows_attribute) {
  const NestingGuard guard(nesting_);
  Target target;
  if (tokens_.skip_operator("(")) {
    target = parse_target(allows_attribute);
    tokens_.expect_operator(")");
    return target;
  }
  target.symbol = names_.intern(parse_target_name());
  if (allows_attribute && tokens_.skip_operator(".")) {
    target.attribute = tokens_.expect_identifier("the name of an attribute");
  }
  return target;
}

Target ExpressionParser::parse_target(bool allows_attribute, std::string_view end_name) {
  Target first = parse_single_target(allows_attribute);
  if (!tokens_.at_operator(",")) {
    return first;
  }
  Target target;
  target.is_tuple = true;
  target.parts.push_back(std::move(first));
  while (tokens_.skip_operator(",") && !at_tuple_end(end_name) && !tokens_.at_operator("=")) {
    target.parts.push_back(parse_single_target(allows_attribute));
  }
  return target;
}

}  // namespace vernal::jinja
