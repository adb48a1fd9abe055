// The attribute argument of filters, such as "function.name", "0.id" or 1.
#pragma once

#include <string_view>
#include <vector>

#include "text/jinja/interpreter.hpp"
#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// Says which part of each element a filter looks at.
class AttributePath {
 public:
  ///   attribute   a string of parts with dots in between, where digits are positions; an integer;
  ///               or undefined or none, for the element itself
  ///   otherwise   if defined, stands for parts that are undefined
  explicit AttributePath(const Value& attribute, Value otherwise = Value());

  /// Reads several paths with commas in between: "a,b.c".
  static std::vector<AttributePath> parse_list(std::string_view text);

  /// The part of `element` that this path leads to.
  Value follow(Interpreter& interpreter, const Value& element) const;

 private:
  struct Part {
    std::string name;
    std::optional<std::int64_t> position;
  };

  explicit AttributePath(std::string_view text);

  void add_parts(std::string_view text);

  std::vector<Part> parts_;
  Value otherwise_;
};

}  // namespace vernal::jinja
