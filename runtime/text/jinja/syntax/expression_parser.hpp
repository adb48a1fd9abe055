// Parses expressions. Precedence, from the weakest: if-else, or, and, not, comparison, + -, ~,
// * / // %, **, unary + -, then postfix (attribute, subscript, call), filters and tests.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "text/jinja/syntax/ast.hpp"
#include "text/jinja/syntax/token_stream.hpp"

namespace vernal::jinja {

class ExpressionParser {
 public:
  ExpressionParser(TokenStream& tokens, NameTable& names) : tokens_(tokens), names_(names) {}

  /// One expression, with `a if b else c` or without.
  ExpressionPtr parse(bool with_condition = true);
  /// An expression, or a tuple: several expressions with commas in between. `end_name` is a name
  /// that may follow a comma at the end.
  ExpressionPtr parse_tuple(bool with_condition = true, std::string_view end_name = {});
  /// The arguments `(…)` of a call.
  ArgumentList parse_arguments();
  /// Filters `| name | name(…) …`. With `starts_inline`, as in a filter block, the first one has no
  /// `|`.
  std::vector<FilterUse> parse_filters(bool starts_inline);
  /// A target of an assignment. A tuple ends before the name `end_name`.
  Target parse_target(bool allows_attribute, std::string_view end_name = {});
  /// A name that may be assigned to.
  std::string parse_target_name();

  std::uint32_t num_string_literals() const { return num_string_literals_; }

 private:
  template <class Node>
  static std::unique_ptr<Node> make(std::uint32_t line) {
    auto node = std::make_unique<Node>();
    node->line = line;
    return node;
  }
  /// Completes a node whose deepest child has `depth_below` levels. Fails if it nests too deeply.
  template <class Node>
  static ExpressionPtr finish(std::unique_ptr<Node> node, std::uint32_t depth_below) {
    node->depth = depth_below + 1;
    check_depth(node->depth);
    return node;
  }
  static void check_depth(std::uint32_t depth);

  ExpressionPtr parse_logical(bool is_or);
  ExpressionPtr parse_not();
  ExpressionPtr parse_comparison();
  ExpressionPtr parse_arithmetic(std::size_t level);
  ExpressionPtr parse_concatenation();
  ExpressionPtr parse_unary(bool with_filters);
  ExpressionPtr parse_postfix(ExpressionPtr operand);
  ExpressionPtr parse_filters_and_tests(ExpressionPtr operand);
  ExpressionPtr parse_primary();
  ExpressionPtr parse_name();
  ExpressionPtr parse_string();
  ExpressionPtr parse_number();
  ExpressionPtr parse_parentheses();
  ExpressionPtr parse_list();
  ExpressionPtr parse_dict();
  ExpressionPtr parse_attribute(ExpressionPtr object);
  ExpressionPtr parse_subscript(ExpressionPtr object);
  ExpressionPtr parse_call(ExpressionPtr callee);
  ExpressionPtr parse_filter(ExpressionPtr operand);
  ExpressionPtr parse_test(ExpressionPtr operand);
  FilterUse parse_filter_use();
  bool at_tuple_end(std::string_view end_name) const;
  Target parse_single_target(bool allows_attribute);
  std::string parse_dotted_name(std::string_view what);

  TokenStream& tokens_;
  NameTable& names_;
  std::uint32_t nesting_ = 0;
  std::uint32_t num_string_literals_ = 0;
};

}  // namespace vernal::jinja
