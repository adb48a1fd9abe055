// The attribute argument of filters: "function.name", "0.id", 1.
#pragma once

#include <string_view>
#include <vector>

#include "text/jinja/interpreter.hpp"
#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// Which part of each element a filter looks at.
class AttributePath {
 public:
  /// `attribute` is a string with parts between dots (digits are positions), an integer, or
  /// undefined or none for the element itself. What is undefined becomes `otherwise`, if that is
  /// given.
  explicit AttributePath(const Value& attribute, Value otherwise = Value());

  /// "a,b.c": several paths.
  static std::vector<AttributePath> parse_list(std::string_view text);

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
