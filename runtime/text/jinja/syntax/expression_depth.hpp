// The number of levels below a node.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "text/jinja/syntax/ast.hpp"

namespace vernal::jinja {

inline std::uint32_t depth_of(const ExpressionPtr& expression) {
  return expression == nullptr ? 0 : expression->depth;
}

inline std::uint32_t deepest(const std::vector<ExpressionPtr>& expressions) {
  std::uint32_t depth = 0;
  for (const ExpressionPtr& expression : expressions) {
    depth = std::max(depth, expression->depth);
  }
  return depth;
}

inline std::uint32_t deepest(const ArgumentList& arguments) {
  std::uint32_t depth =
      std::max(deepest(arguments.positional),
               std::max(depth_of(arguments.spread), depth_of(arguments.named_spread)));
  for (const auto& [name, value] : arguments.named) {
    depth = std::max(depth, value->depth);
  }
  return depth;
}

}  // namespace vernal::jinja
