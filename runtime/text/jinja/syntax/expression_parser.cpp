#include "text/jinja/syntax/expression_parser.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "text/jinja/error.hpp"
#include "text/jinja/syntax/expression_depth.hpp"
#include "text/jinja/syntax/parser.hpp"

namespace vernal::jinja {
namespace {

template <class Meaning>
struct OperatorName {
  std::string_view text;
  Meaning meaning;
};

constexpr OperatorName<Comparison> kComparisons[] = {
    {"==", Comparison::kEqual},  {"!=", Comparison::kNotEqual},
    {"<", Comparison::kLess},    {"<=", Comparison::kLessOrEqual},
    {">", Comparison::kGreater}, {">=", Comparison::kGreaterOrEqual},
};

constexpr OperatorName<BinaryOperator> kSums[] = {
    {"+", BinaryOperator::kAdd},
    {"-", BinaryOperator::kSubtract},
};
constexpr OperatorName<BinaryOperator> kProducts[] = {
    {"*", BinaryOperator::kMultiply},
    {"/", BinaryOperator::kDivide},
    {"//", BinaryOperator::kFloorDivide},
    {"%", BinaryOperator::kModulo},
};
constexpr OperatorName<BinaryOperator> kPowers[] = {{"**", BinaryOperator::kPower}};

enum Level : std::size_t { kSumLevel, kProductLevel, kPowerLevel };

constexpr std::array<std::span<const OperatorName<BinaryOperator>>, 3> kLevels = {kSums, kProducts,
                                                                                  kPowers};

template <class Meaning>
std::optional<Meaning> skip_any(TokenStream& tokens,
                                std::span<const OperatorName<Meaning>> candidates) {
  for (const OperatorName<Meaning>& candidate : candidates) {
    if (tokens.skip_operator(candidate.text)) {
      return candidate.meaning;
    }
  }
  return std::nullopt;
}

std::optional<Comparison> skip_comparison(TokenStream& tokens) {
  if (tokens.skip_name("in")) {
    return Comparison::kIn;
  }
  if (tokens.at_name("not") && tokens.following().kind == TokenKind::kName &&
      tokens.following().text == "in") {
    tokens.next();
    tokens.next();
    return Comparison::kNotIn;
  }
  return skip_any<Comparison>(tokens, kComparisons);
}

}  // namespace

void ExpressionParser::check_depth(std::uint32_t depth) {
  if (depth > kMaxNesting) {
    fail_limit("the template is nested more than {} levels deep", kMaxNesting);
  }
}

ExpressionPtr ExpressionParser::parse(bool with_condition) {
  const NestingGuard guard(nesting_);
  ExpressionPtr chosen = parse_logical(true);
  while (with_condition && tokens_.at_name("if")) {
    auto node = make<ConditionalExpression>(tokens_.line());
    tokens_.next();
    node->chosen = std::move(chosen);
    node->condition = parse_logical(true);
    if (tokens_.skip_name("else")) {
      node->otherwise = parse();
    }
    const std::uint32_t depth =
        std::max({depth_of(node->chosen), depth_of(node->condition), depth_of(node->otherwise)});
    chosen = finish(std::move(node), depth);
  }
  return chosen;
}

ExpressionPtr ExpressionParser::parse_logical(bool is_or) {
  const std::string_view name = is_or ? "or" : "and";
  const std::uint32_t line = tokens_.line();
  ExpressionPtr first = is_or ? parse_logical(false) : parse_not();
  if (!tokens_.at_name(name)) {
    return first;
  }
  auto node = make<LogicalExpression>(line);
  node->is_or = is_or;
  node->operands.push_back(std::move(first));
  while (tokens_.skip_name(name)) {
    node->operands.push_back(is_or ? parse_logical(false) : parse_not());
  }
  const std::uint32_t depth = deepest(node->operands);
  return finish(std::move(node), depth);
}

ExpressionPtr ExpressionParser::parse_not() {
  if (!tokens_.at_name("not")) {
    return parse_comparison();
  }
  const NestingGuard guard(nesting_);
  auto node = make<UnaryExpression>(tokens_.line());
  tokens_.next();
  node->operation = UnaryOperator::kNot;
  node->operand = parse_not();
  const std::uint32_t depth = node->operand->depth;
  return finish(std::move(node), depth);
}

ExpressionPtr ExpressionParser::parse_comparison() {
  const std::uint32_t line = tokens_.line();
  ExpressionPtr first = parse_arithmetic(kSumLevel);
  std::optional<Comparison> comparison = skip_comparison(tokens_);
  if (!comparison.has_value()) {
    return first;
  }
  auto node = make<ComparisonExpression>(line);
  std::uint32_t depth = first->depth;
  node->first = std::move(first);
  for (; comparison.has_value(); comparison = skip_comparison(tokens_)) {
    node->rest.emplace_back(*comparison, parse_arithmetic(kSumLevel));
    depth = std::max(depth, node->rest.back().second->depth);
  }
  return finish(std::move(node), depth);
}

ExpressionPtr ExpressionParser::parse_arithmetic(std::size_t level) {
  const auto parse_operand = [&] {
    switch (level) {
      case kSumLevel:
        return parse_concatenation();
      case kProductLevel:
        return parse_arithmetic(kPowerLevel);
      default:
        return parse_unary(true);
    }
  };
  const std::uint32_t line = tokens_.line();
  ExpressionPtr first = parse_operand();
  std::optional<BinaryOperator> operation = skip_any(tokens_, kLevels[level]);
  if (!operation.has_value()) {
    return first;
  }
  auto node = make<ArithmeticExpression>(line);
  std::uint32_t depth = first->depth;
  node->first = std::move(first);
  for (; operation.has_value(); operation = skip_any(tokens_, kLevels[level])) {
    node->rest.emplace_back(*operation, parse_operand());
    depth = std::max(depth, node->rest.back().second->depth);
  }
  return finish(std::move(node), depth);
}

ExpressionPtr ExpressionParser::parse_concatenation() {
  const std::uint32_t line = tokens_.line();
  ExpressionPtr first = parse_arithmetic(kProductLevel);
  if (!tokens_.at_operator("~")) {
    return first;
  }
  auto node = make<ConcatenationExpression>(line);
  node->operands.push_back(std::move(first));
  while (tokens_.skip_operator("~")) {
    node->operands.push_back(parse_arithmetic(kProductLevel));
  }
  const std::uint32_t depth = deepest(node->operands);
  return finish(std::move(node), depth);
}

ExpressionPtr ExpressionParser::parse_unary(bool with_filters) {
  const NestingGuard guard(nesting_);
  ExpressionPtr operand;
  if (tokens_.at_operator("-") || tokens_.at_operator("+")) {
    auto node = make<UnaryExpression>(tokens_.line());
    node->operation = tokens_.next().text == "-" ? UnaryOperator::kNegate : UnaryOperator::kPlus;
    node->operand = parse_unary(false);
    const std::uint32_t depth = node->operand->depth;
    operand = finish(std::move(node), depth);
  } else {
    operand = parse_primary();
  }
  operand = parse_postfix(std::move(operand));
  return with_filters ? parse_filters_and_tests(std::move(operand)) : std::move(operand);
}

bool ExpressionParser::at_tuple_end(std::string_view end_name) const {
  return tokens_.at(TokenKind::kVariableEnd) || tokens_.at(TokenKind::kBlockEnd) ||
         tokens_.at_operator(")") || (!end_name.empty() && tokens_.at_name(end_name));
}

ExpressionPtr ExpressionParser::parse_tuple(bool with_condition, std::string_view end_name) {
  const std::uint32_t line = tokens_.line();
  ExpressionPtr first = parse(with_condition);
  if (!tokens_.at_operator(",")) {
    return first;
  }
  auto node = make<ListExpression>(line);
  node->is_tuple = true;
  node->items.push_back(std::move(first));
  while (tokens_.skip_operator(",") && !at_tuple_end(end_name)) {
    node->items.push_back(parse(with_condition));
  }
  const std::uint32_t depth = deepest(node->items);
  return finish(std::move(node), depth);
}

}  // namespace vernal::jinja
