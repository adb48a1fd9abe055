// How answers are generated, as /set changes it.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace vernal::stdin_repl {

/// Values that were set; what was not set is the model's default and left out of requests.
class GenerationOptions {
 public:
  /// Names in the order they are shown.
  static std::vector<std::string_view> names();
  /// "a number", "a whole number", "a word". Throws Error(NOT_FOUND).
  static std::string_view expectation(std::string_view name);

  /// Sets an option from text; "default" takes it back. Throws Error(NOT_FOUND) for an unknown
  /// name, with the nearest one, and INVALID_ARGUMENT for a value of another kind. The core refuses
  /// values out of range when they are used.
  void set(std::string_view name, std::string_view value);
  /// What it is set to, or "default". Throws Error(NOT_FOUND).
  std::string value_of(std::string_view name) const;

  /// Adds what is set to a vernal.request/1 document.
  void add_to(boost::json::object& document) const;

 private:
  boost::json::object values_;  // name -> number or string
};

}  // namespace vernal::stdin_repl
